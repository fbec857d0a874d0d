"""A stack in an AWS account: signing in, its outputs, its queues, and where its secrets are.

Nothing here changes a stack.
"""
