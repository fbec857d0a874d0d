"""Every event that was accepted is in the archive, as `flagcast archive verify` says of the deployed template."""

from http import HTTPStatus
from typing import Any

import pytest

from flagcast.archive.record import Key, Record, decode
from flagcast.tasks.task import event_id
from flagcast_cli.local import send as sending
from flagcast_cli.local.stack import Stack
from tests.e2e.conftest import Asked
from tests.e2e.events import event_named, post_by_template, post_signed, wait_until_empty

VERIFY = ("archive", "verify")
NO_EVENT = b'["no event of the archive"]'


def test_every_accepted_event_is_in_the_archive_and_one_flipped_bit_is_found(stack: Stack, asked: Asked) -> None:
    s3, bucket = stack.emulator.client("s3"), stack.outputs["ArchiveBucketName"]
    ids = [post_signed(stack, event_named(f"archived-{number}"))["event_id"] for number in range(3)]
    ids.append(post_signed(stack, event_named("archived-" + "x" * 300_000))["event_id"])
    ids.append(post_by_template(stack, event_named("archived-by-template"))["event_id"])
    refused = sending.send(NO_EVENT, stack.webhook_url, stack.signing_secret)
    assert refused.status == HTTPStatus.BAD_REQUEST
    ids.append(event_id("flipt", NO_EVENT))
    assert post_signed(stack, event_named("archived-0"))["event_id"] == ids[0]
    wait_until_empty(stack)

    def keys() -> list[Key]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [key for page in pages for each in page["Contents"] if (key := Key.parse(each["Key"])) is not None]

    there = {each.event_id: each for each in keys()}
    assert there.keys() >= {*ids}
    assert [each.event_id for each in keys()].count(ids[0]) == 1

    def is_whole(answer: Any) -> bool:
        return bool(answer["log"]["deliveries"] >= len(ids) and answer["objects"] == len(keys()))

    found = asked(*VERIFY, until=is_whole)
    assert (found["altered"], found["log"]["lacking"]) == ([], [])
    assert found["unproven"]["other_secret"] == 0
    assert found["proven"] >= 5

    name = str(there[ids[1]])
    stored = s3.get_object(Bucket=bucket, Key=name)
    data = bytearray(stored["Body"].read())
    record = decode(bytes(data))
    assert isinstance(record, Record)
    assert record.raw == event_named("archived-1")
    data[data.index(b"archived-1")] ^= 1
    forged = s3.put_object(Bucket=bucket, Key=name, Body=bytes(data))["VersionId"]
    [altered] = asked(*VERIFY, until=lambda answer: answer["altered"], codes=(1,))["altered"]
    assert (altered["key"], altered["version"], altered["intact_version"]) == (name, forged, stored["VersionId"])
    s3.delete_object(Bucket=bucket, Key=name, VersionId=forged)
    assert asked(*VERIFY, until=lambda answer: answer["altered"] == [])["log"]["lacking"] == []


@pytest.mark.usefixtures("shell")
def test_an_event_that_is_in_the_archive_is_not_written_twice(stack: Stack) -> None:
    s3, bucket = stack.emulator.client("s3"), stack.outputs["ArchiveBucketName"]
    identity = post_signed(stack, event_named("archived-once"))["event_id"]
    wait_until_empty(stack)
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    [name] = [each["Key"] for each in listed if identity in each["Key"]]
    assert s3.get_object(Bucket=bucket, Key=name)["ContentType"] == "application/json"
    with pytest.raises(s3.exceptions.ClientError) as raised:
        s3.put_object(Bucket=bucket, Key=name, Body=b"again", IfNoneMatch="*")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.PRECONDITION_FAILED
