"""From an HTTP request to the messages that carry its event: the HTTP contract, proof, acceptance, fan-out.

Nothing here renders, delivers or loads what only deliver needs: a cold start waits for it.
"""
