"""What happens to a batch of tasks, told with its edges, clock and randomness passed in."""
