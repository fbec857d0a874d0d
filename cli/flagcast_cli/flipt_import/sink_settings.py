"""What Flipt says once for the whole sink: which events, how long to try, whether it is on at all."""

from collections.abc import Iterator

from msgspec import Struct

from flagcast.config.model import LONGEST_BACKOFF
from flagcast.events.event_filter import EVERY_EVENT, EventFilter
from flagcast.primitives.duration import HOUR, Duration
from flagcast_cli.console import CommandError
from flagcast_cli.flipt_import.flipt_file import FliptWebhook
from flagcast_cli.flipt_import.settings import Setting


class SinkSettings(Struct, frozen=True):
    """What Flipt says once for every destination."""

    events: tuple[str, ...]
    """None at all where everything is wanted."""
    max_backoff_duration: str | None


def read_shared(flipt: FliptWebhook, notes: list[str]) -> SinkSettings:
    """Return what holds for every destination, and note what the operator should know of it; raises CommandError."""
    notes += _notes_on_the_sink(flipt)
    return SinkSettings(_events(flipt, notes), _max_backoff_duration(flipt.max_backoff_duration, notes))


def _events(flipt: FliptWebhook, notes: list[str]) -> tuple[str, ...]:
    """Return the filters for every destination, none where all is wanted."""
    if flipt.events is None:
        return ()
    known: list[str] = []
    for text in dict.fromkeys(flipt.events):
        try:
            known.append(EventFilter.parse(text))
        except ValueError as error:
            notes.append(f"{flipt.events_path}: {error}; left out")
    if not flipt.events:
        notes.append(
            f"{flipt.events_path}: is empty, so this Flipt sends no event; in the new file"
            " every destination gets every event"
        )
    elif not known:
        notes.append(f"{flipt.events_path}: has no valid filter, so every destination gets every event")
    return () if EVERY_EVENT[0] in known else tuple(known)


def _max_backoff_duration(setting: Setting | None, notes: list[str]) -> str | None:
    if setting is None:
        return None
    text = setting.known()
    try:
        # Go takes a sign, too.
        duration = Duration.parse(text.removeprefix("+").removeprefix("-"))
    except ValueError as error:
        raise CommandError(
            f"{setting.path}: expected a duration such as 15s or 1m30s", "Flipt rejects it, too."
        ) from error
    if not duration:
        return None
    if text.startswith("-") or duration < 1:
        # A number is nanoseconds: 15 was hardly meant.
        notes.append(
            f"{setting.path}: is {text} to Flipt, less than a second; left out, so deliveries are retried for 24h"
        )
        return None
    if duration > LONGEST_BACKOFF:
        notes.append(f"{setting.path}: is longer than 12 days, the longest that Flagcast retries for; 12 days are used")
        return f"{LONGEST_BACKOFF / HOUR:g}h"
    notes.append(f"{setting.path}: kept; the default of Flagcast would be 24h")
    return text.removeprefix("+")


def _notes_on_the_sink(flipt: FliptWebhook) -> Iterator[str]:
    if not flipt.enabled:
        yield "audit.sinks.webhook.enabled: is not true, so this Flipt sends nothing; converted nevertheless"
    if flipt.templates and flipt.signing_secret is not None:
        yield f"{flipt.signing_secret.path}: left out, because Flipt never signs in templates mode"
    for name in flipt.variables:
        yield f"{name}: is set and replaces the value of the file; make sure that it is the same where Flipt runs"
