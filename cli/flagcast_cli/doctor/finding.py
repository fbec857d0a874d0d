"""What a check says: whether it is well, what was found, and the next command."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Level = Literal["ok", "note", "unknown", "ill"]
"""`note` is worth knowing and no fault; `unknown` could not be looked at."""


class Finding(Struct, frozen=True):
    """One line of the doctor's."""

    check: str
    level: Level
    found: str
    next: tuple[str, ...] = ()
    """The commands or steps that fix it, or show more."""
    by_deploy: bool = False
    """Whether a deploy may have brought it, so that rolling back may end it."""


class Unknown(Struct, frozen=True):
    """In place of a fact: it could not be looked at."""

    why: str
    next: tuple[str, ...] = ()

    def as_finding(self, check: str) -> Finding:
        """Return the line for it."""
        return Finding(check, "unknown", f"could not check: {self.why}", self.next)


def exit_code(findings: tuple[Finding, ...]) -> int:
    """Return 1 if something is wrong, else 2 if something could not be looked at, else 0."""
    levels = {each.level for each in findings}
    return 1 if "ill" in levels else 2 if "unknown" in levels else 0


def as_object(findings: tuple[Finding, ...]) -> list[Mapping[str, object]]:
    """Return the findings as JSON's objects."""
    return [
        {"check": each.check, "level": each.level, "found": each.found, "next": list(each.next)} for each in findings
    ]
