"""`flagcast init`: a first flagcast.yaml, from three questions."""
