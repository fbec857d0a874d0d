"""`flagcast dlq`: dead letters listed, shown, sent again, deleted.

No letter is deleted before it is on the task queue, or someone agreed.
"""
