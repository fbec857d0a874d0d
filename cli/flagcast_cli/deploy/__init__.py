"""The way to a deployed stack: check it, build it, deploy it."""
