"""What the archive keeps of an event: one object each, its key, and what it proves.

Nothing here reads or writes a bucket, or reads the event itself.
"""
