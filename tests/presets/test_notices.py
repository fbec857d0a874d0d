"""A notice of a destination in trouble, as each vendor shows it."""

import json
import re
from typing import get_args

import pytest
from jsonschema import Draft202012Validator
from slack_sdk.models.blocks import Block

from flagcast.events.event import NOTICES, Event, Origin
from flagcast.notices.notice import Kind, next_command, notice_body, notice_id
from flagcast.notices.trouble import Reason, Trouble
from flagcast.rendering.conditions import wanted
from tests.presets.limits import LIMITS, at, measured
from tests.presets.rendered import CHATS, GOLDEN, NAMES, compiled, message, request, strings
from tests.unit.builders import event_of

KINDS: tuple[Kind, ...] = get_args(Kind)
BODILESS = "cloudevents-binary"


def notice(kind: Kind = "trouble", excerpt: str = "no such channel", name: str = "mirror", since: int = 10**9) -> Event:
    trouble = Trouble("rejected", since, 403, excerpt)
    body = notice_body(kind, name, trouble, 12, "flagcast-prod", since + 60)
    return event_of(body.encode(), Origin(notice_id(kind, name, trouble), NOTICES, received_at="2026-01-02T03:04:05Z"))


LARGEST = [
    notice(kind, filler * (300 // len(filler)), "n" * 64)
    for kind in KINDS
    for filler in ("x", "&", "<", '"', "\\", "é", "日", "😀", "*", "_", "@a ", ":a:", "http://")
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_notice_says_which_destination_and_what_to_type(name: str, kind: Kind) -> None:
    texts = list(strings(message(name, notice(kind))))
    assert any("mirror" in each for each in texts)
    assert any(next_command(kind, "mirror", Trouble("rejected", 0), "flagcast-prod") in each for each in texts)


@pytest.mark.parametrize("name", [*CHATS, "datadog", "grafana-annotation", "pagerduty-alert", "pagerduty-change"])
def test_a_trouble_is_told_in_a_sentence_with_the_last_answer(name: str) -> None:
    texts = list(strings(message(name, notice())))
    assert any("Destination mirror is in trouble: it rejected an event" in each for each in texts)
    assert any("HTTP 403: no such channel" in each for each in texts)
    assert any("12 deliveries waiting" in each for each in texts)
    assert any("Destination mirror has recovered" in each for each in strings(message(name, notice("recovered"))))


@pytest.mark.parametrize("name", CHATS)
def test_it_is_flagcasts_word_and_its_colour_tells_trouble_from_its_end(name: str) -> None:
    made = json.dumps(message(name, notice())), json.dumps(message(name, notice("recovered")))
    assert all('Flagcast"' in each and '"Flipt' not in each for each in made)
    colours = [re.findall(r'"colou?r": ?"?(#?\w+)|color=\\"(#\w+)|"style": "(\w+)', each)[0] for each in made]
    assert colours[0] != colours[1]


@pytest.mark.parametrize("name", NAMES)
def test_the_largest_notice_fits(name: str) -> None:
    for each in LARGEST:
        made = request(name, each)
        whole = dict(made.headers) if name == BODILESS else json.loads(made.body)
        for limit in LIMITS[name]:
            sizes = [measured(part, limit.unit) for part in at(whole, limit.path)]
            assert max(sizes, default=0) <= limit.most, limit


def test_the_vendors_models_take_it() -> None:
    schema = json.loads((GOLDEN.parent / "adaptive-card.json").read_text(encoding="utf-8"))
    for each in LARGEST:
        made = message("slack", each)
        for blocks in (made["blocks"], *at(made, "attachments.*.blocks")):
            for block in Block.parse_all(blocks):
                block.validate_json()
        Draft202012Validator(schema).validate(message("microsoft-teams", each))


# An answer is one of the facts, whose every value is in test_inert.py.
@pytest.mark.parametrize("hostile", ["<!channel>", "<users/all>", "@here", "<b>b</b>"])
def test_an_answer_mentions_no_one_and_links_nowhere(hostile: str) -> None:
    made = list(strings(message("slack", notice(excerpt=hostile))))
    assert not any(re.search(r"<[!@#]|(?<![A-Za-z0-9])@(?!\u200b)[a-z]", each) for each in made)
    tags = [
        tag for each in strings(message("google-chat", notice(excerpt=hostile))) for tag in re.findall("<[^>]+", each)
    ]
    assert {each.strip("</").split()[0] for each in tags} == {"b", "font"}


def test_a_notice_passes_a_presets_own_condition() -> None:
    for name in NAMES:
        assert wanted(compiled(name), notice()) is True


def test_the_end_of_a_trouble_resolves_its_incident_and_no_other() -> None:
    began, over = message("pagerduty-alert", notice()), message("pagerduty-alert", notice("recovered"))
    assert (began["event_action"], over["event_action"]) == ("trigger", "resolve")
    assert began["dedup_key"] == over["dedup_key"] == "flagcast/mirror/2001-09-09T01:46:40Z"
    assert message("pagerduty-alert", notice(since=10**9 + 60))["dedup_key"] != began["dedup_key"]


def test_every_reason_is_told_by_its_words() -> None:
    reasons: tuple[Reason, ...] = get_args(Reason)
    titles = set()
    for reason in reasons:
        body = notice_body("trouble", "mirror", Trouble(reason, 1), None, "", 1)
        titles.add(message("json", event_of(body.encode(), Origin("evt_1", NOTICES)))["title"])
    assert len(titles) == len(reasons)
