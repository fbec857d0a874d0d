"""AWS, one service a module; the only importers of botocore."""
