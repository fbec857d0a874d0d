"""What each vendor takes at most, and where it says so."""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

_SLACK = "https://docs.slack.dev/reference/block-kit/"
_SLACK_MEASURED = "https://github.com/slackapi/bolt-js/issues/2509"
_TEXT_OBJECT = _SLACK + "composition-objects/text-object"
_DISCORD = "https://discord.com/developers/docs/resources/message#embed-object-embed-limits"
_TEAMS = "https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams"
_TEAMS_MEASURED = "https://stackoverflow.com/questions/58474127"
_CHAT = "https://developers.google.com/chat/api/reference/rest/v1/spaces.messages/create"
_CARD = "https://developers.google.com/workspace/chat/api/reference/rest/v1/cards"
_MATTERMOST = "https://github.com/mattermost-community/mattermost-plugin-autolink/pull/154"
_PAGERDUTY = "https://github.com/PagerDuty/developer-docs/blob/main/docs/events-API-v2/"
_ALERT = _PAGERDUTY + "02-Trigger-Events.md"
_CHANGE = "https://developer.pagerduty.com/docs/events-api-v2/send-change-events/"
_DATADOG = "https://docs.datadoghq.com/api/latest/events/post-an-event/"
_TAGS = "https://docs.datadoghq.com/getting_started/tagging/#define-tags"
_GRAFANA = "https://github.com/grafana/grafana/blob/main/pkg/services/annotations/annotationsimpl/xorm_store.go"
_GRAFANA_TAG = "https://github.com/grafana/grafana/blob/main/pkg/services/sqlstore/migrations/tag_mig.go"
_HEADERS = "https://httpd.apache.org/docs/2.4/mod/core.html#limitrequestfieldsize"


class Limit(Struct, frozen=True):
    """One limit: the parts of a message that `path` finds (* is any member) have at most so much of `unit`."""

    path: str
    most: int
    unit: str
    source: str


LIMITS: dict[str, tuple[Limit, ...]] = {
    "slack": (
        Limit("blocks", 50, "items", _SLACK + "blocks"),
        Limit("text", 40_000, "characters", _SLACK_MEASURED),
        Limit("blocks.*.text.text", 3_000, "characters", _SLACK + "blocks/section-block"),
        Limit("attachments.*.blocks", 50, "items", _SLACK + "blocks"),
        Limit("attachments.*.blocks.*.fields", 10, "items", _SLACK + "blocks/section-block"),
        Limit("attachments.*.blocks.*.fields.*.text", 2_000, "characters", _SLACK + "blocks/section-block"),
        Limit("attachments.*.blocks.*.elements", 10, "items", _SLACK + "blocks/context-block"),
        Limit("attachments.*.blocks.*.elements.*.text", 3_000, "characters", _TEXT_OBJECT),
        Limit("", 13_000, "characters of text", _SLACK_MEASURED),
    ),
    "microsoft-teams": (
        Limit("", 28_000, "bytes of UTF-16", _TEAMS),
        Limit("", 20_000, "bytes", _TEAMS_MEASURED),
    ),
    "discord": (
        Limit("embeds", 10, "items", _DISCORD),
        Limit("embeds.*.title", 256, "characters", _DISCORD),
        Limit("embeds.*.fields", 25, "items", _DISCORD),
        Limit("embeds.*.fields.*.name", 256, "characters", _DISCORD),
        Limit("embeds.*.fields.*.value", 1_024, "characters", _DISCORD),
        Limit("embeds.*.footer.text", 2_048, "characters", _DISCORD),
        Limit("embeds.*.url", 2_048, "characters", _DISCORD),
        Limit("embeds", 6_000, "characters of text", _DISCORD),
    ),
    "google-chat": (
        Limit("", 32_000, "bytes", _CHAT),
        Limit("cardsV2.*.card.sections.*.widgets", 100, "items", _CARD),
    ),
    "mattermost": (
        Limit("attachments.*.text", 16_383, "characters", _MATTERMOST),
        Limit("attachments", 7_900, "characters of JSON", "https://gitlab.com/gitlab-org/gitlab-foss/-/issues/37555"),
    ),
    "pagerduty-change": (
        Limit("", 512_000, "bytes", _PAGERDUTY + "01-Overview.md"),
        Limit("payload.summary", 1_024, "characters", _CHANGE),
        Limit("routing_key", 32, "characters", _CHANGE),
    ),
    "pagerduty-alert": (
        Limit("", 512_000, "bytes", _PAGERDUTY + "01-Overview.md"),
        Limit("payload.summary", 1_024, "characters", _ALERT),
        Limit("dedup_key", 255, "characters", _ALERT),
        Limit("routing_key", 32, "characters", _ALERT),
    ),
    "datadog": (
        Limit("title", 100, "characters", _DATADOG),
        Limit("text", 4_000, "characters", _DATADOG),
        Limit("aggregation_key", 100, "characters", _DATADOG),
        Limit("tags.*", 200, "characters", _TAGS),
    ),
    "grafana-annotation": (
        Limit("tags", 500, "characters of JSON", _GRAFANA),
        Limit("tags.*", 100, "characters", _GRAFANA_TAG),
    ),
    "cloudevents-structured": (),
    "cloudevents-binary": (
        Limit("headers", 8_000, "characters of JSON", _HEADERS),
    ),
    "json": (),
}  # fmt: skip


def at(tree: Any, path: str) -> Iterator[Any]:
    """Yield what a path finds."""
    first, _, rest = path.partition(".")
    if not path:
        yield tree
    elif first == "*":
        for member in tree:
            yield from at(member, rest)
    elif isinstance(tree, dict) and first in tree:
        yield from at(tree[first], rest)


def measured(value: Any, unit: str) -> int:
    """Measure a part of a message; characters are UTF-16's, the largest count there is."""
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    match unit:
        case "items":
            return len(value)
        case "characters":
            return _utf_16(value) // 2
        case "characters of JSON":
            return _utf_16(compact) // 2
        case "characters of text":
            return sum(_utf_16(text) // 2 for text in _texts(value))
        case "bytes of UTF-16":
            return _utf_16(compact)
        case "bytes":
            return len(compact.encode())
        case _:
            raise AssertionError(unit)


def _utf_16(text: str) -> int:
    return len(text.encode("utf-16-le"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _texts(member)
