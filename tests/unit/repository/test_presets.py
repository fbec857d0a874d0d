"""Each preset makes a message that its vendor takes, of whatever Flipt sends."""

import html
import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from msgspec import structs
from scripts import preset_pages

from flagcast.events.change_context import Known
from flagcast.events.event import Event, Origin
from flagcast.events.event_filter import NOUNS
from flagcast.rendering.conditions import wanted
from tests.presets.hostile import KNOWN, LARGEST, WIRES
from tests.presets.limits import LIMITS, Limit, at, measured
from tests.presets.rendered import (
    CHATS,
    FLIPT,
    GOLDEN,
    NAMES,
    ORIGIN,
    PLAIN_ORIGIN,
    ROOT,
    changed,
    compiled,
    every_event,
    golden,
    message,
    request,
    sample,
    strings,
    tree,
)
from tests.unit.builders import event

DOCS = (ROOT / "docs/presets.md").read_text(encoding="utf-8")
FOR_PEOPLE = (*CHATS, "pagerduty-change", "pagerduty-alert", "datadog", "grafana-annotation")
EACH = pytest.mark.parametrize("name", NAMES)


def sizes(name: str, of: Event) -> dict[Limit, int]:
    """Measure what a preset makes of an event, for each limit of its vendor's that is about something in it."""
    made = request(name, of)
    whole = {"headers": made.headers} if name == "cloudevents-binary" else json.loads(made.body)
    found = {limit: [measured(part, limit.unit) for part in at(whole, limit.path)] for limit in LIMITS[name]}
    return {limit: max(each) for limit, each in found.items() if each}


def test_there_are_the_presets_that_the_documents_promise() -> None:
    assert sorted(LIMITS) == NAMES
    assert [name for name in NAMES if f"\n## {name}\n" not in DOCS] == []
    assert sorted(re.findall(r"^## ([a-z-]+)$", DOCS, re.MULTILINE)) == NAMES


@EACH
def test_a_preset_says_what_it_is_and_what_it_needs(name: str) -> None:
    said = tree(name)
    assert said["description"] in DOCS
    assert "url" in said or "url" in said["needs"]
    for path, sentence in said.get("needs", {}).items():
        first, _, last = path.partition(".")
        assert last not in said.get(first, {}) if last else first not in said
        assert f"| `{path}` | {sentence} |" in DOCS


@EACH
def test_every_event_that_was_ever_seen_makes_a_message_that_is_never_larger_than_its_vendor_takes(name: str) -> None:
    assert len(every_event()) > 300
    measurements = [sizes(name, each) for each in (*every_event(), *LARGEST)]
    for limit in LIMITS[name]:
        assert 0 < max(each.get(limit, 0) for each in measurements) <= limit.most, limit


@settings(max_examples=60)
@given(wire=WIRES, known=KNOWN)
def test_whatever_could_be_sent_makes_a_message_of_each_preset_that_fits(wire: dict[str, Any], known: Known) -> None:
    # Drawn once for all of them: drawing takes longer than what is tested.
    made = structs.replace(event(ORIGIN, **wire), known=known)
    assert [name for name in NAMES if not request(name, made).body] == []
    too_large = [
        (name, limit, size) for name in NAMES for limit, size in sizes(name, made).items() if size > limit.most
    ]
    assert too_large == []


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_a_message_says_who_did_what_to_what_and_where_it_is_shown(name: str) -> None:
    said = " ".join(strings(message(name, sample("flag-updated-by-person"))))
    for part in (
        "O'Brien",
        "updated flag",
        "new-checkout",
        "production",
        f"{FLIPT}/#/namespaces/production/flags/new-checkout",
    ):
        assert part in html.unescape(said).replace("\\", ""), part


@pytest.mark.parametrize("name", [*FOR_PEOPLE])
def test_a_refused_change_is_marked_as_one(name: str) -> None:
    said = " ".join(strings(message(name, sample("flag-deleted-denied"))))
    # Not only as one of the facts.
    assert re.search(r"⛔ Denied|\bDenied: Max", said)
    assert "Max tried to delete a flag" in said


VIEWS = {
    "slack": ("text", "blocks", "attachments"),
    "discord": ("embeds",),
    "mattermost": ("attachments.*.fallback", "attachments.*.text", "attachments.*.fields"),
    "google-chat": ("fallbackText", "cardsV2"),
    "microsoft-teams": ("attachments.*.content.fallbackText", "attachments.*.content.body"),
}
"""What is read for itself: a notification, a message."""


@pytest.mark.parametrize("name", CHATS)
def test_a_refused_change_says_so_once_in_each_view(name: str) -> None:
    # "⛔ Denied: ..." had a fact "Denied" below it, and Teams' fallback did not say it at all.
    made = message(name, sample("flag-deleted-denied"))
    views = [" ".join(strings(list(at(made, path)))) for path in VIEWS[name]]
    counts = [len(re.findall("denied", each, re.IGNORECASE)) for each in views]
    assert sum(counts[-2:]) == 1 if name in ("slack", "mattermost") else counts == [1] * len(views)
    assert "⛔ Denied" in views[0]


def test_a_label_looks_like_one_in_slack() -> None:
    # Labels and values were alike, as plain text is.
    made = message("slack", sample("flag-updated-by-person"))
    texts = list(at(made, "attachments.*.blocks.*.fields.*.text"))
    assert "*Name*\nNew checkout" in texts
    assert all(re.match(r"\*[\w-]+\*\n", each) for each in texts)
    assert all(at(made, "attachments.*.blocks.*.fields.*.verbatim"))


@pytest.mark.parametrize("name", FOR_PEOPLE)
@pytest.mark.parametrize("kind", ["flag", "segment", "namespace", "token"])
def test_nothing_opens_what_was_deleted(name: str, kind: str) -> None:
    said = list(strings(message(name, sample(f"{kind}-deleted"))))
    assert [each for each in said if "Open in Flipt" in each or "/#/" in each] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_shows_what_changed(name: str) -> None:
    event = changed("flag-created-by-person", "flag-updated-by-person")
    made = request(name, event)
    said = " ".join([*strings(made.headers), *strings(json.loads(made.body))])
    shown = html.unescape(unquote(said)).replace("\\", "")
    if name == "json":
        assert message(name, event)["changes"] == [
            {"field": "description", "before": "one page checkout", "after": "one page checkout, A/B",
             "is_before_known": True},
            {"field": "enabled", "before": False, "after": True, "is_before_known": True},
        ]  # fmt: skip
        assert message(name, event)["previous"] == event.previous
    else:
        assert "Enabled: no → yes" in shown
        assert "Description: one page checkout → one page checkout, A/B" in shown
    if name in FOR_PEOPLE:
        assert "O'Brien turned on flag new-checkout" in shown


@pytest.mark.parametrize("name", ["cloudevents-structured", "cloudevents-binary"])
def test_cloudevents_tell_no_change_from_an_unknown_one(name: str) -> None:
    def told(event: Event) -> str:
        made = request(name, event)
        return made.headers.get("ce-fliptchanges") or json.loads(made.body)["fliptchanges"]

    unchanged = changed("flag-updated-by-person", "flag-updated-by-person")
    assert (told(unchanged), told(sample("flag-updated"))) == ("none", "unknown")


@pytest.mark.parametrize("name", CHATS)
def test_what_happened_can_be_told_by_colour(name: str) -> None:
    names = ("flag-created", "flag-updated", "flag-deleted", "flag-updated-denied")
    paths = {
        "slack": "attachments.*.color",
        "microsoft-teams": "attachments.*.content.body.*.style",
        "discord": "embeds.*.color",
        "google-chat": "cardsV2.*.card.sections.*.widgets.*.textParagraph.text",
        "mattermost": "attachments.*.color",
    }
    colours = [next(at(message(name, sample(each)), paths[name])) for each in names]
    if name == "google-chat":
        colours = [re.findall("#[0-9a-f]{6}", each)[0] for each in colours]
    assert len(set(colours)) == len(names)


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_there_is_no_link_where_the_address_is_unknown(name: str) -> None:
    said = list(strings(message(name, sample("flag-updated", PLAIN_ORIGIN))))
    assert [each for each in said if "Open in Flipt" in each or "/#/" in each] == []


def test_json_holds_every_field_of_the_event_as_it_is() -> None:
    for each in every_event():
        made = message("json", each)
        for field in (
            "id",
            "source",
            "environment",
            "namespace",
            "flag_key",
            "segment_key",
            "resource_key",
            "actor",
            "verb_phrase",
            "is_denied",
            "is_order",
            "url",
            "received_at",
            "version",
            "type",
            "action",
            "status",
            "metadata",
            "payload",
            "timestamp",
        ):
            assert made[field] == getattr(each, field), field


def test_grafana_is_told_the_time_of_the_change() -> None:
    assert message("grafana-annotation", sample("flag-updated-by-person"))["time"] == 1_795_475_134_000
    timeless = event(Origin(ORIGIN.id, "flipt"), payload=None)
    assert "time" not in message("grafana-annotation", timeless)


def test_an_alert_is_for_what_was_refused() -> None:
    assert wanted(compiled("pagerduty-alert"), sample("flag-deleted-denied")) is True
    assert wanted(compiled("pagerduty-alert"), sample("flag-deleted")) is False


def test_the_same_attempt_again_is_the_same_incident() -> None:
    keys = [
        message("pagerduty-alert", sample(each))["dedup_key"]
        for each in ("flag-deleted-denied", "flag-deleted-denied", "flag-updated-denied")
    ]
    assert keys[0] == keys[1] != keys[2]


@EACH
def test_a_golden_file_and_the_documents_show_what_is_sent(name: str) -> None:
    kept = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    assert golden(name) == kept
    shown = next(each for each in json.loads(kept).values() if each)
    assert json.dumps(shown["body"], indent=2, ensure_ascii=False) in DOCS


def test_the_documents_show_each_kind_of_event_as_it_is_now() -> None:
    assert preset_pages.page(DOCS) == DOCS
    assert preset_pages.PICTURE.read_text(encoding="utf-8") == preset_pages.picture()
    # Bug: the events of tokens were missing.
    sent = {(each.type, each.action, each.is_order) for each in every_event() if each.type in NOUNS}
    assert {(each.type, each.action, each.is_order) for each in preset_pages.events()} == sent


@EACH
def test_the_documents_name_every_limit_and_where_it_is_said(name: str) -> None:
    for limit in LIMITS[name]:
        where = limit.path or ("the message" if name != "cloudevents-binary" else "headers")
        assert f"| {name} | `{where}` | {limit.most:,} {limit.unit} | {limit.source} |" in DOCS
