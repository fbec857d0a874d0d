"""What Flipt was told, by its configuration file or by its own word over HTTP; nothing is judged here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from flagcast.primitives.duration import Duration
from flagcast_cli.console import CommandError
from flagcast_cli.credentials.webhook_address import read_address
from flagcast_cli.doctor import http_client
from flagcast_cli.doctor.finding import Finding, Unknown
from flagcast_cli.flipt_import.flipt_file import FliptWebhook, read_flipt
from flagcast_cli.flipt_import.settings import NotSetHere, Setting

_SAMPLING_SINCE = (1, 42)
"""The first version with tracing.sampling_ratio, and so the first whose 0 is left out of its JSON."""


class Flipt(Struct, frozen=True):
    """What is known of one Flipt; None is what is not known, unless said otherwise."""

    origin: str
    version: tuple[int, ...] | None = None
    enabled: bool | None = None
    url: str | None = None
    templates: int | None = None
    secret: str | None = None
    signs: bool | None = None
    """Whether a signing secret is set."""
    events: tuple[str, ...] | None = None
    """None is every event, or not known."""
    tracing: bool | None = None
    sampling: float | None = None
    capacity: int | None = None
    flush_period: float | None = None
    """Seconds."""


def from_file(path: Path, environ: Mapping[str, str], version: tuple[int, ...] | None) -> Flipt | Finding | Unknown:
    """Read Flipt's file; what Flipt refuses too is a finding. Raises CommandError where there is no file."""
    if not path.is_file():
        raise CommandError(f"{path}: no such file", "Give the path of Flipt's configuration file.")
    try:
        return _of_webhook(str(path), read_flipt(path, environ), version)
    except NotSetHere as error:
        return Unknown(str(error), error.next_steps)
    except CommandError as error:
        return Finding("flipt", "ill", str(error), error.next_steps)


def _of_webhook(origin: str, webhook: FliptWebhook, version: tuple[int, ...] | None) -> Flipt:
    signing = webhook.signing_secret
    return Flipt(
        origin=origin,
        version=version,
        enabled=webhook.enabled,
        url=None if webhook.url is None else _address(webhook.url.path, webhook.url.known()),
        templates=len(webhook.templates),
        secret=None if signing is None else signing.text,
        signs=signing is not None,
        events=webhook.events,
        tracing=webhook.tracing_enabled,
        # Flipt's own defaults: internal/config/tracing.go and audit.go.
        sampling=_number(webhook.sampling_ratio, 1.0),
        capacity=int(_number(webhook.capacity, 2)),
        flush_period=_seconds(webhook.flush_period, 120),
    )


def _address(path: str, text: str) -> str:
    """Read an address without the user in it; raises CommandError, which does not repeat it."""
    address = read_address(path, text).url
    try:
        urlsplit(address)
    except ValueError as error:
        raise CommandError(
            f"{path}: is not an http:// or https:// address", "Flipt cannot send there either."
        ) from error
    return address


def _number(setting: Setting | None, default: float) -> float:
    if setting is None:
        return default
    try:
        return float(setting.known())
    except ValueError as error:
        raise CommandError(f"{setting.path}: expected a number", "Flipt rejects it, too: fix it there.") from error


def _seconds(setting: Setting | None, default: float) -> float:
    if setting is None:
        return default
    try:
        return float(Duration.parse(setting.known()))
    except ValueError as error:
        raise CommandError(f"{setting.path}: expected a duration such as 2m", "Flipt rejects it, too.") from error


def version_at(url: str, token: str | None) -> tuple[int, ...] | Unknown:
    """Ask a Flipt for its version: GET /meta/info, internal/info/flipt.go."""
    match http_client.get_json(f"{url.rstrip('/')}/meta/info", token):
        case {"version": str(text)} if (version := read_version(text)) is not None:
            return version
        case Unknown() as unknown:
            return unknown
    return Unknown("/meta/info does not name a released version")


def read_version(text: str) -> tuple[int, ...] | None:
    """Read v1.61.1 or 1.61.1; None for a build that is no release."""
    parts = text.removeprefix("v").partition("-")[0].split(".")
    return tuple(map(int, parts)) if len(parts) == 3 and all(part.isdecimal() for part in parts) else None


def from_server(url: str, token: str | None, version: tuple[int, ...] | None) -> Flipt | Unknown:
    """Ask a Flipt for its configuration: GET /meta/config, the structures of internal/config as JSON.

    Its signing secret is never in it; durations are in nanoseconds.
    """
    tree = http_client.get_json(f"{url.rstrip('/')}/meta/config", token)
    return tree if isinstance(tree, Unknown) else read_config(url, tree, version)


def read_config(origin: str, tree: Mapping[str, Any], version: tuple[int, ...] | None) -> Flipt:
    """Read what GET /meta/config answers; what is of another kind than Flipt writes is not known."""
    audit, tracing = _part(tree, "audit"), _part(tree, "tracing")
    sink, buffer = _part(_part(audit, "sinks"), "webhook"), _part(audit, "buffer")
    sampling = _value(tracing, "samplingRatio", int, float)
    if sampling is None and version is not None and version >= _SAMPLING_SINCE and tracing:
        sampling = 0.0
    events, templates = audit.get("events"), sink.get("templates")
    flush_period = _value(buffer, "flushPeriod", int)
    return Flipt(
        origin=origin,
        version=version,
        enabled=_value(sink, "enabled", bool),
        url=_address_or_none(_value(sink, "url", str)),
        templates=len(templates) if isinstance(templates, list) else 0,
        events=tuple(map(str, events)) if isinstance(events, list) else None,
        tracing=_value(tracing, "enabled", bool),
        sampling=sampling,
        capacity=_value(buffer, "capacity", int),
        flush_period=None if flush_period is None else flush_period / 1e9,
    )


def _address_or_none(text: str | None) -> str | None:
    try:
        return _address("audit.sinks.webhook.url", text) if text else None
    except CommandError:
        return None


def _part(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = tree.get(key)
    return found if isinstance(found, dict) else {}


def _value(tree: Mapping[str, Any], key: str, *kinds: type) -> Any:
    found = tree.get(key)
    return found if isinstance(found, kinds) else None
