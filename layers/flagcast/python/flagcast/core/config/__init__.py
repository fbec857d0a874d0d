"""flagcast.yaml: its model, and how it is read with every problem named by its path."""
