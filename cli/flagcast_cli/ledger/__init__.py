"""A copy of the functions' log on this machine, and the questions that it answers."""
