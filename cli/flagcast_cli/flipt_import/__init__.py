"""`flagcast import-flipt`: Flipt's own webhook configuration to Flagcast's.

No credential of Flipt's file is written into flagcast.yaml.
"""
