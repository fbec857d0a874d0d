"""What differs between what Flipt has and what is known of it; nothing is asked here."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from msgspec import Struct, structs

from flagcast.events.change_context import Change
from flagcast.events.event import DEFAULT_NAMESPACE
from flagcast.flipt_state.changes import changes_between
from flagcast.flipt_state.row import UNKNOWN, Row, is_newer
from flagcast.flipt_state.thing_keys import ORDERS, WITHOUT_ID, Thing, label, row_key, type_in
from flagcast_cli.flipt_state.snapshot import Present, Seen
from flagcast_cli.flipt_state.stored_rows import Stored

Kind = Literal["changed", "missing", "gone", "unknown"]
"""Flipt has it otherwise; Flipt has it, and no event said so; an event said that it is there, and Flipt has it not;
what it is was lost (a table that could not be reached, replicas)."""

_ORDER: Final = "-order"


class Difference(Struct, frozen=True):
    """A thing that is known otherwise than Flipt has it, and where it is.

    `name` is what people call it; `state` is its payload in Flipt, None where it is gone.
    """

    kind: Kind
    key: str
    type: str
    name: str
    namespace: str | None
    flag_key: str | None
    segment_key: str | None
    changes: tuple[Change, ...] = ()
    state: dict[str, Any] | None = None


class Gone(Struct, frozen=True):
    """The row of a thing that Flipt no longer has, though what it belonged to is there."""

    key: str
    type: str
    row: Row


class Compared(Struct, frozen=True):
    """What differs, and how many things were compared.

    `newer` were changed by an event while Flipt was read, `without_order` are lists of rules or rollouts whose order
    was never seen: neither is compared.
    """

    differences: tuple[Difference, ...]
    things: int
    newer: int
    without_order: int


def compare(source: str, rows: Mapping[str, Stored], present: Present) -> Compared:
    """Compare what Flipt has with the rows of a source, by key, which were read after it."""
    by_key = {row_key(source, thing): seen for thing, seen in present.things.items()}
    differences: list[Difference] = []
    compared = newer = without_order = 0
    for key, seen in by_key.items():
        stored = rows.get(key)
        row = (stored.row or UNKNOWN) if stored else None
        if row is not None and is_newer(row, seen.asked):
            newer += 1
        elif row is None and (seen.thing.type.endswith(_ORDER) or _is_sent_without_id(source, rows, seen)):
            without_order += len(seen.state.get(ORDERS.get(seen.thing.type.removesuffix(_ORDER), ""), ())) > 1
        else:
            compared += 1
            differences += _differences(source, rows, seen, row, present)
    gone = [_of_gone(each) for each in gone_of(source, rows, present)]
    return Compared((*differences, *gone), compared + len(gone), newer, without_order)


def gone_of(source: str, rows: Mapping[str, Stored], present: Present) -> Iterator[Gone]:
    """Yield what is known to be there and is not, though all that it belonged to is, and no event came meanwhile.

    What belonged to a deleted flag, segment or namespace has no event of its own.
    """
    keys = {row_key(source, thing) for thing in present.things}
    for key, stored in rows.items():
        row = stored.row
        if key in keys or row is None or row.state is None or row.is_deleted or is_newer(row, present.asked):
            continue
        kind = type_in(key, source)
        owners = _owners(kind, row, row.state)
        if owners is not None and all(_had(present, owner, row) for owner in owners):
            yield Gone(key, kind, row)


def _differences(
    source: str, rows: Mapping[str, Stored], seen: Seen, row: Row | None, present: Present
) -> Iterator[Difference]:
    kind = seen.thing.type
    found = Difference(
        "missing",
        row_key(source, seen.thing),
        kind,
        _name(kind, seen.state) or seen.thing.name[-1],
        seen.namespace,
        seen.flag_key,
        _segment_key(kind, seen.state),
        state=seen.state,
    )
    if row is None or row.is_deleted:
        yield found
    elif row.state is None:
        yield structs.replace(found, kind="unknown")
    else:
        changes = _changes(seen, row.state)
        if kind == "flag" and _has_another_default(source, rows, seen, row, present):
            changes = tuple(each for each in changes if each.field != "default_variant")
        if changes:
            yield structs.replace(found, kind="changed", changes=changes)


def _changes(seen: Seen, known: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what differs of one thing."""
    kind, state = seen.thing.type, dict(seen.state)
    if kind.endswith(_ORDER):
        # Others come and go, and leave those that stay in their order.
        field = ORDERS[kind.removesuffix(_ORDER)]
        before, now = known.get(field, []), state[field]
        known = {**known, field: [each for each in before if each in now]}
        state[field] = [each for each in now if each in before]
    return changes_between(kind, known, state)


def _has_another_default(source: str, rows: Mapping[str, Stored], flag: Seen, row: Row, present: Present) -> bool:
    """Return whether a flag's default variant, as known, was renamed or deleted since, which has an event of its own.

    Then no variant has its key, or one that was created or renamed after the flag's last event.
    """
    key = (row.state or {}).get("default_variant")
    if key is None:
        return False
    for seen in present.things.values():
        is_of_flag = (seen.namespace, seen.flag_key) == (flag.namespace, flag.flag_key)
        if seen.thing.type == "variant" and is_of_flag and seen.state["key"] == key:
            stored = rows.get(row_key(source, seen.thing))
            last = (stored and stored.row) or UNKNOWN
            return last.at > row.at and last.before is not None and last.before.get("key") != key
    return True


def _is_sent_without_id(source: str, rows: Mapping[str, Stored], seen: Seen) -> bool:
    """Return whether a rollout's events say no id, as those of Flipt before 1.58.4: it is never known by its own."""
    if seen.thing.type != "rollout":
        return False
    return row_key(source, Thing(WITHOUT_ID, (seen.namespace, seen.flag_key or ""))) in rows


def _owners(kind: str, row: Row, state: Mapping[str, Any]) -> list[Thing] | None:
    """Return what a thing belongs to; None for one that is not compared."""
    namespace = row.namespace or DEFAULT_NAMESPACE
    owners = [Thing("namespace", (namespace,))]
    if kind == "namespace":
        return []
    if kind in ("flag", "segment"):
        return owners
    if kind == "constraint":
        return [*owners, Thing("segment", (namespace, str(state.get("segment_key"))))]
    if kind == "distribution":
        # Its rule belongs to the flag, which may be unknown here.
        return [Thing(each, (str(state.get(f"{each}_id")),)) for each in ("rule", "variant")]
    if kind in ("variant", "rule", "rollout"):
        return [*owners, Thing("flag", (namespace, row.flag_key or ""))]
    return None


def _had(present: Present, owner: Thing, row: Row) -> bool:
    """Return whether Flipt still has what a thing belonged to, and not another one of its name that came later."""
    there = present.things.get(owner)
    return there is not None and (there.created is None or row.at >= there.created)


def _of_gone(gone: Gone) -> Difference:
    state = gone.row.state or {}
    return Difference(
        "gone",
        gone.key,
        gone.type,
        _name(gone.type, state) or gone.key,
        gone.row.namespace,
        gone.row.flag_key,
        _segment_key(gone.type, state),
    )


def _segment_key(kind: str, state: Mapping[str, Any]) -> str | None:
    """Return the segment that a segment or constraint is about."""
    return state.get({"segment": "key", "constraint": "segment_key"}.get(kind, ""))


def _name(kind: str, state: Mapping[str, Any]) -> str | None:
    """Return what people call a thing: its key, what it is about, else its id."""
    if kind.endswith(_ORDER):
        return f"order of {kind.removesuffix(_ORDER)}s"
    key = state.get("key")
    return (key if isinstance(key, str) else None) or label(kind, state) or state.get("id")
