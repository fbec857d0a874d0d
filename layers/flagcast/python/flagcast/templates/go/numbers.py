"""Numbers as Go's strconv reads and writes them."""

import struct
from decimal import Decimal

_MANTISSA_BITS = 52
_LARGEST_INT = (1 << 63) - 1


def constant(text: str) -> int | float | complex:
    """Return the value of a number in a template; its syntax says its type. Raises OverflowError over an int.

    https://pkg.go.dev/text/template#hdr-Arguments: constants are untyped, as in Go.
    """
    text = text.replace("_", "")
    if text.endswith("i"):
        return _complex(text[:-1])
    if any(marker in text for marker in ("pP" if "0x" in text.lower() else ".eE")):
        return float.fromhex(text) if "0x" in text.lower() else float(text)
    number = _integer(text)
    if not -_LARGEST_INT - 1 <= number <= _LARGEST_INT:
        raise OverflowError
    return number


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    legacy_octal = len(digits) > 1 and digits.isdigit() and digits.startswith("0")
    return int(digits, 8 if legacy_octal else 0) * (-1 if text.startswith("-") else 1)


def _complex(text: str) -> complex:
    """Read what stands before the i: an imaginary part, or both with a sign between."""
    for position in range(len(text) - 1, 0, -1):
        if text[position] in "+-" and text[position - 1] not in "eEpP":
            return complex(_real(text[:position]), _real(text[position:]))
    return complex(0, _real(text))


def _real(text: str) -> float:
    return float.fromhex(text) if "0x" in text.lower() else float(text)


def format_float(value: float, verb: str, precision: int | None) -> str:
    """Write a float as strconv.FormatFloat does; no precision is the fewest digits that tell it apart."""
    match verb:
        case "b":
            return _binary(value)
        case "x" | "X":
            return _hexadecimal(value, precision) if verb == "x" else _hexadecimal(value, precision).upper()
        case "g" | "G" if precision is None:
            text = _shortest(value)
            return text if verb == "g" else text.upper()
        case _:
            return format(value, f".{6 if precision is None else precision}{verb}")


def _shortest(value: float) -> str:
    """Write a float with the fewest digits, with an exponent below 1e-4 and from 1e6 on."""
    sign, digits, point = _digits(value)
    if -4 <= point - 1 < 6:
        return sign + _positional(digits, point)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+03d}"


def _positional(digits: str, point: int) -> str:
    """Write digits with the point behind so many of them."""
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    whole, fraction = digits[:point].ljust(point, "0"), digits[point:]
    return f"{whole}.{fraction}" if fraction else whole


def _digits(value: float) -> tuple[str, str, int]:
    """Return a float's sign, its digits and where its point is."""
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    stripped = text.rstrip("0") or "0"
    point = len(text) + exponent if value else 1
    return "-" if sign else "", stripped, point


def json_float(value: float) -> str:
    """Write a float as encoding/json does, which is ECMAScript's way: 100, 1e+21, 1e-7."""
    sign, digits, point = _digits(value)
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return sign + _positional(digits, point)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def _parts(value: float) -> tuple[str, int, int]:
    """Return a float's sign, mantissa and the exponent of the mantissa's last bit."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", value))
    mantissa, exponent = bits & ((1 << _MANTISSA_BITS) - 1), bits >> _MANTISSA_BITS & 0x7FF
    if exponent:
        mantissa |= 1 << _MANTISSA_BITS
    return "-" if bits >> 63 else "", mantissa, max(exponent, 1) - 1023 - _MANTISSA_BITS


def _binary(value: float) -> str:
    sign, mantissa, exponent = _parts(value)
    return f"{sign}{mantissa}p{exponent:+d}"


def _hexadecimal(value: float, precision: int | None) -> str:
    sign, mantissa, exponent = _parts(value)
    if mantissa:
        shift = _MANTISSA_BITS + 1 - mantissa.bit_length()
        mantissa, exponent = mantissa << shift, exponent - shift + _MANTISSA_BITS
    else:
        exponent = 0
    if precision is not None and precision < _MANTISSA_BITS // 4:
        dropped = _MANTISSA_BITS - precision * 4
        half, rest = 1 << (dropped - 1), mantissa & ((1 << dropped) - 1)
        mantissa >>= dropped
        mantissa += rest > half or (rest == half and mantissa & 1)
        mantissa <<= dropped
        if mantissa >> (_MANTISSA_BITS + 1):
            mantissa, exponent = mantissa >> 1, exponent + 1
    fraction = f"{mantissa & ((1 << _MANTISSA_BITS) - 1):013x}"
    fraction = fraction.rstrip("0") if precision is None else fraction[:precision].ljust(precision, "0")
    return f"{sign}0x{mantissa >> _MANTISSA_BITS}{f'.{fraction}' if fraction else ''}p{exponent:+03d}"
