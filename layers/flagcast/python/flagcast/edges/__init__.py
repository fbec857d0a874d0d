"""The rim: the only modules that reach the network, the environment, files or standard output.

No rule of Flagcast's is here: a decision belongs to a room that can be tested without an edge.
"""
