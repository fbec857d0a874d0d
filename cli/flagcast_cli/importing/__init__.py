"""Flipt's own webhook configuration to Flagcast's: read, tell what is secret, convert, write, report."""
