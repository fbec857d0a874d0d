"""The secrets of the destinations: what is stored under which name, and what stands for it in flagcast.yaml."""

import json

from msgspec import Struct

from flagcast.config.secret_references import Reference
from flagcast_cli.flipt_import.settings import Setting


class Part(Struct, frozen=True):
    """One value of a secret, and where it comes from; shows itself without the value."""

    path: str
    value: str | None
    variable: str | None = None

    @classmethod
    def of(cls, setting: Setting) -> "Part":
        """Keep a setting's whole value."""
        return cls(setting.path, setting.text, setting.variable)

    def __repr__(self) -> str:
        """Return where the value comes from alone."""
        return f"Part({self.path!r})"

    def known(self) -> str:
        """Return the value; raises CommandError if it is in a variable that is not set here."""
        return Setting(self.path, self.value, self.variable).known()


class Secret(Struct, frozen=True):
    """One secret of Secrets Manager: a single text, or a JSON object of several."""

    name: str
    parts: dict[str, Part]

    @property
    def unset(self) -> list[str]:
        """Return the variables that hold parts of it and are not set here."""
        return [part.variable for part in self.parts.values() if part.value is None and part.variable]

    def value(self) -> str:
        """Return what is to be stored; raises CommandError where a part is not known here."""
        values = {key: part.known() for key, part in self.parts.items()}
        return json.dumps(values) if len(values) > 1 else next(iter(values.values()))


class Slots:
    """Collects what a destination must keep secret; how it is referred to is known when all of it is."""

    def __init__(self, name: str) -> None:
        """Begin the secret of a destination of this name."""
        self._name = name
        self._parts: dict[str, Part] = {}

    def put(self, key: str, part: Part) -> str:
        """Keep a part, under another key if this one is taken, and return what stands for it until it is written."""
        number, unused = 1, key
        while unused in self._parts:
            number += 1
            unused = f"{key}_{number}"
        self._parts[unused] = part
        return f"\0{unused}\0"

    def written(self, text: str) -> str:
        """Put the references into a text that has slots."""
        for key in self._parts:
            reference = Reference("secret", self._name, key if len(self._parts) > 1 else None)
            text = text.replace(f"\0{key}\0", str(reference))
        return text

    def secret(self) -> Secret | None:
        """Return the secret, if anything was kept."""
        return Secret(self._name, self._parts) if self._parts else None
