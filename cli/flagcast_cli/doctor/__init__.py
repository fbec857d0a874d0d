"""`flagcast doctor`: one look at a deployed stack, and what is wrong with it."""
