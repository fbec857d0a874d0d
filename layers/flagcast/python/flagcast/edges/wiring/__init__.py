"""What the two handlers call: every edge made once, on first use, and put together.

Nothing is read or connected while importing, and ingest loads nothing that only deliver needs.
"""
