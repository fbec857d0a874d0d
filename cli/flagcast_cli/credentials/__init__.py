"""What in a text may be a credential, and which vendor an address belongs to.

Nothing here reads a file or shows what it found.
"""
