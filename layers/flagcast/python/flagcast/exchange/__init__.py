"""One HTTP request to a destination and what it answered: signing, masking, Retry-After.

Nothing here renders a template or opens a connection.
"""
