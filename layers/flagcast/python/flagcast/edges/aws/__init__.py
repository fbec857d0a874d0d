"""AWS, one service or table a module; the only importers of botocore.

Nothing here decides what a failure means: it is raised as one of flagcast.errors.
"""
