"""Text with values in it, and what a value becomes by its place in JSON or a vendor's markup.

Nothing here knows a destination; no template reaches the network, a file or Python.
"""
