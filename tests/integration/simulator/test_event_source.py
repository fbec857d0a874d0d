import pytest

from flagcast.tasks.received_message import read_record
from tests.integration.simulator.backends import Backend
from tests.integration.simulator.probe import VISIBILITY, Probe
from tests.support.event_source import Event, EventSource
from tests.support.fifo import SimulatedClock
from tests.support.simulator import Simulator


class Source:
    """A queue with its event source mapping, and three messages on it."""

    def __init__(self) -> None:
        clock = SimulatedClock()
        self.simulator = Simulator(clock)
        self.probe = Probe(Backend(self.simulator, clock.advance))
        self.mapping = EventSource(self.simulator, self.probe.url)
        self.probe.send("a1", "b1", "c1")

    def left(self) -> list[str]:
        return [each.body for each in self.simulator.queue(self.probe.url).messages.values()]


def identifiers(event: Event, *bodies: str) -> list[dict[str, str]]:
    return [{"itemIdentifier": each["messageId"]} for each in event["Records"] if each["body"] in bodies]


def test_an_event_is_read_by_the_function_as_it_was_sent() -> None:
    source = Source()
    event = source.mapping.poll()
    assert event is not None
    stored = list(source.simulator.queue(source.probe.url).messages.values())
    for record, sent in zip(event["Records"], stored, strict=True):
        message = read_record(record)
        assert (message.id, message.body, message.group) == (sent.id, sent.body, sent.group)
        assert (message.sequence, message.receives) == (str(sent.sequence), 1)
        assert message.sent_at == sent.sent_at


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_answer_that_names_no_failure_deletes_the_batch(answer: object) -> None:
    source = Source()
    source.mapping.run(lambda _: answer)
    assert source.left() == []


def test_what_is_named_stays_and_the_rest_is_deleted() -> None:
    source = Source()
    source.mapping.run(lambda event: {"batchItemFailures": identifiers(event, "b1")})
    assert source.left() == ["b1"]


@pytest.mark.parametrize(
    "failures",
    [
        pytest.param([{"itemIdentifier": "of no message"}], id="unknown"),
        pytest.param([{"itemIdentifier": ""}], id="empty"),
        pytest.param([{"itemIdentifier": None}], id="null"),
        pytest.param([{"wrong": "key"}], id="key"),
    ],
)
def test_an_answer_that_makes_no_sense_keeps_the_batch(failures: list[dict[str, str]]) -> None:
    source = Source()
    source.mapping.run(lambda event: {"batchItemFailures": [*identifiers(event, "a1"), *failures]})
    assert source.left() == ["a1", "b1", "c1"]


def test_what_the_function_deleted_itself_is_deleted_again_without_complaint() -> None:
    source = Source()

    def function(event: Event) -> None:
        first = event["Records"][0]
        source.probe.delete({"ReceiptHandle": first["receiptHandle"]})
        assert source.left() == ["b1", "c1"]

    source.mapping.run(function)
    assert source.left() == []


def test_a_function_that_raises_keeps_its_batch_until_the_visibility_timeout_ends() -> None:
    source = Source()

    def function(event: Event) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        source.mapping.run(function)
    assert source.mapping.poll() is None
    source.probe.advance(VISIBILITY)
    event = source.mapping.poll()
    assert event is not None
    assert [each["attributes"]["ApproximateReceiveCount"] for each in event["Records"]] == ["2", "2", "2"]
