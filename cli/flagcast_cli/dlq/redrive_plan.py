"""What becomes of each dead letter in a redrive, and in which order."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from msgspec import Struct

from flagcast.config.archive_destination import ARCHIVE
from flagcast.tasks.outgoing_message import Entry
from flagcast.tasks.routing import Route, message_group_id
from flagcast.tasks.task import NO_DESTINATION, moved_deduplication_id
from flagcast_cli.dlq.letters import Absent, Facts, Letter

MOST_ENTRIES = 10


class Ready(Struct, frozen=True):
    """A letter that can be sent, and the message that it becomes."""

    letter: Letter
    entry: Entry


class Refusal(Struct, frozen=True):
    """A letter that stays where it is, and why."""

    letter: Letter
    why: str


def plan(
    known: Iterable[tuple[Letter, Facts | Absent]], routes: Mapping[str, Route]
) -> tuple[list[Ready], list[Refusal]]:
    """Sort the letters in the order in which they were accepted, and tell what can be sent from what cannot.

    An event that cannot be read for the moment has an unknown subject, so all that follows for its destination
    stays behind it.
    """
    ready: list[Ready] = []
    refusals: list[Refusal] = []
    kept_back: set[str] = set()
    for letter, facts in sorted(known, key=lambda each: each[0].order):
        planned = _planned(letter, facts, routes)
        if isinstance(planned, Ready) and letter.destination in kept_back:
            planned = Refusal(letter, "it may have to follow one whose body could not be read")
        if isinstance(facts, Absent) and not facts.for_good and _keeps_order(routes.get(letter.destination)):
            kept_back.add(letter.destination)
        if isinstance(planned, Ready):
            ready.append(planned)
        else:
            refusals.append(planned)
    return ready, refusals


def _planned(letter: Letter, facts: Facts | Absent, routes: Mapping[str, Route]) -> Ready | Refusal:
    task = letter.task
    # The archive takes a body that is no event, and its tasks have no order.
    is_archived = task is not None and task.destination == ARCHIVE
    if isinstance(facts, Absent) and not is_archived:
        return Refusal(letter, facts.why)
    # What is no task has no facts.
    assert task is not None
    if task.destination == NO_DESTINATION:
        return Refusal(letter, "it was accepted for no destination, so there is nowhere to send it")
    if (route := routes.get(task.destination)) is None:
        return Refusal(
            letter,
            f"destination {task.destination} is not in the configuration: it would only come back, unknown_destination;"
            " deploy it first",
        )
    about = facts.about if isinstance(facts, Facts) else ()
    group = message_group_id(task.destination, route.ordering, about, task.id, task.replay)
    return Ready(letter, Entry(letter.message.body, group, moved_deduplication_id(task.id, letter.id)))


def _keeps_order(route: Route | None) -> bool:
    return route is not None and route.ordering != "none"


class Sendable(Protocol):
    """What becomes one message."""

    @property
    def entry(self) -> Entry:
        """Return the message."""


def batches[T: Sendable](ready: Iterable[T], most: int = MOST_ENTRIES) -> Iterator[list[T]]:
    """Split into requests, in order, no two of one group in the same.

    SQS may refuse one entry of a request and take the next: of one group, that would turn the order round.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
    """
    batch: list[T] = []
    groups: set[str] = set()
    for each in ready:
        if batch and (len(batch) == most or each.entry.group in groups):
            yield batch
            batch, groups = [], set()
        batch.append(each)
        groups.add(each.entry.group)
    if batch:
        yield batch
