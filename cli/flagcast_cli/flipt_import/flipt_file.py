"""Flipt's configuration file to what its webhook sink was told, environment variables included.

Keys and rules: https://github.com/flipt-io/flipt/blob/v1.61.1/internal/config/audit.go and
https://docs.flipt.io/v1/configuration/auditing/webhooks
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from flagcast.config.validation import HEADER_NAME
from flagcast.config.value_path import item, join
from flagcast_cli.console import CommandError
from flagcast_cli.flipt_import.flipt_tree import read_tree
from flagcast_cli.flipt_import.settings import Section, Setting, as_key, wrong

_SECTIONS = frozenset({
    "analytics", "audit", "authentication", "authorization", "cache", "cloud", "cors", "db", "diagnostics",
    "experimental", "log", "meta", "metrics", "server", "storage", "tracing", "ui", "version",
})  # fmt: skip
_TEMPLATE_KEYS = ("url", "headers", "body", "method")
_SINK = "audit.sinks.webhook"
_OVER_THE_FILE = ("FLIPT_AUDIT_EVENTS", "FLIPT_AUDIT_SINKS_WEBHOOK_")
_TEMPLATES_VARIABLE = "FLIPT_AUDIT_SINKS_WEBHOOK_TEMPLATES"


class FliptTemplate(Struct, frozen=True):
    """One entry of `templates`: an address, headers and a Go template."""

    path: str
    url: Setting
    body: str
    headers: Mapping[str, Setting]


class FliptWebhook(Struct, frozen=True):
    """What Flipt's webhook sink was told: a `url` or `templates`, never both."""

    enabled: bool
    url: Setting | None
    signing_secret: Setting | None
    templates: tuple[FliptTemplate, ...]
    max_backoff_duration: Setting | None
    events: tuple[str, ...] | None
    events_path: str
    tracing_enabled: bool
    sampling_ratio: Setting | None
    variables: tuple[str, ...]
    """The variables that stand over the file."""
    notes: tuple[str, ...]
    capacity: Setting | None = None
    flush_period: Setting | None = None


def read_flipt(path: Path, environ: Mapping[str, str]) -> FliptWebhook:
    """Read what a Flipt of this file and environment sends where; raises CommandError."""
    tree = read_tree(path)
    root = Section("", tree, environ)
    if (version := root.text("version")) is not None and version.known().startswith("2"):
        raise CommandError(
            f"{path} is for Flipt 2, which has no audit webhooks", "Give a configuration file of Flipt 1."
        )
    variables = tuple(sorted(name for name in environ if name.startswith("FLIPT_AUDIT_") and environ[name]))
    sections = {as_key(key).partition(".")[0].lower() for key in tree}
    # Compose has a version, too.
    if sections - {"version"} and not sections & (_SECTIONS - {"version"}) and not variables:
        raise CommandError(f"{path} is not a Flipt configuration", "Give the file that you give to `flipt --config`.")
    sink = root.section("audit").section("sinks").section("webhook")
    url, entries = sink.text("url"), sink.items("templates")
    enabled = sink.boolean("enabled")
    notes: list[str] = []
    _check_choice(path, url, entries, notes, enabled=enabled)
    if environ.get(_TEMPLATES_VARIABLE):
        raise CommandError(
            f"{_TEMPLATES_VARIABLE} is set, and Flipt does not start with it",
            "Unset it: Flipt reads templates only from its file.",
        )
    if any(name.startswith(_TEMPLATES_VARIABLE) for name in variables):
        notes.append(f"{_TEMPLATES_VARIABLE}*: ignored, because Flipt reads templates only from its file")
    templates = tuple(
        template
        for index, entry in enumerate(entries)
        if (template := _template(item(join(_SINK, "templates"), index), entry, environ, notes)) is not None
    )
    if url is None and not templates:
        raise CommandError(f"{path} sends no webhooks", *notes)
    events, events_path = _events(root.section("audit"))
    tracing, buffer = root.section("tracing"), root.section("audit").section("buffer")
    return FliptWebhook(
        enabled=enabled,
        url=url,
        signing_secret=sink.text("signing_secret"),
        templates=templates,
        max_backoff_duration=sink.duration("max_backoff_duration"),
        events=events,
        events_path=events_path,
        tracing_enabled=tracing.boolean("enabled"),
        sampling_ratio=_number(tracing, "sampling_ratio"),
        capacity=_number(buffer, "capacity"),
        flush_period=buffer.duration("flush_period"),
        variables=tuple(name for name in variables if name.startswith(_OVER_THE_FILE) and "TEMPLATES" not in name),
        notes=tuple(notes),
    )


def _check_choice(path: Path, url: Setting | None, entries: list[Any], notes: list[str], *, enabled: bool) -> None:
    if url is not None and entries and not enabled:
        notes.append(f"{url.path} and {_SINK}.templates are both set, which Flipt accepts only while the sink is off")
    elif url is not None and entries:
        raise CommandError(
            f"{url.path} and {_SINK}.templates are both set: Flipt rejects that, too",
            "Remove the one that Flipt does not use, and run the command again.",
        )
    if url is None and not entries:
        raise CommandError(
            f"{path} sends no webhooks: neither {_SINK}.url nor {_SINK}.templates is set",
            "If variables set them (FLIPT_AUDIT_SINKS_WEBHOOK_URL), set those variables here, too.",
            "For a configuration without Flipt's file: flagcast init",
        )


def _template(path: str, entry: object, environ: Mapping[str, str], notes: list[str]) -> FliptTemplate | None:
    """Read an entry; None where Flipt starts with it and sends nothing."""
    if not isinstance(entry, dict | None):
        raise wrong(path, "a mapping with url and body", entry)
    # Nothing of a list's items can be set by a variable.
    section = Section(path, entry or {}, {})
    found = {key: value for key in ("url", "body") if (value := section.raw(key)) is not None and value[1] != ""}
    for key in ("url", "body"):
        if key not in found:
            notes.append(f"{path}: left out: it has no {key}, so Flipt starts but sends nothing for it")
            return None
    reader = Section(path, section.tree, environ)
    headers = join(path, "headers")
    notes += _left_aside(path, section)
    return FliptTemplate(
        path,
        reader.setting(*found["url"]),
        reader.setting(*found["body"]).known(),
        {
            as_key(name): _header(join(headers, as_key(name)), as_key(name), value, reader)
            for name, value in section.mapping("headers").items()
        },
    )


def _header(path: str, name: str, value: object, reader: Section) -> Setting:
    if not HEADER_NAME.fullmatch(name):
        raise CommandError(f"{path}: is not a header name", "Flipt cannot send it either: fix it there first.")
    setting = reader.setting(path, value)
    # Go's httpguts.ValidHeaderFieldValue: no control characters but the tab.
    if setting.text is not None and any(each != "\t" and (each < " " or each == "\x7f") for each in setting.text):
        raise CommandError(
            f"{path}: the value contains a line break or control character",
            "Flipt cannot send it either; a value written with | ends in a line break, one with |- does not.",
        )
    return setting


def _left_aside(path: str, section: Section) -> list[str]:
    unknown = [as_key(key) for key in section.tree if as_key(key).lower() not in _TEMPLATE_KEYS]
    notes = [f"{join(path, key)}: ignored, because Flipt does not know the key" for key in unknown]
    if (method := section.raw("method")) is not None and str(method[1]).upper() != "POST":
        notes.append(f"{method[0]}: ignored, because Flipt always uses POST")
    return notes


def _events(audit: Section) -> tuple[tuple[str, ...] | None, str]:
    """Return the filters and where they stand: a list, or a text with spaces between; None where nothing is said."""
    if (found := audit.raw("events")) is None:
        return None, "audit.events"
    path, value = found
    match value:
        case str():
            return tuple(audit.setting(path, value).known().split()), path
        case list():
            return tuple(audit.setting(item(path, index), each).known() for index, each in enumerate(value)), path
        case dict() if value:
            raise wrong(path, "a list of noun:verb", value)
        case dict():
            return (), path
    return (audit.setting(path, value).known(),), path


def _number(section: Section, key: str) -> Setting | None:
    found = section.raw(key)
    return None if found is None else section.setting(*found)
