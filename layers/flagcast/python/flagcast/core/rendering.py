"""An event to an HTTP request: compiled once, errors as values."""

import json
from collections.abc import Mapping

import msgspec
from jinja2 import Template
from msgspec import Struct

from flagcast.core.config.model import Destination, Problem
from flagcast.core.config.references import Reference, Text, Values
from flagcast.core.event import Event
from flagcast.core.outcomes import Faulty, RenderFailed
from flagcast.core.templating import Templates, fill

_FORBIDDEN_IN_HEADERS = frozenset("\r\n\0")


class Request(Struct, frozen=True):
    """One HTTP request, ready to send; `url` and `headers` may hold secrets, so neither is ever logged."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


class Compiled(Struct, frozen=True):
    """A destination whose templates are compiled."""

    destination: Destination
    body: Template | None
    headers: dict[str, Template]
    references: tuple[Reference, ...]


def is_json(content_type: str) -> bool:
    """Tell whether a content type is JSON: application/json, or any with the suffix +json (RFC 6839)."""
    essence = content_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def compile_destination(
    destination: Destination, files: Mapping[str, str], path: str = ""
) -> Compiled | tuple[Problem, ...]:
    """Compile a destination's templates, or say what is wrong with them and where.

    `files` holds the text of each file in templates/; a file may include another.
    """
    templates = Templates(files)
    problems: list[Problem] = []

    def compiled(where: str, source: str, name: str) -> Template | None:
        made = templates.compile(source, name)
        if isinstance(made, RenderFailed):
            problems.append(Problem(f"{path}.{where}", made.detail))
            return None
        return made

    body: Template | None = None
    if destination.template is not None:
        body = compiled("template", files[destination.template], destination.template)
    elif destination.body is not None:
        body = compiled("body", destination.body, "body")
    headers: dict[str, Template] = {}
    for name, text in destination.headers.items():
        source = _with_names(text)
        if (template := compiled(f"headers.{name}", source, f"headers.{name}")) is None:
            continue
        headers[name] = template
        stands_in = [_name(each) for each in text.references]
        if sorted(each for each in templates.printed_names(source) if each in stands_in) != sorted(stands_in):
            problems.append(Problem(f"{path}.headers.{name}", "a reference cannot stand inside {{ }} or {% %}"))
    if problems:
        return tuple(problems)
    texts = (destination.url, *destination.headers.values())
    references = tuple(dict.fromkeys(each for text in texts for each in text.references))
    return Compiled(destination, body, headers, references)


def render(compiled: Compiled, event: Event, values: Values, now: float) -> Request | RenderFailed | Faulty:
    """Make the request that carries an event, `values` standing in for the references; `now` in epoch seconds.

    An event never reaches a reference: they are bound by name before the event is known, so a flag that is called
    ``${secret:...}`` stays what it is. The id is the same for every attempt, so that a receiver can tell a repeat:
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    destination = compiled.destination
    url = destination.url.resolve(values)
    if not url.startswith(("https://", "http://") if destination.allow_http else "https://"):
        return Faulty("url: its secret does not hold an https:// address")
    headers = {
        "Content-Type": destination.content_type,
        "Webhook-Id": event.id,
        "Webhook-Timestamp": str(int(now)),
    }
    for name, text in destination.headers.items():
        if any(_FORBIDDEN_IN_HEADERS & set(values[each]) for each in text.references):
            return Faulty(f"headers.{name}: its secret holds a line break or NUL")
    names = {_name(reference): value for reference, value in values.items()}
    for name, template in compiled.headers.items():
        value = fill(template, {**names, "event": event})
        if isinstance(value, RenderFailed):
            return value
        if _FORBIDDEN_IN_HEADERS & set(value):
            return RenderFailed(f"headers.{name}: a line break or NUL in the value")
        if not _is_text(value):
            return RenderFailed(f"headers.{name}: half a character in the value")
        headers[name] = value
    body = _body(compiled, event)
    return body if isinstance(body, RenderFailed) else Request(destination.method, url, headers, body)


def _body(compiled: Compiled, event: Event) -> bytes | RenderFailed:
    """Return the rendered body; the original bytes where there is none to render."""
    if compiled.body is None:
        return event.raw.encode()
    body = fill(compiled.body, {"event": event})
    if isinstance(body, RenderFailed):
        return body
    if is_json(compiled.destination.content_type) and (failed := _not_json(compiled.body, body)):
        return failed
    return body.encode(errors="replace")


def _is_text(value: str) -> bool:
    """Tell whether UTF-8 can write it: a lone surrogate is half a character."""
    return not any("\ud800" <= each <= "\udfff" for each in value)


def _not_json(template: Template, body: str) -> RenderFailed | None:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        return RenderFailed(f"{template.name}: the result is not JSON: {_line_and_column(body) or error}")
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


def _name(reference: Reference) -> str:
    """Return the variable that stands for a reference in a header's template."""
    return f"flagcast_{str(reference).encode().hex()}"


def _with_names(text: Text) -> str:
    return text.resolve({reference: "{{ " + _name(reference) + " }}" for reference in text.references})
