"""Every preset, and what it makes of an event."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from msgspec import structs

from flagcast.events.change_context import Known
from flagcast.events.event import Event, Origin, parse
from flagcast.exchange.request import Request
from flagcast.flipt_state.changes import changes_between
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.conditions import wanted
from flagcast.rendering.render import render
from tests.support.captures import every_capture
from tests.unit.builders import destination, event_of

ROOT = Path(__file__).parents[2]
FILES = ROOT / "layers/flagcast/python/flagcast/presets"
SAMPLES = ROOT / "events/flipt"
GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in FILES.glob("*.yaml"))

CHATS = ("slack", "microsoft-teams", "discord", "google-chat", "mattermost")
FOR_PEOPLE = (*CHATS, "pagerduty-change", "pagerduty-alert", "datadog", "grafana-annotation")

FLIPT = "https://flipt.example.com"
ORIGIN = Origin(
    id="evt_0123456789abcdef0123456789abcdef",
    source="flipt",
    environment="production",
    flipt_url=FLIPT,
    received_at="2026-11-23T23:05:36.120Z",
)
PLAIN_ORIGIN = Origin(id="evt_0123456789abcdef0123456789abcdef", source="flipt", received_at="2026-11-23T23:05:36.120Z")
NEEDED = {"vars.routing_key": "0123456789abcdef0123456789abcdef"}
"""What is said for an operator, besides an address and a key that both stand for any."""


def tree(name: str) -> dict[str, Any]:
    """Read a preset's file."""
    read: dict[str, Any] = yaml.safe_load((FILES / f"{name}.yaml").read_text(encoding="utf-8"))
    return read


@cache
def compiled(name: str) -> Compiled:
    """Compile a preset with no more said than it needs."""
    keys = tree(name)
    keys.pop("description")
    keys.pop("answers", None)
    for path in keys.pop("needs", {}):
        *above, last = path.split(".")
        part = keys.setdefault(above[0], {}) if above else keys
        part[last] = NEEDED.get(path, "https://hooks.example.com/in")
    made = compile_destination(destination(**keys), {})
    assert isinstance(made, Compiled), made
    return made


def request(name: str, event: Event) -> Request:
    """Render an event by a preset."""
    made = render(compiled(name), event, {}, 1_795_475_136)
    assert isinstance(made, Request), (made, event.raw[:500])
    return made


def message(name: str, event: Event) -> Any:
    """Render an event by a preset, and read the body."""
    return json.loads(request(name, event).body)


def sample(name: str, origin: Origin = ORIGIN) -> Event:
    """Read one of events/flipt."""
    return event_of((SAMPLES / f"{name}.json").read_bytes(), origin)


@cache
def every_event() -> tuple[Event, ...]:
    """Read all that Flipt was ever seen to send, and the samples: once with all that is known, once with as little."""
    bodies = dict.fromkeys([each.body for each in every_capture()])
    bodies |= dict.fromkeys(path.read_bytes() for path in SAMPLES.glob("*.json"))
    parsed = [parse(body, origin) for body in bodies for origin in (ORIGIN, PLAIN_ORIGIN)]
    return tuple(event for event in parsed if isinstance(event, Event))


def changed(before: str, after: str) -> Event:
    """Read one of events/flipt that follows another about the same thing, with what ingest then knows."""
    event, was = sample(after), sample(before).payload
    changes = changes_between(event.type, was, event.payload)
    return structs.replace(event, known=Known(True, changes, was, "2026-11-23T23:05:33Z"))


def golden(name: str) -> str:
    """Write what a preset makes of a flag's update, of one of which nothing is known, and of a refused change.

    None where it is not sent.
    """
    events = {
        "flag turned on": changed("flag-created-by-person", "flag-updated-by-person"),
        "flag updated, nothing known": sample("flag-updated-by-person"),
        "denied": sample("flag-deleted-denied"),
    }
    shown: dict[str, Any] = {}
    for title, event in events.items():
        made = request(name, event)
        headers = {key: value for key, value in made.headers.items() if not key.startswith("Webhook-")}
        sent = {"url": made.url, "headers": headers, "body": json.loads(made.body)}
        shown[title] = sent if wanted(compiled(name), event) is True else None
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def strings(value: object) -> Iterator[str]:
    """Yield every text in a message, keys of objects too."""
    match value:
        case str():
            yield value
        case dict():
            for key, member in value.items():
                yield key
                yield from strings(member)
        case list():
            for item in value:
                yield from strings(item)
        case _:
            pass
