"""flagcast.yaml: its typed model, and how its text is read with every problem named by its path.

Nothing here reads a file or the value of a secret, or compiles a template.
"""
