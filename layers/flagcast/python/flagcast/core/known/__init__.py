"""What Flipt has, as far as its events have told: which event is a change, what it changed, what ids are called."""
