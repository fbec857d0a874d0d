"""The local stack: the real template on MiniStack, with a receiver that stands for destinations.

Nothing here needs an AWS account, or listens beyond this machine.
"""
