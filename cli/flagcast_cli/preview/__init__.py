"""`flagcast render` and `flagcast test`: the request that a destination gets, shown or really sent.

Nothing here goes through the queue.
"""
