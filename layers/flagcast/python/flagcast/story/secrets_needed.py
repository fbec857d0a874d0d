"""Whether there is a value for every reference of a configuration."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from flagcast.core.compiling import references_of
from flagcast.core.config.model import Configuration, Destination, Problem, Source
from flagcast.core.config.references import Reference, Values
from flagcast.errors import SecretUnavailable
from flagcast.story.admission import SecretLookup


class Secrets(SecretLookup, Protocol):
    """Where the values of references come from."""

    def values(self, references: Sequence[Reference], deadline: float, *, fresh: bool = False) -> Values:
        """Return a value for each reference; raises SecretUnavailable."""


def missing_secrets(configuration: Configuration, secrets: Secrets, deadline: float) -> Iterator[Problem]:
    """Yield what cannot be had by the deadline (monotonic seconds), and who needs it.

    A source needs what could prove a request, not what was rotated away; a destination needs all that it names.
    """
    for name, source in configuration.sources.items():
        if isinstance(source, Source):
            references = [each.reference for each in (*source.signing_secrets, *source.bearer_tokens)]
            for missing in secrets.lookup(references, deadline)[1]:
                yield Problem(f"sources.{name}", missing)
    for name, destination in configuration.destinations.items():
        if isinstance(destination, Destination):
            try:
                secrets.values(references_of(destination), deadline)
            except SecretUnavailable as error:
                yield Problem(f"destinations.{name}", str(error))
