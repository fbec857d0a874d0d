"""Flagcast: what the two functions and the command line share."""

__version__ = "0.1.0"
