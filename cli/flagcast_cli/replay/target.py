"""The one destination that a replay is for, as the deployed configuration has it."""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct, structs

from flagcast.config.model import Configuration, Destination, FaultyDestination, Problem
from flagcast.delivery.attempt import origin_of
from flagcast.events.event import Event, InvalidEvent, parse
from flagcast.events.replay import Replay
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.conditions import wanted
from flagcast.tasks.outcomes import FilterFailed
from flagcast.tasks.routing import wants
from flagcast.tasks.task import replayed, task
from flagcast_cli.console import CommandError
from flagcast_cli.known_values import there_are
from flagcast_cli.replay.kept_event import KeptEvent

FASTEST: Final = 10.0
"""Events a second where neither the command nor the destination says a rate."""

Rejection = Literal["its events", "its when"]


class Target(Struct, frozen=True):
    """A destination that can be sent to."""

    name: str
    destination: Destination
    configuration: Configuration
    compiled: Compiled

    @property
    def rate(self) -> float:
        """Return events a second: half of the destination's rate_limit, which leaves live events the other half."""
        limit = self.destination.rate_limit
        return FASTEST if limit is None else min(FASTEST, float(limit) / 2)

    def read(self, kept: KeptEvent, replay: Replay) -> Event | InvalidEvent:
        """Read an event as the destination would be sent it."""
        carried = replayed(task(kept.event_id, kept.source, self.name, kept.received_at, kept.raw, kept.known), replay)
        return parse(kept.raw, origin_of(self.configuration, carried), kept.known)

    def rejects(self, event: Event) -> Rejection | None:
        """Return what rejects an event, so that nothing would be sent; a `when` that fails does not."""
        if not wants(self.destination, event):
            return "its events"
        answer = wanted(self.compiled, event)
        return None if isinstance(answer, FilterFailed) or answer else "its when"


def target_of(configuration: Configuration, name: str) -> Target:
    """Return a destination by its name; raises CommandError where it is not deployed, or cannot be sent to."""
    found = configuration.destinations.get(name)
    match found:
        case None:
            raise CommandError(
                f"the deployed configuration has no destination {name}",
                *there_are(name, configuration.destinations),
                "A new one must be deployed before events can be replayed to it.",
            )
        case FaultyDestination(problems):
            raise _faulty(name, problems)
        case Destination():
            # Only `when` is asked; body and headers may need files that are not at hand.
            bare = structs.replace(found, body=None, template=None, headers={})
            compiled = compile_destination(bare, {}, f"destinations.{name}")
            if isinstance(compiled, Compiled):
                return Target(name, found, configuration, compiled)
            raise _faulty(name, compiled)


def _faulty(name: str, problems: Iterable[Problem]) -> CommandError:
    return CommandError(
        f"the deployed destination {name} has a problem: {'; '.join(map(str, problems))}",
        "Its deliveries would only wait. Fix it, deploy, then run this again.",
    )
