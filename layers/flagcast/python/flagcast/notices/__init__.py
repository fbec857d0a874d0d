"""`notify`: when a destination is in trouble, and how one other destination is notified, once.

Nothing here delivers: a notice is a task like any other.
"""
