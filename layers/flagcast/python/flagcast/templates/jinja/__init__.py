"""Jinja2, sandboxed and bounded: templates and expressions, errors as values.

Nothing here runs what a template should not reach, or quotes an event's value in an error.
"""
