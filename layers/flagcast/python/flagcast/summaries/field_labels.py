"""What there is to say of each type of thing: a label, the fields behind it, and how they are said together."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from flagcast.events.event import TOKEN_NAMESPACE, Event
from flagcast.summaries.value_text import constraint, mapping, meaning, percent, said, segments, yes_or_no

Names = Mapping[str, str]
"""What people call ids."""


class Aspect(Struct, frozen=True):
    """One thing to say of a thing: `fields` are paths in its payload, the first of them decides what is known."""

    label: str
    fields: tuple[str, ...]
    write: Callable[[dict[str, Any], Names], str]


def _of(field: str, write: Callable[[object], str] = said) -> Callable[[dict[str, Any], Names], str]:
    return lambda state, _: write(state.get(field))


def _named(field: str) -> Callable[[dict[str, Any], Names], str]:
    return lambda state, names: names.get(said(state.get(field)), said(state.get(field)))


def _share(state: dict[str, Any], _: Names) -> str:
    return percent(mapping(state.get("threshold")).get("percentage"))


def _targets(state: dict[str, Any], _: Names) -> str:
    segment = mapping(state.get("segment"))
    return segments(segment.get("key"), segment.get("operator"))


def _value(state: dict[str, Any], _: Names) -> str:
    return said((mapping(state.get("threshold")) or mapping(state.get("segment"))).get("value"))


_NAME: Final = Aspect("Name", ("name",), _of("name"))
_DESCRIPTION: Final = Aspect("Description", ("description",), _of("description"))
_TOKEN_DESCRIPTION: Final = "io.flipt.auth.token.description"  # noqa: S105 - a key of Flipt's, not a secret

_ASPECTS: Final[Mapping[str, tuple[Aspect, ...]]] = {
    "flag": (
        Aspect("Enabled", ("enabled",), _of("enabled", yes_or_no)),
        _NAME,
        Aspect("Default variant", ("default_variant",), _of("default_variant")),
    ),
    "variant": (Aspect("Key", ("key",), _of("key")), _NAME, Aspect("Attachment", ("attachment",), _of("attachment"))),
    "segment": (Aspect("Matches", ("match_type",), _of("match_type", meaning)), _NAME),
    "constraint": (
        Aspect("Constraint", ("property", "operator", "value"), lambda state, _: constraint(state)),
        Aspect("Type", ("type",), _of("type", meaning)),
    ),
    "rule": (
        Aspect(
            "Segments",
            ("segment_key", "segment_operator"),
            lambda state, _: segments(state.get("segment_key"), state.get("segment_operator")),
        ),
    ),
    "rollout": (
        Aspect("Share", ("threshold.percentage",), _share),
        Aspect("Segments", ("segment.key", "segment.operator"), _targets),
        Aspect("Value", ("threshold.value", "segment.value"), _value),
    ),
    "distribution": (
        Aspect("Share", ("rollout",), _of("rollout", percent)),
        Aspect("Variant", ("variant_id",), _named("variant_id")),
        Aspect("Rule", ("rule_id",), _named("rule_id")),
    ),
    "namespace": (Aspect("Protected", ("protected",), _of("protected", yes_or_no)), _NAME),
    "token": (
        Aspect("Description", (_TOKEN_DESCRIPTION,), _of(_TOKEN_DESCRIPTION)),
        Aspect("Namespace", (TOKEN_NAMESPACE,), _of(TOKEN_NAMESPACE)),
    ),
}


def aspects_of(event: Event) -> tuple[Aspect, ...]:
    """Return what there is to say of the thing of an event, the most important first."""
    aspects = _ASPECTS.get(event.type, ())
    return aspects if event.type == "token" else (*aspects, _DESCRIPTION)
