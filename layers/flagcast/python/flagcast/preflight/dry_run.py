"""What a destination would be sent, made without its secrets and without sending it."""

from msgspec import structs

from flagcast.config.secret_references import Reference, Values
from flagcast.events.event import Event
from flagcast.events.flipt_signature import FLIPT_HEADER
from flagcast.events.subject import subject
from flagcast.exchange.aws_request import AwsRequest, MessageIds
from flagcast.exchange.masking import MASK
from flagcast.exchange.request import Request
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled, name_of
from flagcast.rendering.conditions import wanted
from flagcast.rendering.render import is_json, render
from flagcast.rendering.template_context import names_for
from flagcast.tasks.outcomes import Faulty, Filtered, FilterFailed
from flagcast.tasks.routing import message_group_id, wants
from flagcast.tasks.task import deduplication_id
from flagcast.templates.unintended_json import lookalikes

SOME_TIME = 1767323045
"""Epoch seconds that stand for now."""

_KEY = "Zmxh"
"""What can stand for a signing key: it is Base64."""

_SIGNATURES = frozenset({"webhook-signature", FLIPT_HEADER.lower()})

Rehearsed = Request | AwsRequest | Filtered | FilterFailed | RenderFailed | Faulty


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
    made = render(compiled, event, _stand_ins(compiled), SOME_TIME, ids_of(compiled, event))
    return _with_references(made, compiled) if isinstance(made, Request | AwsRequest) else made


def ids_of(compiled: Compiled, event: Event, unique: str = "") -> MessageIds:
    """Return the ids of a delivery that was never queued; what is `unique` keeps FIFO from taking it for a repeat."""
    task = f"{event.id}:{compiled.destination.url}:{unique}"
    return MessageIds(message_group_id("", compiled.destination.ordering, subject(event), task), deduplication_id(task))


def lookalikes_in(compiled: Compiled, event: Event) -> tuple[str, ...]:
    """Return what is probably not meant in the body for an event, if the destination wants it."""
    destination = compiled.destination
    as_it_is = destination.escape == "none" or not is_json(destination.content_type)
    if compiled.body is None or as_it_is or refusal(compiled, event) is not None:
        return ()
    variables = {name: text.resolve(_stand_ins(compiled)) for name, text in destination.vars.items()}
    pieces = compiled.body.fill(names_for(event, variables))
    return () if isinstance(pieces, RenderFailed) else tuple(lookalikes(pieces))


def _stand_ins(compiled: Compiled) -> Values:
    """Return a value for each reference."""
    values = {reference: _stand_in(reference) for reference in compiled.references}
    if (sign := compiled.destination.sign) is not None:
        values |= {secret.reference: _KEY for secret in sign.secrets}
    return values


def _stand_in(reference: Reference) -> str:
    """Return what can stand for an address as well as for a part of one."""
    return f"https://{name_of(reference)}"


def _with_references(request: Request | AwsRequest, compiled: Compiled) -> Request | AwsRequest:
    def named(text: str) -> str:
        for reference in compiled.references:
            text = text.replace(_stand_in(reference), str(reference))
        return text

    body = named(request.body.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    if isinstance(request, AwsRequest):
        attributes = {name: named(value) for name, value in request.attributes.items()}
        return structs.replace(request, attributes=attributes, body=body)
    headers = {name: MASK if name.lower() in _SIGNATURES else named(value) for name, value in request.headers.items()}
    return structs.replace(request, url=named(request.url), headers=headers, body=body)
