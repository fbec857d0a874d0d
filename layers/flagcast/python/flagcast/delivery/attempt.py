"""One attempt: a task to its outcome, by the configuration, the secrets and the transport it is given."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, assert_never

from msgspec import UNSET, structs

from flagcast.clock import Clock
from flagcast.config.archive_destination import ARCHIVE
from flagcast.config.model import Configuration, Destination, FaultyDestination, FaultySource, Problem, Retry
from flagcast.config.secret_references import Reference, Text, Values
from flagcast.errors import BodyUnavailable, SecretUnavailable
from flagcast.events.event import Event, InvalidEvent, Origin, parse
from flagcast.exchange.aws_request import AwsRequest, MessageIds
from flagcast.exchange.masking import masked
from flagcast.exchange.request import Request
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.conditions import judged, wanted
from flagcast.rendering.render import render
from flagcast.tasks.outcomes import (
    Answered,
    BodyMissing,
    DependencyFailed,
    Faulty,
    Filtered,
    FilterFailed,
    Newer,
    NotAccepted,
    NotNow,
    Outcome,
    UnknownDestination,
    Unreadable,
)
from flagcast.tasks.progress import Progress
from flagcast.tasks.received_message import Message
from flagcast.tasks.routing import wants
from flagcast.tasks.task import NewerVersion, Task, UnreadableTask, deduplication_id

STALE_CREDENTIALS = frozenset({401, 403})
LONGEST_EXCERPT = 500
"""Characters of an answer that are kept for people."""

_UNKNOWN = Destination(url=Text(""))
"""What stands for a destination that is not known, where only its timeout and schedule are asked for."""


class Secrets(Protocol):
    """Where the values of references come from."""

    def values(self, references: Sequence[Reference], deadline: float, *, fresh: bool = False) -> Values:
        """Return a value for each reference; raises SecretUnavailable."""


class Bodies(Protocol):
    """Where the bodies lie that are too large for a message."""

    def fetch(self, ref: str, deadline: float) -> bytes | None:
        """Return a body by a deadline (monotonic seconds), None if it is not there; raises BodyUnavailable."""


class Gatekeeper(Protocol):
    """What may hold a request back."""

    def through(
        self, name: str, destination: Destination, progress: Progress, attempt: Callable[[], Outcome]
    ) -> Outcome:
        """Make an attempt if nothing holds it back."""


Transport = Callable[[Request | AwsRequest, float], Outcome]
"""Sends a request and returns what came of it by a deadline (monotonic seconds)."""

Archive = Callable[[Task, bytes, float], Outcome]
"""Keeps an event, by its task and body, and returns what came of it within so many seconds."""


class Policy(Protocol):
    """How long one attempt may take, and how long to go on trying."""

    @property
    def timeout(self) -> float:
        """Return seconds."""

    @property
    def retry(self) -> Retry:
        """Return the schedule."""


class Attempts:
    """Makes attempts by one configuration; destinations are compiled when they are first needed."""

    def __init__(
        self,
        configuration: Configuration,
        templates: Mapping[str, str],
        secrets: Secrets,
        transport: Transport,
        gates: Gatekeeper,
        bodies: Bodies,
        archive: Archive,
        clock: Clock,
    ) -> None:
        """Keep what every attempt needs."""
        self._archive = archive
        self._configuration = configuration
        self._templates = templates
        self._secrets = secrets
        self._transport = transport
        self._gates = gates
        self._bodies = bodies
        self._clock = clock
        self._compiled: dict[str, Compiled | tuple[Problem, ...]] = {}

    def policy(self, message: Message) -> Policy:
        """Return the destination's timeout and schedule; the defaults where it is not known."""
        name = message.task.destination if isinstance(message.task, Task) else ""
        found = self._configuration.destinations.get(name)
        return found if isinstance(found, Destination) else _UNKNOWN

    def make(self, message: Message, progress: Progress) -> Outcome:
        """Make one attempt."""
        match message.task:
            case NewerVersion(version):
                return Newer(version)
            case UnreadableTask(detail):
                return Unreadable(detail)
            case Task() as task:
                return self._deliver(task, MessageIds(message.group, deduplication_id(task.id)), progress)
        assert_never(message.task)

    def _deliver(self, task: Task, ids: MessageIds, progress: Progress) -> Outcome:
        configured = self._configuration.destinations.get(task.destination)
        match configured:
            case None:
                return UnknownDestination()
            case FaultyDestination(problems):
                return _faulty(problems)
            case Destination() as destination:
                return self._deliver_to(destination, task, ids, progress)
        assert_never(configured)

    def _deliver_to(self, destination: Destination, task: Task, ids: MessageIds, progress: Progress) -> Outcome:
        deadline = self._clock.monotonic() + destination.timeout
        try:
            raw = self._raw(task, deadline)
        except BodyUnavailable as error:
            return DependencyFailed(str(error))
        if raw is None:
            return BodyMissing()
        if task.destination == ARCHIVE:
            keep = partial(self._archive, task, raw, deadline - self._clock.monotonic())
            return self._gates.through(task.destination, destination, progress, keep)
        event = parse(raw, origin_of(self._configuration, task), task.known)
        if isinstance(event, InvalidEvent):
            return Unreadable(event.detail)
        if not wants(destination, event):
            return Filtered()
        compiled = self._compile(task.destination, destination)
        if not isinstance(compiled, Compiled):
            return _faulty(compiled)
        wants_it = wanted(compiled, event)
        if isinstance(wants_it, FilterFailed):
            return wants_it
        if not wants_it:
            return Filtered()
        # What the gates take is not the destination's: a wait for its slot would leave a short timeout nothing.
        send = partial(self._send, compiled, event, ids, deadline - self._clock.monotonic())
        return self._gates.through(task.destination, destination, progress, send)

    def _raw(self, task: Task, deadline: float) -> bytes | None:
        """Return the body's bytes, from where they are stored if the task does not carry them."""
        return task.raw if task.body_ref is UNSET else self._bodies.fetch(task.body_ref, deadline)

    def _send(self, compiled: Compiled, event: Event, ids: MessageIds, seconds: float) -> Outcome:
        """Send once, and once more if the destination may only have refused secrets that have changed since.

        `seconds` is what is left of the attempt's.
        """
        deadline = self._clock.monotonic() + seconds
        try:
            values = self._secrets.values(compiled.references, deadline)
            outcome = self._once(render(compiled, event, values, self._clock.now(), ids), deadline)
            if isinstance(outcome, Answered) and outcome.status in STALE_CREDENTIALS and values:
                fresh = self._secrets.values(compiled.references, deadline, fresh=True)
                if fresh != values:
                    values = fresh
                    outcome = self._once(render(compiled, event, values, self._clock.now(), ids), deadline)
        except SecretUnavailable as error:
            return DependencyFailed(str(error))
        if isinstance(outcome, Answered):
            outcome = judged(compiled, outcome)
        return _without_secrets(outcome, values)

    def _once(self, made: Request | AwsRequest | RenderFailed | Faulty, deadline: float) -> Outcome:
        return self._transport(made, deadline) if isinstance(made, Request | AwsRequest) else made

    def _compile(self, name: str, destination: Destination) -> Compiled | tuple[Problem, ...]:
        if name not in self._compiled:
            self._compiled[name] = compile_destination(destination, self._templates, f"destinations.{name}")
        return self._compiled[name]


def origin_of(configuration: Configuration, task: Task) -> Origin:
    """Return what Flipt does not say about a task's event; without its source there is no environment and no page."""
    source = configuration.sources.get(task.source)
    if source is None or isinstance(source, FaultySource):
        return Origin(task.event_id, task.source, None, None, task.received_at, task.replay)
    return Origin(task.event_id, task.source, source.environment, source.flipt_url, task.received_at, task.replay)


class Unconfigured:
    """Replaces attempts while flagcast.yaml cannot be read at all: every task is kept and waits."""

    def __init__(self, problem: str) -> None:
        """Keep what is wrong with the file."""
        self._problem = problem

    def policy(self, message: Message) -> Policy:
        """Return the defaults."""
        return _UNKNOWN

    def make(self, message: Message, progress: Progress) -> Outcome:
        """Make no attempt."""
        return Faulty(self._problem)


def _faulty(problems: Sequence[Problem]) -> Faulty:
    return Faulty("; ".join(map(str, problems)))


def _without_secrets(outcome: Outcome, values: Values) -> Outcome:
    """Take the secrets out of an error, and of an answer that echoes the request, of which people read a part."""
    match outcome:
        case Answered():
            return structs.replace(outcome, excerpt=_excerpt(outcome.excerpt, values))
        case NotAccepted() | NotNow():
            return structs.replace(outcome, detail=_excerpt(outcome.detail, values))
        case RenderFailed():
            # It says what the template wrote; a var that is a part of that is no exception.
            return structs.replace(outcome, detail=masked(outcome.detail, values.values()))
        case _:
            return outcome


def _excerpt(text: str, values: Values) -> str:
    return masked(text, values.values(), LONGEST_EXCERPT)
