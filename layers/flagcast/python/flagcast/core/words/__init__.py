"""An event in the words that people read."""
