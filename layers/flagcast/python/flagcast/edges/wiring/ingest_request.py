"""What becomes of one request: proven, stored for every destination that wants it, answered."""

import time
from functools import partial

from msgspec import structs

from flagcast.config.model import FaultySource, Source
from flagcast.edges.aws.queue import Queue
from flagcast.edges.wiring.resources import (
    bodies,
    configuration,
    dead_letter_queue,
    queue,
    secrets,
    settings,
    telemetry,
)
from flagcast.edges.wiring.track_change import arrival_of, recorded, understand
from flagcast.errors import ConfigurationUnreadable, Unavailable
from flagcast.events.event import Event, InvalidEvent
from flagcast.flipt_state.change_tracker import alone
from flagcast.ingest import http_api
from flagcast.ingest.authentication import is_genuine
from flagcast.ingest.body_check import Probe, TooOld, take
from flagcast.ingest.credential_check import kept_signature
from flagcast.ingest.fan_out import Messages, Proof, fan_out, for_archive_alone, for_no_destination, identify, number_of
from flagcast.ingest.http_api import Answer, Request
from flagcast.primitives.network_address import ANYWHERE, is_in
from flagcast.primitives.timestamp import rfc3339

PATIENCE = 3.5
"""Seconds for all calls of one request: the answer must be out within 4, cold start aside (Flipt gives up at 5)."""


def answer_to(request: Request, began: float) -> Answer:
    """Answer one request; a 200 to anything but a GET or HEAD says that an event is stored."""
    is_health = request.source is None and request.method in ("GET", "HEAD")
    try:
        answer = health() if is_health else receive(request, began)
    except (ConfigurationUnreadable, Unavailable) as error:
        telemetry().rejected(known_source(request.source), "unavailable", str(error))
        answer = http_api.UNAVAILABLE
    return structs.replace(answer, is_to_head=is_health and request.method == "HEAD")


def receive(request: Request, began: float) -> Answer:
    """Accept or reject one request; raises what makes both impossible, so that the sender tries again."""
    name, deadline = request.source or "", began + PATIENCE
    source = configuration().sources.get(name)
    if source is None:
        return refuse(None, http_api.UNKNOWN_SOURCE)
    if request.method != "POST":
        return refuse(name, http_api.METHOD_NOT_ALLOWED)
    if isinstance(source, FaultySource):
        raise Unavailable("; ".join(map(str, source.problems)))
    if source.allow_from != ANYWHERE and not is_in(request.address, source.allow_from):
        return refuse(name, http_api.FORBIDDEN)
    if not is_genuine(request, source, secrets(), deadline):
        return refuse(name, http_api.UNAUTHORIZED)
    if len(request.body) > http_api.LARGEST_BODY:
        return refuse(name, http_api.TOO_LARGE)

    now = time.time()
    received_at = rfc3339(now)
    match take(request.body, source.max_age, now):
        case InvalidEvent(detail):
            if source.auth != "none":
                letter = for_no_destination(name, received_at, request.body, detail)
                send(dead_letter_queue(), letter, request.body, deadline)
                if settings().archives:
                    kept = for_archive_alone(name, received_at, request.body, signature_of(request, source))
                    send(queue(), kept, request.body, deadline)
            return refuse(name, http_api.INVALID_EVENT, detail)
        case TooOld(detail):
            return refuse(name, http_api.TOO_OLD, detail)
        case Probe(event):
            identity = identify(name, request.body, alone(arrival_of(name, request, source, event, now)).number)
            telemetry().probed(name, identity, time.monotonic() - began)
            return http_api.accepted(identity, deliveries=0)
        case Event() as event:
            arrival = arrival_of(name, request, source, event, now)
            understood = understand(name, event, arrival, deadline)
            identity = identify(name, request.body, understood.number)
            known = structs.replace(event, known=understood.known)
            proof = Proof(number_of(understood.number), signature_of(request, source)) if settings().archives else None
            messages = fan_out(identity, name, received_at, known, configuration().destinations, proof)
            recorded(understood, arrival, partial(send, queue(), messages, request.body, deadline))
            telemetry().accepted(name, identity, known, list(messages.entries), time.monotonic() - began)
            return http_api.accepted(identity, messages.deliveries)


def send(to: Queue, messages: Messages, body: bytes, deadline: float) -> None:
    """Send an event's messages; a body that they do not carry is stored first, so that none of them misses it."""
    if messages.body_ref is not None:
        bodies().store(messages.body_ref, body, deadline)
    to.send(list(messages.entries.values()), deadline)


def signature_of(request: Request, source: Source) -> str | None:
    """Return the signature that proves a request later; None where the source proves itself by something else."""
    return kept_signature(request.headers) if source.signing_secrets else None


def refuse(source: str | None, answer: Answer, detail: str = "") -> Answer:
    """Count a request that is not accepted, by names of our own alone, and answer it."""
    telemetry().rejected(source, answer.body["error"], detail)
    return answer


def health() -> Answer:
    """Tell that the function runs and can read its configuration."""
    configuration()
    return http_api.HEALTHY


def known_source(name: str | None) -> str | None:
    """Return the name only if the configuration has it; what a caller supplied is never logged or counted by."""
    try:
        return name if name in configuration().sources else None
    except ConfigurationUnreadable:
        return None
