"""What a judge says of a run."""

from collections import Counter

from msgspec import Struct, field

from tests.loss_check.run import Result


class Violation(Struct, frozen=True):
    """One broken promise."""

    kind: str
    what: str


class Verdict(Struct):
    """What came of a run."""

    violations: list[Violation] = field(default_factory=list)
    duplicates: Counter[str] = field(default_factory=Counter)
    """Deliveries beyond the first, by what made them unavoidable."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, what: str) -> None:
        self.violations.append(Violation(kind, what))

    def told(self, result: Result, most: int = 10) -> str:
        """Say what was broken, and how to run it again."""
        lines = [f"{each.kind}: {each.what}" for each in self.violations[:most]]
        more = len(self.violations) - len(lines)
        return "\n".join([*lines, f"and {more} more" if more > 0 else "", f"repeat with {result.plan}"])
