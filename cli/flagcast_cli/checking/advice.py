"""What can be read and was hardly meant: told before it is deployed, and most of it stops nothing."""

import difflib
import socket
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, TemplateError, nodes

from flagcast.core.addresses import refusal as refused
from flagcast.core.config.model import Configuration, Destination, Problem, Source
from flagcast.core.config.paths import item, join
from flagcast.core.event import Event
from flagcast.core.filters import NOUNS, VERBS
from flagcast.core.names import names_for
from flagcast.core.outcomes import RenderFailed
from flagcast.core.routing import wants
from flagcast.core.templates.jinja import Templates
from flagcast_cli.checking.hidden import is_credential
from flagcast_cli.checking.places import Places
from flagcast_cli.importing.address import is_internal

_NEVER_SENT = frozenset({"token:updated"})
"""Flipt has no such call: https://github.com/flipt-io/flipt/blob/v1.61.1/internal/server/authn/server.go."""

_KNOWN = {
    "type": (*NOUNS, "flagcast"),
    "action": (*VERBS, "probe", "trouble", "recovered"),
    "status": ("success", "denied"),
}
"""https://github.com/flipt-io/flipt/blob/v1.61.1/internal/server/audit/events.go, and Flagcast's own."""


def advice(configuration: Configuration, places: Places, events: Sequence[Event]) -> Iterator[Problem]:
    """Yield what is to be said of a configuration, `events` being one of each type and action that Flipt sends."""
    if not configuration.destinations:
        yield _warning("destinations", "is empty: every event is accepted, and goes nowhere")
    for name, source in configuration.sources.items():
        if isinstance(source, Source) and source.environment is None:
            what = "has no environment: messages cannot say which Flipt was changed"
            yield _warning(join("sources", name), what)
    for path, entry in places.entries.items():
        if entry.text is not None and path.startswith(("destinations", "defaults")) and is_credential(path, entry.text):
            what = "looks like a credential: store it, and write ${secret:NAME} here"
            yield _warning(path, what)
    for name, configured in configuration.destinations.items():
        destination = configured if isinstance(configured, Destination) else configured.draft
        if destination is not None:
            path = join("destinations", name)
            yield from _address(destination, path)
            yield from _filters(destination, path, events)


def _warning(path: str, what: str, hint: str = "") -> Problem:
    return Problem(path, what, hint, is_warning=True)


def _address(destination: Destination, path: str) -> Iterator[Problem]:
    """Yield what is wrong with an address that only a private network has."""
    host = _host(destination)
    if host is None:
        return
    fix = "if that is intended, add its subnet to allow_private"
    if (literal := _literal(host)) is not None:
        if (why := refused(literal, destination.allow_private)) is not None:
            yield Problem(f"{path}.url", f"{host} is {why}; nothing is sent there", fix)
    elif is_internal(host) and not destination.allow_private:
        yield _warning(
            f"{path}.url", f"{host} is known only inside of a network, so its address is likely private", fix
        )


def _host(destination: Destination) -> str | None:
    """Return the host of an address, None where a secret holds it."""
    try:
        host = urlsplit(str(destination.url)).hostname
    except ValueError:
        return None
    return None if host is None or "$" in host or host == "not.known" else host


def _literal(host: str) -> str | None:
    """Return the address that a host is by itself, however it is written: 127.1, 2130706433, localhost, ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return host if ":" in host else None


def _filters(destination: Destination, path: str, events: Sequence[Event]) -> Iterator[Problem]:
    for index, each in enumerate(destination.events):
        if each in _NEVER_SENT:
            yield _warning(item(f"{path}.events", index), f"{each} matches no event: Flipt never sends one")
    if destination.when is None or (tree := _parsed(destination.when)) is None:
        return
    never = list(_never(tree))
    yield from (_warning(f"{path}.when", what, hint) for what, hint in never)
    if not never and _rejects(destination, tree, events):
        yield _warning(f"{path}.when", "is false for every event that `events` accepts")


def _rejects(destination: Destination, tree: nodes.Template, events: Sequence[Event]) -> bool:
    """Tell whether `when` is false for all that `events` accepts, where it asks for nothing but type and action."""
    asked = {each.attr for each in tree.find_all(nodes.Getattr)} | {each.name for each in tree.find_all(nodes.Name)}
    when = Templates({}).compile_expression(destination.when or "", "when")
    if not asked <= {"event", "type", "action"} or isinstance(when, RenderFailed):
        return False
    answers = [when.ask(names_for(each, {})) for each in events if wants(destination, each)]
    return bool(answers) and all(answer is False for answer in answers)


def _parsed(expression: str) -> nodes.Template | None:
    """Return the tree of an expression, None where it is none: its own problem says so."""
    try:
        return Environment(autoescape=True).parse("{{ (" + expression + ") }}")
    except TemplateError:
        return None


def _never(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    """Yield each comparison of an event's field with a value that it never has."""
    for compare in tree.find_all(nodes.Compare):
        for operand in compare.ops:
            for field, text in [*_compared(compare.expr, operand.expr), *_compared(operand.expr, compare.expr)]:
                if text not in _KNOWN[field]:
                    close = difflib.get_close_matches(text, _KNOWN[field], n=1)
                    hint = f"did you mean {close[0]}?" if close else f"it is one of {', '.join(_KNOWN[field])}"
                    yield f'event.{field} is never "{text}"', hint


def _compared(field: nodes.Node, other: nodes.Node) -> Iterator[tuple[str, str]]:
    if isinstance(field, nodes.Getattr) and field.attr in _KNOWN and _is_event(field.node):
        items: Sequence[Any] = other.items if isinstance(other, nodes.List | nodes.Tuple) else [other]
        for each in items:
            if isinstance(each, nodes.Const) and isinstance(each.value, str):
                yield field.attr, each.value


def _is_event(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "event"
