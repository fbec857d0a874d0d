"""Names that lead nowhere: an error says only those that the template itself writes, for any other may be a value."""

from typing import Any

from jinja2 import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment


class DiscreetEnvironment(ImmutableSandboxedEnvironment):
    """Knows what its templates write."""

    def __init__(self, **options: Any) -> None:
        """Take Jinja2's options."""
        super().__init__(**options)
        self.written: set[str] = set()
        """The strings that templates write themselves; what else is looked up by comes out of an event."""

    def discreet(self, found: object, name: object) -> object:
        """Take the name from what was not found, unless the template wrote it or it is a number: it may be a value."""
        is_ours = isinstance(name, int) or (isinstance(name, str) and name in self.written)
        if isinstance(found, Undefined) and not is_ours:
            return self.undefined("a value has no attribute of the name that another gives")
        return found
