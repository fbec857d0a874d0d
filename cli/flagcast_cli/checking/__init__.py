"""What `flagcast check` finds: where it is in the file, how it is shown, and what it warns of."""
