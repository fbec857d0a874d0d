"""What can be wrong with a configuration before an event comes: dry runs, unknown fields, expressions that never hold.

Only the command line asks; no function loads it, and nothing here sends a request.
"""
