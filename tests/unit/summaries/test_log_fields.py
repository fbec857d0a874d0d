"""What a log line says of events and attempts, with names and without."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from flagcast.edges.runtime.telemetry import Telemetry
from flagcast.events.change_context import Change, Known
from flagcast.events.subject import subject_digest
from flagcast.primitives.render_failure import RenderFailed
from flagcast.primitives.text_position import TextPosition
from flagcast.summaries.log_fields import MOST_CHANGES, of_event, of_outcome, waits_for
from flagcast.tasks.outcomes import (
    Answered,
    CircuitOpen,
    Decision,
    DependencyFailed,
    Done,
    Faulty,
    Filtered,
    FilterFailed,
    GiveUp,
    Newer,
    NotAccepted,
    NotNow,
    Outcome,
    Paused,
    RetryIn,
    Slowed,
    Throttled,
    UnknownDestination,
    Unreachable,
)
from flagcast.tasks.task import task
from tests.unit.builders import RAW, RECEIVED_AT, changed, event, message

FLAG = {"key": "new-checkout", "name": "New checkout", "namespace_key": "production", "enabled": False}


def test_an_events_line_says_who_changed_what_and_from_which_value_to_which() -> None:
    turned_on = changed("flag", FLAG, {**FLAG, "enabled": True})
    assert of_event(turned_on, names=True) == {
        "type": "flag",
        "action": "updated",
        "denied": False,
        "subject": subject_digest(("flag", "production", "new-checkout")),
        "namespace": "production",
        "flag": "new-checkout",
        "resource": "new-checkout",
        "actor": "ada",
        "title": "ada turned on flag new-checkout",
        "changes": [{"field": "enabled", "before": False, "after": True}],
    }


def test_without_names_it_says_neither_who_nor_what() -> None:
    turned_on = changed("flag", FLAG, {**FLAG, "enabled": True})
    digest = subject_digest(("flag", "production", "new-checkout"))
    assert of_event(turned_on, names=False) == {
        "type": "flag", "action": "updated", "denied": False, "subject": digest
    }  # fmt: skip
    assert len(digest) == 16


def test_where_it_is_unknown_what_was_there_before_no_changes_are_claimed_and_a_save_without_one_says_so() -> None:
    assert "changes" not in of_event(event(payload=FLAG), names=True)
    assert of_event(changed("flag", FLAG, FLAG), names=True)["changes"] == []


def test_a_line_is_bounded_whatever_the_event_holds() -> None:
    long = "x" * 100_000
    changes = tuple(Change(long, long[:200], long[:200], keys=(long,) * 10) for _ in range(20))
    at_most = event(
        type=long, action=long, payload={"key": long, "namespace_key": long}, metadata={"actor": {"name": long}}
    )
    told = of_event(structs.replace(at_most, known=Known(is_known=True, changes=changes)), names=True)
    assert len(told["changes"]) == MOST_CHANGES
    assert told["more_changes"] == 20 - MOST_CHANGES
    assert told["changes"][0]["before"] == "x" * 99 + "…"
    assert len(json.dumps(told)) < 20_000


ANSWER = "a" * 300
TOLD: list[tuple[Outcome | None, dict[str, Any], dict[str, Any]]] = [
    (None, {}, {}),
    (Filtered(), {}, {}),
    (Answered(200), {"status": 200}, {"status": 200}),
    (
        Answered(503, 60.0, ANSWER),
        {"status": 503, "retry_after": 60, "answer": "a" * 200},
        {"status": 503, "retry_after": 60},
    ),
    (
        NotAccepted(200, "no"),
        {"why": "NotAccepted", "status": 200, "answer": "no"},
        {"why": "NotAccepted", "status": 200},
    ),
    (
        NotNow(200, 5.0, "later"),
        {"why": "NotNow", "status": 200, "retry_after": 5, "answer": "later"},
        {"why": "NotNow", "status": 200, "retry_after": 5},
    ),
    (Unreachable("timeout"), {"why": "Unreachable", "cause": "timeout"}, {"why": "Unreachable", "cause": "timeout"}),
    (
        RenderFailed.at(TextPosition("slack.j2", 3), "ada is no number"),
        {"why": "RenderFailed", "spot": "slack.j2, line 3", "detail": "slack.j2, line 3: ada is no number"},
        {"why": "RenderFailed", "spot": "slack.j2, line 3"},
    ),
    (RenderFailed("ada"), {"why": "RenderFailed", "detail": "ada"}, {"why": "RenderFailed"}),
    (FilterFailed("ada"), {"why": "FilterFailed", "detail": "ada"}, {"why": "FilterFailed"}),
    (Faulty("no url"), {"why": "Faulty", "detail": "no url"}, {"why": "Faulty", "detail": "no url"}),
    (Throttled(5.0), {"why": "Throttled", "until": 5}, {"why": "Throttled", "until": 5}),
]


@pytest.mark.parametrize(("outcome", "with_names", "without"), TOLD, ids=lambda each: type(each).__name__)
def test_an_outcome_is_told_with_what_the_destination_answered_but_not_without_names(
    outcome: Outcome | None, with_names: dict[str, Any], without: dict[str, Any]
) -> None:
    assert of_outcome(outcome, names=True) == with_names
    assert of_outcome(outcome, names=False) == without


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Answered(503), "retry"),
        (NotNow(200, None, ""), "retry"),
        (Unreachable("timeout"), "retry"),
        (Throttled(5.0), "rate_limit"),
        (Slowed(5.0), "retry_after"),
        (Paused(), "pause"),
        (CircuitOpen(), "circuit"),
        (Faulty("no url"), "configuration"),
        (UnknownDestination(), "configuration"),
        (Newer(2), "version"),
        (DependencyFailed("no secret"), "dependency"),
        (None, "dead_letter"),
    ],
)
def test_a_task_that_stays_says_what_it_waits_for(outcome: Outcome | None, reason: str) -> None:
    assert waits_for(outcome, RetryIn(60)) == reason


@pytest.mark.parametrize("decision", [Done(), GiveUp("rejected")])
def test_a_task_that_leaves_waits_for_nothing(decision: Decision) -> None:
    assert waits_for(Answered(200), decision) is None


DECISIONS: list[tuple[Outcome, Decision]] = [
    (Answered(200, excerpt="ok"), Done()),
    (Answered(503, excerpt="busy"), RetryIn(4)),
    (Answered(404, excerpt="no such channel"), GiveUp("rejected", "no such channel", 404)),
]


@pytest.mark.parametrize(("outcome", "decision"), DECISIONS, ids=["delivered", "retrying", "dead-lettered"])
def test_the_metrics_are_less_than_half_of_the_line_of_an_attempt(outcome: Outcome, decision: Decision) -> None:
    carried = task(EVENT_ID, "flipt", "team-chat", RECEIVED_AT, RAW)
    received = message(carried, name="8f507cfc-1a2b-4c3d-9e4f-5a6b7c8d9e0f")
    line = _line(lambda to: to.attempted(received, outcome, decision, 1, 0.05, 1_790_086_400))
    assert _bytes(line["_aws"]) < _bytes(line) / 2


def test_the_metrics_are_less_than_half_of_the_line_of_an_event() -> None:
    line = _line(lambda to: to.accepted("flipt", EVENT_ID, event(payload=FLAG), ["team-chat"], 0.02))
    assert _bytes(line["_aws"]) < _bytes(line) / 2


EVENT_ID = "evt_0123456789abcdef0123456789abcdef"


def _bytes(told: dict[str, Any]) -> int:
    return len(json.dumps(told, separators=(",", ":")))


def _line(tell: Callable[[Telemetry], None]) -> dict[str, Any]:
    lines: list[str] = []
    tell(Telemetry(lambda: 1_790_000_000.5, "flagcast-production", lines.append, names=True))
    made: dict[str, Any] = json.loads(lines[0])
    return made
