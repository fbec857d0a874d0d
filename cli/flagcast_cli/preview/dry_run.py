"""One destination of a configuration file, ready to be rehearsed."""

import difflib
from pathlib import Path

from msgspec import Struct

from flagcast.config.model import Configuration, Destination
from flagcast.edges.runtime.configuration_file import read_configuration, read_templates
from flagcast.errors import ConfigurationUnreadable
from flagcast.events.event import Event, InvalidEvent
from flagcast.preflight.configuration_problems import taken_in
from flagcast.preflight.sample_changes import known_or_not
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast_cli.console import CommandError
from flagcast_cli.samples import find_event


class Rehearsal(Struct, frozen=True):
    """One destination, ready to be rendered."""

    configuration: Configuration
    compiled: Compiled

    def event(self, named: str, *, changes: bool = False) -> Event:
        """Read a sample or a file as the first source would take it in; raises CommandError.

        With `changes`, as if its thing had been seen before in another state.
        """
        path = find_event(named)
        event = next(iter(taken_in(path.read_bytes(), path.stem, self.configuration)))
        if isinstance(event, InvalidEvent):
            raise CommandError(f"{path} is not an event: {event.detail}", "Give a body as Flipt sends it.")
        return known_or_not(event) if changes else event


def rehearsal_of(config: Path, name: str) -> Rehearsal:
    """Read a configuration and compile one destination of it; raises CommandError."""
    try:
        configuration, templates = read_configuration(config), read_templates(config)
    except ConfigurationUnreadable as error:
        raise CommandError(str(error), "flagcast check lists every problem.") from error
    if (destination := configuration.destinations.get(name)) is None:
        known = ", ".join(configuration.destinations) or "none"
        close = difflib.get_close_matches(name, configuration.destinations, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"There are: {known}."
        raise CommandError(f"{config} has no destination {name}", hint)
    if not isinstance(destination, Destination):
        raise CommandError(f"destination {name} has problems", *map(str, destination.problems))
    compiled = compile_destination(destination, templates, f"destinations.{name}")
    if not isinstance(compiled, Compiled):
        raise CommandError(f"destination {name} has problems", *map(str, compiled))
    return Rehearsal(configuration, compiled)
