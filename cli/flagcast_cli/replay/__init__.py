"""`flagcast replay`: events that were accepted long ago, to one destination, through the queue.

Nothing here sends to another destination than the one that was named, or changes what is kept.
"""
