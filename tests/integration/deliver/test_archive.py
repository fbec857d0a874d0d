"""Events that go to the archive, over moto: one object each, whatever S3 answers."""

import json
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from msgspec import structs

from flagcast.archive.record import Key, Record, decode
from flagcast.archive.verification import Proven, verify
from flagcast.config.archive_destination import ARCHIVE
from flagcast.edges.aws.client import target_client
from flagcast.events.flipt_signature import flipt_signature
from flagcast.primitives.duration import DAY
from flagcast.primitives.timestamp import rfc3339
from flagcast.tasks.task import encode, event_id, task
from tests.integration.conftest import REGION
from tests.integration.deliver.harness import Stack, bodies
from tests.support.faulty_aws import Faults
from tests.support.fifo import Stored

BUCKET = "archive"
SECRET = "correct horse"
RAW = bodies()[0]
REFUSED = {"AccessDenied": 403, "NoSuchBucket": 410, "SlowDown": 429, "InternalError": 502}
"""With the status that the code stands for; the last has none of its own here (tests/support/faulty_aws.py)."""


@pytest.fixture
def s3(faults: Faults, stack: Stack) -> Any:
    """The archive's bucket as template.yaml makes it, with a lock."""
    del faults  # Which are registered before the client is made.
    client = target_client("s3", "")
    where = {"LocationConstraint": REGION}
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 7}}
    client.put_object_lock_configuration(
        Bucket=BUCKET, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    stack.configure({})
    return client


def put(stack: Stack, raw: bytes = RAW) -> Stored:
    made = task(event_id("flipt", raw), "flipt", ARCHIVE, rfc3339(stack.clock.now()), raw)
    made = structs.replace(made, signature=flipt_signature(raw, SECRET))
    return stack.put_text(encode(made), made.id, made.id)


def versions(s3: Any) -> list[tuple[str, bytes]]:
    listed = s3.list_object_versions(Bucket=BUCKET).get("Versions", [])
    keys = [(each["Key"], each["VersionId"]) for each in listed]
    return [(key, s3.get_object(Bucket=BUCKET, Key=key, VersionId=version)["Body"].read()) for key, version in keys]


@pytest.mark.parametrize("raw", [RAW, b"\xff no event", b"x" * 150_000], ids=["event", "no event", "larger"])
def test_an_event_is_one_object_that_its_signature_proves(stack: Stack, s3: Any, raw: bytes) -> None:
    put(stack, raw)
    assert stack.deliver() == []
    assert stack.waiting() == {}
    [(name, data)] = versions(s3)
    key = Key.parse(name)
    assert key == Key("flipt", rfc3339(stack.clock.now())[:10], event_id("flipt", raw))
    record = decode(data)
    assert isinstance(record, Record)
    assert record.raw == raw
    assert verify(data, key, [SECRET]) == Proven(record)
    assert s3.get_object(Bucket=BUCKET, Key=name)["ContentType"] == "application/json"


def test_an_object_is_sent_with_a_checksum_and_only_where_there_is_none(stack: Stack, s3: Any) -> None:
    # A bucket that locks takes none without: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    # ("The Content-MD5 or x-amz-sdk-checksum-algorithm header is required for any request to upload an object with a
    # retention period configured using Amazon S3 Object Lock").
    seen: list[Any] = []
    s3.meta.events.register("before-send.s3.PutObject", lambda request, **_: seen.append(request.headers))
    put(stack)
    stack.deliver()
    [headers] = seen
    assert headers["x-amz-sdk-checksum-algorithm"] in ("CRC32", b"CRC32")
    assert headers["If-None-Match"] in ("*", b"*")


def test_a_function_that_is_killed_before_it_deletes_the_task_writes_no_second_version(
    stack: Stack, s3: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    put(stack)
    event = stack.source.poll()
    assert event is not None
    for _ in range(2):
        assert stack.invoke(event) == {"batchItemFailures": []}
    assert len(versions(s3)) == 1
    lines = [each for each in stack.lines(capfd) if each["event"] == "delivery.attempted"]
    assert [(each["outcome"], each["status"]) for each in lines] == [("delivered", 200), ("delivered", 412)]
    assert {each["destination"] for each in lines} == {ARCHIVE}


def test_an_answer_that_is_lost_is_asked_for_again_and_one_version_is_there(stack: Stack, s3: Any) -> None:
    lost: list[str] = []

    def lose(**_: Any) -> None:
        if not lost:
            lost.append("once")
            raise ReadTimeoutError(endpoint_url="https://s3")

    s3.meta.events.register("after-call.s3.PutObject", lose)
    waiting = put(stack)
    assert stack.deliver() == [waiting.id]
    stack.wait(stack.delay(waiting))
    assert stack.deliver() == []
    assert lost == ["once"]
    assert len(versions(s3)) == 1


@pytest.mark.parametrize("code", REFUSED)
def test_what_s3_refuses_waits_and_is_one_object_when_it_takes_it(
    stack: Stack, s3: Any, faults: Faults, code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    waiting = put(stack)
    faults.fail("PutObject", code)
    assert stack.deliver() == [waiting.id]
    [line] = [each for each in stack.lines(capfd) if each["event"] == "delivery.attempted"]
    assert (line["outcome"], line["status"]) == ("retrying", REFUSED[code])
    assert code in line["answer"]
    if code == "AccessDenied":
        assert line["answer"].startswith("s3:PutObject on arn:aws:s3:::archive is not allowed")
    faults.recover()
    stack.wait(stack.delay(waiting))
    assert stack.deliver() == []
    assert (len(versions(s3)), stack.dead_letters()) == (1, [])


def test_what_is_refused_for_twelve_days_is_a_dead_letter_that_says_why(stack: Stack, s3: Any, faults: Faults) -> None:
    del s3
    put(stack)
    faults.fail("PutObject", "AccessDenied")
    began = stack.clock.now()
    while not stack.dead_letters():
        if stack.deliver() is None:
            stack.wait(3600)
    assert 12 <= (stack.clock.now() - began) / DAY < 12.3
    attributes = stack.attributes()
    assert (attributes["reason"], attributes["destination"]) == ("expired", ARCHIVE)
    assert "s3:PutObject" in attributes["detail"]


def test_no_archived_event_waits_for_another_and_no_other_delivery_for_the_archive(
    stack: Stack, s3: Any, faults: Faults
) -> None:
    del s3
    stack.configure({"well": {}})
    faults.fail("PutObject", "AccessDenied", times=1)
    first, second, other = put(stack), put(stack, bodies()[1]), stack.put("well")
    stayed = stack.deliver()
    assert stayed is not None
    assert other.id not in stack.waiting()
    assert len(stayed) == 1
    assert set(stayed) < {first.id, second.id}


def test_a_task_is_archived_whether_events_are_archived_from_now_on_or_not(stack: Stack, s3: Any) -> None:
    # It was queued before the archive was turned off.
    put(stack)
    assert stack.deliver() == []
    assert len(versions(s3)) == 1


def test_the_archive_is_no_destination_that_the_configuration_can_change(stack: Stack, s3: Any) -> None:
    stack.write(json.dumps({"sources": {}, "destinations": {ARCHIVE: {"url": "https://example.com", "paused": True}}}))
    put(stack)
    assert stack.deliver() == []
    assert len(versions(s3)) == 1
