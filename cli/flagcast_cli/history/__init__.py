"""What happened, asked of the ledger: events, deliveries, changes, and how each destination stands.

Nothing here changes a stack, or reads a secret.
"""
