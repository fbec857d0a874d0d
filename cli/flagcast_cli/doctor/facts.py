"""What was found out about a stack, before anything is said about it."""

from collections.abc import Mapping
from shlex import quote

from msgspec import Struct

from flagcast_cli.deploy.stored_secrets import Fault
from flagcast_cli.doctor.finding import Unknown

QUEUES = ("task queue", "dead-letter queue")
FUNCTIONS = ("ingest", "deliver")
LOOKED_BACK = 15
"""Minutes of metrics that are looked at."""


class Where(Struct, frozen=True):
    """The stack, and what its commands must say to reach it."""

    stack: str
    region: str
    profile: str | None = None
    config: str | None = None
    """The configuration, where it is not the checkout's own."""

    @property
    def deploy(self) -> str:
        """Write the command that deploys again; without CONFIG it would put the checkout's configuration there."""
        said = {"STACK": self.stack, "REGION": self.region, "PROFILE": self.profile, "CONFIG": self.config}
        return " ".join(["make deploy", *(f"{name}={quote(value)}" for name, value in said.items() if value)])

    @property
    def check(self) -> str:
        """Write the command that checks the configuration."""
        return f"flagcast check{f' --config {quote(self.config)}' if self.config else ''}"

    @property
    def options(self) -> str:
        """Return the options that AWS's commands and Flagcast's have in common."""
        return f"--region {self.region}" + (f" --profile {quote(self.profile)}" if self.profile else "")

    def aws(self, command: str) -> str:
        """Write a command of the AWS CLI."""
        return f"aws {command} {self.options}"

    def flagcast(self, command: str) -> str:
        """Write a command of Flagcast's."""
        return f"flagcast {command} --stack {quote(self.stack)} {self.options}"


class Function(Struct, frozen=True):
    """A function's configuration. https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html."""

    state: str
    update: str
    reason: str
    """Why it is not active, or was not updated; mostly empty."""
    log_group: str
    errors: int | Unknown
    """Invocations that failed."""


class EventSource(Struct, frozen=True):
    """What hands the queue's tasks to deliver."""

    uuid: str
    state: str
    queue_arn: str
    reports_failures: bool


class Alarm(Struct, frozen=True):
    """One alarm of the stack's."""

    name: str
    state: str
    description: str
    enabled: bool
    topics: tuple[str, ...]


class Alarms(Struct, frozen=True):
    """Every alarm of the stack's; `missing` are deployed and not there any more."""

    found: tuple[Alarm, ...]
    missing: tuple[str, ...]
    subscribers: Mapping[str, int | Unknown]
    """The number of confirmed subscriptions, by topic."""


class Secrets(Struct, frozen=True):
    """How many secrets, parameters and variables the configuration names, and which are not there."""

    number: int
    faults: tuple[Fault, ...]


class Answer(Struct, frozen=True):
    """What an address answered."""

    url: str
    status: int
    body: str
    location: str = ""
    """Where it redirects to."""


class NoAnswer(Struct, frozen=True):
    """An address that did not answer, and by which error."""

    url: str
    error: str


class Queue(Struct, frozen=True):
    """A queue's address and attributes, as SQS names and writes them."""

    url: str
    attributes: Mapping[str, str]

    def count(self, *names: str) -> int:
        """Add up attributes that count messages."""
        return sum(int(self.attributes.get(name, 0)) for name in names)


class Facts(Struct, frozen=True):
    """Everything that is known of a stack; None stands for what does not exist."""

    where: Where
    status: str
    parameters: Mapping[str, str]
    functions: Mapping[str, Function | Unknown | None]
    own_errors: int | Unknown
    """Errors that no one expected, by Flagcast's own count."""
    event_source: EventSource | Unknown | None
    queues: Mapping[str, Queue | Unknown | None]
    oldest: float | Unknown | None
    """Seconds that the oldest task has waited."""
    alarms: Alarms | Unknown
    secrets: Secrets | Unknown
    health: Answer | NoAnswer | Unknown
    source: str
    probe: Answer | NoAnswer | Unknown | None
    """None where nothing signs: the source takes bearer tokens alone."""
