"""Which events and deliveries are asked for, as conditions of SQL."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct

from flagcast_cli.console import CommandError
from flagcast_cli.known_values import there_are
from flagcast_cli.ledger.event_ids import Asked
from flagcast_cli.ledger.rows import STATES

_TEXT: Final = ("event_id", "title", "actor", "namespace", "flag", "segment", "resource", "changes")
_ANSWERED: Final = ("destination", "answer", "detail")
_VALUES: Final = {
    "destination": "SELECT DISTINCT destination FROM fan_out",
    "reason": "SELECT DISTINCT reason FROM attempts WHERE reason IS NOT NULL",
    **{
        name: f"SELECT DISTINCT {name} FROM events WHERE {name} IS NOT NULL"
        for name in ("source", "type", "action", "namespace", "flag", "actor")
    },
}

Condition = tuple[str, list[Any]]
"""A condition, and the values that are bound in it."""


class Filter(Struct, frozen=True, kw_only=True):
    """What all of it must hold; `since` and `until` in epoch milliseconds, the second not included."""

    destination: str | None = None
    source: str | None = None
    state: str | None = None
    type: str | None = None
    action: str | None = None
    namespace: str | None = None
    flag: str | None = None
    actor: str | None = None
    reason: str | None = None
    text: str | None = None
    since: int | None = None
    until: int | None = None

    @property
    def looks_further(self) -> bool:
        """Return whether it asks for more of a delivery than where it goes, when, and in what state it is."""
        named = (self.source, self.type, self.action, self.namespace, self.flag, self.actor, self.reason, self.text)
        return any(each is not None for each in named)


def require_known(ledger: Asked, wanted: Filter, named: str = "the log") -> None:
    """Raise CommandError for a value that nothing in the ledger has, with those that there are.

    `named` says what the ledger is a copy of.
    """
    if wanted.state is not None and wanted.state not in STATES:
        raise CommandError(f"there is no state {wanted.state}", f"It is one of {', '.join(STATES)}.")
    for name, sql in _VALUES.items():
        value = getattr(wanted, name)
        if value is None:
            continue
        there = sorted(str(each[name]) for each in ledger.ask(sql))
        if value not in there:
            raise CommandError(f"{named} has no {name} {value}", *_there_are(value, there))


def _there_are(value: str, there: list[str]) -> list[str]:
    if not there:
        return ["It has none at all: nothing was logged, or only what LogNames=off leaves."]
    return there_are(value, there)


def of_events(wanted: Filter) -> Iterator[Condition]:
    """Yield what must hold of an event."""
    for name in ("source", "type", "action", "namespace", "flag", "actor"):
        if (value := getattr(wanted, name)) is not None:
            yield f"{name} = ?", [value]
    of_delivery = [(name, getattr(wanted, name)) for name in ("destination", "state", "reason")]
    if said := [(f"deliveries.{name} = ?", value) for name, value in of_delivery if value is not None]:
        conditions = " AND ".join(condition for condition, _ in said)
        yield (
            f"event_id IN (SELECT event_id FROM deliveries WHERE {conditions})",
            [value for _, value in said],
        )
    yield from _text(wanted.text, _TEXT)
    yield from _between(wanted, "at")


def of_deliveries(wanted: Filter) -> Iterator[Condition]:
    """Yield what must hold of a delivery, or of an attempt beside its event."""
    for name in ("destination", "source", "state", "type", "action", "namespace", "flag", "actor", "reason"):
        if (value := getattr(wanted, name)) is not None:
            yield f"{name} = ?", [value]
    for (of_event, values), (of_answer, more) in zip(
        _text(wanted.text, _TEXT), _text(wanted.text, _ANSWERED), strict=True
    ):
        # Each event is looked at once, not once for each of its deliveries.
        yield f"(event_id IN (SELECT event_id FROM events WHERE {of_event}) OR {of_answer})", [*values, *more]
    yield from _between(wanted, "at")


def _text(text: str | None, columns: Sequence[str]) -> Iterator[Condition]:
    if text is not None:
        pattern = "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        either = " OR ".join(f"{each} LIKE ? ESCAPE '\\'" for each in columns)
        yield f"({either})", [pattern] * len(columns)


def _between(wanted: Filter, column: str) -> Iterator[Condition]:
    if wanted.since is not None:
        yield f"{column} >= ?", [wanted.since]
    if wanted.until is not None:
        yield f"{column} < ?", [wanted.until]


def where(conditions: Iterator[Condition] | list[Condition]) -> tuple[str, list[Any]]:
    """Join conditions; returns the clause, and the values that are bound."""
    said = list(conditions)
    text = " AND ".join(condition for condition, _ in said)
    return (f"WHERE {text}" if said else ""), [value for _, values in said for value in values]
