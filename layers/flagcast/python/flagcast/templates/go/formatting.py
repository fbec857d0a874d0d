"""One value by one verb of Go's fmt: https://pkg.go.dev/fmt#hdr-Printing."""

from msgspec import Struct

from flagcast.templates.go.escaping import backquoted, quoted, quoted_rune, rune
from flagcast.templates.go.numbers import format_float
from flagcast.templates.go.provenance import Own
from flagcast.templates.go.values import BYTES, Byte, Pointer, Record, type_of
from flagcast.templates.limits import CALL, check_number, spend, work

_BASES = {"d": 10, "v": 10, "b": 2, "o": 8, "O": 8, "x": 16, "X": 16}
_DIGITS = {10: "d", 2: "b", 8: "o", 16: "x"}
_PREFIXES = {2: "0b", 8: "0", 16: "0x"}
_UINT64 = (1 << 64) - 1
_ADDRESS = 0xC000000000
"""What stands for the address of a pointer, which is another in Go at each run."""


class Flags(Struct):
    """How a verb is to write: Go's flags, width and precision; `plus_v` and `sharp_v` are + and # of %v."""

    plus: bool = False
    minus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    plus_v: bool = False
    sharp_v: bool = False
    width: int | None = None
    precision: int | None = None

    def pad(self, text: str, *, zeros: bool = True) -> list[str]:
        """Fill a text up to the width."""
        check_number(self.width)
        fill = ("0" if self.zero and zeros and not self.minus else " ") * ((self.width or 0) - len(text))
        spend(len(text) + len(fill))
        return [text, Own(fill)] if self.minus else [Own(fill), text]


def formatted(value: object, verb: str, flags: Flags) -> list[str]:
    """Write a value as an argument of a print function; pieces, whose marks are those of the strings that are."""
    if value is None:
        return flags.pad("<nil>") if verb in "Tv" else [f"%!{verb}(<nil>)"]
    if verb == "T":
        return flags.pad(_cut(type_of(value), flags))
    if verb == "w" or (verb == "p" and not isinstance(value, Pointer | dict | list)):
        return _bad(value, verb, flags)
    return _formatted(value, verb, flags, 0)


def _formatted(value: object, verb: str, flags: Flags, depth: int) -> list[str]:
    work(CALL)
    match value:
        case bool():
            return flags.pad("true" if value else "false") if verb in "tv" else _bad(value, verb, flags)
        case int():
            return _integer(value, verb, flags)
        case float():
            return _float(value, verb, flags)
        case complex():
            return _complex(value, verb, flags)
        case str():
            return _string(value, verb, flags)
        case dict() | list() if verb == "p":
            return _address(_ADDRESS, verb, flags)
        case dict():
            pairs = [
                [*_formatted(key, verb, flags, depth + 1), ":", *_formatted(value[key], verb, flags, depth + 1)]
                for key in sorted(value)
            ]
            return _listed(pairs, flags, type_of(value), "map[]")
        case list():
            return _listed([_formatted(each, verb, flags, depth + 1) for each in value], flags, type_of(value), "[]")
        case Record():
            named = flags.plus_v or flags.sharp_v
            fields = [
                [f"{name}:" if named else "", *_formatted(field, verb, flags, depth + 1)]
                for name, field in value.fields.items()
            ]
            return _listed(fields, flags, value.kind, "{}")
        case Pointer():
            if depth == 0 and value.record is not None and verb != "p":
                return ["&", *_formatted(value.record, verb, flags, depth + 1)]
            return _pointer(value, verb, flags)
        case _:
            return ["interface {}(nil)" if flags.sharp_v else "<nil>"]


def _listed(items: list[list[str]], flags: Flags, kind: str, around: str) -> list[str]:
    before, after = (f"{kind}{{", "}") if flags.sharp_v else (around[:-1], around[-1])
    between = ", " if flags.sharp_v else " "
    parts = [part for index, item in enumerate(items) for part in ([between] if index else []) + item]
    return [before, *parts, after]


def _bad(value: object, verb: str, flags: Flags) -> list[str]:
    shown = _formatted(value, "v", flags, 0)
    return [f"%!{verb}({type_of(value)}=", *shown, ")"]


def _pointer(value: Pointer, verb: str, flags: Flags) -> list[str]:
    address = 0 if value.record is None else _ADDRESS
    if verb == "v" and flags.sharp_v:
        return [f"(*{value.kind})({f'{address:#x}' if address else 'nil'})"]
    if verb == "v" and not address:
        return flags.pad("<nil>")
    if verb in "vp":
        return _address(address, verb, flags)
    if verb in "bodxX":
        return _integer(address, verb, flags)
    return _bad(value, verb, flags)


def _address(address: int, verb: str, flags: Flags) -> list[str]:
    return _integer(address, "x", _with_sharp(flags, sharp=not flags.sharp))


def _with_sharp(flags: Flags, *, sharp: bool) -> Flags:
    return Flags(flags.plus, flags.minus, sharp, flags.space, flags.zero, width=flags.width, precision=flags.precision)


def _string(text: str, verb: str, flags: Flags) -> list[str]:
    if verb in "xX":
        return _hexadecimal(text.encode(*BYTES), verb, flags)
    if verb == "q" or (verb == "v" and flags.sharp_v):
        text = _cut(text, flags)
        raw = backquoted(text) if flags.sharp else None
        return flags.pad(raw or quoted(text, ascii_only=flags.plus))
    return flags.pad(_cut(text, flags)) if verb in "sv" else _bad(text, verb, flags)


def _cut(text: str, flags: Flags) -> str:
    return text if flags.precision is None or len(text) <= flags.precision else text[: flags.precision]


def _hexadecimal(content: bytes, verb: str, flags: Flags) -> list[str]:
    content = content[: flags.precision]
    prefix = "0x" if flags.sharp and content else ""
    text = content.hex(" ").replace(" ", f" {prefix}") if flags.space and content else content.hex()
    return flags.pad((prefix + text).upper() if verb == "X" else prefix + text)


def _integer(value: int, verb: str, flags: Flags) -> list[str]:
    match verb:
        case "c":
            return flags.pad(rune(value))
        case "q":
            return flags.pad(quoted_rune(value, ascii_only=flags.plus))
        case "U":
            character = rune(value)
            shown = f" '{character}'" if flags.sharp and ord(character) == value and character.isprintable() else ""
            check_number(flags.precision)
            return flags.pad(f"U+{value & _UINT64:0{max(flags.precision or 4, 4)}X}{shown}", zeros=False)
        case _ if verb in _BASES:
            return flags.pad(_digits(value, verb, flags), zeros=False)
        case _:
            return _bad(value, verb, flags)


def _digits(value: int, verb: str, flags: Flags) -> str:
    check_number(flags.width)
    check_number(flags.precision)
    if flags.precision == 0 and value == 0:
        return ""
    base = 16 if verb == "v" and flags.sharp_v and isinstance(value, Byte) else _BASES[verb]
    sign = "-" if value < 0 else "+" if flags.plus else " " if flags.space else ""
    least = flags.precision
    if least is None and flags.zero and not flags.minus:
        least = (flags.width or 0) - len(sign)
    text = format(abs(value), _DIGITS[base]).rjust(least or 0, "0")
    if (flags.sharp or (verb == "v" and base == 16)) and base in _PREFIXES and not (base == 8 and text[0] == "0"):
        text = _PREFIXES[base] + text
    text = sign + (f"0o{text}" if verb == "O" else text)
    return text.upper() if verb == "X" else text


def _float(value: float, verb: str, flags: Flags) -> list[str]:
    if verb not in "vbgGxXfFeE":
        return _bad(value, verb, flags)
    check_number(flags.precision)
    kind = {"v": "g", "F": "f"}.get(verb, verb)
    precision = 6 if flags.precision is None and kind in "feE" else flags.precision
    text = format_float(value, kind, precision)
    sign, text = ("-", text[1:]) if text[0] == "-" else ("+", text)
    if flags.sharp and verb != "b":
        text = _with_point(text, kind, precision)
    shown = sign if sign == "-" or flags.plus else " " if flags.space else ""
    if flags.zero and not flags.minus and shown:
        check_number(flags.width)
        return flags.pad(shown + text.rjust((flags.width or 0) - 1, "0"))
    return flags.pad(shown + text)


def _with_point(text: str, kind: str, precision: int | None) -> str:
    """Write the point and the zeros behind it, which # asks for."""
    at = next((position for position, each in enumerate(text) if each in ("pP" if kind in "xX" else "eE")), len(text))
    number, tail = text[:at], text[at:]
    wanted = 6 if precision is None else precision
    significant = len(number.replace(".", "").lstrip("0"))
    if "." not in number:
        significant += number == "0"
        number += "."
    return number + "0" * (wanted - significant if kind in "gGx" else 0) + tail


def _complex(value: complex, verb: str, flags: Flags) -> list[str]:
    if verb not in "vbgGxXfFeE":
        return _bad(value, verb, flags)
    signed = _with_sharp(flags, sharp=flags.sharp)
    signed.plus = True
    return ["(", *_float(value.real, verb, flags), *_float(value.imag, verb, signed), "i)"]
