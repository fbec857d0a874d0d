"""`flagcast init`: a first flagcast.yaml from three questions, and how such a file is written.

No secret is written into the file, and nothing here asks AWS.
"""
