"""What a destination would be sent, made without its secrets and without sending it."""

import difflib
from pathlib import Path

from msgspec import Struct, structs

from flagcast.core.compiling import Compiled, compile_destination, name_of
from flagcast.core.conditions import wanted
from flagcast.core.config.model import Configuration, Destination
from flagcast.core.config.references import Reference
from flagcast.core.event import Event, InvalidEvent
from flagcast.core.masking import MASK
from flagcast.core.outcomes import Faulty, Filtered, FilterFailed, RenderFailed
from flagcast.core.rendering import Request, render
from flagcast.core.routing import wants
from flagcast.core.signature import FLIPT_HEADER
from flagcast.edges.configuration_file import read_configuration, read_templates
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.console import CommandError
from flagcast_cli.samples import find_event, taken_in

_NOW = 1767323045
_KEY = "Zmxh"
"""What can stand for a signing key: it is Base64."""
_SIGNATURES = frozenset({"webhook-signature", FLIPT_HEADER.lower()})

Rehearsed = Request | Filtered | FilterFailed | RenderFailed | Faulty


class Rehearsal(Struct, frozen=True):
    """One destination, ready to be rendered."""

    configuration: Configuration
    compiled: Compiled

    def event(self, named: str) -> Event:
        """Read a sample or a file as the first source would take it in; raises CommandError."""
        path = find_event(named)
        event = next(iter(taken_in(path.read_bytes(), path.stem, self.configuration)))
        if isinstance(event, InvalidEvent):
            raise CommandError(f"{path} is not an event: {event.detail}", "Give a body as Flipt sends it.")
        return event


def rehearsal_of(config: Path, name: str) -> Rehearsal:
    """Read a configuration and compile one destination of it; raises CommandError."""
    try:
        configuration, templates = read_configuration(config), read_templates(config)
    except ConfigurationUnreadable as error:
        raise CommandError(str(error), "flagcast check lists everything that is wrong.") from error
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


def refusal(compiled: Compiled, event: Event) -> Filtered | FilterFailed | None:
    """Tell why an event would not be sent; None if it would be."""
    if not wants(compiled.destination, event):
        return Filtered()
    answer = wanted(compiled, event)
    if isinstance(answer, FilterFailed):
        return answer
    return None if answer else Filtered()


def rehearsed(compiled: Compiled, event: Event) -> Rehearsed:
    """Make the request for an event, each reference standing where its value would."""
    if (refused := refusal(compiled, event)) is not None:
        return refused
    values = {reference: _stand_in(reference) for reference in compiled.references}
    if (sign := compiled.destination.sign) is not None:
        values |= {secret.reference: _KEY for secret in sign.secrets}
    made = render(compiled, event, values, _NOW)
    return _with_references(made, compiled) if isinstance(made, Request) else made


def _stand_in(reference: Reference) -> str:
    """Return what can stand for an address as well as for a part of one."""
    return f"https://{name_of(reference)}"


def _with_references(request: Request, compiled: Compiled) -> Request:
    def named(text: str) -> str:
        for reference in compiled.references:
            text = text.replace(_stand_in(reference), str(reference))
        return text

    headers = {name: MASK if name.lower() in _SIGNATURES else named(value) for name, value in request.headers.items()}
    body = named(request.body.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    return structs.replace(request, url=named(request.url), headers=headers, body=body)
