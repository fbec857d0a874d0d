"""Where in a text something is wrong."""

from msgspec import Struct


class TextPosition(Struct, frozen=True, order=True):
    """A text's name (``body``, ``when``, a file of templates/; empty: flagcast.yaml), line and column; 0 is unknown."""

    name: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return it as the beginning of a sentence."""
        line, column = f"line {self.line}" if self.line else "", f"column {self.column}" if self.column else ""
        return ", ".join(each for each in (self.name, line, column) if each)
