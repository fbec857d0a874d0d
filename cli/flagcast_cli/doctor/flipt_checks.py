"""Whether a Flipt sends every event, signed, to this stack: the traps of its versions and settings."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from flagcast.events.event_filter import EVERY_EVENT, EventFilter
from flagcast_cli.doctor.endpoint_checks import judge_probe
from flagcast_cli.doctor.facts import Answer, Facts, NoAnswer
from flagcast_cli.doctor.finding import Finding
from flagcast_cli.doctor.flipt_facts import Flipt

_LEAST, _MOST = (2, 120.0), (10, 300.0)
"""What Flipt allows as capacity and flush period in seconds, else it does not start: internal/config/audit.go."""

_NEEDS_TRACING = (1, 61, 1)
_CRASHES = frozenset({(1, 45, 0), (1, 45, 1), (1, 46, 0)})
"""In `url` mode; in `templates` mode every version from 1.45.0 up to 1.48.0."""


def check_flipt(flipt: Flipt, webhook_url: str, answer: Answer | NoAnswer | None, facts: Facts) -> Iterator[Finding]:
    """Look at one Flipt; `answer` is what its url answered to a probe that is signed with Flipt's own secret."""
    yield from check_version(flipt)
    yield from check_sink(flipt)
    yield from check_url(flipt, webhook_url, answer, facts)
    yield from check_events(flipt)
    yield from check_tracing(flipt)
    yield from check_buffer(flipt)


def check_version(flipt: Flipt) -> Iterator[Finding]:
    """Look at what is known of its version."""
    if flipt.version is None:
        found = "unknown, and some versions crash or lose events (README, For whom)"
        yield Finding("flipt version", "note", found, ("Add --flipt-url with the address of Flipt's UI.",))
        return
    version = ".".join(map(str, flipt.version))
    if (trap := _trap(flipt.version, by_template=bool(flipt.templates))) is None:
        yield Finding("flipt version", "ok", version)
    else:
        yield Finding("flipt version", "ill", f"{version} {trap}", ("Use 1.61.0 (README, For whom).",))


def _trap(version: tuple[int, ...], *, by_template: bool) -> str | None:
    if version >= (2,):
        return "has no audit webhooks: Flipt 2 sends no events"
    if version < (1, 27, 0):
        return "has no audit webhooks: the first with them is 1.27"
    if version == (1, 27, 0):
        return "sends an empty body when it sends an event again"
    if version in _CRASHES or (by_template and (1, 45, 0) <= version <= (1, 48, 0)):
        return "crashes on the first webhook"
    return None


def check_sink(flipt: Flipt) -> Iterator[Finding]:
    """Look at whether it sends webhooks, and signs them."""
    if flipt.enabled is False:
        fix = "Set audit.sinks.webhook.enabled: true"
        yield Finding("flipt webhook", "ill", "audit.sinks.webhook.enabled is not true: it sends nothing", (fix,))
    if flipt.url and flipt.templates:
        found = "audit.sinks.webhook has both url and templates: Flipt does not start"
        yield Finding("flipt webhook", "ill", found, ("Remove templates.",))
    elif flipt.enabled and not flipt.url and not flipt.templates:
        found = "audit.sinks.webhook has neither url nor templates: Flipt does not start"
        yield Finding("flipt webhook", "ill", found, ("Set audit.sinks.webhook.url",))
    elif flipt.templates:
        found = "it uses templates mode, which Flipt never signs: the source needs bearer_tokens"
        yield Finding("flipt webhook", "note", found, ("docs/configuration.md#sources",))
    elif flipt.signs is False:
        fix = "Set audit.sinks.webhook.signing_secret to what the output SigningSecretCommand prints."
        yield Finding("flipt webhook", "ill", "no signing_secret is set: every event is answered 401", (fix,))
    elif flipt.enabled:
        yield Finding("flipt webhook", "ok", "enabled, and signs" if flipt.signs else "enabled, by url")


def check_url(flipt: Flipt, webhook_url: str, answer: Answer | NoAnswer | None, facts: Facts) -> Iterator[Finding]:
    """Look at where it sends to."""
    if not flipt.url:
        return
    right = (f"Set audit.sinks.webhook.url to {webhook_url}",)
    given, ours = urlsplit(flipt.url), urlsplit(webhook_url)
    shown = given._replace(query="", fragment="").geturl()
    if given.scheme == "http" and ours.scheme == "https":
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/data-protection-encryption.html
        found = f"{shown} is not https: API Gateway answers only https, and events would travel in plain text"
        yield Finding("flipt url", "ill", found, right)
    elif given.netloc == ours.netloc and given.path.rpartition("/")[0] != ours.path.rpartition("/")[0]:
        yield Finding("flipt url", "ill", f"{shown} has another path than /webhooks/SOURCE", right)
    elif given.hostname != ours.hostname and ".execute-api." in (given.hostname or ""):
        yield Finding("flipt url", "ill", f"{shown} is the address of another API than this stack's", right)
    elif answer is not None:
        yield judge_probe("flipt url", answer, facts)
    else:
        yield Finding("flipt url", "unknown", f"could not check: no secret to sign a probe to {shown} with")


def check_events(flipt: Flipt) -> Iterator[Finding]:
    """Look at which events it leaves out by itself."""
    if flipt.events is None:
        return
    listed, right = " ".join(flipt.events), 'Set audit.events: ["*:*"], and filter with the events of each destination.'
    wrong = [each for each in flipt.events if not _is_filter(each)]
    if not flipt.events:
        yield Finding("flipt events", "ill", "audit.events is empty: nothing is sent", (right,))
    elif wrong:
        yield Finding("flipt events", "ill", f"audit.events: {wrong[0]} is not a filter of Flipt", (right,))
    elif EVERY_EVENT[0] in flipt.events:
        yield Finding("flipt events", "ok", listed)
    else:
        found = f"Flipt sends only {listed}, so no destination receives other events"
        yield Finding("flipt events", "note", found, (right,))


def _is_filter(text: str) -> bool:
    try:
        EventFilter.parse(text)
    except ValueError:
        return False
    return True


def check_tracing(flipt: Flipt) -> Iterator[Finding]:
    """Look at the settings of tracing that lose audit events, which travel on its spans."""
    if flipt.sampling is not None and flipt.sampling < 1:
        found = f"tracing.sampling_ratio is {flipt.sampling:g}: Flipt sends only that share of the audit events, too"
        yield Finding("flipt tracing", "ill", found, ("Set tracing.sampling_ratio: 1",))
    if flipt.tracing is False:
        found = "tracing.enabled is not true: Flipt 1.61.1 sends no event of the UI and the REST API without it"
        fix = ("Set tracing.enabled: true, or use 1.61.0.",)
        if flipt.version == _NEEDS_TRACING:
            yield Finding("flipt tracing", "ill", found, fix)
        elif flipt.version is None:
            yield Finding("flipt tracing", "note", found, fix)


def check_buffer(flipt: Flipt) -> Iterator[Finding]:
    """Look at how long it holds events back."""
    for name, value, least, most in (
        ("capacity", flipt.capacity, _LEAST[0], _MOST[0]),
        ("flush_period", flipt.flush_period, _LEAST[1], _MOST[1]),
    ):
        if value is None:
            continue
        shown = f"audit.buffer.{name} is {value:g}{' s' if name == 'flush_period' else ''}"
        if not least <= value <= most:
            found = f"{shown}: Flipt does not start with less than {least:g} or more than {most:g}"
            yield Finding("flipt buffer", "ill", found, (f"Set audit.buffer.{name} to {_written(name)}",))
        elif value > least:
            found = f"{shown}: more than the minimum only delays events, and more of them are lost when Flipt stops"
            yield Finding("flipt buffer", "note", found, (f"Set audit.buffer.{name} to {_written(name)}",))


def _written(name: str) -> str:
    return "2" if name == "capacity" else "2m"
