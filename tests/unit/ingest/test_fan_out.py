import json

import pytest
from msgspec import structs

from flagcast.config.archive_destination import ARCHIVE
from flagcast.config.model import Ordering
from flagcast.events.change_context import Known
from flagcast.events.event import Origin
from flagcast.events.replay import Replay
from flagcast.events.subject import subject
from flagcast.ingest.fan_out import (
    Messages,
    Proof,
    fan_out,
    for_archive_alone,
    for_no_destination,
    for_replay,
    identify,
    number_of,
)
from flagcast.tasks.dead_letter import invalid_event
from flagcast.tasks.outgoing_message import LARGEST_TASK
from flagcast.tasks.routing import message_group_id
from flagcast.tasks.task import Task, claim_check, decode, deduplication_id, encode, event_id, replayed, task
from tests.unit.builders import RECEIVED_AT, body, destination, event_of

RUN = Replay("rpl_1", "2026-11-27T06:00:00.000Z")
TIMED = body(payload={"key": "a"}, timestamp="2026-01-02T03:04:05Z")


def carried_by(messages: Messages) -> dict[str, Task]:
    tasks = {name: decode(entry.body) for name, entry in messages.entries.items()}
    return {name: each for name, each in tasks.items() if isinstance(each, Task)}


def of_task_size(size: int, destination: str, character: str = "x") -> bytes:
    """Make an event whose task for a destination is encoded in so many bytes."""

    def made(count: int, filler: str = "") -> bytes:
        text = f'{{"type":"flag","action":"updated","timestamp":"t","more":"{filler}'
        return text.encode() + json.dumps(character * count, ensure_ascii=False)[1:].encode() + b"}"

    def length(raw: bytes) -> int:
        return len(encode(task("evt_1", "flipt", destination, RECEIVED_AT, raw)))

    count = (size - length(made(0))) // (length(made(1)) - length(made(0)))
    raw = made(count, "x" * (size - length(made(count))))
    assert length(raw) == size
    return raw


def test_an_event_becomes_one_message_for_each_destination_that_wants_it() -> None:
    routes = {
        "everything": destination(),
        "rules": destination(events=["rule:*"]),
        "in-line": destination(events=["flag:updated"], ordering="destination"),
        "loose": destination(ordering="none"),
    }
    event = event_of(TIMED)
    messages = fan_out("evt_1", "flipt", RECEIVED_AT, event, routes)
    assert messages.body_ref is None
    entries = messages.entries
    assert list(entries) == ["everything", "in-line", "loose"]
    for name, carried in carried_by(messages).items():
        entry = entries[name]
        assert carried == task("evt_1", "flipt", name, RECEIVED_AT, TIMED)
        assert entry.deduplication == deduplication_id(carried.id)
        assert entry.group == message_group_id(name, routes[name].ordering, subject(event), carried.id)
        assert entry.attributes == {}
    assert len({entry.group for entry in entries.values()}) == 3


def test_an_event_that_no_destination_wants_becomes_no_message() -> None:
    routes = {"rules": destination(events=["rule:*"])}
    for raw in (TIMED, of_task_size(LARGEST_TASK + 1, "rules")):
        assert fan_out("evt_1", "flipt", RECEIVED_AT, event_of(raw), routes) == Messages({})


@pytest.mark.parametrize("character", ["x", '"', "\u00e9", "\u2028", "\U0001f600"])
def test_a_task_of_200_kib_carries_its_body_and_one_of_a_byte_more_its_key(character: str) -> None:
    fitting = of_task_size(LARGEST_TASK, "mirror", character)
    kept = fan_out("evt_1", "flipt", RECEIVED_AT, event_of(fitting), {"mirror": destination()})
    assert (len(kept.entries["mirror"].body), kept.body_ref) == (200 * 1024, None)
    assert carried_by(kept) == {"mirror": task("evt_1", "flipt", "mirror", RECEIVED_AT, fitting)}

    larger = of_task_size(LARGEST_TASK + 1, "mirror", character)
    claimed = fan_out("evt_1", "flipt", RECEIVED_AT, event_of(larger), {"mirror": destination()})
    assert claimed.body_ref == "bodies/evt_1"
    assert carried_by(claimed) == {"mirror": claim_check(task("evt_1", "flipt", "mirror", RECEIVED_AT, larger))}
    assert claimed.entries["mirror"].size < 500


@pytest.mark.parametrize("names", [["short", "one-with-a-longer-name"], ["one-with-a-longer-name", "short"]])
def test_where_one_task_of_an_event_is_too_large_all_of_them_claim_its_body(names: list[str]) -> None:
    event = event_of(of_task_size(LARGEST_TASK, "short"))
    routes = {name: destination(ordering="destination") for name in names}
    messages = fan_out("evt_1", "flipt", RECEIVED_AT, event, routes)
    assert {each.body_ref for each in carried_by(messages).values()} == {messages.body_ref} == {"bodies/evt_1"}
    assert list(messages.entries) == names


def test_a_claim_check_keeps_the_tasks_group_and_identity_so_that_a_resend_is_swallowed() -> None:
    routes = {"mirror": destination()}
    small, large = (
        fan_out("evt_1", "flipt", RECEIVED_AT, event_of(body(payload={"key": "a", "more": more})), routes)
        for more in ("", "x" * LARGEST_TASK)
    )
    (kept, claimed) = (each.entries["mirror"] for each in (small, large))
    assert (claimed.group, claimed.deduplication) == (kept.group, kept.deduplication)


SIGNATURE = "ab" * 32


def test_an_archived_event_is_queued_for_the_archive_too_with_all_that_proves_it() -> None:
    event = structs.replace(event_of(TIMED), known=Known(names={"a": "b"}))
    messages = fan_out("evt_1", "flipt", RECEIVED_AT, event, {"mirror": destination()}, Proof("2", SIGNATURE))
    assert list(messages.entries) == ["mirror", ARCHIVE]
    plain = task("evt_1", "flipt", ARCHIVE, RECEIVED_AT, TIMED, event.known)
    assert carried_by(messages)[ARCHIVE] == structs.replace(plain, number="2", signature=SIGNATURE)
    assert carried_by(messages)["mirror"].signature is None
    assert messages.deliveries == 1


def test_an_event_that_no_destination_wants_is_archived() -> None:
    messages = fan_out("evt_1", "flipt", RECEIVED_AT, event_of(TIMED), {}, Proof())
    assert list(messages.entries) == [ARCHIVE]
    assert messages.deliveries == 0


def test_no_archived_event_waits_for_another() -> None:
    groups = {
        fan_out(identity, "flipt", RECEIVED_AT, event_of(TIMED), {}, Proof()).entries[ARCHIVE].group
        for identity in ("evt_1", "evt_2")
    }
    assert len(groups) == 2


def test_a_resend_is_the_same_message_for_the_archive() -> None:
    first, second = (fan_out("evt_1", "flipt", RECEIVED_AT, event_of(TIMED), {}, Proof("1", None)) for _ in range(2))
    assert first == second


def test_a_large_event_is_archived_by_the_key_of_its_body() -> None:
    raw = of_task_size(LARGEST_TASK + 1, ARCHIVE)
    messages = fan_out("evt_1", "flipt", RECEIVED_AT, event_of(raw), {}, Proof(None, SIGNATURE))
    assert messages.body_ref == "bodies/evt_1"
    assert carried_by(messages)[ARCHIVE].body_ref == "bodies/evt_1"
    assert carried_by(messages)[ARCHIVE].signature == SIGNATURE


def test_the_number_in_the_archive_is_what_the_id_was_made_with() -> None:
    assert number_of(0) is None
    for number in (0, 1, "JKJaXmPLvHcESHA="):
        assert identify("flipt", TIMED, number) == event_id("flipt", TIMED, number_of(number))


@pytest.mark.parametrize("raw", [b"\xff{", b"\xff" * LARGEST_TASK], ids=["small", "large"])
def test_what_is_no_event_is_archived_by_itself(raw: bytes) -> None:
    messages = for_archive_alone("flipt", RECEIVED_AT, raw, SIGNATURE)
    identity = event_id("flipt", raw)
    made = structs.replace(task(identity, "flipt", ARCHIVE, RECEIVED_AT, raw), signature=SIGNATURE)
    is_large = len(raw) == LARGEST_TASK
    assert messages.body_ref == (f"bodies/{identity}" if is_large else None)
    assert carried_by(messages) == {ARCHIVE: claim_check(made) if is_large else made}
    entry = messages.entries[ARCHIVE]
    group = message_group_id(ARCHIVE, "none", (), made.id)
    assert (entry.group, entry.deduplication) == (group, deduplication_id(made.id))


def test_what_is_no_event_is_one_dead_letter_that_carries_its_body() -> None:
    messages = for_no_destination("flipt", RECEIVED_AT, b"\xff{", "not UTF-8 at byte 0")
    identity = event_id("flipt", b"\xff{")
    expected = invalid_event(identity, "flipt", RECEIVED_AT, b"\xff{", "not UTF-8 at byte 0")
    assert messages == Messages({"-": expected})


def test_what_is_no_event_and_too_large_is_one_dead_letter_that_claims_its_body() -> None:
    raw = b"\xff" * LARGEST_TASK
    messages = for_no_destination("flipt", RECEIVED_AT, raw, "not UTF-8 at byte 0")
    identity = event_id("flipt", raw)
    assert messages.body_ref == f"bodies/{identity}"
    letter = messages.entries["-"]
    assert decode(letter.body) == claim_check(task(identity, "flipt", "-", RECEIVED_AT, b""))
    whole = invalid_event(identity, "flipt", RECEIVED_AT, raw, "not UTF-8 at byte 0")
    assert (letter.group, letter.deduplication, letter.attributes) == (
        whole.group,
        whole.deduplication,
        whole.attributes,
    )


@pytest.mark.parametrize("ordering", ["subject", "destination", "none"])
def test_a_replay_goes_to_the_one_destination_in_a_group_and_under_an_id_of_its_own(ordering: Ordering) -> None:
    origin = Origin("evt_1", "flipt", "production", None, RECEIVED_AT)
    event = event_of(TIMED, origin)
    messages = for_replay(event, "later", ordering, RUN)
    live = fan_out("evt_1", "flipt", RECEIVED_AT, event, {"later": destination(ordering=ordering)})
    assert messages == for_replay(event, "later", ordering, RUN)
    (carried,) = carried_by(messages).values()
    assert carried == replayed(task("evt_1", "flipt", "later", RECEIVED_AT, TIMED), RUN)
    assert messages.entries["later"].group != live.entries["later"].group
    assert messages.entries["later"].deduplication != live.entries["later"].deduplication


def test_a_replay_of_a_body_that_is_too_large_names_where_it_must_be_stored_again() -> None:
    event = event_of(of_task_size(LARGEST_TASK + 1, "later"), Origin("evt_1", "flipt"))
    messages = for_replay(event, "later", "subject", RUN)
    assert messages.body_ref == "bodies/evt_1"
    assert carried_by(messages)["later"].body_ref == "bodies/evt_1"
