"""The nouns of access, and the table of what each role may do."""
