"""What a process has around it: clock, environment, flagcast.yaml on disk, log lines, calls with a deadline.

Nothing here speaks to AWS or to a destination.
"""
