"""One event for one destination: the message that carries it, its routing, progress, outcomes and dead letter.

Nothing here decides when to try again, or renders anything.
"""
