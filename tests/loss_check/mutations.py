"""Bugs put into the product on purpose: each must be caught, and by the promise that it breaks."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from flagcast.delivery import archiving, attempt, decision, message_group
from flagcast.delivery.batch_progress import BatchProgress
from flagcast.edges.aws.queue import Queue
from flagcast.edges.wiring import resources
from flagcast.errors import QueueUnavailable
from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.request import Request
from flagcast.ingest import fan_out
from flagcast.tasks import dead_letter, task
from flagcast.tasks.outcomes import Answered, Decision, DependencyFailed, Done, GiveUp, Outcome
from flagcast.tasks.received_message import Message


class Mutation(Struct, frozen=True):
    """One bug; `caught` is the kind of violation that it leads to, `plan` what makes that likely in a small run."""

    apply: Callable[[], None]
    caught: str
    plan: Mapping[str, Any] = {}


def _replace(owner: object, name: str, value: object) -> None:
    setattr(owner, name, value)


def _delete_before_dead_letter() -> None:
    give_up = message_group.MessageGroups._give_up

    def mutated(self: message_group.MessageGroups, message: Message, given_up: GiveUp, attempts: int) -> Decision:
        self._queue.delete([message])
        return give_up(self, message, given_up, attempts)

    _replace(message_group.MessageGroups, "_give_up", mutated)


def _dead_letter_not_insisted_on() -> None:
    def mutated(self: message_group.MessageGroups, message: Message, given_up: GiveUp, attempts: int) -> Decision:
        try:
            self._dead_letters(message, given_up, attempts)
        except QueueUnavailable as error:
            self._journal.queue_failed("dead letter", error)
        return given_up

    _replace(message_group.MessageGroups, "_give_up", mutated)


def _followers_go_on() -> None:
    work = message_group.MessageGroups.work

    def mutated(
        self: message_group.MessageGroups,
        messages: Sequence[Message],
        deadline: float,
        settled: Callable[[Message], None],
        started: int,
    ) -> None:
        for at, message in enumerate(messages):
            work(self, [message], deadline, settled, int(at < started))

    _replace(message_group.MessageGroups, "work", mutated)


def _decide(change: Callable[[Outcome, Decision], Decision]) -> None:
    def mutated(outcome: Outcome, *arguments: Any) -> Decision:
        return change(outcome, decision.decide(outcome, *arguments))

    _replace(message_group, "decide", mutated)


def _refused_is_done(_: Outcome, decision: Decision) -> Decision:
    return Done() if isinstance(decision, GiveUp) and decision.reason == "rejected" else decision


def _answer_not_believed() -> None:
    send = Queue.send

    def mutated(self: Queue, entries: Sequence[Any], deadline: float) -> None:
        send(self, entries, deadline)
        if self is resources.dead_letter_queue():
            raise QueueUnavailable("no word of them")

    _replace(Queue, "send", mutated)


def _put_off_is_done(outcome: Outcome, decision: Decision) -> Decision:
    return Done() if isinstance(outcome, DependencyFailed) else decision


def _answered_before_the_last_chunk() -> None:
    send = Queue.send

    def mutated(self: Queue, entries: Sequence[Any], deadline: float) -> None:
        send(self, entries[:1], deadline)
        try:
            send(self, entries[1:], deadline)
        except QueueUnavailable:
            return

    _replace(Queue, "send", mutated)


def _move_named_by_task_alone() -> None:
    def mutated(task_id: str, _: str) -> str:
        return task.deduplication_id(task_id)

    _replace(task, "moved_deduplication_id", mutated)
    _replace(dead_letter, "moved_deduplication_id", mutated)


def _secret_in_a_line() -> None:
    send = attempt.Attempts._once

    def mutated(self: attempt.Attempts, made: Any, deadline: float) -> Outcome:
        if isinstance(made, Request):
            print(f'{{"event":"request","url":"{made.url}"}}', flush=True)
        return send(self, made, deadline)

    _replace(attempt.Attempts, "_once", mutated)


def _refused_entry_is_taken() -> None:
    from flagcast.edges.aws.targets import transport

    _replace(transport, "answer_of", lambda _: Answered(200))


def _archived_again() -> None:
    _replace(archiving, "AwsRequest", lambda **given: AwsRequest(**{**given, "is_new_only": False}))


def _archive_not_insisted_on() -> None:
    archived = archiving.archived

    def mutated(*arguments: Any) -> Outcome:
        archived(*arguments)
        return Answered(200)

    from flagcast.edges.wiring import deliver_batch

    _replace(deliver_batch, "archived", mutated)


def _failures_not_reported() -> None:
    # Only the functions' own processes have the functions on their path.
    import deliver

    handler = deliver.handler

    def mutated(event: dict[str, Any], context: Any) -> dict[str, Any]:
        handler(event, context)
        return {"batchItemFailures": []}

    _replace(deliver, "handler", mutated)


def _signatures_not_checked() -> None:
    from flagcast.edges.wiring import ingest_request

    _replace(ingest_request, "is_genuine", lambda *_: True)


FAILING_QUEUE = {"rates": {"dead letter": 0.95}, "scale": 6.0, "events": 240}
BUSY = {"scale": 8.0, "subjects": 3, "rate": 400.0}
"""Much that fails, and much behind it."""
UNSENT = {"rates": {"send": 0.5}, "events": 320}
"""Much that does not reach the queue; the client gives up most of it where a busy machine adds its own failures."""

MUTATIONS: Mapping[str, Mutation] = {
    "delete before dead letter": Mutation(_delete_before_dead_letter, "lost", FAILING_QUEUE),
    "dead letter not insisted on": Mutation(_dead_letter_not_insisted_on, "lost", FAILING_QUEUE),
    "no hand-back": Mutation(
        lambda: _replace(message_group.MessageGroups, "_hand_back", lambda *_: None),
        "late",
        {**BUSY, "events": 160},
    ),
    "a move named by its task alone": Mutation(_move_named_by_task_alone, "lost", {"scale": 8.0}),
    "followers go on after a retry": Mutation(_followers_go_on, "reorder", BUSY),
    "no groups by subject": Mutation(
        lambda: _replace(fan_out, "message_group_id", lambda *arguments: task.group_id(arguments[-1])), "reorder", BUSY
    ),
    "answered before the last chunk": Mutation(_answered_before_the_last_chunk, "lost", UNSENT),
    "what is refused is done": Mutation(lambda: _decide(_refused_is_done), "lost", {"scale": 6.0}),
    # Not at 0.9: ingest needs a secret too, and on a busy machine the run ended before it had one.
    "what is put off is done": Mutation(lambda: _decide(_put_off_is_done), "lost", {"rates": {"secret": 0.5}}),
    "failures not reported": Mutation(_failures_not_reported, "lost", {"scale": 6.0}),
    "filters ignored at delivery": Mutation(
        # Events come two seconds apart: while a busy machine works on one, time goes on by up to 40 s, and the deploy
        # came before any event that it makes unwanted.
        lambda: _replace(attempt, "wants", lambda *_: True),
        "unwanted",
        {"events": 200, "rate": 0.5, "scale": 4.0, "deploys": True, "real_seconds": 120.0},
    ),
    "a secret in a log line": Mutation(_secret_in_a_line, "leak"),
    "answers kept as they are": Mutation(
        lambda: _replace(attempt, "_without_secrets", lambda outcome, _: outcome), "leak", {"scale": 8.0}
    ),
    "an entry that a bus refused counts as taken": Mutation(
        _refused_entry_is_taken, "lost", {"scale": 8.0, "events": 240}
    ),
    "an archived event is written again": Mutation(
        _archived_again, "duplicate", {"archives": True, "scale": 8.0, "events": 160}
    ),
    "the archive is not insisted on": Mutation(_archive_not_insisted_on, "lost", {"archives": True, "scale": 8.0}),
    "signatures not checked": Mutation(_signatures_not_checked, "trace", {"events": 200}),
    "a queue's answer is not believed": Mutation(_answer_not_believed, "duplicate", {"scale": 6.0}),
    "a repeat is another message": Mutation(
        lambda: _replace(fan_out, "deduplication_id", lambda _: uuid.uuid4().hex), "duplicate", UNSENT
    ),
    "a wrong reason": Mutation(lambda: _replace(decision, "GONE", 404), "untrue reason", {"scale": 8.0}),
    "no marks": Mutation(
        lambda: _replace(BatchProgress, "start", lambda *_: None),
        "stuck",
        # Without the mutation this ends in 3 s on two free cores; with it one event kills the functions forever.
        {"events": 100, "rate": 2000.0, "real_seconds": 20.0},
    ),
}
