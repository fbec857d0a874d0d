"""An event to an HTTP request: sandboxed Jinja2, compiled once, errors as values."""

import json
from collections.abc import Mapping

import msgspec
from jinja2 import FunctionLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from msgspec import Struct

from flagcast.core.config.model import Destination, Problem
from flagcast.core.config.references import Reference, Text, Values
from flagcast.core.event import Event
from flagcast.core.outcomes import Faulty, RenderFailed

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
    destination: Destination, templates: Mapping[str, str], path: str = ""
) -> Compiled | tuple[Problem, ...]:
    """Compile a destination's templates, or say what is wrong with them and where.

    `templates` holds the text of each file in templates/; a file may include another.
    """
    environment = _environment(templates)
    problems: list[Problem] = []

    def compiled(where: str, source: str, name: str) -> Template | None:
        try:
            return _compile(environment, source, name)
        except TemplateError as error:
            line = error.lineno if isinstance(error, TemplateSyntaxError) else None
            problems.append(Problem(f"{path}.{where}", _located(name, line, error)))
            return None

    body: Template | None = None
    if destination.template is not None:
        body = compiled("template", templates[destination.template], destination.template)
    elif destination.body is not None:
        body = compiled("body", destination.body, "body")
    headers = {
        name: template
        for name, value in destination.headers.items()
        if (template := compiled(f"headers.{name}", _with_names(value), f"headers.{name}")) is not None
    }
    for name, value in destination.headers.items():
        if name in headers and not _references_stand_alone(environment, value):
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
        value = _render(template, event, names)
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
    body = _render(compiled.body, event, {})
    if isinstance(body, RenderFailed):
        return body
    if is_json(compiled.destination.content_type) and (failed := _not_json(compiled.body, body)):
        return failed
    return body.encode(errors="replace")


def _is_text(value: str) -> bool:
    """Tell whether UTF-8 can write it: a lone surrogate is half a character."""
    return not any("\ud800" <= each <= "\udfff" for each in value)


def _environment(templates: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    def load(name: str) -> tuple[str, str, None] | None:
        # The name stands for the file name too, so that a traceback tells which template raised.
        return (templates[name], name, None) if name in templates else None

    # No autoescape: that is for HTML, and these are JSON and text.
    return ImmutableSandboxedEnvironment(
        loader=FunctionLoader(load), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )


def _compile(environment: ImmutableSandboxedEnvironment, source: str, name: str) -> Template:
    code = environment.compile(source, name, name)
    return environment.template_class.from_code(environment, code, environment.make_globals(None))


def _render(template: Template, event: Event, names: Mapping[str, str]) -> str | RenderFailed:
    try:
        return template.render(names, event=event)
    except Exception as error:  # noqa: BLE001 - a template can raise whatever its filters and operators do
        return RenderFailed(_located(*_place(template, error), error))


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


def _place(template: Template, error: Exception) -> tuple[str | None, int | None]:
    """Find the innermost template and line that raised: Jinja2 puts a frame for each into the traceback."""
    name, line = template.name, None
    traceback = error.__traceback__
    while traceback is not None:
        if "__jinja_exception__" in traceback.tb_frame.f_globals:
            name, line = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next
    return name, line


def _located(name: str | None, line: int | None, error: Exception) -> str:
    """Say where and what; a template's own error names what it looked up, another's message might hold the event."""
    what = error.message if isinstance(error, TemplateError) else None
    return f"{name}{f', line {line}' if line else ''}: {what or type(error).__name__}"


def _name(reference: Reference) -> str:
    """Return the variable that stands for a reference in a header's template."""
    return f"flagcast_{str(reference).encode().hex()}"


def _with_names(text: Text) -> str:
    return text.resolve({reference: "{{ " + _name(reference) + " }}" for reference in text.references})


def _references_stand_alone(environment: ImmutableSandboxedEnvironment, text: Text) -> bool:
    """Tell whether each reference became a variable of its own, not part of a string or expression around it."""
    tree = environment.parse(_with_names(text))
    outputs = [
        node.name for output in tree.find_all(nodes.Output) for node in output.nodes if isinstance(node, nodes.Name)
    ]
    return sorted(outputs) == sorted(_name(each) for each in text.references)
