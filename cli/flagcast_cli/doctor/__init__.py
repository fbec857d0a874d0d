"""`flagcast doctor`: one look at a deployed stack, and what is wrong with it.

It reads and sends one signed probe; it changes nothing.
"""
