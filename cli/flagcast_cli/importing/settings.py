"""One value of Flipt's configuration at a time: where it stands, and by which of Flipt's rules it is read.

Flipt reads its file with viper: keys in any case, variables named FLIPT_ and the path over the file (an empty one
counts as unset: https://github.com/spf13/viper/discussions/2148), and a value that is `${NAME}` as a whole replaced by
that variable: https://github.com/flipt-io/flipt/blob/v1.61.1/internal/config/config.go
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from flagcast.core.config.paths import join
from flagcast_cli.console import CommandError

_WHOLE_VARIABLE = re.compile(r"\$\{([a-zA-Z_]+[a-zA-Z0-9_]*)\}")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_KINDS = {dict: "a mapping", list: "a list", bool: "a boolean", float: "a number", type(None): "nothing"}


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
                f"Set {self.variable} to what Flipt has in it, and run the command again.",
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
        """Return a list of the file; one that is not there is empty. Raises CommandError if it is something else."""
        value = self._in_file(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise wrong(join(self.path, key), "a list", value)
        return value

    def text(self, key: str) -> Setting | None:
        """Return a text, None where there is none or it is empty; raises CommandError where it is something else."""
        if (value := self.raw(key)) is None:
            return None
        setting = self.setting(*value)
        return None if setting.text == "" else setting

    def boolean(self, key: str) -> bool | None:
        """Return true or false as Go's strconv.ParseBool reads them, None where nothing is said."""
        if (found := self.raw(key)) is None:
            return None
        path, value = found
        if isinstance(value, bool):
            return value
        text = self.setting(path, value).known()
        if text not in _TRUE | _FALSE:
            raise CommandError(f"{path}: expected true or false", "Flipt refuses anything else there too.")
        return text in _TRUE

    def setting(self, path: str, value: object) -> Setting:
        """Make a setting of a value of the file or of a variable; raises CommandError if it is no text."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise wrong(path, "a string", value)
        setting = Setting(path, value)
        if (whole := _WHOLE_VARIABLE.fullmatch(value)) is not None:
            setting = Setting(path, self.environ.get(whole[1]) or None, whole[1])
        if setting.text is not None and _HALF_CHARACTER.search(setting.text):
            raise CommandError(f"{path}: half a character stands there", "Write it anew; Flipt cannot read it either.")
        return setting

    def raw(self, key: str) -> tuple[str, Any] | None:
        """Return a value as it stands and the place it comes from: its variable, else the file."""
        variable = "_".join(("FLIPT", *self.path.upper().split("."), key.upper()))
        if self.environ.get(variable):
            return variable, self.environ[variable]
        value = self._in_file(key)
        return None if value is None else (join(self.path, key), value)

    def _in_file(self, key: str) -> Any:
        return next((value for name, value in self.tree.items() if str(name).lower() == key), None)


def wrong(path: str, expected: str, value: object) -> CommandError:
    """Say that a value is of another kind than Flipt expects, by its kind alone: it may be a secret."""
    got = _KINDS.get(type(value), f"a {type(value).__name__}")
    hint = "Quote it if it is one." if expected == "a string" else "Flipt refuses it too: mend it there first."
    return CommandError(f"{path}: expected {expected}, got {got}", hint)
