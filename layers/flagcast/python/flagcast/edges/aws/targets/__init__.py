"""AWS services as destinations, one service a module, loaded when an event is first sent to it.

Nothing here decides what follows from an answer, or checks what a service takes.
"""
