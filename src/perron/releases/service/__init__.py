"""What can be done with releases; each file holds verbs that belong together."""
