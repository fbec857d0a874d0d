"""What differs between two states of one thing, by path."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from flagcast.events.change_context import LONGEST_VALUE, MOST_CHANGES, Change, Value
from flagcast.flipt_state.stored_state import State, digest, is_digest

MOST_KEYS: Final = 10
LONGEST_PATH: Final = 100

_NEVER: Final = frozenset(
    # What a thing is called and what it belongs to; its rank, which others' changes move without an event; what has
    # events of its own.
    {"id", "rank", "namespace_key", "flag_key", "rule_id", "constraints", "distributions"}
)
_NAMES: Final = {
    "flag": {"key"}, "segment": {"key"}, "namespace": {"key"}, "constraint": {"segment_key"},
    "token": {"io.flipt.auth.token.name", "io.flipt.auth.token.namespace"},
}  # fmt: skip
_OF_NEWER_FLIPTS: Final = frozenset({"segment_operator", "default_variant", "segment_key"})
"""Fields that an older Flipt left out: one that was not there may have had a value.

Flipt's internal/server/audit/types.go: default_variant since 1.50.0, the others since 1.58.2.
"""
_MOVED_BY_OTHERS: Final = frozenset({"default_variant"})
"""Fields that change without an event of the thing: when the default variant is renamed or deleted.

Flipt's config/migrations/sqlite3/13_default_variant.up.sql: a flag has its id, and its events say its key.
"""
_LISTS_OF_KEYS: Final = frozenset({"segment_key", "segment.key"})
"""Keys joined with commas, in an order that says nothing."""

_ABSENT: Final[tuple[object, ...]] = ("", [], {}, None)


def changes_between(kind: str, before: State, after: State) -> tuple[Change, ...]:
    """Return the fields of a thing of this type that differ, at most 20, in the order of their names.

    Empty texts, lists and mappings are as good as absent: Flipt leaves them out or not, by version.
    """
    ignored = _NEVER | _NAMES.get(kind, set())
    olds, news = dict(_leaves(before, ignored)), dict(_leaves(after, ignored))
    found = (
        _change(path, olds.get(path), news.get(path), bool(before))
        for path in sorted(olds.keys() | news.keys())
        if not _is_same(path, olds.get(path), news.get(path))
    )
    return tuple(change for change, _ in zip(found, range(MOST_CHANGES), strict=False))


def _leaves(
    state: State, ignored: frozenset[str] | set[str] = frozenset(), path: str = ""
) -> Iterator[tuple[str, Any]]:
    for name, value in state.items():
        if name in ignored:
            continue
        if isinstance(value, dict) and value and not is_digest(value):
            yield from _leaves(value, path=f"{path}{name}.")
        elif value not in _ABSENT:
            yield f"{path}{name}", value


def _is_same(path: str, before: object, after: object) -> bool:
    if is_digest(before) and not is_digest(after) and after is not None:
        after = digest(after)
    elif is_digest(after) and before is not None and not is_digest(before):
        before = digest(before)
    if path in _LISTS_OF_KEYS and isinstance(before, str) and isinstance(after, str):
        return sorted(before.split(",")) == sorted(after.split(","))
    # True is 1 to Python.
    return before == after and isinstance(before, bool) == isinstance(after, bool)


def _change(path: str, before: Any, after: Any, was_there: bool) -> Change:
    may_be_another = path in _MOVED_BY_OTHERS or (path in _OF_NEWER_FLIPTS and before is None)
    is_long = _is_long(before) or _is_long(after)
    return Change(
        field=path[:LONGEST_PATH],
        before=_value(before),
        after=_value(after),
        is_before_known=not (was_there and may_be_another),
        bytes_before=_bytes(before) if is_long else None,
        bytes_after=_bytes(after) if is_long else None,
        keys=_changed_keys(before, after),
    )


def _value(value: Any) -> Value:
    if isinstance(value, str) or not isinstance(value, list | dict):
        return value[:LONGEST_VALUE] if isinstance(value, str) else value
    return None if is_digest(value) else msgspec.json.encode(value).decode()[:LONGEST_VALUE]


def _is_long(value: object) -> bool:
    return is_digest(value) or (isinstance(value, str) and len(value) > LONGEST_VALUE)


def _bytes(value: Any) -> int | None:
    if value is None:
        return None
    length: int = value["bytes"] if is_digest(value) else digest(value)["bytes"]
    return length


def _changed_keys(before: object, after: object) -> tuple[str, ...]:
    """Return the members that differ where both texts are JSON objects."""
    old, new = _object(before), _object(after)
    if old is None or new is None:
        return ()
    differ = sorted(key for key in old.keys() | new.keys() if (key in old, old.get(key)) != (key in new, new.get(key)))
    return tuple(key[:LONGEST_PATH] for key in differ[:MOST_KEYS])


def _object(value: object) -> Mapping[str, Any] | None:
    if not isinstance(value, str) or not value.startswith("{"):
        return None
    try:
        read = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return None
    return read if isinstance(read, dict) else None
