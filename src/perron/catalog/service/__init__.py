"""What can be done with the catalog."""
