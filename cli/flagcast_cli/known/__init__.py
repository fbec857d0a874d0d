"""`flagcast learn`, `verify` and `forget`: what Flipt has, beside what is known of it."""
