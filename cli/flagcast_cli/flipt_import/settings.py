"""One value of Flipt's configuration at a time: where it stands, and by which of Flipt's rules it is read.

Flipt reads its file with viper and mapstructure: keys in any case and with dots, numbers and booleans as texts,
variables named FLIPT_ and the path over the file (an empty one counts as unset:
https://github.com/spf13/viper/discussions/2148), and a value that is `${NAME}` as a whole replaced by that variable: https://github.com/flipt-io/flipt/blob/v1.61.1/internal/config/config.go
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from math import isinf, isnan
from typing import Any, TypeIs

from msgspec import Struct

from flagcast.config.value_path import join
from flagcast.primitives.value_display import kind_of
from flagcast_cli.console import CommandError
from flagcast_cli.flipt_import.flipt_yaml import Time

_WHOLE_VARIABLE = re.compile(r"\$\{([a-zA-Z_]+[a-zA-Z0-9_]*)\}")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"", "0", "f", "F", "FALSE", "false", "False"})


class NotSetHere(CommandError):
    """Raised where a value is a variable of Flipt's that is not set on this machine."""


class Setting(Struct, frozen=True):
    """One text of the configuration; `text` is None where it is `${variable}` and the variable is not set here."""

    path: str
    text: str | None
    variable: str | None = None

    def known(self) -> str:
        """Return the text; raises NotSetHere where it is not known here."""
        if self.text is None:
            raise NotSetHere(
                f"{self.path} is ${{{self.variable}}}, and {self.variable} is not set here",
                f"Set {self.variable} to the value that it has for Flipt, and run the command again.",
            )
        return self.text


class Section(Struct, frozen=True):
    """A mapping of Flipt's file, its variables over it."""

    path: str
    tree: Mapping[object, Any]
    environ: Mapping[str, str]

    def section(self, key: str) -> "Section":
        """Go down to a mapping; one that is not there is empty. Raises CommandError where it is something else."""
        path = join(self.path, key)
        value = self._in_file(key)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise wrong(path, "a mapping", value)
        return Section(path, value, self.environ)

    def items(self, key: str) -> list[Any]:
        """Return a list of the file, a mapping alone being one of itself; raises CommandError if it is none."""
        match self._in_file(key):
            case None | "":
                return []
            case list() as items:
                return items
            case dict() as one:
                return [one] if one else []
            case other:
                raise wrong(join(self.path, key), "a list", other)

    def mapping(self, key: str) -> dict[object, Any]:
        """Return a mapping of the file, or what a list of some is together; raises CommandError if it is none."""
        return _together(join(self.path, key), self._in_file(key))

    def text(self, key: str) -> Setting | None:
        """Return a text, None where there is none or it is empty; raises CommandError where it is something else."""
        if (value := self.raw(key)) is None:
            return None
        setting = self.setting(*value)
        return None if setting.text == "" else setting

    def boolean(self, key: str) -> bool:
        """Return true or false as Flipt takes a value for one; raises CommandError where it refuses it."""
        if (found := self.raw(key)) is None:
            return False
        path, value = found
        if isinstance(value, bool | int | float):
            return bool(value)
        text = self.setting(path, value).known()
        if text not in _TRUE | _FALSE:
            raise CommandError(f"{path}: expected true or false", "Flipt rejects any other value, too.")
        return text in _TRUE

    def duration(self, key: str) -> Setting | None:
        """Return a duration as it is written; a number is so many nanoseconds. Raises CommandError."""
        if (found := self.raw(key)) is None:
            return None
        path, value = found
        return Setting(path, f"{_whole(value)}ns") if is_number(value) else self.setting(path, value)

    def setting(self, path: str, value: object) -> Setting:
        """Make a setting of a value of the file or of a variable; raises CommandError if Flipt takes it for no text."""
        if isinstance(value, list | dict | Time):
            raise wrong(path, "a string", value)
        text = as_text(value)
        setting = Setting(path, text)
        if (whole := _WHOLE_VARIABLE.fullmatch(text)) is not None:
            setting = Setting(path, self.environ.get(whole[1]) or None, whole[1])
        if setting.text is not None and _HALF_CHARACTER.search(setting.text):
            raise CommandError(
                f"{path}: it contains half a character (a lone surrogate)",
                "Type it again; Flipt cannot read it either.",
            )
        return setting

    def raw(self, key: str) -> tuple[str, Any] | None:
        """Return a value as it is and the place it comes from: its variable, else the file."""
        variable = "_".join(("FLIPT", *self.path.upper().split("."), key.upper()))
        if self.environ.get(variable):
            return variable, self.environ[variable]
        value = self._in_file(key)
        return None if value is None else (join(self.path, key), value)

    def _in_file(self, key: str) -> Any:
        """Return the last value of a key, in whatever case it is written."""
        return next((value for name, value in reversed(list(self.tree.items())) if as_key(name).lower() == key), None)


def as_text(value: object) -> str:
    """Write a value as mapstructure does where a text is wanted: true is 1, 1e3 is 1000, nothing is empty.

    https://github.com/go-viper/mapstructure/blob/v2.4.0/mapstructure.go, decodeString with WeaklyTypedInput.
    """
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float() if isnan(value):
            return "NaN"
        case float() if isinf(value):
            return "+Inf" if value > 0 else "-Inf"
        case float():
            written = format(Decimal(repr(value)), "f")
            return written.rstrip("0").rstrip(".") if "." in written else written
    return str(value)


def as_key(value: object) -> str:
    """Write a key of a mapping, which is a text before anything else is made of it."""
    return str(value).lower() if isinstance(value, bool) else as_text(value)


def is_number(value: object) -> TypeIs[float]:
    """Return whether mapstructure takes a value for a number as it is: true is 1."""
    return isinstance(value, bool | int | float)


def _whole(number: float) -> int:
    """Cut a number to 64 bits, as Go does on most processors: what does not fit becomes the least."""
    fits = not isnan(number) and -(2.0**63) <= number < 2.0**63
    return int(number) if fits else -(2**63)


def wrong(path: str, expected: str, value: object) -> CommandError:
    """Say that a value is of another kind than Flipt takes, by its kind alone: it may be a secret."""
    got = "a date" if isinstance(value, Time) else kind_of(value)
    hint = (
        "Flipt rejects it, too; quote it if it is a string."
        if isinstance(value, Time)
        else "Flipt rejects it, too: fix it."
    )
    return CommandError(f"{path}: expected {expected}, got {got}", hint)


def _together(path: str, value: object) -> dict[object, Any]:
    match value:
        case None:
            return {}
        case dict():
            return value
        case list():
            return {name: each for one in value for name, each in _together(path, one).items()}
    raise wrong(path, "a mapping", value)
