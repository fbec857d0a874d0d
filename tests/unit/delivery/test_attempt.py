from collections.abc import Callable, Sequence

import pytest

from flagcast.config.model import Destination, Retry
from flagcast.config.read import Beside, read
from flagcast.config.secret_references import Reference, Values
from flagcast.delivery.attempt import LONGEST_EXCERPT, Attempts, Unconfigured
from flagcast.errors import BodyUnavailable, SecretUnavailable
from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.request import Request
from flagcast.primitives.render_failure import RenderFailed
from flagcast.tasks.outcomes import (
    Answered,
    DependencyFailed,
    Faulty,
    Filtered,
    FilterFailed,
    Newer,
    NotAccepted,
    Outcome,
    UnknownDestination,
    Unreachable,
    Unreadable,
)
from flagcast.tasks.progress import NEW, Progress
from flagcast.tasks.received_message import Message
from flagcast.tasks.task import Task
from tests.unit.builders import RAW, FakeClock, body, configuration, message, task_for

TOKEN = Reference("ssm", "token")
BEARING = '{url: https://x, headers: {Authorization: "Bearer ${ssm:token}"}}'


class Store:
    """Has one value for every reference until it is asked for fresh ones; None stands for one that is not there."""

    def __init__(self, cached: str | None = "stale-token", fresh: str | None = "fresh-token") -> None:
        self.generations = (cached, fresh)
        self.asked: list[tuple[tuple[Reference, ...], float, bool]] = []

    def values(self, references: Sequence[Reference], deadline: float, *, fresh: bool = False) -> Values:
        self.asked.append((tuple(references), deadline, fresh))
        value = self.generations[fresh]
        if value is None:
            raise SecretUnavailable("ssm token is not there")
        return dict.fromkeys(references, value)


class Wire:
    """Gives its answers one after another, the last of them for ever."""

    def __init__(self, *answers: Answered | Unreachable) -> None:
        self.answers = list(answers or [Answered(200)])
        self.sent: list[tuple[Request, float]] = []

    def __call__(self, request: Request | AwsRequest, deadline: float) -> Answered | Unreachable:
        assert isinstance(request, Request)
        self.sent.append((request, deadline))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def tokens(self) -> list[str]:
        return [request.headers["Authorization"] for request, _ in self.sent]


class OpenGates:
    """Holds nothing back."""

    def through(
        self, name: str, destination: Destination, progress: Progress, attempt: Callable[[], Outcome]
    ) -> Outcome:
        return attempt()


class Bodies:
    """Has one body, under one key; None stands for a store that cannot be reached."""

    def __init__(self, stored: dict[str, bytes] | None = None) -> None:
        self.stored = stored

    def fetch(self, ref: str, deadline: float) -> bytes | None:
        if self.stored is None:
            raise BodyUnavailable("no body store")
        return self.stored.get(ref)


def no_archive(task: Task, raw: bytes, seconds: float) -> Outcome:
    """Stand for an archive that nothing is sent to."""
    raise AssertionError(task)


def attempts(keys: str = "{url: https://x}", *, store: Store | None = None, wire: Wire | None = None) -> Attempts:
    return Attempts(
        configuration(keys), {}, store or Store(), wire or Wire(), OpenGates(), Bodies(), no_archive, FakeClock()
    )


NOTHING_SENT: list[tuple[str, Message, Outcome]] = [
    ("{url: https://x}", message('{"v":2}'), Newer(2)),
    ("{url: https://x}", message("junk"), Unreadable("not a task: JSON is malformed: invalid character (byte 0)")),
    ("{url: https://x}", message(task_for("gone")), UnknownDestination()),
    (
        "{url: https://x}",
        message(task_for("faulty")),
        Faulty("destinations.faulty.url: expected https://host/..., an ARN, or a reference to a secret with the "
               "address; destinations.faulty.timeout: 31s is not allowed; use more than 0s and at most 30s"),
    ),
    ("{url: https://x}", message(task_for(raw=b"\xff")), Unreadable("not UTF-8 at byte 0")),
    ("{url: https://x}", message(task_for(raw=b"[]")), Unreadable("not a JSON object")),
    ('{url: https://x, events: ["rule:*"]}', message(), Filtered()),
    ("{url: https://x, when: event.is_denied}", message(), Filtered()),
    ("{url: https://x, when: event.nope}", message(), FilterFailed("when: event has no attribute 'nope'")),
    (
        "{url: https://x, when: event.type ==}",
        message(),
        Faulty("destinations.mirror.when: when, line 1: ends where a value is expected"),
    ),
    (
        "{url: https://x, body: '{% if %}'}",
        message(),
        Faulty("destinations.mirror.body: body, line 1: Expected an expression, got 'end of statement block'"),
    ),
    ("{url: https://x, body: '{{ event.type }}', content_type: text/plain, headers: {A: '{{ 1 / 0 }}'}}",
     message(), RenderFailed("headers.A, line 1: ZeroDivisionError")),
    ('{url: "${ssm:token}"}', message(), Faulty("url: its secret does not contain an https:// address")),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "received", "outcome"), NOTHING_SENT)
def test_where_no_request_can_be_made_the_outcome_says_why_and_none_is_sent(
    keys: str, received: Message, outcome: Outcome
) -> None:
    wire = Wire()
    assert attempts(keys, wire=wire).make(received, NEW) == outcome
    assert wire.sent == []


def test_a_task_is_sent_as_it_came_in_by_the_destinations_timeout() -> None:
    store, wire = Store(), Wire(Answered(204, None, "thanks"))
    assert attempts("{url: https://x, timeout: 20s}", store=store, wire=wire).make(message(), NEW) == Answered(
        204, None, "thanks"
    )
    [(request, deadline)] = wire.sent
    assert (request.url, request.body, request.headers["Webhook-Id"], deadline) == ("https://x", RAW, "evt_1", 50 + 20)
    assert request.headers["Webhook-Timestamp"] == "1000"
    assert store.asked == [((), 70, False)]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("flipt", "flipt production https://flipt.example.com/#/namespaces/default/flags/new-ui"),
        ("broken", "broken  "),
        ("gone", "gone  "),
    ],
)
def test_a_template_sees_what_the_source_says_of_itself_and_goes_without_where_it_is_not_known(
    source: str, said: str
) -> None:
    wire = Wire()
    keys = (
        "{url: https://x, content_type: text/plain, "
        "body: '{{ event.id }} {{ event.received_at }} {{ event.source }} {{ event.environment }} {{ event.url }}'}"
    )
    attempts(keys, wire=wire).make(message(task_for(source=source)), NEW)
    assert [request.body.decode() for request, _ in wire.sent] == [f"evt_1 2026-01-02T03:04:06.789Z {said}"]


def test_a_destination_is_compiled_once_of_the_files_there_are() -> None:
    text = "sources: {}\ndestinations: {mirror: {url: https://x, content_type: text/plain, template: t.j2}}\n"
    wire, templates = Wire(), {"t.j2": "{{ event.action }}"}
    made = Attempts(
        read(text, Beside(templates)), templates, Store(), wire, OpenGates(), Bodies(), no_archive, FakeClock()
    )
    made.make(message(), NEW)
    templates["t.j2"] = "changed"
    made.make(message(task_for(raw=body(action="deleted"))), NEW)
    assert [request.body for request, _ in wire.sent] == [b"updated", b"deleted"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_secret_that_was_rotated_is_fetched_afresh_and_the_attempt_made_once_more(status: int) -> None:
    store, wire = Store(), Wire(Answered(status), Answered(200, None, "you are fresh-token"))
    assert attempts(BEARING, store=store, wire=wire).make(message(), NEW) == Answered(200, None, "you are ***")
    assert wire.tokens == ["Bearer stale-token", "Bearer fresh-token"]
    assert [deadline for _, deadline in wire.sent] == [60, 60]
    assert store.asked == [((TOKEN,), 60, False), ((TOKEN,), 60, True)]


def test_a_refusal_of_the_fresh_secret_too_is_the_outcome() -> None:
    wire = Wire(Answered(401), Answered(401, 7, "still no"))
    assert attempts(BEARING, wire=wire).make(message(), NEW) == Answered(401, 7, "still no")
    assert len(wire.sent) == 2


def test_a_refusal_of_a_secret_that_has_not_changed_is_not_tried_again() -> None:
    store, wire = Store("same", "same"), Wire(Answered(403, None, "no"))
    assert attempts(BEARING, store=store, wire=wire).make(message(), NEW) == Answered(403, None, "no")
    assert len(wire.sent) == 1


@pytest.mark.parametrize("answer", [Answered(400), Answered(404), Answered(500), Unreachable("timeout")])
def test_no_other_answer_fetches_secrets_afresh(answer: Answered | Unreachable) -> None:
    store = Store()
    assert attempts(BEARING, store=store, wire=Wire(answer)).make(message(), NEW) == answer
    assert [fresh for _, _, fresh in store.asked] == [False]


def test_a_refusal_where_there_is_no_secret_is_the_outcome_at_once() -> None:
    store, wire = Store(), Wire(Answered(401))
    assert attempts(store=store, wire=wire).make(message(), NEW) == Answered(401)
    assert (len(wire.sent), len(store.asked)) == (1, 1)


@pytest.mark.parametrize(("store", "sent"), [(Store(cached=None), 0), (Store(fresh=None), 1)])
def test_a_secret_that_cannot_be_had_puts_the_task_off(store: Store, sent: int) -> None:
    wire = Wire(Answered(401))
    assert attempts(BEARING, store=store, wire=wire).make(message(), NEW) == DependencyFailed("ssm token is not there")
    assert len(wire.sent) == sent


def test_a_fresh_secret_that_cannot_stand_in_a_header_fails_as_a_value() -> None:
    store = Store(fresh="two\nlines")
    outcome = attempts(BEARING, store=store, wire=Wire(Answered(401))).make(message(), NEW)
    assert outcome == Faulty("headers.Authorization: its secret contains a line break or NUL")


def test_an_answer_that_echoes_the_request_is_masked_before_it_is_cut() -> None:
    echo = "x" * (LONGEST_EXCERPT - 3) + "stale-token" + "y" * 1000
    outcome = attempts(BEARING, wire=Wire(Answered(500, 3, echo))).make(message(), NEW)
    assert outcome == Answered(500, 3, "x" * (LONGEST_EXCERPT - 3) + "***")


def test_an_answer_that_is_not_accepted_is_masked_before_it_is_cut() -> None:
    echo = "x" * (LONGEST_EXCERPT - 3) + "stale-token" + "y" * 1000
    keys = BEARING.replace("url:", "accept: response.json is not none, url:")
    assert attempts(keys, wire=Wire(Answered(200, None, echo))).make(message(), NEW) == NotAccepted(
        200, "x" * (LONGEST_EXCERPT - 3) + "***"
    )


def test_the_policy_is_the_destinations_own_and_else_the_default() -> None:
    made = attempts("{url: https://x, timeout: 3s, retry: {max_backoff_duration: 5m}}")
    policy = made.policy(message())
    assert [policy.timeout, float(policy.retry.max_backoff_duration)] == [3, 300]
    for other in (message("junk"), message(task_for("gone")), message(task_for("faulty"))):
        assert made.policy(other).timeout == 10
        assert made.policy(other).retry == Retry()


def test_while_the_configuration_cannot_be_read_every_task_waits() -> None:
    waiting = Unconfigured("not YAML: line 1")
    assert waiting.make(message(), NEW) == waiting.make(message("junk"), NEW) == Faulty("not YAML: line 1")
    assert waiting.policy(message()).timeout == 10
    assert waiting.policy(message()).retry == Retry()
