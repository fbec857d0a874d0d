from collections.abc import Callable

import pytest
from msgspec import structs

from flagcast.archive.record import Record, decode, record_of
from flagcast.config.archive_destination import ARCHIVE, ARCHIVE_DESTINATION, with_archive
from flagcast.config.model import Destination
from flagcast.delivery.archiving import archived
from flagcast.delivery.attempt import Attempts
from flagcast.delivery.decision import Circumstances, decide
from flagcast.exchange.aws_request import AwsRequest
from flagcast.primitives.aws_target import AwsTarget, read_target
from flagcast.primitives.duration import DAY
from flagcast.tasks.outcomes import Answered, BodyMissing, Done, GiveUp, Outcome, RetryIn, Unreachable, Unreadable
from flagcast.tasks.progress import NEW, Progress
from flagcast.tasks.received_message import Wear
from flagcast.tasks.task import Task, body_key, claim_check
from tests.unit.builders import RAW, FakeClock, configuration, message, middle, task_for
from tests.unit.delivery.test_attempt import Bodies, OpenGates, Store, Wire

TASK = structs.replace(task_for(ARCHIVE), number="2", signature="ab" * 32)


def bucket() -> AwsTarget:
    read = read_target("arn:aws:s3:::the-archive")
    assert isinstance(read, AwsTarget)
    return read


class Sent:
    """Answers every call alike, and keeps it."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.requests: list[tuple[AwsRequest, float]] = []

    def __call__(self, request: AwsRequest, deadline: float) -> Outcome:
        self.requests.append((request, deadline))
        return self.outcome


def test_an_event_is_one_object_that_is_written_only_if_there_is_none() -> None:
    sent = Sent(Answered(200))
    assert archived(TASK, RAW, bucket(), sent, 70) == Answered(200)
    [(request, deadline)] = sent.requests
    assert deadline == 70
    assert request.target == bucket()
    assert request.key == f"{TASK.source}/2026/01/02/{TASK.event_id}.json"
    assert request.is_new_only
    record = decode(request.body)
    assert isinstance(record, Record)
    assert record == record_of(TASK, RAW)
    assert (record.number, record.signature, record.raw) == ("2", "ab" * 32, RAW)


def test_an_object_that_is_there_already_is_delivered() -> None:
    outcome = archived(TASK, RAW, bucket(), Sent(Answered(412, None, "PreconditionFailed")), 70)
    assert outcome == Answered(412, None, "PreconditionFailed", is_accepted=True)
    assert decide(outcome, Circumstances(Wear(1, 0), 1, 0), ARCHIVE_DESTINATION.retry, 0, middle) == Done()


def test_a_task_without_a_readable_time_is_unreadable_and_not_sent() -> None:
    sent = Sent(Answered(200))
    assert archived(structs.replace(TASK, received_at="soon"), RAW, bucket(), sent, 70) == Unreadable(
        "received_at is no time"
    )
    assert sent.requests == []


@pytest.mark.parametrize(
    "outcome", [Answered(status) for status in (400, 403, 409, 410, 429, 500, 503)] + [Unreachable("timeout")]
)
def test_what_the_bucket_refuses_is_tried_again_for_twelve_days(outcome: Answered | Unreachable) -> None:
    retry, now = ARCHIVE_DESTINATION.retry, 20 * DAY
    for days, expected in ((11.9, RetryIn), (12, GiveUp)):
        task = Circumstances(Wear(1, days * DAY), 5, now - days * DAY)
        assert isinstance(decide(outcome, task, retry, now, middle), expected)


def test_the_archive_is_a_destination_beside_those_of_the_configuration() -> None:
    known = configuration().destinations
    assert with_archive(known) == {**known, ARCHIVE: ARCHIVE_DESTINATION}
    assert ARCHIVE not in known


class Archive:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.kept: list[tuple[Task, bytes, float]] = []

    def __call__(self, task: Task, raw: bytes, seconds: float) -> Outcome:
        self.kept.append((task, raw, seconds))
        return Answered(200)


class Gates(OpenGates):
    def __init__(self) -> None:
        self.passed: list[tuple[str, Destination]] = []

    def through(
        self, name: str, destination: Destination, progress: Progress, attempt: Callable[[], Outcome]
    ) -> Outcome:
        self.passed.append((name, destination))
        return attempt()


def attempts(archive: Archive, gates: OpenGates, bodies: Bodies | None = None) -> Attempts:
    known = configuration("{url: https://x, events: ['token:*'], when: 'false'}")
    known = structs.replace(known, destinations=with_archive(known.destinations))
    return Attempts(known, {}, Store(), Wire(), gates, bodies or Bodies(), archive, FakeClock())


@pytest.mark.parametrize("raw", [RAW, b"\xff no event", b"[]"], ids=["event", "bytes", "no event"])
def test_the_archive_gets_every_body_unread_through_the_gates_of_any_destination(raw: bytes) -> None:
    archive, gates = Archive(), Gates()
    task = structs.replace(task_for(raw=raw), destination=ARCHIVE)
    assert attempts(archive, gates).make(message(task), NEW) == Answered(200)
    assert archive.kept == [(task, raw, ARCHIVE_DESTINATION.timeout)]
    assert gates.passed == [(ARCHIVE, ARCHIVE_DESTINATION)]


def test_the_archive_gets_the_body_of_a_large_event_from_where_it_is_stored() -> None:
    task, archive = claim_check(TASK), Archive()
    stored = {body_key(task.event_id): RAW}
    assert attempts(archive, Gates(), Bodies(stored)).make(message(task), NEW) == Answered(200)
    assert [raw for _, raw, _ in archive.kept] == [RAW]
    assert attempts(archive, Gates(), Bodies({})).make(message(task), NEW) == BodyMissing()


def test_the_archives_tasks_have_its_schedule() -> None:
    policy = attempts(Archive(), Gates()).policy(message(TASK))
    assert policy == ARCHIVE_DESTINATION
