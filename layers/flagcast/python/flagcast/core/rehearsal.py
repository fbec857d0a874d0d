"""What a destination would be sent, made without its secrets and without sending it."""

from msgspec import structs

from flagcast.core.compiling import Compiled, name_of
from flagcast.core.conditions import wanted
from flagcast.core.config.references import Reference
from flagcast.core.event import Event
from flagcast.core.masking import MASK
from flagcast.core.outcomes import Faulty, Filtered, FilterFailed, RenderFailed
from flagcast.core.rendering import Request, render
from flagcast.core.routing import wants
from flagcast.core.signature import FLIPT_HEADER

SOME_TIME = 1767323045
"""Epoch seconds that stand for now."""

_KEY = "Zmxh"
"""What can stand for a signing key: it is Base64."""

_SIGNATURES = frozenset({"webhook-signature", FLIPT_HEADER.lower()})

Rehearsed = Request | Filtered | FilterFailed | RenderFailed | Faulty


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
    made = render(compiled, event, values, SOME_TIME)
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
