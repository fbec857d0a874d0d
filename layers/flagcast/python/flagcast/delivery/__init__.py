"""One attempt, the decision that follows, and a batch of them in message groups.

Queue, tables, HTTP and clock are passed in: nothing here reaches them itself.
"""
