"""`flagcast check`: the problems of a configuration, where each is in the file, and how it is shown.

Nothing here asks AWS, and no credential in the file reaches the screen.
"""
