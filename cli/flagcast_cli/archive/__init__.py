"""`archive`: what the archive has, and what it proves. Reading its bucket is what `replay` uses too.

Nothing here writes to the bucket.
"""
