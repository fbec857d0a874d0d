from typing import Any

import pytest

from flagcast.tasks.task import claim_check, encode
from flagcast_cli.dlq.letters import QUEUE_NET, Absent, Facts, Letter, read_letter
from tests.unit.builders import RECEIVED_AT, body, task_for


def received(text: str, said: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "MessageId": "m1",
        "ReceiptHandle": "r1",
        "Body": text,
        "Attributes": {
            "MessageGroupId": "g1",
            "SequenceNumber": "18850",
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1000000",
            "ApproximateFirstReceiveTimestamp": "1001000",
        },
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in (said or {}).items()
        },
        **more,
    }


def letter(text: str | None = None, **said: str) -> Letter:
    return read_letter(received(encode(task_for()) if text is None else text, said))


def test_a_letter_says_of_itself_what_its_task_and_attributes_say() -> None:
    read = letter(reason="rejected", sequence="77", destination="other", event_id="evt_other")
    assert (read.id, read.name, read.reason, read.destination) == ("m1", "evt_1", "rejected", "mirror")
    assert read.order == (RECEIVED_AT, 77)


def test_without_a_task_the_attributes_are_believed_and_without_those_nothing() -> None:
    read = letter("{", reason="unreadable", destination="chat", event_id="evt_2")
    assert (read.task, read.destination, read.event_id, read.name) == (None, "chat", "evt_2", "evt_2")
    bare = read_letter({each: value for each, value in received("{").items() if each != "MessageAttributes"})
    assert (bare.reason, bare.destination, bare.event_id, bare.name) == (QUEUE_NET, "-", "", "m1")
    assert bare.order == ("", 18850)


def test_attributes_that_are_no_text_count_as_none() -> None:
    binary = {"reason": {"DataType": "Binary", "BinaryValue": b"x"}}
    assert read_letter(received("{", MessageAttributes=binary)).reason == QUEUE_NET


@pytest.mark.parametrize("sequence", ["-1", "1e9", "²", "٣", "x"])
def test_a_sequence_that_is_no_number_comes_first(sequence: str) -> None:
    assert letter(sequence=sequence).order == (RECEIVED_AT, 0)


def test_numbers_are_compared_as_numbers_whatever_their_length() -> None:
    assert letter(sequence="9").order < letter(sequence="10").order


def test_a_letter_is_called_by_each_of_its_ids_and_by_the_beginning_of_one_that_is_long_enough() -> None:
    read = letter(message_id="0123456789abcdef")
    called = ("evt_1", "evt_1:mirror", "m1", "0123456789abcdef", "0123456789ab", "0123", "1:mirror")
    assert [each for each in (*called, "012", "e", "evt_", "", "evt_1:mirror:") if read.is_called(each)] == [*called]


def test_what_an_event_is_about_is_kept_without_its_body() -> None:
    facts = letter(encode(task_for(raw=body(payload={"key": "new-ui"})))).facts()
    assert isinstance(facts, Facts)
    assert (facts.key, facts.about) == ("new-ui", ("flag", "default", "new-ui"))
    assert (facts.event.type, facts.event.raw, facts.event.payload) == ("flag", "", None)


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (body(type="constraint", payload={"segment_key": "s", "id": "1"}), "s"),
        (body(type="namespace", payload={"key": "n"}), "n"),
        (body(type="rule", payload={"id": "1"}), "1"),
        (body(payload=None), ""),
    ],
)
def test_the_key_is_that_of_the_flag_else_of_the_segment_else_of_the_thing_itself(raw: bytes, key: str) -> None:
    facts = letter(encode(task_for(raw=raw))).facts()
    assert isinstance(facts, Facts)
    assert facts.key == key


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not a task"),
        ('{"v": 3}', "a later version of Flagcast wrote it (v3)"),
        (encode(task_for(raw=b"[]")), "its body is not an event (not a JSON object)"),
        (encode(task_for(raw=b"\xff")), "its body is not an event (not UTF-8 at byte 0)"),
    ],
)
def test_where_there_is_no_event_it_says_why_for_good(text: str, why: str) -> None:
    facts = letter(text).facts()
    assert isinstance(facts, Absent)
    assert facts.why.startswith(why)
    assert facts.for_good


def test_of_a_body_that_is_stored_apart_nothing_is_known_yet() -> None:
    read = letter(encode(claim_check(task_for())))
    assert (read.facts(), read.body_ref) == (None, "bodies/evt_1")
    assert (letter().body_ref, letter("{").body_ref) == ("", "")
