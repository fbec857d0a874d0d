"""The pure core: no boto3, no HTTP, no environment, no clock of its own."""
