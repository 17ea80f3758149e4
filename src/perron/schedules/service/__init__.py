"""What can be done with schedules and their runs."""
