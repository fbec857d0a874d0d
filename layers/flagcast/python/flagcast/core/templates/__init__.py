"""Templates: text with values in it, by Jinja2 or as Go does it, and what a value becomes by its place in JSON."""
