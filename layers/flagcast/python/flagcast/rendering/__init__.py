"""From an event to the request of a destination: templates and conditions, compiled once and then asked.

Nothing here sends a request or decides what follows; what fails is a value.
"""
