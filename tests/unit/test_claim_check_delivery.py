import pytest

from flagcast.core.config.model import FaultyDestination, Problem, Retry
from flagcast.core.config.read import read
from flagcast.core.delivery import Circumstances, decide
from flagcast.core.message import Message
from flagcast.core.outcomes import Answered, BodyMissing, DependencyFailed, GiveUp, Outcome
from flagcast.core.progress import NEW
from flagcast.core.retry import Wear
from flagcast.core.task import body_key, claim_check
from flagcast.story.attempt import Attempts
from tests.unit.making import RAW, FakeClock, configuration, message, middle, task_for
from tests.unit.test_attempt import Bodies, OpenGates, Store, Wire

KEY = body_key(task_for().event_id)
CLAIMING: Message = message(claim_check(task_for()))


def made(bodies: Bodies, wire: Wire) -> Outcome:
    attempts = Attempts(configuration(), {}, Store(), wire, OpenGates(), bodies, FakeClock())
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


def test_a_task_whose_body_is_gone_is_a_dead_letter() -> None:
    task = Circumstances(Wear(1, 0), 0, None)
    assert decide(BodyMissing(), task, Retry(), 1000, middle) == GiveUp("body_missing")


def test_flipts_signature_cannot_be_of_two_secrets() -> None:
    sign = '{scheme: flipt, secret: "${secret:a}", old_secrets: ["${secret:b}"]}'
    held = read(f"sources: {{}}\ndestinations: {{d: {{url: https://a, sign: {sign}}}}}\n").destinations["d"]
    assert isinstance(held, FaultyDestination)
    assert held.problems == (
        Problem(
            "destinations.d.sign.old_secrets", "Flipt's header holds one signature; standard-webhooks holds several"
        ),
    )
