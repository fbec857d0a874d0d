"""An event in the words that people read: who did what to which thing, and what is worth knowing about it.

Plain text alone: nothing here writes markup, or knows for which destination it is.
"""
