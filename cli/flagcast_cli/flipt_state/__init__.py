"""`flagcast learn`, `verify` and `forget`: what Flipt has, beside what the state table knows of it.

Nothing here changes anything in Flipt.
"""
