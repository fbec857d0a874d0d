"""The way to a deployed stack: check it, build it, deploy it.

Nothing here shows the value of a secret, or reads dead letters.
"""
