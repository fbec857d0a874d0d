"""Flipt's own templates, by Flipt's own recorded requests (tests/captures/README.md, template mode)."""

import json
from itertools import groupby
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.core.compiling import Compiled, compile_destination
from flagcast.core.outcomes import RenderFailed
from flagcast.core.rendering import Request, render
from flagcast.core.templates.go import GoTemplate, compile_go
from flagcast.core.templates.places import plain
from tests.support.captures import Captured, captured
from tests.unit.making import JSON, destination, event, event_of

SLACK = """\
{
  "text": "Flipt Event: {{ .Type }}/{{ .Action }}\\n\\n```{{ .Payload }}```"
}
"""
TEMPLATES = {
    "/template/seed-fixed": """\
{
  "type": "{{ .Type }}",
  "action": "{{ .Action }}",
  "payload": {{ toJson .Payload }}
}
""",
    "/template/slack": SLACK,
    "/template/rebuild": (
        '{"version":"{{ .Version }}","type":"{{ .Type }}","action":"{{ .Action }}","metadata":{{ toJson .Metadata }},'
        '"payload":{{ toJson .Payload }},"timestamp":"{{ .Timestamp }}","status":"{{ .Status }}"}'
    ),
    "/template/logic": (
        '{"who": {{ if .Metadata.Actor.Email }}{{ toJson .Metadata.Actor.Email }}{{ else }}'
        '"{{ .Metadata.Actor.Authentication }}"{{ end }}, "key": {{ printf "%q" (index .Payload "key") }}, '
        '"upper": "{{ range $i, $k := .Payload }}{{ $i }};{{ end }}", "all": {{ toJson . }}}\n'
    ),
}
NOW = 1767323045.9


def sent_by_flipt() -> list[dict[str, bytes]]:
    """Return what Flipt sent for each event, by template; the first template never failed."""
    number = 0

    def of_event(request: Captured) -> int:
        nonlocal number
        number += request.path == "/template/seed-fixed"
        return number

    requests = captured("flipt-1.61.0/templates")
    return [{each.path: each.body for each in group} for _, group in groupby(requests, of_event)]


def rendered(body: str, about: bytes, escape: Literal["json", "none"] = "json") -> bytes | None:
    compiled = compile_destination(destination(engine="go", body=body, escape=escape), {})
    assert isinstance(compiled, Compiled), compiled
    made = render(compiled, event_of(about), {}, NOW)
    assert isinstance(made, Request | RenderFailed)
    return made.body if isinstance(made, Request) else None


SENT = sent_by_flipt()


def test_the_recorded_events_are_all_there() -> None:
    assert len(SENT) == 51
    assert [sum(path in each for each in SENT) for path in TEMPLATES] == [51, 45, 51, 30]


@pytest.mark.parametrize("path", TEMPLATES)
def test_without_escaping_a_body_is_flipts_byte_for_byte_and_what_flipt_dropped_is_refused(path: str) -> None:
    made = [rendered(TEMPLATES[path], sent["/template/rebuild"], "none") for sent in SENT]
    assert made == [sent.get(path) for sent in SENT]


@pytest.mark.parametrize("path", TEMPLATES)
def test_with_escaping_what_flipt_could_send_is_the_same_byte_for_byte(path: str) -> None:
    for sent in SENT:
        if path in sent:
            assert rendered(TEMPLATES[path], sent["/template/rebuild"]) == sent[path]


def test_flipts_documented_slack_template_loses_no_event_not_even_one_of_a_megabyte() -> None:
    large = captured("flipt-1.61.0/strings")[-1].body
    assert len(large) > 1_000_000
    for about in (*(sent["/template/rebuild"] for sent in SENT), large):
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
    assert [(each.path, each.message) for each in made] == [
        ("destinations.d.body", "body, line 2, column 1: unclosed action")
    ]


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
