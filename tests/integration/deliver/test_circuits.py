import json
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aws_lambda_powertools.utilities.circuit_breaker import base
from botocore.exceptions import ClientError

from flagcast.edges.aws import circuit_breaker as edges_circuits
from flagcast.edges.aws.circuit_breaker import Circuits, ClosedCircuits
from flagcast.errors import StateUnavailable
from flagcast.primitives.render_failure import RenderFailed
from flagcast.tasks.outcomes import (
    Answered,
    BlockedAddress,
    CircuitOpen,
    DependencyFailed,
    NotAccepted,
    Outcome,
    Unreachable,
)
from flagcast_cli.local.receiver_script import Answer
from tests.integration.deliver.harness import TABLE, Stack, create_table
from tests.integration.deliver.test_state import OneAtATime
from tests.support.faulty_aws import IN_AN_ERROR, Faults
from tests.support.time_limits import PATIENCE

DOWN, DELIVERED = Answered(503), Answered(200)
RECOVERY = 60
TABLE_CALLS = ["GetItem", "PutItem", "UpdateItem"]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Let each test begin as a process does: Powertools counts in dicts of its module."""
    kept: tuple[dict[str, Any], ...] = (base._LOCAL_FAILURES, base._LOCAL_SUCCESSES, base._LAST_OBSERVED_STATE)
    for each in kept:
        each.clear()
    yield
    for each in kept:
        each.clear()


class World:
    """The circuits of some processes over one table, an hour ahead whenever time is to pass, and what they tell."""

    def __init__(self) -> None:
        self.client = OneAtATime(create_table())
        self.requests = 0
        self.answer: Outcome = DOWN
        self.changes: list[tuple[str, str, str]] = []
        self.failed: list[tuple[str, str]] = []
        self.circuits = self.process()

    def process(self) -> Circuits:
        return Circuits(self.client, TABLE, self, RECOVERY)

    def guard(self, name: str = "d", circuits: Circuits | None = None) -> Outcome:
        return (circuits or self.circuits).guard(name, self.attempt)

    def attempt(self) -> Outcome:
        self.requests += 1
        return self.answer

    def open(self) -> None:
        assert [self.guard() for _ in range(3)] == [DOWN] * 3
        self.requests = 0
        self.changes.clear()

    def recover(self) -> None:
        """Let the recovery be over: the circuit opened longer ago, and the processes begin again."""
        self.client.update_item(
            TableName=TABLE,
            Key={"key": {"S": "circuit#d"}},
            UpdateExpression="SET opened_at = opened_at - :ago",
            ExpressionAttributeValues={":ago": {"N": str(RECOVERY)}},
        )
        self.circuits = self.process()

    def circuit_changed(self, destination: str, before: str, after: str) -> None:
        self.changes.append((destination, before, after))

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        self.failed.append((action, str(error)))


@pytest.fixture
def world(faults: Faults) -> World:
    return World()


@pytest.mark.parametrize("outage", [Answered(500), Answered(599), Unreachable("connection"), Unreachable("timeout")])
def test_three_outages_open_a_circuit_and_then_no_request_is_made(world: World, outage: Outcome) -> None:
    world.answer = outage
    assert [world.guard() for _ in range(3)] == [outage] * 3
    assert world.changes == [("d", "CLOSED", "OPEN")]
    assert [world.guard() for _ in range(5)] == [CircuitOpen()] * 5
    assert world.guard(circuits=world.process()) == CircuitOpen()
    assert world.requests == 3
    world.answer = DELIVERED
    assert world.guard("other") == DELIVERED


@pytest.mark.parametrize("alive", [DELIVERED, Answered(400), Answered(404), Answered(429), NotAccepted(200, "no")])
def test_any_answer_that_is_no_outage_is_a_sign_of_life(world: World, alive: Outcome) -> None:
    for answer in [DOWN, DOWN, alive, DOWN, DOWN, alive, *[alive] * 5]:
        world.answer = answer
        assert world.guard() == answer
    assert world.changes == []


@pytest.mark.parametrize("nothing", [RenderFailed("x"), DependencyFailed("x"), BlockedAddress("x")])
def test_what_made_no_request_neither_opens_a_circuit_nor_is_a_sign_of_life(world: World, nothing: Outcome) -> None:
    for answer in [nothing, nothing, nothing, nothing, DOWN, DOWN, nothing]:
        world.answer = answer
        assert world.guard() == answer
    assert world.changes == []
    world.answer = DOWN
    world.guard()
    assert world.guard() == CircuitOpen()


@pytest.mark.parametrize("nothing", [RenderFailed("x"), DependencyFailed("x")])
def test_a_probe_that_made_no_request_decides_nothing_and_its_thread_probes_again(
    world: World, nothing: Outcome
) -> None:
    world.open()
    world.recover()
    world.answer = nothing
    assert world.guard() == nothing
    assert world.changes == [("d", "OPEN", "HALF_OPEN")]
    world.answer = DELIVERED
    assert world.guard() == DELIVERED
    assert world.changes[1:] == [("d", "HALF_OPEN", "CLOSED")]


def test_one_probe_alone_is_made_after_the_recovery_and_its_success_lets_everything_flow(world: World) -> None:
    world.open()
    world.recover()
    world.answer = DELIVERED
    over = threading.Event()

    def probe() -> Outcome:
        world.requests += 1
        assert over.wait(PATIENCE)
        return DELIVERED

    processes = [world.circuits, world.process(), world.process()]
    with ThreadPoolExecutor(9) as threads:
        futures = [threads.submit(processes[at % 3].guard, "d", probe) for at in range(9)]
        deadline = time.monotonic() + PATIENCE
        while sum(each.done() for each in futures) < 8 and time.monotonic() < deadline:
            threading.Event().wait(0.005)
        over.set()
        outcomes = [each.result() for each in futures]
    assert (outcomes.count(DELIVERED), outcomes.count(CircuitOpen())) == (1, 8)
    assert world.requests == 1
    assert world.changes == [("d", "OPEN", "HALF_OPEN"), ("d", "HALF_OPEN", "CLOSED")]
    assert [world.guard(circuits=world.process()) for _ in range(5)] == [DELIVERED] * 5


def test_a_probe_that_fails_opens_the_circuit_again(world: World) -> None:
    world.open()
    for _ in range(2):
        world.recover()
        world.changes.clear()
        assert [world.guard() for _ in range(4)] == [DOWN, *[CircuitOpen()] * 3]
        assert world.changes == [("d", "OPEN", "HALF_OPEN"), ("d", "HALF_OPEN", "OPEN")]


def test_a_probe_whose_function_was_killed_is_followed_by_another_when_its_time_is_over(world: World) -> None:
    world.open()
    world.recover()
    with pytest.raises(KeyboardInterrupt):
        world.circuits.guard("d", _killed)
    elsewhere = world.process()
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(world.guard, "d", elsewhere).result() == CircuitOpen()
    world.client.update_item(
        TableName=TABLE,
        Key={"key": {"S": "circuit#d"}},
        UpdateExpression="SET probe_lease_expiry = probe_lease_expiry - :ago",
        ExpressionAttributeValues={":ago": {"N": str(RECOVERY)}},
    )
    world.answer = DELIVERED
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(world.guard, "d", world.process()).result() == DELIVERED


def _killed() -> Outcome:
    raise KeyboardInterrupt


# Nine attempts that were under way when the circuit opened failed as well: three lines and three counts for one change.
def test_attempts_that_were_under_way_when_a_circuit_opened_tell_nothing_of_it_again(world: World) -> None:
    together = threading.Barrier(9)

    def fail() -> Outcome:
        together.wait(PATIENCE)
        return DOWN

    with ThreadPoolExecutor(9) as threads:
        assert list(threads.map(lambda _: world.circuits.guard("d", fail), range(9))) == [DOWN] * 9
    assert world.changes == [("d", "CLOSED", "OPEN")]


@pytest.mark.parametrize("code", ["AccessDeniedException", "unreachable"])
@pytest.mark.parametrize("operations", [*([each] for each in TABLE_CALLS), TABLE_CALLS], ids=str)
def test_whatever_the_table_fails_at_the_attempt_is_made_and_the_failure_told(
    world: World, faults: Faults, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture,
    operations: list[str], code: str,
) -> None:  # fmt: skip
    if "GetItem" not in operations:
        world.open()
        world.recover()
    for each in operations:
        faults.fail(each, code)
    for answer in (DOWN, DELIVERED, DOWN):
        world.answer = answer
        outcome = world.guard()
        assert outcome == answer or (operations != TABLE_CALLS and outcome == CircuitOpen())
    assert world.requests >= 1
    assert world.failed
    assert {detail for _, detail in world.failed} == {"EndpointConnectionError" if code == "unreachable" else code}
    out = capfd.readouterr()
    assert (out.out, out.err, caplog.text) == ("", "", "")
    assert IN_AN_ERROR not in repr(world.failed)


def test_an_outage_is_an_outage_while_the_table_is_one_too(world: World, faults: Faults) -> None:
    for each in TABLE_CALLS:
        faults.fail(each)
    assert [world.guard() for _ in range(8)] == [DOWN] * 8
    assert world.requests == 8


def test_a_row_that_cannot_be_read_is_a_closed_circuit_and_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for item in ({}, {"state": {"S": "canary"}}):
        world.client.put_item(TableName=TABLE, Item={"key": {"S": "circuit#d"}, **item})
        assert world.guard(circuits=world.process()) == DOWN
    assert world.failed == [("read circuit", "KeyError"), ("read circuit", "ValueError")]
    assert caplog.text == ""


def test_a_circuit_is_known_for_seconds_without_asking_the_table(world: World, faults: Faults) -> None:
    world.answer = DELIVERED
    world.guard()
    asked = faults.calls.total()
    for _ in range(20):
        world.guard()
    assert faults.calls.total() - asked <= 1


def test_a_probe_is_one_threads_own_for_longer_than_any_attempt_lasts() -> None:
    assert edges_circuits.RECOVERY > 30


def test_circuits_that_are_off_ask_nothing() -> None:
    assert [ClosedCircuits().guard("d", lambda: DOWN) for _ in range(9)] == [DOWN] * 9


# Through the handler.


@pytest.fixture
def on(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("FLAGCAST_CIRCUIT_BREAKER", "on")
    return stack


def test_a_destination_that_is_down_is_left_alone_and_told_of_and_others_flow(
    on: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    on.configure({"ill": {}, "well": {}})
    on.receiver.script("/ill", [Answer(503)])
    for _ in range(3):
        on.put("ill")
    on.deliver()
    ill, well = on.put("ill"), on.put("well")
    assert on.deliver() == [ill.id]
    assert on.delay(ill) == 60
    assert len(on.receiver.requests("/ill")) == 3
    assert len(on.receiver.requests("/well")) == 1
    assert well.id not in on.waiting()
    lines = on.lines(capfd)
    (change,) = [each for each in lines if each["event"] == "circuit.changed"]
    assert {key: change[key] for key in ("destination", "before", "after", "CircuitChanges")} == {
        "destination": "ill", "before": "CLOSED", "after": "OPEN", "CircuitChanges": 1,
    }  # fmt: skip
    [put_off] = [each for each in lines if each.get("message_id") == ill.id]
    assert (put_off["outcome"], put_off["why"], put_off["attempt"]) == ("put_off", "CircuitOpen", 0)


def test_what_waits_for_a_circuit_is_no_attempt_and_does_not_expire(on: Stack) -> None:
    on.configure({"ill": {"retry": {"max_backoff_duration": "1m"}}})
    on.receiver.script("/ill", [Answer(503)])
    for _ in range(3):
        on.put("ill")
    on.deliver()
    waiting = on.put("ill")
    on.deliver()
    row = on.rows()[f"task#{waiting.id}"]
    assert (row["attempts"], "first_attempt" in row) == ("0", False)
    assert on.dead_letters() == []


def test_a_table_that_fails_the_breaker_stops_nothing(
    on: Stack, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    on.configure({"mirror": {}})
    for operation in ("get_item", "put_item", "update_item"):
        monkeypatch.setattr(on.state, operation, _refused)
    for _ in range(5):
        on.put("mirror")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert on.deliver() == []
    assert len(on.receiver.requests()) == 5
    assert [each for each in on.lines(capfd) if each["event"] == "error"] == []


def test_no_circuit_is_asked_while_they_are_off(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = stack.state.get_item

    def asking(**call: Any) -> Any:
        asked.append(json.dumps(call["Key"]))
        return real(**call)

    monkeypatch.setattr(stack.state, "get_item", asking)
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(503)])
    for _ in range(5):
        stack.put("ill")
    stack.deliver()
    assert len(stack.receiver.requests()) == 5
    assert asked
    assert "circuit" not in "".join(asked)


def _refused(**_: Any) -> Any:
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": IN_AN_ERROR}}, "x")
