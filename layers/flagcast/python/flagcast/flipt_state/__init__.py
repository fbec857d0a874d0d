"""What Flipt has, as far as its events show: which event is a resend, which a change, and what it changed.

The rows are passed in; nothing here reads DynamoDB or says anything in words.
"""
