"""What a busy machine does to the accountant: it explains what the functions could not know, and nothing else."""

import threading
import time
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from flagcast.exchange.request import Request
from flagcast.tasks.outcomes import Answered, Outcome, Unreachable
from tests.loss_check import receiver, setup
from tests.loss_check.callers import Caller
from tests.loss_check.events import make
from tests.loss_check.faulty_cloud import FaultyCloud
from tests.loss_check.judge import Judge
from tests.loss_check.ledger import Arrival, Invocation, Ledger, Sending
from tests.loss_check.patience import ATTEMPT, Patience
from tests.loss_check.plan import Plan
from tests.loss_check.run import Result, Run
from tests.loss_check.seeded_random import SeededRandom, Strikes
from tests.loss_check.workers import Workers
from tests.support.time_limits import PATIENCE

PLAN = Plan(
    seed=7, events=30, rate=100.0, subjects=12, scale=0.0, slow=0.0, forgotten=0.0, deploys=False, real_seconds=PATIENCE
)
"""Nothing fails but what a test lets fail: no kill can be the excuse of all that came late."""
REQUEST = Request("POST", "http://localhost/loose", {}, b"")


def test_a_dead_letter_whose_answer_came_too_late_explains_what_follows(
    lab: tuple[Path, Workers], monkeypatch: pytest.MonkeyPatch
) -> None:
    # With twelve processes on two cores a queue's answer took longer than the function waits (0.3 s), so that it kept
    # the task. The accountant had sent the answer, took it as heard, and called the next delivery a duplicate.
    call, repeated = FaultyCloud.call, defaultdict[str, threading.Event](threading.Event)

    def script(_dice: object, _scale: float, _slow: float, destination: str, event_id: str, before: int) -> str:
        if before:
            repeated[event_id].set()
        return "status 4xx" if destination == "mirror" and not before else "good"

    def slow(self: FaultyCloud, pid: int, number: int, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        reply = call(self, pid, number, service, operation, arguments)
        if arguments.get("QueueUrl") == self.dead_url:
            # Kept back until its task is sent again, it comes too late however busy the machine is.
            for entry in arguments["Entries"]:
                event_id, _, destination = setup.task_of(entry["MessageBody"]).partition(":")
                assert destination != "mirror" or repeated[event_id].wait(PATIENCE)
        return reply

    monkeypatch.setattr(receiver, "choose", script)
    monkeypatch.setattr(FaultyCloud, "call", slow)
    verdict = Judge(result := Run(PLAN, *lab).go()).judge()
    assert not verdict.violations, verdict.told(result)
    assert sum(count for why, count in verdict.duplicates.items() if "its answer was lost" in why) > 0


def test_a_destination_whose_answer_came_too_late_explains_what_follows(
    lab: tuple[Path, Workers], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one destination whose timeout is a second answered at once by its script, and a busy machine brought that
    # after the timeout: the attempt was repeated, as it must be, and the accountant called that a duplicate.
    repeated = defaultdict[str, threading.Event](threading.Event)

    def slow(_dice: object, _scale: float, _slow: float, destination: str, event_id: str, before: int) -> str:
        if destination == "loose" and before:
            repeated[event_id].set()
        elif destination == "loose":
            assert repeated[event_id].wait(PATIENCE)
        return "good"

    monkeypatch.setattr(receiver, "choose", slow)
    result = Run(PLAN, *lab).go()
    wait_until_all_is_answered(result.ledger)
    verdict = Judge(result).judge()
    assert not verdict.violations, verdict.told(result)
    explained = sum(count for why, count in verdict.duplicates.items() if "busy machine" in why)
    assert explained >= len(repeated) > 0


def wait_until_all_is_answered(ledger: Ledger) -> None:
    """Wait for the receiver's threads: what they send too late may come when the run is over."""
    end = time.monotonic() + PATIENCE
    while any(each.status is None for each in ledger.arrivals):
        assert time.monotonic() < end, "some request has no answer yet"
        time.sleep(0.01)  # Between two looks, up to the deadline above.


def test_what_ends_before_its_deadline_is_no_answer_that_came_too_late() -> None:
    assert unheard(Unreachable("timeout"), seconds=60) == []
    assert unheard(Unreachable("timeout"), seconds=0) == [1]
    assert unheard(Answered(200), seconds=0) == []


def test_a_call_that_is_left_behind_at_its_deadline_is_told_by_its_number() -> None:
    told, numbers = list[int](), list[int]()
    patience, over = Patience(told.extend), threading.Event()

    def made() -> None:
        numbers.append(patience.number)

    def hangs() -> None:
        made()
        over.wait(PATIENCE)

    try:
        patience.within(time.monotonic() + PATIENCE, [made])
        patience.within(time.monotonic() + 0.05, [hangs])
    finally:
        over.set()
    assert numbers == [1, 2]
    assert told == [2]


def test_time_knows_of_work_that_began_without_news() -> None:
    # A send that took effect late, or the last call of a killed function, is news that no one tells. A hand that found
    # it by looking again still counted as idle; where the machine was busy, time then went on to the next moment at
    # which something was due, up to 270 s within one invocation: its task was received twice, or its retry was late.
    begins, ends = threading.Event(), threading.Event()

    class Hand(Caller):
        looks = 0

        def act(self) -> bool:
            self.looks += 1
            if self.looks == 2:
                begins.set()
                ends.wait(PATIENCE)
            return False

    run: Any = SimpleNamespace(clock=SimpleNamespace(now=lambda: 1.0))
    nowhere: Any = None
    hand = Hand(run, place=nowhere)
    thread = threading.Thread(target=hand.work)
    thread.start()
    try:
        assert begins.wait(PATIENCE)
        assert not hand.is_idle
        assert hand.began
    finally:
        hand.over = True
        ends.set()
        thread.join()
    assert hand.is_idle


@pytest.mark.parametrize(("killed_by", "kinds"), [("after secret", set[str]()), (None, {"late"})])
def test_a_request_that_its_receiver_read_after_the_kill_is_the_killed_functions(
    killed_by: str | None, kinds: set[str]
) -> None:
    # The request was sent, the function was killed, and only then a thread of the receiver had its turn. The next
    # attempt came after the visibility timeout, and as the kill was over when the request "arrived" it was no excuse.
    plan = structs.replace(PLAN, events=1)
    event = make(0, SeededRandom(plan.seed), plan.subjects)
    task, ledger = f"{event.event_id}:mirror", Ledger()
    ledger.sendings[0] = Sending(event)
    for pid, at, status, killed in ((1, 0.0, 404, killed_by), (2, 270.0, 200, None)):
        began, ended = ledger.tick(), ledger.tick()
        ledger.invocations.append(Invocation({task: ["message"]}, at, began, pid, [], killed, ended))
        ledger.arrived(Arrival(task, 0, at, 0, pid, status=status))
    verdict = Judge(Result(plan, ledger, Strikes(), {}, [], "", 0.0, 0.0)).judge()
    assert {each.kind for each in verdict.violations} == kinds


def unheard(outcome: Outcome, seconds: float) -> list[int]:
    """Return the numbers that are told of an attempt with an outcome and so many seconds."""
    told = list[int]()
    sent: list[str] = []

    def send(request: Any, _: float) -> Outcome:
        sent.append(request.headers[ATTEMPT])
        return outcome

    assert Patience(told.extend).send(send)(REQUEST, time.monotonic() + seconds) == outcome
    assert sent == ["1"]
    return told
