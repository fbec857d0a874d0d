"""Rows: what is refused, and how much of a request with it."""

from typing import Any

from botocore.exceptions import ClientError

from tests.integration.simulator.probe import VISIBILITY, Probe, refused
from tests.integration.simulator.table import row

HALF_A_DAY = 43_200


@row("ministack")  # MiniStack takes any
def a_visibility_timeout_past_twelve_hours_is_refused(queue: Probe) -> None:
    queue.send("a1")
    assert queue.change(HALF_A_DAY + 1, *queue.receive()) == ["InvalidParameterValue"]


@row("moto", moves_time=True)  # moto fails the whole request
def the_twelve_hours_are_counted_from_the_receive(queue: Probe) -> None:
    queue.send("a1")
    received = queue.receive()
    queue.advance(10)
    assert queue.change(HALF_A_DAY - 9, *received) == ["InvalidParameterValue"]
    assert queue.change(HALF_A_DAY - 10, *received) == []


@row("moto", moves_time=True)  # moto counts them from the send
def the_twelve_hours_begin_again_with_each_receive(queue: Probe) -> None:
    queue.send("a1")
    queue.advance(HALF_A_DAY)
    assert queue.change(HALF_A_DAY, *queue.receive()) == []
    queue.advance(HALF_A_DAY + 0.001)
    assert queue.change(HALF_A_DAY, *queue.receive()) == []


@row("moto", moves_time=True)  # moto takes any handle it ever gave out
def a_handle_is_good_until_its_visibility_timeout_ends(queue: Probe) -> None:
    queue.send("a1")
    old = queue.receive()
    queue.advance(VISIBILITY + 1)
    assert queue.delete(*old) == ["InvalidParameterValue"]
    new = queue.receive()
    assert queue.delete(*old) == ["InvalidParameterValue"]
    assert queue.change(0, *old) == ["InvalidParameterValue"]
    assert queue.delete(*new) == []


@row()
def a_handle_that_never_was_is_refused_alone(queue: Probe) -> None:
    queue.send("a1", "a2")
    received = queue.receive()
    assert queue.delete(received[0], {"ReceiptHandle": "made up"}, received[1]) == ["ReceiptHandleIsInvalid"]
    assert queue.change(0, {"ReceiptHandle": "made up"}) == ["ReceiptHandleIsInvalid"]


@row("ministack")  # MiniStack no longer knows the handle
def deleting_again_is_no_error(queue: Probe) -> None:
    queue.send("a1")
    received = queue.receive()
    assert queue.delete(*received) == []
    assert queue.delete(*received) == []


def _refused_request(queue: Probe, *entries: dict[str, Any]) -> str:
    try:
        queue.client.send_message_batch(QueueUrl=queue.url, Entries=list(entries))
    except ClientError as error:
        return str(error.response["Error"]["Code"]).rpartition(".")[2]
    return "not refused"


@row()
def a_request_takes_one_to_ten_messages(queue: Probe) -> None:
    eleven = [{"Id": str(at), **queue.entry("a")} for at in range(11)]
    assert _refused_request(queue, *eleven) == "TooManyEntriesInBatchRequest"
    assert _refused_request(queue) == "EmptyBatchRequest"
    assert queue.receive() == []


@row()
def the_entries_of_a_request_are_told_apart(queue: Probe) -> None:
    twins = [{"Id": "same", **queue.entry("a")}, {"Id": "same", **queue.entry("a")}]
    assert _refused_request(queue, *twins) == "BatchEntryIdsNotDistinct"
    assert _refused_request(queue, {"Id": "no space", **queue.entry("a")}) == "InvalidBatchEntryId"


@row("moto", "ministack")  # both count only the bodies
def a_request_takes_one_mebibyte_with_its_attributes(queue: Probe) -> None:
    attributes = {"detail": {"DataType": "String", "StringValue": "x" * 1024}}
    body = "a" * (1024 * 1024 - len("detail") - len("String") - 1024)
    assert refused(queue.send_entries(queue.entry(body, MessageAttributes=attributes))) == []
    too_long = {"Id": "0", **queue.entry(body + "a", MessageAttributes=attributes)}
    assert _refused_request(queue, too_long) == "BatchRequestTooLong"


# moto takes empty values, and fails the whole request for a character; MiniStack refuses the character alone
@row("moto", "ministack")
def a_message_that_is_not_allowed_is_refused_alone(queue: Probe) -> None:
    empty = {"detail": {"DataType": "String", "StringValue": ""}}
    many = {f"name{at}": {"DataType": "String", "StringValue": "x"} for at in range(11)}
    answer = queue.send_entries(
        queue.entry("a\x00"),
        queue.entry("a", MessageAttributes=empty),
        queue.entry("a", MessageAttributes=many),
        queue.entry("b"),
        queue.entry("a", MessageGroupId="with space"),
    )
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [
        ("0", "InvalidMessageContents"),
        ("1", "InvalidParameterValue"),
        ("2", "InvalidParameterValue"),
        ("4", "InvalidParameterValue"),
    ]
    assert [each["Id"] for each in answer["Successful"]] == ["3"]
    assert queue.bodies() == ["b"]
