"""An event to the request that carries it, errors as values."""

import json
from typing import Any

import msgspec

from flagcast.config.secret_references import Values
from flagcast.events.event import NOTICE, Event
from flagcast.exchange.aws_request import AwsRequest, MessageIds, object_key
from flagcast.exchange.request import Request
from flagcast.exchange.request_signing import BadSecret, signature_headers
from flagcast.primitives.aws_target import AwsTarget
from flagcast.primitives.network_address import in_ascii, is_url
from flagcast.primitives.render_failure import RenderFailed
from flagcast.primitives.text_position import TextPosition
from flagcast.rendering.compilation import Compiled, name_of
from flagcast.rendering.template_context import names_for
from flagcast.tasks.outcomes import Faulty
from flagcast.templates.json_escaping import Misplaced, place, plain

REPLAY_HEADER = "Flagcast-Replay"
"""Says by which replay an event comes. Webhook-Id stays the event's, so a receiver that drops what it has seen drops a
replay too, unless it compares both. A webhook that is sent again keeps its id:
https://docs.svix.com/receiving/verifying-payloads/how-manual.
"""
UNQUEUED = MessageIds("", "")
"""The ids of what was never on the task queue, and goes to no FIFO queue or topic either."""

_FORBIDDEN_IN_HEADERS = frozenset("\r\n\0")


def is_json(content_type: str) -> bool:
    """Return whether a content type is JSON: application/json, or any with the suffix +json (RFC 6839)."""
    essence = content_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def render(
    compiled: Compiled, event: Event, values: Values, now: float, ids: MessageIds = UNQUEUED
) -> Request | AwsRequest | RenderFailed | Faulty:
    """Make the request that carries an event, `values` standing in for the references; `now` in epoch seconds.

    An event never reaches a reference: they are bound by name before the event is known, so a flag that is called
    ``${secret:...}`` stays what it is. The id is the same for every attempt, so that a receiver can tell a repeat:
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    destination = compiled.destination
    url = in_ascii(destination.url.resolve(values))
    is_address = is_url(url) and url.startswith(("https://", "http://") if destination.allow_http else "https://")
    if compiled.target is None and not is_address:
        hint = "; an ARN is written out in flagcast.yaml" if url.startswith("arn:") else ""
        return Faulty(f"url: its secret does not contain an https:// address{hint}")
    variables = {name: text.resolve(values) for name, text in destination.vars.items()}
    names = names_for(event, variables, with_summary=compiled.uses_summary)
    headers = _headers(compiled, names, values)
    if not isinstance(headers, dict):
        return headers
    body = _body(compiled, event, names)
    if isinstance(body, RenderFailed):
        return body
    stamp = {"Content-Type": destination.content_type, "Webhook-Id": event.id}
    if event.replay_id is not None:
        stamp[REPLAY_HEADER] = event.replay_id
    if compiled.target is not None:
        return _to_aws(compiled.target, event, body, stamp | headers, ids)
    stamp["Webhook-Timestamp"] = str(int(now))
    if destination.sign is not None:
        keys = [secret.resolve(values) for secret in destination.sign.secrets]
        signed = signature_headers(destination.sign.scheme, keys, stamp, body)
        if isinstance(signed, BadSecret):
            return Faulty(f"sign: {signed.detail}")
        stamp |= signed
    return Request(destination.method, url, stamp | headers, body, destination.allow_private, destination.ca_file)


def _to_aws(
    target: AwsTarget, event: Event, body: bytes, headers: dict[str, str], ids: MessageIds
) -> AwsRequest | RenderFailed:
    """Make the call of a service; what the service is known to refuse is not sent.

    No attribute is empty: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_MessageAttributeValue.html
    """
    # Not at the top: most destinations are HTTP's.
    from flagcast.exchange.aws_limits import excess

    suffix = ".json" if is_json(headers["Content-Type"]) else ""
    made = AwsRequest(
        target,
        body,
        {name: value for name, value in headers.items() if value},
        ids,
        key=object_key(target.prefix, NOTICE if event.is_notice else event.source, event.received_at, event.id, suffix),
        source=NOTICE if event.is_notice else f"{NOTICE}.{event.source}",
        detail_type=f"{event.type}:{event.action}",
        event_id=event.id,
    )
    said = excess(made)
    return made if said is None else RenderFailed(said)


def _headers(compiled: Compiled, names: dict[str, Any], values: Values) -> dict[str, str] | RenderFailed | Faulty:
    for name, text in compiled.destination.headers.items():
        if any(_FORBIDDEN_IN_HEADERS & set(values[each]) for each in text.references):
            return Faulty(f"headers.{name}: its secret contains a line break or NUL")
    bound = names | {name_of(reference): value for reference, value in values.items()}
    headers: dict[str, str] = {}
    for name, template in compiled.headers.items():
        pieces = template.fill(bound)
        if isinstance(pieces, RenderFailed):
            return pieces
        value = plain(pieces)
        if _FORBIDDEN_IN_HEADERS & set(value):
            return RenderFailed.at(TextPosition(f"headers.{name}"), "a line break or NUL in the value")
        if not _is_text(value):
            return RenderFailed.at(TextPosition(f"headers.{name}"), "half a character (a lone surrogate) in the value")
        headers[name] = value
    return headers


def _body(compiled: Compiled, event: Event, names: dict[str, Any]) -> bytes | RenderFailed:
    """Return the rendered body; the original bytes where there is none to render."""
    if compiled.body is None:
        return event.raw.encode()
    pieces = compiled.body.fill(names)
    if isinstance(pieces, RenderFailed):
        return pieces
    if not is_json(compiled.destination.content_type):
        return plain(pieces).encode(errors="replace")
    body = place(pieces) if compiled.destination.escape == "json" else plain(pieces)
    if isinstance(body, Misplaced):
        return RenderFailed.at(TextPosition(compiled.body.name), body.detail)
    if why := _not_json(body):
        return RenderFailed.at(TextPosition(compiled.body.name), f"the result is not JSON: {why}")
    return body.encode(errors="replace")


def _is_text(value: str) -> bool:
    """Return whether UTF-8 can write it: a lone surrogate is half a character."""
    return not any("\ud800" <= each <= "\udfff" for each in value)


def _not_json(body: str) -> str | None:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        return _line_and_column(body) or str(error)
    return None


def _line_and_column(body: str) -> str | None:
    """Say where JSON ends to be JSON; None where only the stricter reader objects (NaN, half a character)."""
    try:
        json.loads(body)
    except json.JSONDecodeError as error:
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        return None
    return None
