"""A copy of a stack's log on this machine: from the functions' lines to rows of SQLite.

Nothing here answers a question, or prints but how far a copy is; the file may be thrown away at any time.
"""
