"""What Flipt's REST API answers, and the payload that Flipt's audit event of the same thing carries.

The answers are the messages of Flipt's rpc/flipt/flipt.proto, in camelCase; what is left out has its zero value. The
payloads are those of Flipt's internal/server/audit/types.go.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

DEFAULT_VARIANT_SINCE: Final = (1, 50)
SEVERAL_SEGMENTS_SINCE: Final = (1, 58, 2)
"""The first versions whose events say these. To know more than the events say would make each of them a change."""

Version = tuple[int, ...] | None
"""None is one that is not known, and taken for the newest."""


class Message(Struct, frozen=True, rename="camel"):
    """Anything that Flipt answers."""


class Namespace(Message, frozen=True):
    """A namespace."""

    key: str
    name: str = ""
    description: str = ""
    protected: bool = False
    created_at: datetime | None = None

    def payload(self) -> dict[str, Any]:
        """Return what its event carries."""
        return {"description": self.description, "key": self.key, "name": self.name, "protected": self.protected}


class Variant(Message, frozen=True):
    """A variant; the attachment is JSON as text."""

    id: str
    key: str = ""
    name: str = ""
    description: str = ""
    attachment: str = ""

    def payload(self, namespace: str, flag_key: str) -> dict[str, Any]:
        """Return what its event carries; Flipt writes the attachment there without white space, and here as stored."""
        return {
            "attachment": compact(self.attachment),
            "description": self.description,
            "flag_key": flag_key,
            "id": self.id,
            "key": self.key,
            "name": self.name,
            "namespace_key": namespace,
        }


class Flag(Message, frozen=True):
    """A flag with its variants."""

    key: str
    name: str = ""
    description: str = ""
    enabled: bool = False
    variants: tuple[Variant, ...] = ()
    default_variant: Variant | None = None
    created_at: datetime | None = None

    def payload(self, namespace: str, version: Version) -> dict[str, Any]:
        """Return what its event carries."""
        default = self.default_variant.key if self.default_variant and _since(DEFAULT_VARIANT_SINCE, version) else ""
        return {
            **({"default_variant": default} if default else {}),
            "description": self.description,
            "enabled": self.enabled,
            "key": self.key,
            "name": self.name,
            "namespace_key": namespace,
        }


class Constraint(Message, frozen=True):
    """A constraint of a segment."""

    id: str
    type: str = "UNKNOWN_COMPARISON_TYPE"
    property: str = ""
    operator: str = ""
    value: str = ""

    def payload(self, namespace: str, segment_key: str) -> dict[str, Any]:
        """Return what its event carries."""
        return {
            "id": self.id,
            "namespace_key": namespace,
            "operator": self.operator,
            "property": self.property,
            "segment_key": segment_key,
            "type": self.type,
            "value": self.value,
        }


class Segment(Message, frozen=True):
    """A segment with its constraints."""

    key: str
    name: str = ""
    description: str = ""
    match_type: str = "ALL_MATCH_TYPE"
    constraints: tuple[Constraint, ...] = ()
    created_at: datetime | None = None

    def payload(self, namespace: str) -> dict[str, Any]:
        """Return what its event carries."""
        return {
            "constraints": [each.payload(namespace, self.key) for each in self.constraints],
            "description": self.description,
            "key": self.key,
            "match_type": self.match_type,
            "name": self.name,
            "namespace_key": namespace,
        }


class Distribution(Message, frozen=True):
    """The share of a rule's entities that get a variant."""

    id: str
    rule_id: str
    variant_id: str
    rollout: int | float = 0

    def payload(self) -> dict[str, Any]:
        """Return what its event carries."""
        return {"id": self.id, "rollout": self.rollout, "rule_id": self.rule_id, "variant_id": self.variant_id}


class Ranked(Message, frozen=True):
    """What has its place among others of a flag."""

    id: str
    rank: int = 0


class Rule(Ranked, frozen=True):
    """A rule with its distributions."""

    segment_key: str = ""
    segment_keys: tuple[str, ...] = ()
    segment_operator: str = "OR_SEGMENT_OPERATOR"
    distributions: tuple[Distribution, ...] = ()
    created_at: datetime | None = None

    def payload(self, namespace: str, flag_key: str, version: Version) -> dict[str, Any]:
        """Return what its event carries."""
        has_several = not self.segment_key and bool(self.segment_keys) and _since(SEVERAL_SEGMENTS_SINCE, version)
        return {
            "distributions": [each.payload() for each in self.distributions],
            "flag_key": flag_key,
            "id": self.id,
            "namespace_key": namespace,
            "rank": self.rank,
            "segment_key": ",".join(self.segment_keys) if has_several else self.segment_key,
            **({"segment_operator": self.segment_operator} if has_several else {}),
        }


class Threshold(Message, frozen=True):
    """A rollout to a share of all entities."""

    percentage: int | float = 0
    value: bool = False


class RolloutSegment(Message, frozen=True):
    """A rollout to a segment, or to several."""

    segment_key: str = ""
    segment_keys: tuple[str, ...] = ()
    segment_operator: str = "OR_SEGMENT_OPERATOR"
    value: bool = False

    def payload(self) -> dict[str, Any]:
        """Return its part of the rollout's event."""
        if self.segment_key or not self.segment_keys:
            return {"key": self.segment_key, "value": self.value}
        return {"key": ",".join(self.segment_keys), "operator": self.segment_operator, "value": self.value}


class Rollout(Ranked, frozen=True):
    """A rollout of a boolean flag."""

    description: str = ""
    threshold: Threshold | None = None
    segment: RolloutSegment | None = None

    def payload(self, namespace: str, flag_key: str) -> dict[str, Any]:
        """Return what its event carries, from 1.58.4, before which it had no id."""
        threshold = self.threshold and {"percentage": self.threshold.percentage, "value": self.threshold.value}
        return {
            "description": self.description,
            "flag_key": flag_key,
            "id": self.id,
            "namespace_key": namespace,
            "rank": self.rank,
            **({"segment": self.segment.payload()} if self.segment else {}),
            **({"threshold": threshold} if threshold else {}),
        }


def compact(text: str) -> str:
    """Return JSON without white space and else as it is written, as Go's json.Compact does; other text as it is."""
    try:
        return msgspec.json.format(text, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        return text


def _since(first: tuple[int, ...], version: Version) -> bool:
    return version is None or version >= first
