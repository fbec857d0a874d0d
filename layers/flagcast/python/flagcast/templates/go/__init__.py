"""A port of Go's text/template, as Flipt fills its own templates: loaded only where a destination uses it.

One Go package, so one room, larger than the others; it adds nothing that Go does not have.
"""
