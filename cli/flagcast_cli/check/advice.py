"""What can be read and was hardly meant, beside what the expressions come to on samples."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from flagcast.config.model import Configuration, Destination, Problem, Source
from flagcast.config.value_path import item, join, steps
from flagcast.errors import TemplateUnreadable
from flagcast.primitives.network_address import refusal as refused
from flagcast.primitives.text_position import TextPosition
from flagcast_cli.check.credential_masking import is_credential, is_in_template
from flagcast_cli.check.value_positions import ValuePositions
from flagcast_cli.credentials.webhook_address import is_internal, literal_address

_IN_VALUE = "looks like a credential: store it, and write ${secret:NAME} here"
_IN_TEMPLATE = "looks like a credential: store it, put ${secret:NAME} into vars, and print that here"

_NEVER_SENT = frozenset({"token:updated"})
"""Flipt has no such call: https://github.com/flipt-io/flipt/blob/v1.61.1/internal/server/authn/server.go."""


def advice(configuration: Configuration, places: ValuePositions, templates: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what is to be said of a configuration and its templates; of what a preset says, nothing."""
    if not configuration.destinations:
        yield _warning("destinations", "is empty: Flagcast accepts every event and sends none")
    for name, source in configuration.sources.items():
        if isinstance(source, Source) and source.environment is None:
            what = "has no environment: messages cannot say in which Flipt something changed"
            yield _warning(join("sources", name), what)
    wrong = {each.path for each in configuration.problems}
    for path, entry in places.entries.items():
        is_warned_of = path.startswith(("destinations", "defaults")) and path not in wrong
        if entry.text is not None and is_warned_of and is_credential(path, entry.text):
            yield _warning(path, _IN_TEMPLATE if steps(path)[-1] == "body" else _IN_VALUE)
    for name, configured in configuration.destinations.items():
        destination = configured if isinstance(configured, Destination) else configured.draft
        if destination is not None:
            path = join("destinations", name)
            yield from _address(destination, path)
            yield from _in_template(destination, path, templates)
            for index, each in enumerate(destination.events):
                if each in _NEVER_SENT:
                    yield _warning(item(f"{path}.events", index), f"{each} matches no event: Flipt never sends one")


def _in_template(destination: Destination, path: str, templates: Mapping[str, str]) -> Iterator[Problem]:
    name = destination.template
    if name is None or name not in templates:
        return
    try:
        lines = templates[name].splitlines()
    except TemplateUnreadable:
        return  # That is a problem of its own.
    for number, line in enumerate(lines, 1):
        if is_in_template(line):
            yield Problem(f"{path}.template", _IN_TEMPLATE, spot=TextPosition(name, number), is_warning=True)


def _warning(path: str, what: str, hint: str = "") -> Problem:
    return Problem(path, what, hint, is_warning=True)


def _address(destination: Destination, path: str) -> Iterator[Problem]:
    """Yield what is wrong with an address that only a private network has."""
    host = _host(destination)
    if host is None:
        return
    fix = "if that is intended, add its subnet to allow_private"
    if (literal := literal_address(host)) is not None:
        if (why := refused(literal, destination.allow_private)) is not None:
            yield Problem(f"{path}.url", f"{host} is {why}; nothing is sent there", fix)
    elif is_internal(host) and not destination.allow_private:
        yield _warning(f"{path}.url", f"{host} is a name that only a private network knows", fix)


def _host(destination: Destination) -> str | None:
    """Return the host of an address, None where a secret holds it."""
    try:
        host = urlsplit(str(destination.url)).hostname
    except ValueError:
        return None
    return None if host is None or "$" in host else host
