"""Rows: order, groups, deduplication, visibility, retention, redrive."""

from tests.integration.simulator.probe import RETENTION, VISIBILITY, Probe, refused
from tests.integration.simulator.table import row


@row()
def one_groups_messages_come_in_order(queue: Probe) -> None:
    queue.send("a1", "a2", "a3")
    assert queue.bodies() == ["a1", "a2", "a3"]


@row("moto", "ministack")  # moto hands out in the order of arrival, MiniStack one of each group
def as_many_of_one_group_as_there_are_come_before_anothers(queue: Probe) -> None:
    queue.send("a1", "b1", "a2", "b2")
    assert queue.bodies(3) == ["a1", "a2", "b1"]


@row()
def a_receive_takes_no_more_than_was_asked_for(queue: Probe) -> None:
    queue.send(*"abcdefghij")
    queue.send("k", "l")
    assert len(queue.receive(3)) == 3
    assert len(queue.receive(10)) == 9


@row()
def a_message_in_flight_locks_its_group_alone(queue: Probe) -> None:
    queue.send("a1", "a2", "b1")
    assert queue.bodies(1) == ["a1"]
    assert queue.bodies() == ["b1"]


@row()
def a_group_is_free_again_when_what_was_in_flight_is_deleted(queue: Probe) -> None:
    queue.send("a1", "a2")
    assert queue.delete(*queue.receive(1)) == []
    assert queue.bodies() == ["a2"]


@row()
def a_follower_handed_back_waits_behind_its_head(queue: Probe) -> None:
    queue.send("a1", "a2", "a3")
    head, *followers = queue.receive()
    assert queue.change(0, *followers) == []
    assert queue.receive() == []
    assert queue.change(0, head) == []
    assert queue.bodies() == ["a1", "a2", "a3"]


@row(moves_time=True)
def a_delayed_head_comes_back_with_its_followers_when_the_delay_ends(queue: Probe) -> None:
    queue.send("a1", "a2")
    head, follower = queue.receive()
    queue.change(100, head)
    queue.change(0, follower)
    queue.advance(99)
    assert queue.receive() == []
    queue.advance(1.001)
    assert queue.bodies() == ["a1", "a2"]


@row(moves_time=True)
def what_is_not_deleted_is_seen_again_when_its_visibility_timeout_ends(queue: Probe) -> None:
    queue.send("a1")
    (first,) = queue.receive()
    queue.advance(VISIBILITY - 1)
    assert queue.receive() == []
    queue.advance(1.001)
    (second,) = queue.receive()
    assert first["MessageId"] == second["MessageId"]
    assert first["ReceiptHandle"] != second["ReceiptHandle"]
    assert [each["Attributes"]["ApproximateReceiveCount"] for each in (first, second)] == ["1", "2"]
    times = [each["Attributes"]["ApproximateFirstReceiveTimestamp"] for each in (first, second)]
    assert times[0] == times[1]


@row()
def a_repeated_id_is_accepted_and_swallowed(queue: Probe) -> None:
    entry = queue.entry("a1")
    assert refused(queue.send_entries(entry)) == []
    assert refused(queue.send_entries(entry)) == []
    assert queue.bodies() == ["a1"]


@row("moto")  # moto names a repeat again, though it swallows it
def a_repeat_is_answered_as_the_first_was(queue: Probe) -> None:
    entry = queue.entry("a1")
    first, second = (queue.send_entries(entry)["Successful"][0] for _ in range(2))
    assert first["MessageId"] == second["MessageId"]
    assert first["SequenceNumber"] == second["SequenceNumber"]


@row("moto")  # moto forgets an id with its message
def a_repeat_is_swallowed_even_when_the_first_was_deleted(queue: Probe) -> None:
    entry = queue.entry("a1")
    queue.send_entries(entry)
    queue.delete(*queue.receive())
    queue.send_entries(entry)
    assert queue.receive() == []


@row(moves_time=True)
def a_repeat_after_five_minutes_is_another_message(queue: Probe) -> None:
    entry = queue.entry("a1")
    queue.send_entries(entry)
    queue.advance(299)
    queue.send_entries(entry)
    queue.advance(2)
    queue.send_entries(entry)
    assert queue.bodies() == ["a1", "a1"]


@row("moto")  # moto knows no DeduplicationScope
def the_same_id_in_another_group_is_another_message(queue: Probe) -> None:
    queue.send_entries(
        queue.entry("a1", MessageDeduplicationId="same"), queue.entry("b1", MessageDeduplicationId="same")
    )
    assert sorted(queue.bodies()) == ["a1", "b1"]


@row()
def a_message_says_where_it_belongs(queue: Probe) -> None:
    attributes = {"reason": {"DataType": "String", "StringValue": "rejected"}}
    answer = queue.send_entries(
        queue.entry("a1", MessageDeduplicationId="first", MessageAttributes=attributes), queue.entry("a2")
    )
    first, second = queue.receive()
    assert (first["MessageId"], first["MD5OfBody"]) == (
        answer["Successful"][0]["MessageId"],
        answer["Successful"][0]["MD5OfMessageBody"],
    )
    assert first["MessageAttributes"]["reason"]["StringValue"] == "rejected"
    assert "MessageAttributes" not in second
    assert first["Attributes"]["MessageGroupId"] == "a"
    assert first["Attributes"]["MessageDeduplicationId"] == "first"
    assert int(first["Attributes"]["SentTimestamp"]) <= int(first["Attributes"]["ApproximateFirstReceiveTimestamp"])


@row("moto")  # moto makes random ones
def sequence_numbers_grow(queue: Probe) -> None:
    queue.send(*(f"a{at}" for at in range(10)))
    sequence = [int(each["Attributes"]["SequenceNumber"]) for each in queue.receive()]
    assert sequence == sorted(sequence)
    assert len(set(sequence)) == 10


@row(moves_time=True)
def a_message_is_dropped_when_its_retention_ends(queue: Probe) -> None:
    queue.send("a1")
    queue.advance(RETENTION - 1)
    assert queue.bodies() == ["a1"]
    queue.advance(VISIBILITY + 1)
    assert queue.receive() == []


@row(most_receives=2)
def what_was_received_too_often_moves_to_the_dead_letter_queue_and_keeps_its_group(queue: Probe) -> None:
    queue.send("a1")
    (received,) = queue.receive()
    queue.change(0, received)
    queue.change(0, *queue.receive())
    assert queue.receive() == []
    (dead,) = queue.receive(url=queue.dead_letters)
    assert dead["MessageId"] == received["MessageId"]
    assert dead["Attributes"]["MessageGroupId"] == "a"


@row("moto", moves_time=True, most_receives=2)  # moto lets its retention go on
def a_moved_message_is_kept_for_the_whole_retention_of_the_queue_it_moved_to(queue: Probe) -> None:
    queue.send("a1")
    queue.change(0, *queue.receive())
    queue.change(0, *queue.receive())
    queue.advance(RETENTION - 10)
    assert queue.receive() == []
    queue.advance(RETENTION - 10)
    assert queue.bodies(url=queue.dead_letters) == ["a1"]
