"""The dead letters, for people: seen, sent again, dropped."""
