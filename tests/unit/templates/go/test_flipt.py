"""Flipt's own templates, by Flipt's own recorded requests (tests/captures/README.md, template mode)."""

import json
from itertools import groupby
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.exchange.request import Request
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.render import render
from flagcast.templates.go.template import GoTemplate, compile_go
from flagcast.templates.json_escaping import plain
from tests.support.captures import Captured, captured
from tests.unit.builders import JSON, destination, event, event_of

SLACK = """\
{
  "text": "Flipt Event: {{ .Type }}/{{ .Action }}\\n\\n```{{ .Payload }}```"
}
"""
TEMPLATES = {
    "seed-fixed": """\
{
  "type": "{{ .Type }}",
  "action": "{{ .Action }}",
  "payload": {{ toJson .Payload }}
}
""",
    "slack": SLACK,
    "rebuild": (
        '{"version":"{{ .Version }}","type":"{{ .Type }}","action":"{{ .Action }}","metadata":{{ toJson .Metadata }},'
        '"payload":{{ toJson .Payload }},"timestamp":"{{ .Timestamp }}","status":"{{ .Status }}"}'
    ),
    "logic": (
        '{"who": {{ if .Metadata.Actor.Email }}{{ toJson .Metadata.Actor.Email }}{{ else }}'
        '"{{ .Metadata.Actor.Authentication }}"{{ end }}, "key": {{ printf "%q" (index .Payload "key") }}, '
        '"upper": "{{ range $i, $k := .Payload }}{{ $i }};{{ end }}", "all": {{ toJson . }}}\n'
    ),
}
TEMPLATES_1_41 = TEMPLATES | {
    "rebuild": TEMPLATES["rebuild"].replace(',"status":"{{ .Status }}"', ""),
    "printed": (
        '{"actor": "{{ .Metadata.Actor }}", "event": {{ printf "%q" (printf "%v" .Payload) }}, '
        '"kind": "{{ printf "%T %T" .Metadata.Actor .Payload }}"}'
    ),
    # Flipt 1.41.2 sent none of these: its event has no Status.
    "status": '{"status": "{{ .Status }}"}',
}
TEMPLATES_1_38 = {
    # Flipt before 1.39 has no toJson, and a map in place of the actor.
    "seed-fixed": """\
{
  "type": "{{ .Type }}",
  "action": "{{ .Action }}",
  "who": "{{ .Metadata.Actor.authentication }}",
  "token": "{{ index .Metadata.Actor "io.flipt.auth.token.name" }}"
}
""",
    "slack": SLACK,
    "rebuild": (
        '{"version":"{{ .Version }}","type":"{{ .Type }}","action":"{{ .Action }}","metadata":{"actor":{ '
        '{{- $c := "" }}{{ range $k, $v := .Metadata.Actor }}{{ $c }}{{ printf "%q:%q" $k $v }}{{ $c = "," }}'
        '{{ end -}} }},"payload":{ {{- $c := "" }}{{ range $k, $v := .Payload }}{{ $c }}{{ printf "%q" $k }}:'
        '{{ if eq (printf "%T" $v) "string" }}{{ printf "%q" $v }}{{ else }}{{ $v }}{{ end }}{{ $c = "," }}'
        '{{ end -}} },"timestamp":"{{ .Timestamp }}"}'
    ),
    "logic": (
        '{"who": "{{ if .Metadata.Actor.email }}{{ .Metadata.Actor.email }}{{ else }}'
        '{{ .Metadata.Actor.authentication }}{{ end }}", "email": "{{ .Metadata.Actor.email }}", '
        '"mail": {{ printf "%q" (index .Metadata.Actor "email") }}, '
        '"keys": "{{ range $k, $v := .Metadata.Actor }}{{ $k }}={{ $v }};{{ end }}", '
        '"count": {{ len .Metadata.Actor }}}\n'
    ),
    "printed": '{"actor": "{{ .Metadata.Actor }}", "kind": "{{ printf "%T %T" .Metadata.Actor .Payload }}"}',
    "status": '{"status": "{{ .Status }}"}',
}
NOW = 1767323045.9


def sent_by_flipt(file: str) -> list[dict[str, bytes]]:
    """Return what Flipt sent for each event, by the last part of the path; the first template never failed."""
    number = 0

    def of_event(request: Captured) -> int:
        nonlocal number
        number += name_of(request) == "seed-fixed"
        return number

    return [{name_of(each): each.body for each in group} for _, group in groupby(captured(file), of_event)]


def name_of(request: Captured) -> str:
    return request.path.rpartition("/")[2]


def rendered(body: str, about: bytes, escape: Literal["json", "none"] = "json") -> bytes | None:
    compiled = compile_destination(destination(engine="go", body=body, escape=escape), {})
    assert isinstance(compiled, Compiled), compiled
    made = render(compiled, event_of(about), {}, NOW)
    assert isinstance(made, Request | RenderFailed)
    return made.body if isinstance(made, Request) else None


SENT = sent_by_flipt("flipt-1.61.0/templates")
RECORDED = {
    "1.61.0": SENT,
    "1.41.2": sent_by_flipt("flipt-1.41.2/templates"),
    "1.38.0": sent_by_flipt("flipt-1.38.0/templates"),
}
ANONYMOUS = sent_by_flipt("flipt-1.38.0/anonymous")
BODIES = {"1.61.0": TEMPLATES, "1.41.2": TEMPLATES_1_41, "1.38.0": TEMPLATES_1_38}
EACH = [(version, name) for version, bodies in BODIES.items() for name in bodies]


def test_the_recorded_events_are_all_there() -> None:
    counts = {
        version: [sum(name in each for each in RECORDED[version]) for name in bodies]
        for version, bodies in BODIES.items()
    }
    assert counts == {"1.61.0": [51, 45, 51, 30], "1.41.2": [15, 13, 15, 9, 15, 0], "1.38.0": [9, 7, 9, 9, 9, 0]}
    assert [len(each) for each in ANONYMOUS] == [5, 5]


@pytest.mark.parametrize(("version", "name"), EACH)
def test_without_escaping_a_body_is_flipts_byte_for_byte_and_what_flipt_dropped_is_refused(
    version: str, name: str
) -> None:
    # `toJson .` had a status and .Status was there before 1.44, and the actor was a struct before 1.39.
    made = [rendered(BODIES[version][name], sent["rebuild"], "none") for sent in RECORDED[version]]
    assert made == [sent.get(name) for sent in RECORDED[version]]


@pytest.mark.parametrize(("version", "name"), EACH)
def test_with_escaping_what_flipt_could_send_is_the_same_byte_for_byte(version: str, name: str) -> None:
    for sent in RECORDED[version]:
        if name in sent:
            assert rendered(BODIES[version][name], sent["rebuild"]) == sent[name]


def test_an_actor_that_nothing_tells_from_another_flipts_has_the_members_of_both_and_is_printed_as_the_newer() -> None:
    for sent in ANONYMOUS:
        made = {name: rendered(body, sent["rebuild"], "none") for name, body in TEMPLATES_1_38.items()}
        printed, expected = made.pop("printed"), sent["printed"]
        assert made == {name: sent.get(name) for name in made}
        assert printed == b'{"actor": "{none 127.0.0.1   }", "kind": "*audit.Actor map[string]interface {}"}'
        assert expected == (
            b'{"actor": "map[authentication:none ip:127.0.0.1]", "kind": "map[string]string map[string]interface {}"}'
        )
        assert rendered('"{{ .Metadata.Actor.Authentication }}{{ .Metadata.Actor.Email }}"', sent["rebuild"]) == (
            b'"none"'
        )


def test_flipts_documented_slack_template_loses_no_event_not_even_one_of_a_megabyte() -> None:
    large = captured("flipt-1.61.0/strings")[-1].body
    assert len(large) > 1_000_000
    for about in (*(sent["rebuild"] for sent in SENT), large):
        made = rendered(SLACK, about)
        assert made is not None
        text = json.loads(made)["text"]
        assert text.startswith("Flipt Event: ")
        assert text.endswith("```")
    assert rendered(SLACK, large, "none") is None


@given(st.dictionaries(st.text(), JSON) | st.text(), st.text())
def test_no_value_changes_the_structure_around_it(payload: Any, name: str) -> None:
    about = json.dumps(
        {"type": "flag", "action": name or "a", "payload": payload, "metadata": {"actor": {"name": name}}}
    ).encode()
    slack = rendered(SLACK, about)
    assert slack is not None
    assert [*json.loads(slack)] == ["text"]
    template = """
        {"name": "{{ .Metadata.Actor.Name }}", "js": "{{ js .Metadata.Actor.Name }}", "one": {{ toJson .Payload }},
         "said": "{{ printf "%s by %s" (js .Payload) .Metadata.Actor.Name }}{{ print .Payload }}",
         "all": {{ toJson . }}, "inside": "{{ toJson .Payload }}",
         "built": {{ printf "[\\"%s\\", %q]" .Metadata.Actor.Name "x" }}}
    """
    made = rendered(template, about)
    assert made is not None
    found = json.loads(made)
    assert [*found] == ["name", "js", "one", "said", "all", "inside", "built"]
    assert found["name"] == found["js"] == found["all"]["metadata"]["actor"].get("name", "") == name
    assert found["built"] == [name, "x"]
    assert json.loads(found["inside"]) == found["one"] == found["all"]["payload"]


def test_the_event_of_flipt_as_json_is_the_recorded_body() -> None:
    for each in (*captured("flipt-1.61.0/changes"), *captured("flipt-1.61.0/jwt-and-denied")):
        assert rendered("{{ toJson . }}", each.body) == each.body


def test_a_template_that_cannot_be_parsed_is_a_problem_of_the_configuration() -> None:
    made = compile_destination(destination(engine="go", body="{\n{{ .Type"), {}, "destinations.d")
    assert isinstance(made, tuple)
    assert [(each.path, each.message) for each in made] == [("destinations.d.body", "unclosed action")]


def test_an_event_of_a_field_that_is_no_string_has_none() -> None:
    about = event(metadata={"actor": {"name": 7, "email": "e"}})
    compiled = compile_destination(destination(engine="go", body="{{ toJson .Metadata }}"), {})
    assert isinstance(compiled, Compiled)
    made = render(compiled, about, {}, NOW)
    assert isinstance(made, Request)
    assert made.body == b'{"actor":{"email":"e"}}'


def test_a_destinations_vars_are_the_one_name_beside_flipts() -> None:
    made = compile_go("{{ range .Payload }}{{ $.Vars.key }}{{ end }}{{ $.Vars.none }}", "body")
    assert isinstance(made, GoTemplate)
    one = event(payload={"a": 1})
    pieces = made.fill({"event": one, "vars": {"key": "k"}})
    assert isinstance(pieces, tuple)
    assert plain(pieces) == "k<no value>"
    assert isinstance(made.fill({"event": one, "vars": {}}), RenderFailed)
