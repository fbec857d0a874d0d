"""What the vendors' own models, and a schema where there is none, say of the messages."""

import json
from urllib.parse import unquote

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from jsonschema import Draft202012Validator
from slack_sdk.models.blocks import Block

from tests.presets.hostile import LARGEST
from tests.presets.limits import at
from tests.presets.rendered import FLIPT, GOLDEN, every_event, message, request, sample


def test_slack_takes_the_blocks() -> None:
    for each in (*every_event(), *LARGEST):
        made = message("slack", each)
        for blocks in (made["blocks"], *at(made, "attachments.*.blocks")):
            parsed = Block.parse_all(blocks)
            assert len(parsed) == len(blocks)
            for block in parsed:
                block.validate_json()


def test_slack_parses_nothing_but_its_one_link() -> None:
    for part in at(message("slack", sample("flag-updated")), "attachments.*.blocks.*.elements.*"):
        assert part["type"] == "plain_text" or (part["verbatim"] is True and part["text"].startswith(f"<{FLIPT}"))


def test_teams_takes_the_card() -> None:
    schema = json.loads((GOLDEN.parent / "adaptive-card.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    for each in (*every_event(), *LARGEST):
        Draft202012Validator(schema).validate(message("microsoft-teams", each))


def test_discord_mentions_no_one() -> None:
    assert message("discord", sample("flag-updated"))["allowed_mentions"] == {"parse": []}


@pytest.mark.parametrize("name", ["cloudevents-structured", "cloudevents-binary"])
def test_cloudevents_are_read_by_their_own_library(name: str) -> None:
    for each in (*every_event(), *LARGEST):
        made = request(name, each)
        read = from_http_event(HTTPMessage({key.lower(): value for key, value in made.headers.items()}, made.body))
        assert read.get_specversion() == "1.0"
        assert read.get_id() == each.id
        assert read.get_source() == "/flipt/flipt"
        assert read.get_type().startswith("io.flipt.audit.")
        assert read.get_type().endswith(".denied") == each.is_denied
        assert read.get_subject()
        assert read.get_time() is not None
        assert read.get_data() == json.loads(each.raw)


def test_both_modes_of_cloudevents_say_the_same() -> None:
    for each in (*every_event(), *LARGEST):
        structured, binary = message("cloudevents-structured", each), request("cloudevents-binary", each).headers
        for attribute in ("specversion", "id", "source", "type", "subject", "time"):
            assert structured[attribute] == unquote(binary[f"ce-{attribute}"])


def test_a_binary_event_carries_the_original_bytes() -> None:
    for each in every_event():
        assert request("cloudevents-binary", each).body.decode() == each.raw
