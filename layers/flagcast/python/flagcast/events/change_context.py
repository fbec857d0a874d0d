"""What a task knows of an event beside its body: what the change replaced, and what people call its ids."""

from typing import Any, Final

from msgspec import Struct

MOST_CHANGES: Final = 20
LONGEST_VALUE: Final = 200
"""Characters of a value in a change."""
LARGEST_PREVIOUS: Final = 4096
"""Bytes of JSON of the payload before that a task carries; a larger one is left out."""

Value = bool | int | float | str | None


class Change(Struct, frozen=True, omit_defaults=True):
    """One field of a thing that an event changed.

    `field` is the path in the payload (`threshold.percentage`). `before` and `after` are None where there was or is
    nothing; a text is cut to LONGEST_VALUE characters, a list is its JSON. `is_before_known` is False where Flipt may
    have had another value that it did not send. Of a text longer than that, `bytes_before` and `bytes_after` are the
    UTF-8 lengths, and `keys` the members that differ where both are JSON objects (at most 10).
    """

    field: str
    before: Value = None
    after: Value = None
    is_before_known: bool = True
    bytes_before: int | None = None
    bytes_after: int | None = None
    keys: tuple[str, ...] = ()


class Known(Struct, frozen=True, omit_defaults=True):
    """What is known of one event; the default is that nothing is.

    `is_known` says whether what was there before is known, so that no changes means that nothing changed. `previous`
    is the payload before; None where it is unknown, where nothing was there, or where it is too large. `known_at` is
    when it was seen, RFC 3339 in UTC. `names` says what people call an id or a key in the payload: a variant's key, a
    rule's segments, a flag's name. `namespace` and `flag_key` are those of a distribution, whose event names neither;
    `subject` is what its tasks are ordered by where these say otherwise, as its first event came before them.
    """

    is_known: bool = False
    changes: tuple[Change, ...] = ()
    previous: dict[str, Any] | None = None
    known_at: str | None = None
    names: dict[str, str] = {}
    namespace: str | None = None
    flag_key: str | None = None
    subject: tuple[str, ...] = ()


NOTHING: Final = Known()
