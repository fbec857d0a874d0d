"""Each preset makes a message that its vendor takes, of whatever Flipt sends."""

import html
import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from msgspec import structs

from flagcast.events.change_context import Known
from flagcast.events.event import Event, Origin
from flagcast.rendering.conditions import wanted
from tests.presets.hostile import KNOWN, LARGEST, WIRES
from tests.presets.limits import LIMITS, Limit, at, measured
from tests.presets.rendered import (
    FOR_PEOPLE,
    NAMES,
    ORIGIN,
    changed,
    compiled,
    every_event,
    message,
    request,
    sample,
    strings,
)
from tests.unit.builders import event

EACH = pytest.mark.parametrize("name", NAMES)


def sizes(name: str, of: Event) -> dict[Limit, int]:
    """Measure what a preset makes of an event, for each limit of its vendor's that is about something in it."""
    made = request(name, of)
    whole = {"headers": made.headers} if name == "cloudevents-binary" else json.loads(made.body)
    found = {limit: [measured(part, limit.unit) for part in at(whole, limit.path)] for limit in LIMITS[name]}
    return {limit: max(each) for limit, each in found.items() if each}


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
