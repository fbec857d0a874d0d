from hypothesis import given
from hypothesis import strategies as st

from flagcast.tasks.dead_letter import dead_letter, invalid_event
from flagcast.tasks.outcomes import GiveUp
from flagcast.tasks.outgoing_message import LARGEST_MESSAGE, LARGEST_TASK, LONGEST_ATTRIBUTE, Entry
from flagcast.tasks.task import Task, decode, deduplication_id, moved_deduplication_id
from tests.unit.builders import RECEIVED_AT, message, task_for


def test_a_dead_letter_is_the_task_unchanged_with_why_beside_it() -> None:
    given_up = message(task_for(), name="m7", receives=12)
    letter = dead_letter(given_up, GiveUp("rejected", "no such hook", 404), 3)
    assert letter.body == given_up.body
    assert letter.attributes == {
        "reason": "rejected",
        "detail": "no such hook",
        "status": "404",
        "attempts": "3",
        "destination": "mirror",
        "event_id": "evt_1",
        "message_id": "m7",
        "sequence": "18850",
    }


def test_a_dead_letter_leaves_out_what_is_not_known() -> None:
    letter = dead_letter(message("not a task", name="m7"), GiveUp("unreadable"), 3)
    assert letter.body == "not a task"
    assert letter.attributes == {
        "reason": "unreadable",
        "attempts": "3",
        "destination": "-",
        "message_id": "m7",
        "sequence": "18850",
    }


def test_a_dead_letter_has_a_group_and_an_identity_of_its_own() -> None:
    first, again, other, unreadable = (
        dead_letter(each, GiveUp("gone"), 3)
        for each in (message(name="m1"), message(name="m1", receives=9), message(name="m2"), message("junk", name="m1"))
    )
    assert first.deduplication == again.deduplication == moved_deduplication_id("evt_1:mirror", "m1")
    assert len({first.deduplication, other.deduplication, unreadable.deduplication}) == 3
    assert first.deduplication != deduplication_id("evt_1:mirror")
    assert all(each.group == each.deduplication for each in (first, other, unreadable))


def test_an_invalid_event_is_one_dead_letter_for_no_destination() -> None:
    letter = invalid_event("evt_9", "flipt", RECEIVED_AT, b"\xff{", "not UTF-8 at byte 0")
    carried = decode(letter.body)
    assert isinstance(carried, Task)
    assert (carried.id, carried.source, carried.destination, carried.raw) == ("evt_9:-", "flipt", "-", b"\xff{")
    assert letter.attributes == {
        "reason": "invalid_event",
        "detail": "not UTF-8 at byte 0",
        "destination": "-",
        "event_id": "evt_9",
    }
    assert letter == invalid_event("evt_9", "flipt", RECEIVED_AT, b"\xff{", "not UTF-8 at byte 0")
    assert letter.group == letter.deduplication


@given(st.text(), st.text(max_size=3000))
def test_every_attribute_is_one_that_sqs_takes(text: str, long: str) -> None:
    broken = message(text or "x")
    for letter in (
        dead_letter(broken, GiveUp("rejected", long, 400), 3),
        dead_letter(message(task_for(text)), GiveUp("gone", text), 3),
        invalid_event("evt_9", "flipt", RECEIVED_AT, text.encode(), long),
    ):
        for value in letter.attributes.values():
            assert 1 <= len(value) <= LONGEST_ATTRIBUTE
            assert value.isascii()
            assert value.isprintable()


def test_a_line_break_and_a_letter_that_is_not_ascii_become_question_marks() -> None:
    letter = dead_letter(message(), GiveUp("rejected", "a\nb\té\x7f~"), 3)
    assert letter.attributes["detail"] == "a?b???~"


def test_a_long_detail_is_cut_to_what_an_attribute_holds() -> None:
    letter = dead_letter(message(), GiveUp("rejected", "x" * (LONGEST_ATTRIBUTE + 1)), 3)
    assert letter.attributes["detail"] == "x" * LONGEST_ATTRIBUTE


def test_whatever_fits_the_queue_fits_the_dead_letter_queue_with_every_attribute_at_its_longest() -> None:
    longest = message("x" * LARGEST_TASK, name="m" * 2000)
    letter = dead_letter(longest, GiveUp("rejected", "x" * 2000, 599), 3)
    assert letter.size <= LARGEST_MESSAGE


def test_the_size_of_a_message_counts_its_body_and_each_attributes_name_type_and_value() -> None:
    assert Entry("12345", "g", "d").size == 5
    assert Entry("12345", "group", "deduplication", {"reason": "gone", "a": "b"}).size == 5 + (6 + 6 + 4) + (1 + 6 + 1)
