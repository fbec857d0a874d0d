"""Recorded events with what ingest knows of each: one row for each thing, as core/known settles it."""

from functools import cache

from msgspec import structs

from flagcast.core.event import Event, Origin, parse
from flagcast.core.known.row import UNKNOWN, Row
from flagcast.core.known.settle import Arrival, settle
from flagcast.core.known.thing import Thing, label, named_by, thing_of
from tests.support.captures import states

RECEIVED = 1_795_713_651
"""When the first of them came in (epoch seconds); the others a second apart."""


@cache
def told(origin: Origin) -> tuple[Event, ...]:
    """Return the recorded life of a namespace, each event with its changes and names."""
    rows: dict[Thing, Row] = {}
    bodies = [body for change in states() for body in change.events]
    return tuple(_settled(body, origin, rows, RECEIVED + at) for at, body in enumerate(bodies))


def _settled(body: bytes, origin: Origin, rows: dict[Thing, Row], at: int) -> Event:
    event = parse(body, origin)
    assert isinstance(event, Event)
    thing = thing_of(event)
    assert thing is not None
    made = settle(rows.get(thing, UNKNOWN), event, thing.type, Arrival(f"r{at}", at * 1000, at, f"{at}"))
    if made.row is not None:
        rows[thing] = made.row
    others = {identity: rows.get(other, UNKNOWN).state for identity, other in named_by(event).items()}
    names = {
        identity: called
        for identity, state in others.items()
        if state and (called := label(named_by(event)[identity].type, state))
    }
    rule = others.get(event.payload.get("rule_id", "")) if event.type == "distribution" else None
    owner = {"namespace": rule["namespace_key"], "flag_key": rule["flag_key"]} if rule else {}
    return structs.replace(event, known=structs.replace(made.known, names=names, **owner))
