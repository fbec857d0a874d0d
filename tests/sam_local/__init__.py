"""The functions in the containers of `sam local`, against the local stack; what needs an engine is marked so."""
