"""What a configuration needs to be there before it is deployed, by where it names it."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from flagcast.config.model import Configuration, Destination, Source
from flagcast.config.secret_references import Reference
from flagcast.rendering.compilation import references_of
from flagcast_cli.stack.secret_prefixes import Prefixes

OWN_SECRET = Reference("secret", "flipt-signing-secret")
"""The one that the stack makes itself."""


class Needed(Struct, frozen=True):
    """One secret, parameter or variable: its name in its store, the keys it must have, the parts that name it."""

    stored: Reference
    name: str
    keys: tuple[str, ...]
    users: tuple[str, ...]


def needed(configuration: Configuration, prefixes: Prefixes) -> list[Needed]:
    """Return everything that the configuration names, each once, in the order in which it is named."""
    keys: dict[Reference, dict[str, None]] = {}
    users: dict[Reference, dict[str, None]] = {}
    for user, references in uses(configuration).items():
        for each in references:
            users.setdefault(each.stored, {})[user] = None
            keys.setdefault(each.stored, {}).update({each.key: None} if each.key else {})
    return [
        Needed(each, each.name if each.store == "env" else prefixes.full(each), tuple(keys[each]), tuple(users[each]))
        for each in users
    ]


def uses(configuration: Configuration) -> Mapping[str, tuple[Reference, ...]]:
    """Return the references of each source and destination that is right, by its path."""
    return dict(_uses(configuration))


def _uses(configuration: Configuration) -> Iterator[tuple[str, tuple[Reference, ...]]]:
    for name, source in configuration.sources.items():
        if isinstance(source, Source):
            yield f"sources.{name}", tuple(e.reference for e in (*source.signing_secrets, *source.bearer_tokens))
    for name, destination in configuration.destinations.items():
        if isinstance(destination, Destination):
            yield f"destinations.{name}", references_of(destination)
