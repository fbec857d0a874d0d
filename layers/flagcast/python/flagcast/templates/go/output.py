"""What a Go template writes, as pieces that are placed in JSON by where each text came from."""

from flagcast.templates.go.provenance import Js, Own, parts_of
from flagcast.templates.go.values import whole
from flagcast.templates.json_escaping import Escaped, Json, Misplaced, Verbatim, place
from flagcast.templates.limits import spend


class WrittenByJs(Escaped):
    """What `js` made: JSON where it is placed in JSON, and as text what Go writes."""

    __slots__ = ("go",)

    go: str

    def __new__(cls, made: Js) -> "WrittenByJs":
        """Take what `js` made."""
        piece = super().__new__(cls, whole(made.json))
        piece.go = whole(made)
        return piece

    def __str__(self) -> str:
        """Return what Go writes."""
        return self.go

    def __format__(self, spec: str) -> str:
        """Return what is in JSON, for a person who tries it."""
        return format("".join((self,)), spec)


class Pieces:
    """Collects what is written."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.pieces: list[object] = []
        self._opened = ""
        self._since: list[str] = []
        self._in_printed_string = False

    def write(self, text: str) -> None:
        """Write the template's own text."""
        spend(len(text))
        self.pieces.append(Verbatim(text))
        self._since.append(text)

    def print(self, text: str) -> None:
        """Write what an action gives.

        Text of the template itself stands as it is, so that it may open a string around what it is printed with, and
        close it; inside of another string only where it is valid, for else Flipt's body would have been no JSON.
        """
        parts = parts_of(text)
        if not any(isinstance(part, Own) for part in parts):
            self.pieces += map(_piece, parts)
            return
        was_inside = self._inside()
        as_it_is = not was_inside or self._in_printed_string
        for part in parts:
            if isinstance(part, Own) and (as_it_is or _can_stand_in_string(part)):
                self.write(part)
            else:
                self.pieces.append(_piece(part))
        self._in_printed_string = as_it_is and self._inside()

    def _inside(self) -> bool:
        """Return whether the text so far has opened a JSON string that it has not closed."""
        text = self._opened + "".join(self._since)
        placed = place((Verbatim(text), ""))
        behind_backslash = isinstance(placed, Misplaced)
        inside = behind_backslash or placed == text
        self._opened, self._since = ('"\\' if behind_backslash else '"' if inside else ""), []
        return inside


def _piece(part: str) -> str:
    return WrittenByJs(part) if isinstance(part, Js) else Json(whole(part))


def _can_stand_in_string(text: str) -> bool:
    return not isinstance(place((Verbatim('"'), Escaped(text))), Misplaced)
