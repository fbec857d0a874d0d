"""The flagcast command: run by people, never deployed."""
