"""Flipt's own noun:verb event filters."""

from typing import Self

from flagcast.events.event import Event
from flagcast.primitives.value_display import shown

NOUNS = ("flag", "variant", "segment", "constraint", "rule", "distribution", "rollout", "namespace", "token")
VERBS = ("created", "updated", "deleted")
_ANY = "*"


class EventFilter(str):
    """Which events a destination wants: ``flag:updated``, ``flag:*``, ``*:deleted``, ``*:*``.

    Nouns and verbs are those of Flipt's internal/server/audit/checker.go.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read a filter; raises ValueError with a sentence for the operator."""
        noun, colon, verb = text.partition(":") if isinstance(text, str) else ("", "", "")
        if not colon:
            raise ValueError(f"expected noun:verb such as flag:updated or *:*, got {shown(text)}")
        for word, known in ((noun, NOUNS), (verb, VERBS)):
            if word not in (_ANY, *known):
                raise ValueError(f"unknown {shown(word)}: expected one of {', '.join((_ANY, *known))}")
        return cls(text)

    def matches(self, event: Event) -> bool:
        """Return whether the event is of this noun and verb; * stands for any, also one not known yet."""
        noun, _, verb = self.partition(":")
        return noun in (_ANY, event.type) and verb in (_ANY, event.action)


EVERY_EVENT = (EventFilter("*:*"),)
