"""What can be done with sources and builds."""
