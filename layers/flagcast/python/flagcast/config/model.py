"""The typed model of flagcast.yaml."""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from flagcast.config.secret_references import SecretText, Text
from flagcast.events.event_filter import EVERY_EVENT, EventFilter
from flagcast.primitives.duration import DAY, HOUR, MINUTE, Duration
from flagcast.primitives.network_address import ANYWHERE, Subnet
from flagcast.primitives.rate import Rate
from flagcast.primitives.text_position import TextPosition

Ordering = Literal["subject", "destination", "none"]
"""What stays in order: what an event is about, the whole destination, or nothing."""

LONGEST_TIMEOUT = Duration(30)
"""The deliver function runs 45 s; an attempt starts only while its timeout and 5 s more are left of that."""

LEAST_MAX_AGE = Duration(6 * MINUTE)
"""Flipt holds an event back for up to 5 minutes (`flush_period`) and sends it again for 30 seconds."""

LONGEST_BACKOFF = Duration(12 * DAY)
"""A task leaves the queue for the dead-letter queue at 13 days, before SQS would drop it at 14."""

MOST_VALUES = 100_000
"""As many as a document may have once its aliases are written out: ten lines can stand for more than memory holds."""


class Problem(Struct, frozen=True, order=True):
    """One thing wrong with the configuration, where, and what was perhaps meant."""

    path: str
    message: str
    hint: str = ""
    is_key: bool = False
    """It is the key at the path that is wrong, not its value."""
    spot: TextPosition | None = None
    """Where in the template that the path names, or that it includes."""
    is_warning: bool = False
    """It stops nothing."""

    def __str__(self) -> str:
        """Return the problem as a line for the operator."""
        said = f"{self.message}; {self.hint}" if self.hint else self.message
        # A path says enough of where it is in the file; what is wrong with the file as a whole has none.
        spot = str(self.spot) if self.spot is not None and (self.spot.name or not self.path) else ""
        return ": ".join(each for each in (self.path, spot, said) if each)


class Retry(Struct, frozen=True, forbid_unknown_fields=True):
    """How long and how often to try again; `max_backoff_duration` is Flipt's name and meaning."""

    initial_interval: Duration = Duration(1)
    multiplier: float = 2
    max_interval: Duration = Duration(HOUR)
    max_backoff_duration: Duration = Duration(DAY)
    retry_on: tuple[int, ...] = ()
    when: str | None = None


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """One Flipt server, and how its requests prove that they are its own."""

    signing_secrets: tuple[SecretText, ...] = ()
    bearer_tokens: tuple[SecretText, ...] = ()
    auth: Literal["none"] | None = None
    environment: str | None = None
    flipt_url: str | None = None
    dedupe: bool = True
    allow_from: tuple[Subnet, ...] = ANYWHERE
    max_age: Duration | None = None


class Sign(Struct, frozen=True, forbid_unknown_fields=True):
    """How a destination can prove that a request is ours."""

    scheme: Literal["standard-webhooks", "flipt"]
    secret: SecretText
    old_secrets: tuple[SecretText, ...] = ()

    @property
    def secrets(self) -> tuple[SecretText, ...]:
        """Return every secret to sign with: while a destination moves to the new one it may know either."""
        return (self.secret, *self.old_secrets)


class Destination(Struct, frozen=True, forbid_unknown_fields=True):
    """One receiver, what it wants and how it wants it; without a body it gets the original bytes."""

    url: Text
    preset: str | None = None
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    content_type: str = "application/json"
    body: str | None = None
    template: str | None = None
    engine: Literal["jinja2", "go"] = "jinja2"
    escape: Literal["json", "none"] = "json"
    vars: dict[str, Text] = field(default_factory=dict)
    headers: dict[str, Text] = field(default_factory=dict)
    sign: Sign | None = None
    events: tuple[EventFilter, ...] = EVERY_EVENT
    when: str | None = None
    accept: str | None = None
    timeout: Duration = Duration(10)
    retry: Retry = Retry()
    rate_limit: Rate | None = None
    paused: bool = False
    ordering: Ordering = "subject"
    allow_http: bool = False
    allow_private: tuple[Subnet, ...] = ()
    ca_file: str | None = None
    """The name of a file beside flagcast.yaml; its path, in what configuration_file reads."""

    @property
    def is_aws(self) -> bool:
        """Return whether its address is the ARN of an AWS service, or meant as one."""
        return self.url.startswith("arn:")


class FaultySource(Struct, frozen=True):
    """A source that cannot be used until its problems are fixed: it answers 503, so that nothing is lost."""

    problems: tuple[Problem, ...]


class FaultyDestination(Struct, frozen=True):
    """A destination that cannot be used until its problems are fixed: its tasks are kept and wait."""

    problems: tuple[Problem, ...]
    events: tuple[EventFilter, ...] = EVERY_EVENT
    ordering: Ordering = "subject"
    draft: Destination | None = None
    """What is right about it, so that its templates can be tried in the same check."""


class Configuration(Struct, frozen=True):
    """What can be used of flagcast.yaml, each faulty part held alone."""

    sources: dict[str, Source | FaultySource]
    destinations: dict[str, Destination | FaultyDestination]
    notify: str | None = None
    """The destination that is notified when another one is in trouble."""
    notify_problems: tuple[Problem, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return every problem once, sorted by path."""
        parts = [*self.sources.values(), *self.destinations.values()]
        faulty = [part for part in parts if isinstance(part, FaultySource | FaultyDestination)]
        found = {problem for part in faulty for problem in part.problems}
        return tuple(sorted(found.union(self.notify_problems)))


def convert(value: Any, kind: Any) -> Any:
    """Convert one value of the file to its type; raises msgspec.ValidationError with a sentence."""
    return msgspec.convert(value, kind, dec_hook=_parse)


def _parse(kind: type[Duration | EventFilter | Rate | Subnet | Text], value: object) -> object:
    return kind.parse(value)
