"""The local stack: the real template on MiniStack, an emulator of AWS that needs no account and no Docker."""
