"""Go's Sprintf, Sprint and Sprintln: https://pkg.go.dev/fmt#hdr-Printing."""

import re
from collections.abc import Iterable, Sequence

from flagcast.templates.go.formatting import Flags, formatted
from flagcast.templates.go.provenance import Own, joined
from flagcast.templates.go.values import type_of
from flagcast.templates.limits import spend

_FLAGS = {"+": "plus", "-": "minus", "#": "sharp", " ": "space", "0": "zero"}
_LARGEST = 1_000_000
"""The largest width, precision or argument's number that Go takes."""

_NUMBER = re.compile("[0-9]*", re.ASCII)


def sprint(values: Iterable[object]) -> str:
    """Write values one after another, with a space between two that are no strings."""
    pieces: list[str] = []
    behind_string = True
    for value in values:
        is_string = isinstance(value, str)
        pieces += [] if is_string or behind_string else [Own(" ")]
        pieces += formatted(value, "v", Flags())
        behind_string = is_string
    return joined(pieces)


def sprintln(values: Iterable[object]) -> str:
    """Write values with spaces between, and end the line."""
    pieces: list[str] = []
    for index, value in enumerate(values):
        pieces += [Own(" ")] if index else []
        pieces += formatted(value, "v", Flags())
    return joined([*pieces, Own("\n")])


def sprintf(text: str, values: Sequence[object]) -> str:
    """Write values as a format says; what is wrong with it is in the result, as in Go."""
    spend(len(text))
    return joined(_Printf(text, values).written())


class _Printf:
    """One run through a format: where it is, and which value is next."""

    def __init__(self, text: str, values: Sequence[object]) -> None:
        self._text = text
        self._values = values
        self._at = 0
        self._next = 0
        self._reordered = False
        self._good_number = True
        self._pieces: list[str] = []

    def written(self) -> list[str]:
        own = Own if isinstance(self._text, Own) else str
        while (percent := self._text.find("%", self._at)) >= 0:
            self._pieces.append(own(self._text[self._at : percent]))
            self._at = percent + 1
            self._directive(own)
        self._pieces.append(own(self._text[self._at :]))
        if not self._reordered and self._next < len(self._values):
            self._extra(self._values[self._next :])
        return self._pieces

    def _directive(self, own: type[str]) -> None:
        flags = self._flags()
        self._good_number = True
        if self._behind(r"[a-z]") and self._next < len(self._values):
            self._value(flags, self._verb())
            return
        numbered = self._number_of_value()
        numbered = self._width(flags, numbered)
        if self._behind(r"\.") and self._at + 1 < len(self._text):
            self._at += 1
            self._good_number &= not numbered
            numbered = self._precision(flags, self._number_of_value())
        if not numbered:
            self._number_of_value()
        if self._at >= len(self._text):
            self._pieces.append("%!(NOVERB)")
            return
        verb = self._verb()
        if verb == "%":
            self._pieces.append(own("%"))
        elif not self._good_number:
            self._pieces.append(f"%!{verb}(BADINDEX)")
        elif self._next >= len(self._values):
            self._pieces.append(f"%!{verb}(MISSING)")
        else:
            self._value(flags, verb)

    def _behind(self, pattern: str) -> bool:
        return re.compile(pattern).match(self._text, self._at) is not None

    def _verb(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _flags(self) -> Flags:
        flags = Flags()
        while name := _FLAGS.get(self._text[self._at : self._at + 1]):
            setattr(flags, name, True)
            self._at += 1
        return flags

    def _value(self, flags: Flags, verb: str) -> None:
        if verb in "vw":
            flags.sharp_v, flags.sharp = flags.sharp, False
            flags.plus_v, flags.plus = flags.plus, False
        self._pieces += formatted(self._values[self._next], verb, flags)
        self._next += 1

    def _width(self, flags: Flags, numbered: bool) -> bool:
        if self._behind(r"\*"):
            flags.width = self._from_values("%!(BADWIDTH)")
            if flags.width is not None and flags.width < 0:
                flags.width, flags.minus, flags.zero = -flags.width, True, False
            return False
        flags.width = self._number()
        self._good_number &= not (numbered and flags.width is not None)
        return numbered

    def _precision(self, flags: Flags, numbered: bool) -> bool:
        if self._behind(r"\*"):
            flags.precision = self._from_values("%!(BADPREC)", least=0)
            return False
        flags.precision = self._number() or 0
        return numbered

    def _from_values(self, complaint: str, least: int = -_LARGEST) -> int | None:
        """Take a width or precision from the values."""
        self._at += 1
        value = self._values[self._next] if self._next < len(self._values) else None
        self._next += self._next < len(self._values)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= _LARGEST:
            return value
        self._pieces.append(complaint)
        return None

    def _number(self) -> int | None:
        digits = _NUMBER.match(self._text, self._at)
        assert digits is not None
        if len(digits[0].lstrip("0")) > len(str(_LARGEST)):
            self._at = len(self._text)
            return None
        self._at = digits.end()
        return int(digits[0]) if digits[0] else None

    def _number_of_value(self) -> bool:
        """Read [n], the number of the value that is next; tell whether there is one."""
        if not self._behind(r"\["):
            return False
        self._reordered = True
        end = self._text.find("]", self._at)
        if end < 0 or len(self._text) - self._at < 3:
            self._at += 1
            self._good_number = False
            return False
        digits = self._text[self._at + 1 : end]
        self._at = end + 1
        well_formed = digits.isascii() and digits.isdigit()
        number = int(digits[:8]) if well_formed else 0
        if 1 <= number <= len(self._values):
            self._next = number - 1
            return True
        self._good_number = False
        return well_formed

    def _extra(self, values: Sequence[object]) -> None:
        self._pieces.append("%!(EXTRA ")
        for index, value in enumerate(values):
            self._pieces += [", "] if index else []
            self._pieces += ["<nil>"] if value is None else [f"{type_of(value)}=", *formatted(value, "v", Flags())]
        self._pieces.append(")")
