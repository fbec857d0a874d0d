from collections.abc import Callable

import pytest

from flagcast.config.model import Destination, FaultyDestination, Problem, Retry
from flagcast.config.read import read
from flagcast.delivery.attempt import Attempts
from flagcast.delivery.decision import Circumstances, decide
from flagcast.tasks.outcomes import Answered, BodyMissing, DependencyFailed, GiveUp, Outcome
from flagcast.tasks.progress import NEW, Progress
from flagcast.tasks.received_message import Message, Wear
from flagcast.tasks.task import body_key, claim_check
from tests.unit.builders import RAW, FakeClock, configuration, message, middle, task_for
from tests.unit.delivery.test_attempt import Bodies, OpenGates, Store, Wire, no_archive

KEY = body_key(task_for().event_id)
CLAIMING: Message = message(claim_check(task_for()))


def made(bodies: Bodies, wire: Wire) -> Outcome:
    attempts = Attempts(configuration(), {}, Store(), wire, OpenGates(), bodies, no_archive, FakeClock())
    return attempts.make(CLAIMING, NEW)


def test_a_body_that_is_stored_is_delivered_byte_for_byte() -> None:
    wire = Wire()
    assert made(Bodies({KEY: RAW}), wire) == Answered(200)
    assert [request.body for request, _ in wire.sent] == [RAW]


@pytest.mark.parametrize(
    ("bodies", "outcome"),
    [(Bodies({}), BodyMissing()), (Bodies(None), DependencyFailed("no body store"))],
    ids=["gone", "unreachable"],
)
def test_a_body_that_cannot_be_had_is_not_sent(bodies: Bodies, outcome: Outcome) -> None:
    wire = Wire()
    assert made(bodies, wire) == outcome
    assert wire.sent == []


def test_a_body_and_the_request_that_carries_it_share_one_timeout() -> None:
    # Each had all of it: 17 s for the body and 28 s for the request, of a timeout of 30 s, outlasted the function.
    clock, wire = FakeClock(), Wire()

    class Slow(Bodies):
        def fetch(self, ref: str, deadline: float) -> bytes | None:
            deadlines.append(deadline)
            clock.pass_(17)
            return super().fetch(ref, deadline)

    class Waiting(OpenGates):
        def through(
            self, name: str, destination: Destination, progress: Progress, attempt: Callable[[], Outcome]
        ) -> Outcome:
            clock.pass_(0.5)
            return attempt()

    deadlines: list[float] = []
    began, configured = clock.monotonic(), configuration("{url: https://x, timeout: 30s}")
    attempts = Attempts(configured, {}, Store(), wire, Waiting(), Slow({KEY: RAW}), no_archive, clock)
    assert attempts.make(CLAIMING, NEW) == Answered(200)
    assert deadlines == [began + 30]
    # The gates' half second is theirs.
    assert [deadline for _, deadline in wire.sent] == [began + 30 + 0.5]


def test_a_task_whose_body_is_gone_is_a_dead_letter() -> None:
    task = Circumstances(Wear(1, 0), 0, None)
    assert decide(BodyMissing(), task, Retry(), 1000, middle) == GiveUp("body_missing")


def test_flipts_signature_cannot_be_of_two_secrets() -> None:
    sign = '{scheme: flipt, secret: "${secret:a}", old_secrets: ["${secret:b}"]}'
    held = read(f"sources: {{}}\ndestinations: {{d: {{url: https://a, sign: {sign}}}}}\n").destinations["d"]
    assert isinstance(held, FaultyDestination)
    assert held.problems == (
        Problem(
            "destinations.d.sign.old_secrets",
            "is not allowed with scheme flipt, whose header has one signature; use standard-webhooks",
        ),
    )
