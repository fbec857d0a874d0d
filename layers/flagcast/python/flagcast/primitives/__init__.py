"""Values without a stage of their own: durations, times, addresses, and positions in a text.

Nothing here knows an event, a configuration or a task.
"""
