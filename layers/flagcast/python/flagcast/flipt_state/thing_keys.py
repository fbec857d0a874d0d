"""Which thing an event is about, which others say what its ids are called, and under which keys their rows are kept."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from flagcast.events.event import DEFAULT_NAMESPACE, TOKEN_NAME, TOKEN_NAMESPACE, Event

MOST_NAMES: Final = 20
"""Other rows that are read to name the ids of one event."""

ROWS: Final = "known#"
"""What the keys of these rows begin with."""

ORDERS: Final = {"rule": "rule_ids", "rollout": "rollout_ids"}
"""The field of an order event that lists the ids; Flipt 1.37 and later."""

WITHOUT_ID: Final = "rollout-without-id"

_WITH_IDS: Final = frozenset({"variant", "constraint", "rule", "distribution", "rollout"})
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.,:@ -]{1,200}")


class Thing(Struct, frozen=True):
    """Something that Flipt has: its type, and the parts of its name within its source.

    The order of a flag's rules or rollouts is a thing of its own, as is whatever a flag has of rollouts that Flipt
    before 1.58.4 sent without their id.
    """

    type: str
    name: tuple[str, ...]


def thing_of(event: Event) -> Thing | None:
    """Return what an event is about; None where it names nothing (denied, without a payload, of an unknown form).

    The payloads by type and version are Flipt's internal/server/audit/types.go and rpc/flipt/flipt.proto.
    """
    payload = event.payload if isinstance(event.payload, dict) else None
    if payload is None or event.is_denied:
        return None
    namespace = event.namespace or DEFAULT_NAMESPACE
    if event.type == "token":
        name = _text(payload, TOKEN_NAME)
        return Thing("token", (_text(payload, TOKEN_NAMESPACE) or "", name)) if name else None
    if event.is_order:
        return Thing(f"{event.type}-order", (namespace, event.flag_key)) if event.flag_key else None
    if identity := _text(payload, "id"):
        return Thing(event.type, (identity,))
    if event.type == "rollout":
        return Thing(WITHOUT_ID, (namespace, event.flag_key)) if event.flag_key else None
    key = _text(payload, "key")
    if key is None or event.type in _WITH_IDS:
        return None
    return Thing(event.type, (key,) if event.type == "namespace" else (namespace, key))


def named_by(event: Event) -> Mapping[str, Thing]:
    """Return the things whose rows say what the ids in an event's payload are called, by id."""
    payload = event.payload if isinstance(event.payload, dict) else {}
    if event.type == "distribution":
        ids = {name: _text(payload, f"{name}_id") for name in ("variant", "rule")}
        return {identity: Thing(name, (identity,)) for name, identity in ids.items() if identity}
    if event.is_order and event.type in ORDERS:
        listed = payload.get(ORDERS[event.type])
        texts = [each for each in listed if isinstance(each, str) and each] if isinstance(listed, list) else []
        return {identity: Thing(event.type, (identity,)) for identity in texts[:MOST_NAMES]}
    return {}


def row_key(source: str, thing: Thing) -> str:
    """Return the key of a thing's row: its type and its name, which is hashed where a part of it is long or odd.

    A partition key has at most 2,048 bytes:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    """
    parts = (thing.type, *thing.name)
    if all(_PLAIN.fullmatch(part) or not part for part in parts):
        return f"{rows_of(source)}{thing.type}#{'/'.join(thing.name)}"
    kind = thing.type if _PLAIN.fullmatch(thing.type) else ""
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"{rows_of(source)}{kind}##{digest}"


def type_in(key: str, source: str) -> str:
    """Return the type of the thing that a row's key is of; empty where that is odd."""
    return key.removeprefix(rows_of(source)).partition("#")[0]


def rows_of(source: str) -> str:
    """Return what the keys of a source's rows begin with."""
    return f"{ROWS}{source}#"


def label(kind: str, state: Mapping[str, Any]) -> str | None:
    """Return what people call a thing in this state, where its id says nothing to them; None if nothing does."""
    match kind:
        case "variant":
            return _text(state, "key")
        case "constraint":
            return _text(state, "property")
        case "rule":
            return _listed(_text(state, "segment_key"))
        case "rollout":
            threshold, segment = state.get("threshold"), state.get("segment")
            if isinstance(threshold, dict) and isinstance(share := threshold.get("percentage", 0), int | float):
                return f"{share:g} %"
            return _listed(_text(segment, "key")) if isinstance(segment, dict) else None
        case _:
            return _text(state, "name")


def _listed(keys: str | None) -> str | None:
    """Flipt writes several segments as one text with commas (1.58.2 and later)."""
    return ", ".join(keys.split(",")) if keys else None


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None
