"""What templates and filters see of a change."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec import structs

from flagcast.events.change_context import Known
from flagcast.events.event import Event
from flagcast.exchange.request import Request
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.conditions import wanted
from flagcast.rendering.render import render
from flagcast.tasks.outcomes import FilterFailed
from tests.presets.hostile import HOSTILE, KNOWN
from tests.presets.rendered import every_event
from tests.unit.builders import changed, destination, event

WAS = {"key": "new-ui", "name": "New UI", "enabled": False, "namespace_key": "production"}
TURNED_ON = changed("flag", WAS, {**WAS, "enabled": True})
UNKNOWN = event(payload={**WAS, "enabled": True})
SAVED = changed("flag", WAS, WAS)
CREATED = structs.replace(event(action="created", payload=WAS), known=Known(is_known=True))
DENIED = event(status="denied", payload=None)
ABOUT = """{% for each in event.changes %}{"field": {{ each.field }}, "before": {{ each.before }},
 "after": {{ each.after }}, "text": "{{ each.field }}: {{ each.before }} → {{ each.after }}"}{{ "," if not loop.last }}
{% endfor %}"""
GO = '{"type": {{ toJson .Type }}, "all": {{ toJson . }}, "payload": "{{ .Payload }}"}'


def compiled(**keys: Any) -> Compiled:
    made = compile_destination(destination(**keys), {}, "destinations.x")
    assert isinstance(made, Compiled), made
    return made


def filled(about: Event, **keys: Any) -> bytes:
    made = render(compiled(**keys), about, {}, 1_767_323_045)
    assert isinstance(made, Request), made
    return made.body


@pytest.mark.parametrize(
    ("when", "turned_on", "saved", "unknown", "denied"),
    [
        ('"enabled" in event.changed and event.namespace == "production"', True, False, False, False),
        ("event.is_known and event.changed == ()", False, True, False, False),
        ("not event.is_known or event.changes | length > 0", True, False, True, True),
        ("event.previous is not none and event.previous.enabled == false", True, True, False, False),
        ('event.changes | selectattr("field", "eq", "enabled") | map(attribute="after") | first | default(false)',
         True, False, False, False),
    ],
)  # fmt: skip
def test_when_asks_what_changed(when: str, turned_on: bool, saved: bool, unknown: bool, denied: bool) -> None:
    answers = [wanted(compiled(when=when), each) for each in (TURNED_ON, SAVED, UNKNOWN, DENIED)]
    assert answers == [turned_on, saved, unknown, denied]


def test_a_filter_on_what_is_not_known_says_so_and_loses_nothing() -> None:
    answer = wanted(compiled(when="event.previous.enabled"), CREATED)
    assert isinstance(answer, FilterFailed)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_changed_value_is_escaped_by_its_place(hostile: str) -> None:
    made = changed("flag", {**WAS, "name": f"{hostile}!"}, {**WAS, "name": hostile})
    [change] = json.loads(filled(made, body=f"[{ABOUT}]"))
    assert change == {
        "field": "name", "before": f"{hostile}!", "after": hostile, "text": f"name: {hostile}! → {hostile}",
    }  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(known=KNOWN)
def test_whatever_is_known_the_json_stays_json(known: Known) -> None:
    body = f'{{"all": [{ABOUT}], "previous": {{{{ event.previous }}}}, "text": "{{{{ event.previous }}}}"}}'
    made = json.loads(filled(structs.replace(TURNED_ON, known=known), body=body))
    assert [(each["field"], each["before"], each["after"]) for each in made["all"]] == [
        (each.field, each.before, each.after) for each in known.changes
    ]
    assert made["previous"] == known.previous


def test_gos_templates_stay_as_flipts() -> None:
    # Flipt's event has no changes, and a body that is moved over must not differ by what Flagcast has seen.
    for each in (TURNED_ON, *every_event()[:40]):
        known = structs.replace(TURNED_ON.known, namespace="production", flag_key="new-checkout")
        bodies = [filled(structs.replace(each, known=told), engine="go", body=GO) for told in (Known(), known)]
        assert bodies[0] == bodies[1]
