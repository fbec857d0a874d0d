"""HTTP to destinations: allowed addresses alone, and every attempt ends by its deadline.

Nothing here renders, retries or keeps state between attempts beyond a connection.
"""
