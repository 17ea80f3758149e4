"""Commands for people and scripts: one file for each noun, loaded when it is used."""
