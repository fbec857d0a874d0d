import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from flagcast.events.event import Event, InvalidEvent, Origin, parse
from flagcast.events.replay import Replay
from tests.support.captures import captured, every_capture
from tests.unit.builders import JSON, event, event_of

ORIGIN = Origin("evt_1", "flipt", "production", "https://flipt.example.com/", "2026-01-02T03:04:05.678Z")
DERIVED = [name for name, member in vars(Event).items() if isinstance(member, property)]
CHANGES = {each.seq: event_of(each.body, ORIGIN) for each in captured("flipt-1.61.0/changes")}
FLAG_PAGE = "https://flipt.example.com/#/namespaces/production/flags/new-checkout"
STAFF_PAGE = "https://flipt.example.com/#/namespaces/production/segments/staff"


@pytest.mark.parametrize(
    ("seq", "phrase", "namespace", "flag", "segment", "resource", "url"),
    [
        (1, "created", "production", None, None, "production", "https://flipt.example.com/#/settings/namespaces"),
        (5, "updated", "production", "new-checkout", None, "new-checkout", FLAG_PAGE),
        (6, "created", "production", "new-checkout", None, "a", FLAG_PAGE),
        (10, "created", "production", None, "staff", "staff", STAFF_PAGE),
        (14, "created", "production", None, "staff", "7526af2c-ad9c-492c-8634-a76983", STAFF_PAGE),
        (16, "created", "production", "new-checkout", None, "74a8cf0d-8acc-4042-8f52-e6f5f6", FLAG_PAGE),
        (18, "created", None, None, None, "c20760e3-d639-4ccb-9934-75931e", None),
        (22, "reordered", "production", "new-checkout", None, None, FLAG_PAGE),
        (28, "deleted", "production", "new-checkout", None, "c20760e3-d639-4ccb-9934-75931e", FLAG_PAGE),
        (35, "deleted", "production", "new-checkout", None, "new-checkout", None),
    ],
)
def test_a_captured_change_says_what_was_done_to_what_and_where_to_see_it(
    seq: int,
    phrase: str,
    namespace: str | None,
    flag: str | None,
    segment: str | None,
    resource: str | None,
    url: str | None,
) -> None:
    change = CHANGES[seq]
    assert (change.verb_phrase, change.namespace, change.flag_key, change.segment_key, change.url) == (
        phrase, namespace, flag, segment, url,
    )  # fmt: skip
    assert (change.resource_key or "")[:30] == (resource or "")
    assert (change.is_denied, change.actor, change.version, change.status) == (False, "someone", "0.2", "success")


def test_the_rule_and_the_rollout_order_are_the_only_reorderings_among_the_changes() -> None:
    assert [(seq, each.type) for seq, each in CHANGES.items() if each.is_order] == [(22, "rule"), (26, "rollout")]


def test_denied_events_of_a_real_server_say_what_was_tried_and_nothing_else() -> None:
    denied = [
        each
        for each in (event_of(one.body, ORIGIN) for one in captured("flipt-1.61.0/jwt-and-denied"))
        if each.is_denied
    ]
    assert [(each.type, each.verb_phrase) for each in denied] == [
        ("namespace", "tried to create"),
        ("flag", "tried to create"),
        ("flag", "tried to update"),
        ("flag", "tried to delete"),
        ("segment", "tried to create"),
        ("rule", "tried to create"),
        ("rollout", "tried to create"),
        ("variant", "tried to create"),
        ("token", "tried to create"),
    ]
    assert {(each.namespace, each.flag_key, each.resource_key, each.payload, each.actor) for each in denied} == {
        (None, None, None, None, "Max")
    }


def test_a_token_is_named_by_its_name_and_shown_on_its_page() -> None:
    created = event_of(captured("flipt-1.28.0/tokens")[0].body, ORIGIN)
    assert (created.resource_key, created.namespace, created.actor, created.version) == (
        "ci", None, "initial_bootstrap_token", "0.1",
    )  # fmt: skip
    assert created.url == "https://flipt.example.com/#/settings/tokens"


@pytest.mark.parametrize(
    ("actor", "name"),
    [
        ({"name": "Zoë", "email": "z@x.co", "authentication": "oidc"}, "Zoë"),
        ({"name": "", "email": "z@x.co", "authentication": "oidc"}, "z@x.co"),
        ({"io.flipt.auth.token.name": "ci", "authentication": "token"}, "ci"),
        ({"name": 7, "authentication": "none"}, "someone"),
        ({}, "someone"),
        ("Zoë", "someone"),
        (None, "someone"),
    ],
)
def test_the_actor_is_the_best_name_that_flipt_knows(actor: object, name: str) -> None:
    assert event(metadata={"actor": actor}).actor == name


@pytest.mark.parametrize("blank", ["\x00\x1f\x7f", " \t", "\u200b\u200d", "\u202e\u2066", "\u3164\u2800", "\ufeff"])
def test_an_actor_of_whom_nothing_can_be_seen_is_called_by_the_next_best_name(blank: str) -> None:
    # A name of control characters left the sentence without a subject: " updated flag a".
    assert event(metadata={"actor": {"name": blank, "email": "z@x.co"}}).actor == "z@x.co"
    token = {"name": blank, "email": blank, "io.flipt.auth.token.name": "ci"}
    assert event(metadata={"actor": token}).actor == "ci"
    assert event(metadata={"actor": {"authentication": blank}}).actor == "someone"


@pytest.mark.parametrize("metadata", [None, 7, [], "x", {}])
def test_an_event_without_usable_metadata_has_an_unknown_actor(metadata: object) -> None:
    assert event(metadata=metadata).actor == "someone"


@pytest.mark.parametrize(
    ("type_", "payload", "namespace"),
    [
        ("flag", {"key": "a", "namespace_key": "eu"}, "eu"),
        ("flag", {"key": "a", "namespace_key": ""}, "default"),
        ("flag", {"key": "a"}, "default"),
        ("flag", {"key": "a", "namespace_key": 7}, "default"),
        ("distribution", {"rule_id": "r"}, None),
        ("distribution", {"rule_id": "r", "namespace_key": "eu"}, "eu"),
        ("namespace", {"key": "eu"}, "eu"),
        ("namespace", None, None),
        ("token", {"namespace_key": "eu"}, None),
        ("flag", None, None),
        ("flag", "odd", "default"),
    ],
)
def test_a_namespace_that_is_missing_or_empty_is_the_default_one(
    type_: str, payload: object, namespace: str | None
) -> None:
    assert event(type=type_, payload=payload).namespace == namespace


@pytest.mark.parametrize(
    ("flipt_url", "type_", "payload", "url"),
    [
        (None, "flag", {"key": "a"}, None),
        ("", "flag", {"key": "a"}, None),
        ("https://f", "flag", {"key": "a/b c"}, "https://f/#/namespaces/default/flags/a%2Fb%20c"),
        ("https://f//", "segment", {"key": "é"}, "https://f/#/namespaces/default/segments/%C3%A9"),
        ("https://f", "flag", {"key": "a", "namespace_key": "?/#"}, "https://f/#/namespaces/%3F%2F%23/flags/a"),
        ("https://f", "flag", {"name": "no key"}, None),
        ("https://f", "flag", None, None),
    ],
)
def test_the_page_has_its_parts_encoded_and_is_none_where_there_is_none(
    flipt_url: str | None, type_: str, payload: object, url: str | None
) -> None:
    assert event(Origin(flipt_url=flipt_url), type=type_, payload=payload).url == url


@pytest.mark.parametrize(
    ("type_", "payload", "page"),
    [
        ("flag", {"key": "a"}, None),
        ("segment", {"key": "a"}, None),
        ("namespace", {"key": "a"}, None),
        ("token", {"io.flipt.auth.token.name": "ci"}, None),
        ("variant", {"id": "v", "flag_key": "a"}, "namespaces/default/flags/a"),
        ("constraint", {"id": "c", "segment_key": "a"}, "namespaces/default/segments/a"),
    ],
)
def test_what_was_deleted_has_no_page_and_its_flag_or_segment_still_has(
    type_: str, payload: object, page: str | None
) -> None:
    # "Open in Flipt" led to a page that says that there is no such flag.
    url = event(Origin(flipt_url="https://f"), type=type_, action="deleted", payload=payload).url
    assert url == (f"https://f/#/{page}" if page else None)


def test_what_flipt_does_not_say_comes_from_where_the_event_came_in() -> None:
    taken = event(ORIGIN)
    assert (taken.id, taken.source, taken.environment, taken.received_at) == (
        "evt_1", "flipt", "production", "2026-01-02T03:04:05.678Z",
    )  # fmt: skip


def test_an_action_that_a_later_flipt_adds_is_told_as_it_is() -> None:
    assert event(action="archived").verb_phrase == "archived"
    assert event(action="archived", status="denied").verb_phrase == "tried to archived"


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"", "not JSON: "),
        (b"{", "not JSON: "),
        (b"\xef\xbb\xbf{}", "not JSON: "),
        (b'{"type":"flag","action":"x\xff"}', "not UTF-8 at byte 26"),
        (b"[" * 100_000, "not JSON: "),
        (b'{"type":"flag","action":"\\ud800"}', "not JSON: "),
        (b"[]", "not a JSON object"),
        (b'"flag"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "no type"),
        (b'{"type":"","action":"created"}', "no type"),
        (b'{"type":7,"action":"created"}', "no type"),
        (b'{"type":"flag"}', "no action"),
        (b'{"type":"flag","action":null}', "no action"),
    ],
)
def test_what_is_no_event_is_told_by_its_reason(raw: bytes, detail: str) -> None:
    refused = parse(raw)
    assert isinstance(refused, InvalidEvent)
    assert refused.detail.startswith(detail)


def test_the_reason_never_quotes_the_body() -> None:
    for raw in (
        b"canary",
        b'{"canary": canary}',
        b'{"type": "canary"}',
        b'["canary"]',
        b"canary\xff",
        b'{"action":"canary"}',
    ):
        refused = parse(raw)
        assert isinstance(refused, InvalidEvent)
        assert "canary" not in refused.detail


def test_every_capture_is_an_event_that_keeps_its_bytes() -> None:
    # Three of the templates are not meant for Flagcast: Slack's and the printed one carry text alone, the logic one an
    # event within.
    bodies = [each.body for each in every_capture() if each.is_event]
    assert len(bodies) > 200
    assert [raw for raw in bodies if event_of(raw).raw.encode() != raw] == []


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_an_event_or_an_invalid_event(raw: bytes) -> None:
    assert isinstance(parse(raw), Event | InvalidEvent)


WIRE = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["flag", "namespace", "token", "distribution", "constraint", "segment"]) | JSON,
        "action": JSON,
    },
    optional=dict.fromkeys(("version", "status", "metadata", "timestamp"), JSON)
    | {
        "payload": JSON | st.dictionaries(st.sampled_from(["key", "namespace_key", "rule_ids", "id", "flag_key"]), JSON)
    },
)


@given(WIRE | JSON)
def test_any_json_is_an_event_whose_every_field_can_be_read_or_an_invalid_event(wire: Any) -> None:
    taken = parse(json.dumps(wire).encode(), ORIGIN)
    usable = isinstance(wire, dict) and all(
        isinstance(wire.get(each), str) and wire[each] for each in ("type", "action")
    )
    assert isinstance(taken, Event) is usable
    if isinstance(taken, Event):
        values = [getattr(taken, name) for name in DERIVED if not name.startswith("_")]
        assert len(values) > 12
        assert all(value is None or isinstance(value, str | bool) for value in values)


def test_a_replay_says_so_and_when_it_began_and_keeps_when_it_first_happened() -> None:
    replay = Replay("rpl_1", "2026-11-27T06:00:00.000Z")
    made = event(structs.replace(ORIGIN, replay=replay), timestamp="2026-01-02T03:04:05Z")
    assert (made.is_replay, made.replay_id, made.replayed_at) == (True, "rpl_1", replay.at)
    assert (made.timestamp, made.received_at) == ("2026-01-02T03:04:05Z", ORIGIN.received_at)
    live = event(ORIGIN)
    assert (live.is_replay, live.replay_id, live.replayed_at) == (False, None, None)
