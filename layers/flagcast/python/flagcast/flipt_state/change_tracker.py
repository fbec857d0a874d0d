"""What becomes of an event's identity: settled by the row of its thing, or its own where that cannot be had."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Final, Protocol

from msgspec import Struct, structs

from flagcast.errors import StateUnavailable
from flagcast.events.change_context import LONGEST_VALUE, NOTHING, Known
from flagcast.events.event import Event
from flagcast.events.subject import subject
from flagcast.flipt_state.resend_detection import FIRST, Arrival, Settled, settle
from flagcast.flipt_state.row import MOST_RECENT, UNKNOWN, Accepted, Row, with_unsettled
from flagcast.flipt_state.thing_keys import Thing, label, named_by, row_key, thing_of

MOST_RULES: Final = 10_000
"""Rules whose flags a process remembers; then it begins again."""


class Stored(Struct, frozen=True):
    """A row as it was read; None where it cannot be read, which the next write puts right."""

    row: Row | None
    version: int


class Rows(Protocol):
    """Where the rows are; every call raises StateUnavailable, and from a deadline on (monotonic seconds) always.

    So work that no one waits for any more changes nothing that comes after it.
    """

    def read(self, key: str, others: Collection[str], deadline: float) -> tuple[Stored, Mapping[str, Row]]:
        """Return the row of a key, and those of others that are there."""

    def write(self, key: str, row: Row, version: int, deadline: float) -> bool:
        """Write a row if it is still of the version that was read."""

    def add(self, key: str, event: Accepted, deadline: float) -> None:
        """Add an event that could not be settled, whatever the row is."""


class Bounded(Protocol):
    """How what may take long is run."""

    def __call__[T](self, deadline: float, work: Callable[[], T]) -> T:
        """Return what the work returns; raises StateUnavailable at the deadline, whatever becomes of the work."""


def unbounded[T](deadline: float, work: Callable[[], T]) -> T:
    """Run work that cannot take long."""
    return work()


class Journal(Protocol):
    """What gets the news that the table failed."""

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        """Tell it."""


class IdentifiedEvent(Struct, frozen=True):
    """An event's number and what is known of it; `unsettled` is the key of the row that does not know of it yet."""

    number: int | str
    known: Known = NOTHING
    unsettled: str | None = None


def alone(arrival: Arrival) -> IdentifiedEvent:
    """Return what an event is by itself, without rows: equal bodies of one second are the same event."""
    return IdentifiedEvent(FIRST if arrival.second is not None else arrival.request_id)


class ChangeTracker:
    """Settles events, and remembers what could not be written: a process works on one event at a time."""

    def __init__(self, rows: Rows, journal: Journal, bounded: Bounded = unbounded) -> None:
        """Keep the rows, what gets the news that they failed, and how to wait for them."""
        self._rows = rows
        self._journal = journal
        self._bounded = bounded
        self._unwritten: dict[str, list[Accepted]] = {}
        self._flags: dict[str, tuple[str, str]] = {}

    @property
    def holds_unwritten(self) -> bool:
        """Return whether a row does not know yet of an event that was accepted here."""
        return bool(self._unwritten)

    def settle(self, source: str, event: Event, arrival: Arrival, deadline: float) -> IdentifiedEvent:
        """Tell a resend from a change by the row of its thing; an event that names nothing is its request's."""
        thing = thing_of(event)
        if thing is None:
            return IdentifiedEvent(arrival.request_id)
        key = row_key(source, thing)
        try:
            # All calls in one: to bound each by itself costs as much again as what is done between them.
            return self._bounded(deadline, partial(self._settled, source, key, event, thing, arrival, deadline))
        except StateUnavailable as error:
            self._journal.state_failed("settle an event", error)
            namespace, flag_key = self._flags.get(rule_of(event) or "", (None, None))
            return IdentifiedEvent(arrival.request_id, Known(namespace=namespace, flag_key=flag_key), key)

    def record(self, key: str, arrival: Arrival, deadline: float) -> None:
        """Add an event to a row that could not be read or written; what fails is written before the next one."""
        event = arrival.accepted(arrival.request_id)
        try:
            self._bounded(deadline, partial(self._rows.add, key, event, deadline))
        except StateUnavailable as error:
            self._journal.state_failed("record an event", error)
            self._unwritten[key] = [*self._unwritten.get(key, []), event][-MOST_RECENT:]

    def _write_what_was_not(self, key: str, deadline: float) -> None:
        while waiting := self._unwritten.get(key):
            self._rows.add(key, waiting[0], deadline)
            del waiting[0]
        self._unwritten.pop(key, None)

    def _settled(
        self, source: str, key: str, event: Event, thing: Thing, arrival: Arrival, deadline: float
    ) -> IdentifiedEvent:
        """Read, settle and write until no one else has written in between; raises StateUnavailable at the deadline."""
        self._write_what_was_not(key, deadline)
        keys = {identity: row_key(source, each) for identity, each in named_by(event).items()}
        while True:
            stored, rows = self._rows.read(key, keys.values(), deadline)
            others = {identity: rows[other] for identity, other in keys.items() if other in rows}
            row = self._owned(event, stored.row or UNKNOWN, others)
            settled = (
                settle(row, event, thing.type, arrival) if stored.row is not None else self._unreadable(row, arrival)
            )
            if settled.row is None or self._rows.write(key, settled.row, stored.version, deadline):
                return IdentifiedEvent(settled.number, _in_context(settled.known, event, settled.row or row, others))

    def _owned(self, event: Event, row: Row, others: Mapping[str, Row]) -> Row:
        """Say in a row what its thing belongs to: a distribution to its rule's flag, which never changes.

        The message group of its first event stays, so that a resend meets what it repeats.
        """
        rule = rule_of(event)
        namespace, flag_key = event.namespace, event.flag_key
        if rule is not None and (namespace is None or flag_key is None):
            of_rule = others.get(rule, UNKNOWN)
            known = [(each.namespace, each.flag_key) for each in (row, of_rule) if each.namespace and each.flag_key]
            namespace, flag_key = known[0] if known else self._flags.get(rule, (None, None))
        owned = structs.replace(row, namespace=namespace, flag_key=flag_key)
        if rule is None:
            return owned
        if namespace and flag_key:
            self._remember(rule, namespace, flag_key)
        if event.type != "distribution" or row.subject:
            return owned
        return structs.replace(owned, subject=subject(_with_owner(event, owned)))

    def _remember(self, rule: str, namespace: str, flag_key: str) -> None:
        if len(self._flags) >= MOST_RULES:
            self._flags.clear()
        self._flags[rule] = (namespace, flag_key)

    def _unreadable(self, row: Row, arrival: Arrival) -> Settled:
        """Begin a row again that holds what no one can read: what was accepted before is not known."""
        self._journal.state_failed("read a row", StateUnavailable("it cannot be read"))
        return Settled(arrival.request_id, NOTHING, with_unsettled(row, (arrival.accepted(arrival.request_id),)))


def rule_of(event: Event) -> str | None:
    """Return the id of the rule that an event is about, or that a distribution belongs to."""
    payload = event.payload if isinstance(event.payload, dict) else {}
    identity = payload.get({"rule": "id", "distribution": "rule_id"}.get(event.type, ""))
    return identity if isinstance(identity, str) and identity else None


def _with_owner(event: Event, row: Row) -> Event:
    return structs.replace(event, known=Known(namespace=row.namespace, flag_key=row.flag_key))


def _in_context(known: Known, event: Event, row: Row, others: Mapping[str, Row]) -> Known:
    """Add what the rows say beside the change: the names of ids, and what a distribution belongs to."""
    kinds = {identity: each.type for identity, each in named_by(event).items()}
    labels = {identity: label(kinds[identity], each.state) for identity, each in others.items() if each.state}
    if event.action == "deleted" and row.state and event.resource_key:
        labels[event.resource_key] = label(event.type, row.state)
    names = {identity: name[:LONGEST_VALUE] for identity, name in labels.items() if name}
    if event.type != "distribution":
        return structs.replace(known, names=names)
    owned = structs.replace(known, names=names, namespace=row.namespace, flag_key=row.flag_key)
    says = subject(structs.replace(event, known=owned))
    return owned if row.subject in ((), says) else structs.replace(owned, subject=row.subject)
