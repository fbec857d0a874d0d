"""One audit event, as Flipt sends it and as filters and templates see it."""

from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from flagcast.events.change_context import NOTHING, Change, Known
from flagcast.events.replay import Replay
from flagcast.primitives.visibility import is_visible

_VERBS = {"created": "create", "updated": "update", "deleted": "delete"}
TOKEN_NAME = "io.flipt.auth.token.name"  # noqa: S105 - a key of Flipt's, not a secret
TOKEN_NAMESPACE = "io.flipt.auth.token.namespace"  # noqa: S105 - the same
DEFAULT_NAMESPACE = "default"

_LISTS = {"namespace": "settings/namespaces", "token": "settings/tokens"}
"""Pages of Flipt's UI that list what has no page of its own."""
_PAGES = frozenset({"flag", "segment", *_LISTS})
"""What is shown by a page, or a line of one, that is gone with it; a flag's page outlives a variant of it."""

NOTICE = "flagcast"
"""The type of Flagcast's own events."""
NOTICES = "flagcast:notices"
"""Where they come from; no source can have this name (config/validation.py)."""


class Origin(Struct, frozen=True):
    """What Flipt does not say about an event: the id we gave it, where it came in and when, and by which replay."""

    id: str = ""
    source: str = ""
    environment: str | None = None
    flipt_url: str | None = None
    received_at: str = ""
    replay: Replay | None = None


class InvalidEvent(Struct, frozen=True):
    """An authentic body that is not an event; `detail` says why without quoting it."""

    detail: str


class Event(Struct, frozen=True, dict=True):
    """Flipt's wire fields, and null-safe fields derived from them.

    The wire fields and their history by version are Flipt's internal/server/audit/events.go: 0.1 has no status,
    a denied event has a null payload, a template may have left out anything but type and action.
    """

    # What is derived from the payload is kept (`dict`): a delivery asks for some of it ten times.
    _HIDDEN: ClassVar = frozenset({"raw", "origin", "known"})
    """What {{ event | tojson }} leaves out: the body a second time, and where the rest of it comes from."""

    type: str
    action: str
    version: str
    status: str
    metadata: dict[str, Any]
    payload: Any
    timestamp: str
    raw: str
    origin: Origin
    known: Known = NOTHING

    @property
    def id(self) -> str:
        """Return the event id: the same for a repeat of the same body."""
        return self.origin.id

    @property
    def source(self) -> str:
        """Return the name of the source that took the event in."""
        return self.origin.source

    @property
    def environment(self) -> str | None:
        """Return the source's configured environment."""
        return self.origin.environment

    @property
    def received_at(self) -> str:
        """Return when the event was accepted, RFC 3339 in UTC."""
        return self.origin.received_at

    @property
    def is_replay(self) -> bool:
        """Return whether a replay sends it again; `timestamp` and `received_at` are when it first happened.

        They never change: a replay has a time of its own.
        """
        return self.origin.replay is not None

    @property
    def replay_id(self) -> str | None:
        """Return the id of the replay that sends it; None where it is no replay."""
        return self.origin.replay.id if self.origin.replay else None

    @property
    def replayed_at(self) -> str | None:
        """Return when its replay began, RFC 3339 in UTC; None where it is no replay."""
        return self.origin.replay.at if self.origin.replay else None

    @property
    def is_known(self) -> bool:
        """Return whether it is known what was there before, so that no changes means that nothing changed."""
        return self.known.is_known

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return what the event changed, by field; empty where what was there before is unknown."""
        return self.known.changes

    @property
    def changed(self) -> tuple[str, ...]:
        """Return the paths of the fields that changed."""
        return tuple(each.field for each in self.known.changes)

    @property
    def previous(self) -> dict[str, Any] | None:
        """Return the payload before; None where it is unknown, too large, or nothing was there."""
        return self.known.previous

    @property
    def is_denied(self) -> bool:
        """Return whether Flipt's authorization refused the change, which then never happened."""
        return self.status == "denied"

    @property
    def is_notice(self) -> bool:
        """Return whether this is Flagcast's own word about a destination, which no source can send."""
        return self.source == NOTICES

    @cached_property
    def is_order(self) -> bool:
        """Return whether rules or rollouts were put into another order (Flipt 1.37 and later)."""
        return any(isinstance(self._payload.get(field), list) for field in ("rule_ids", "rollout_ids"))

    @cached_property
    def namespace(self) -> str | None:
        """Return the namespace; None where the event names none (denied, token) and none is known (a distribution)."""
        if self.type == "namespace":
            return self._text("key")
        if self.payload is None or self.type == "token" or self.is_notice:
            return None
        named = self._text("namespace_key")
        if named is None and self.type == "distribution":
            return self.known.namespace
        return named or DEFAULT_NAMESPACE

    @cached_property
    def flag_key(self) -> str | None:
        """Return the key of the flag that the change belongs to."""
        return self._text("flag_key") or (self._text("key") if self.type == "flag" else self.known.flag_key)

    @cached_property
    def segment_key(self) -> str | None:
        """Return the key of the segment that a segment's or constraint's change belongs to."""
        if self.type == "segment":
            return self._text("key")
        return self._text("segment_key") if self.type == "constraint" else None

    @cached_property
    def resource_key(self) -> str | None:
        """Return what names the changed thing itself: its key, a token's name, else its id."""
        return self._text("key") or self._text(TOKEN_NAME) or self._text("id")

    @cached_property
    def actor(self) -> str:
        """Return who did it, as well as Flipt knows: name, e-mail, token, how they signed in, else "someone"."""
        actor = self.metadata.get("actor")
        known = actor if isinstance(actor, dict) else {}
        for field in ("name", "email", TOKEN_NAME, "authentication"):
            value = known.get(field)
            # "none" is how no one in particular signs in.
            if isinstance(value, str) and is_visible(value) and (field, value) != ("authentication", "none"):
                return value
        return "someone"

    @property
    def verb_phrase(self) -> str:
        """Return what was done, to stand between actor and type: "updated", "reordered", "tried to delete"."""
        if self.is_denied:
            return f"tried to {_VERBS.get(self.action, self.action)}"
        return "reordered" if self.is_order else self.action

    @cached_property
    def url(self) -> str | None:
        """Return the page of Flipt's UI that shows the changed thing; None where there is no such page."""
        if not self.origin.flipt_url:
            return None
        if (page := self._page()) is None:
            return None
        return f"{self.origin.flipt_url.rstrip('/')}/#/{page}"

    def _page(self) -> str | None:
        if self.action == "deleted" and self.type in _PAGES:
            return None
        if self.type in _LISTS:
            return _LISTS[self.type]
        if self.namespace is None:
            return None
        for kind, key in (("flags", self.flag_key), ("segments", self.segment_key)):
            if key:
                return f"namespaces/{quote(self.namespace, safe='')}/{kind}/{quote(key, safe='')}"
        return None

    @property
    def _payload(self) -> dict[str, Any]:
        return self.payload if isinstance(self.payload, dict) else {}

    def _text(self, field: str) -> str | None:
        """Return a payload field if it is there, a string and not empty."""
        value = self._payload.get(field)
        return value if isinstance(value, str) and value else None


_NOWHERE = Origin()


def parse(raw: bytes, origin: Origin = _NOWHERE, known: Known = NOTHING) -> Event | InvalidEvent:
    """Read one event: a UTF-8 JSON object with non-empty strings `type` and `action`.

    Everything else about it may be missing or odd: what cannot be used is taken as absent, never refused.
    """
    try:
        text = raw.decode()
        wire = msgspec.json.decode(text)
    except UnicodeDecodeError as error:
        return InvalidEvent(f"not UTF-8 at byte {error.start}")
    except (msgspec.DecodeError, RecursionError) as error:
        return InvalidEvent(f"not JSON: {error}")
    if not isinstance(wire, dict):
        return InvalidEvent("not a JSON object")
    for field in ("type", "action"):
        if not isinstance(wire.get(field), str) or not wire[field]:
            return InvalidEvent(f"no {field}")
    metadata = wire.get("metadata")
    return Event(
        type=wire["type"],
        action=wire["action"],
        version=_string(wire.get("version")),
        status=_string(wire.get("status")),
        metadata=metadata if isinstance(metadata, dict) else {},
        payload=wire.get("payload"),
        timestamp=_string(wire.get("timestamp")),
        raw=text,
        origin=origin,
        known=known,
    )


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
