"""A replay, as each vendor shows it: as one, and still within the vendor's limits."""

import json

import pytest
from jsonschema import Draft202012Validator
from msgspec import structs
from slack_sdk.models.blocks import Block

from flagcast.events.event import Event
from flagcast.events.replay import Replay
from tests.presets.hostile import LARGEST
from tests.presets.limits import LIMITS, at, measured
from tests.presets.rendered import GOLDEN, NAMES, message, request, sample, strings
from tests.presets.test_notices import BODILESS, notice

RUN = Replay("rpl_0123456789abcdef", "2026-12-24T06:00:00.000Z")
OF_MACHINES = {"cloudevents-binary", "cloudevents-structured"}


def replayed(event: Event) -> Event:
    return structs.replace(event, origin=structs.replace(event.origin, replay=RUN))


@pytest.mark.parametrize("name", sorted(set(NAMES) - OF_MACHINES))
@pytest.mark.parametrize("event", [sample("flag-updated"), sample("flag-deleted-denied"), notice()], ids=str)
def test_a_replay_says_that_it_is_one_and_news_does_not(name: str, event: Event) -> None:
    assert any("Replayed: " in each for each in strings(message(name, replayed(event))))
    assert not any("Replayed" in each for each in strings(message(name, event)))


@pytest.mark.parametrize("name", sorted(set(NAMES) - OF_MACHINES - {"json", "datadog"}))
def test_a_replay_says_when_it_was_and_when_it_happened_first(name: str) -> None:
    said = json.dumps(message(name, replayed(sample("flag-updated"))))
    assert "2026-12-24 06:00:00 UTC" in said
    assert any(each in said for each in ("2026-11-23", "1795475"))


def test_machines_get_the_id_of_the_replay_and_the_same_event_id() -> None:
    event = replayed(sample("flag-updated"))
    assert message("json", event)["replay_id"] == RUN.id
    assert message("json", event)["replayed_at"] == RUN.at
    structured, binary = message("cloudevents-structured", event), request("cloudevents-binary", event).headers
    assert structured["flagcastreplay"] == binary["ce-flagcastreplay"] == RUN.id
    assert structured["id"] == binary["ce-id"] == event.id
    live = sample("flag-updated")
    assert message("cloudevents-structured", live)["flagcastreplay"] == "none"
    assert request("cloudevents-binary", live).headers["ce-flagcastreplay"] == "none"


@pytest.mark.parametrize("name", NAMES)
def test_the_largest_replay_fits(name: str) -> None:
    for each in map(replayed, LARGEST):
        made = request(name, each)
        whole = dict(made.headers) if name == BODILESS else json.loads(made.body)
        for limit in LIMITS[name]:
            sizes = [measured(part, limit.unit) for part in at(whole, limit.path)]
            assert max(sizes, default=0) <= limit.most, limit


def test_the_vendors_models_take_it() -> None:
    schema = json.loads((GOLDEN.parent / "adaptive-card.json").read_text(encoding="utf-8"))
    for each in map(replayed, LARGEST):
        made = message("slack", each)
        for blocks in (made["blocks"], *at(made, "attachments.*.blocks")):
            for block in Block.parse_all(blocks):
                block.validate_json()
        Draft202012Validator(schema).validate(message("microsoft-teams", each))
