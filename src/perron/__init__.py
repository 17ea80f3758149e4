"""Perron: a self-service application platform that shows, from evidence, how well it delivers."""

__version__ = "0.2.0"
