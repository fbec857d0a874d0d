"""An event as Flipt sends it, and what follows from it alone: filters, signature, subject.

Nothing here asks what Flipt has, or which destinations there are.
"""
