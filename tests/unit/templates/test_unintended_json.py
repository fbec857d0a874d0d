"""What is valid JSON of another shape than its author meant, or the idiom that is right."""

import json
from pathlib import Path
from typing import Any

import pytest

from flagcast.rendering.template_context import names_for
from flagcast.templates.go.template import GoTemplate, compile_go
from flagcast.templates.jinja.template import JinjaTemplate, Templates
from flagcast.templates.json_escaping import place
from flagcast.templates.unintended_json import lookalikes
from tests.unit.builders import event

EVENT = event(payload={"key": 'new"ui', "ids": ["a", "b"], "share": 12.345, "rank": 3, "attachment": '{"a": 1}'})
NAMES = {
    **names_for(EVENT, {"channel": "C1", "number": "12"}),
    "ids": ["a", 'b"'],
    "n": 12.345,
    "x": True,
    "o": {"k": 'v"'},
}
FILES = {"macros": '{% macro pair(k, x) %}{"{{ k }}": "{{ x }}"}{% endmacro %}'}


def pieces_of(source: str) -> tuple[object, ...]:
    template = Templates(FILES).compile(source, "body")
    assert isinstance(template, JinjaTemplate), template
    pieces = template.fill(NAMES)
    assert isinstance(pieces, tuple), pieces
    return pieces


def found_in(source: str) -> list[str]:
    return list(lookalikes(pieces_of(source)))


def made_of(source: str) -> Any:
    text = place(pieces_of(source))
    assert isinstance(text, str), text
    return json.loads(text)


@pytest.mark.parametrize(
    ("source", "kind", "right", "value"),
    [
        # Each of the first gave valid JSON without a word: a string in which there was JSON.
        ('[{{ ids | map("tojson") | join(", ") }}]', "the items of a JSON list", "{{ ids }}", ["a", 'b"']),
        ('{"a": {{ "true" if x else "false" }}}', "true", '{"a": {{ true if x else false }}}', {"a": True}),
        ('{"a": {{ "null" }}}', "null", '{"a": {{ none }}}', {"a": None}),
        ('{"a": {{ "%.1f" | format(n) }}}', "a number", '{"a": {{ n | round(1) }}}', {"a": 12.3}),
        ('{"a": {{ "%.1f" % n }}}', "a number", '{"a": {{ ("%.1f" % n) | float }}}', {"a": 12.3}),
        ('{"a": {{ n | round(1) ~ "" }}}', "a number", '{"a": "{{ n | round(1) }}"}', {"a": "12.3"}),
        ('{% from "macros" import pair %}[{{ pair("a", 1) | indent }}]', "a JSON mapping",
         '{% from "macros" import pair %}[{{ pair("a", 1) }}]', [{"a": "1"}]),
        ('{% from "macros" import pair %}[{{ [pair("a", 1), pair("b", 2)] | join(",") }}]', "the items of a JSON list",
         '{% from "macros" import pair %}[{{ pair("a", 1) }}, {{ pair("b", 2) }}]', [{"a": "1"}, {"b": "2"}]),
        ('{"a": {{ o | tojson | trim }}}', "a JSON mapping", '{"a": {{ o | tojson }}}', {"a": {"k": 'v"'}}),
        ('{"a": {{ o | tojson ~ "" }}}', "a JSON mapping", '{"a": {{ o }}}', {"a": {"k": 'v"'}}),
        ('{"a": {{ "[" + (ids | map("tojson") | join(",")) + "]" }}}', "a JSON list", '{"a": {{ ids }}}',
         {"a": ["a", 'b"']}),
        ('{ {{ \'"k": 1\' ~ "" }}: 2}', "the members of a JSON mapping", '{"k": 1}', {"k": 1}),
        ('{"a": {{ event.type | tojson | replace("a", "a") }}}', "a JSON string", '{"a": {{ event.type }}}',
         {"a": "flag"}),
        ('{"a": {{ event.payload.attachment | trim }}}', "a JSON mapping",
         '{"a": {{ event.payload.attachment | safe }}}', {"a": {"a": 1}}),
        ('{"a": {{ nope | default("null") }}}', "null", '{"a": {{ nope | default(none) }}}', {"a": None}),
        ('{"a": {{ event.segment_key or "null" }}}', "null", '{"a": {{ event.segment_key }}}', {"a": None}),
        ('{% set y = "true" if x else "false" %}{"a": {{ y }}}', "true", '{% set y = x %}{"a": {{ y }}}', {"a": True}),
        ('[{{ (ids | tojson)[1:-1] }}]', "the items of a JSON list", "{{ ids[:] }}", ["a", 'b"']),
        ('{"a": {{ event.payload.attachment.strip() }}}', "a JSON mapping",
         '{"a": "{{ event.payload.attachment.strip() }}"}', {"a": '{"a": 1}'}),
        ('{"a": {{ n | e }}}', "a number", '{"a": {{ n }}}', {"a": 12.345}),
        ('{% set ns = namespace(s="") %}{% for id in ids %}{% set ns.s = ns.s ~ ("," if ns.s) ~ id | tojson %}'
         "{% endfor %}[{{ ns.s }}]", "the items of a JSON list", "[{{ ids | first }}, {{ ids | last }}]", ["a", 'b"']),
        ('{% set s %}{"a": 1}{% endset %}[{{ s | trim }}]', "a JSON mapping",
         '{% set s %}{"a": 1}{% endset %}[{{ s }}]', [{"a": 1}]),
        ('[{% filter trim %}{"a": 1}{% endfilter %}]', "a JSON mapping", '[{"a": 1}]', [{"a": 1}]),
    ],
)  # fmt: skip
def test_a_text_outside_of_a_string_that_is_itself_json_is_found_and_the_right_way_is_not(
    source: str, kind: str, right: str, value: Any
) -> None:
    found = found_in(source)
    assert len(found) == 1, found
    assert found[0].startswith(f"a text that is itself {kind} is written as one string, behind ")
    assert found_in(right) == []
    assert made_of(right) == value


# A list of names, in the quotes of one: ["a\", \"b"], and nothing was said.
@pytest.mark.parametrize(
    "source",
    [
        """["{{ event.payload.ids | join('", "') }}"]""",
        """["{{ event.payload.ids | join('","') | upper }}"]""",
        """["{% for id in event.payload.ids %}{{ id }}{{ '", "' if not loop.last }}{% endfor %}"]""",
        """{% set c = joiner('", "') %}["{% for id in event.payload.ids %}{{ c() }}{{ id }}{% endfor %}"]""",
        """["{{ event.payload.ids[0] ~ '", "' ~ event.payload.ids[1] }}"]""",
    ],
)
def test_a_text_that_separates_strings_inside_of_one_is_found(source: str) -> None:
    assert len(made_of(source)) == 1
    [found] = found_in(source)
    assert found.startswith("a text that would end the string around it and begin another is escaped, behind ")


@pytest.mark.parametrize("source", ['{"a": {{ nope | default(BOTH) }}}', '{% set x = BOTH %}{"a": {{ x }}}'])
@pytest.mark.parametrize("empty", ["[]", "{}"])
def test_an_empty_list_or_mapping_that_is_written_as_text_is_one(source: str, empty: str) -> None:
    # {{ nope | default("[]") }} was the string "[]", without a word, and {% set x = "[]" %} was called one.
    source = source.replace("BOTH", f'"{empty}"')
    assert made_of(source) == {"a": json.loads(empty)}
    assert found_in(source) == []


@pytest.mark.parametrize(
    "source",
    [
        '{"a": {{ event.flag_key }}, "b": {{ event.payload.attachment }}, "c": {{ vars.number }}}',
        '{"a": {{ event.flag_key | upper }}, "b": {{ ids | join(" and ") }}, "c": {{ "" ~ "" }}}',
        '{"a": {{ event.payload.rank | string }}, "b": {{ nope | default("one") }}, "c": {{ ["1"] | first }}}',
        '{"a": "{{ ids | map("tojson") | join(", ") }}", "b": "{{ "true" if x else "false" }}"}',
        '{"a": {{ nope | default("") }}, "b": {{ nope | d(",") }}, "c": [{{ nope | default("") }}]}',
        '{"Detail": "{\\"a\\": \\"{{ "x" if x else "y" }}\\"}"}',
        '{"a": {{ o | tojson }}, "b": {{ ids | tojson | safe }}, "c": {{ n | round(1) }}}',
    ],
)
def test_a_text_that_is_meant_is_not_found_in(source: str) -> None:
    made_of(source)
    assert found_in(source) == []


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('{% set c = joiner(",") %}[{% for id in ids %}{{ c() }}{{ id }}{% endfor %}]', ["a", 'b"']),
        ('{% set c = joiner() %}[{% for id in ids %}{{ c() }}"{{ id }}"{% endfor %}]', ["a", 'b"']),
        ('{% set c = joiner(sep=", ") %}[{% for id in ids %}{{ c() }}{{ id }}{% endfor %}]', ["a", 'b"']),
        ('{% set c = "," %}[{% for id in ids %}{{ id }}{{ c if not loop.last }}{% endfor %}]', ["a", 'b"']),
        ('[{% for id in ids %}{% set c = "," if not loop.last else "" %}{{ id }}{{ c }}{% endfor %}]', ["a", 'b"']),
        ('[{% for id in ids %}{% with c = "" if loop.first else "," %}{{ c }}{{ id }}{% endwith %}{% endfor %}]',
         ["a", 'b"']),
        ('{% set name = "" %}[{{ name }}, {{ "x" }}]', ["", "x"]),
        # A separator where a member's value must be is a text.
        ('{% set c = "," %}{"separator": {{ c }}, "none": {{ "" }}, "end":\n{{ "}" if x }}}',
         {"separator": ",", "none": "", "end": "}"}),
        ('{"open": {{ "[" if x else "{" }}1]}', {"open": [1]}),
        ('{% set c = joiner(event.payload.key) %}[{{ c() }}{{ "," if not x }}{{ c() }}]', ['new"ui']),
    ],
)  # fmt: skip
def test_the_idioms_that_write_lists_work(source: str, value: Any) -> None:
    assert found_in(source) == []
    assert made_of(source) == value


def test_an_event_and_a_summary_are_json_wherever_they_are_put() -> None:
    made = made_of('{"e": {{ event | tojson }}, "t": "{{ event | tojson }}", "s": {{ summary | tojson }}}')
    assert made["s"]["kind"] == "updated"


@pytest.mark.parametrize(
    "source",
    [
        # What SNS and EventBridge are sent: a quote in a value broke the inner JSON, without a word here.
        '{"Message": "{\\"flag\\": \\"{{ event.flag_key }}\\"}"}',
        '{"Detail": "{ \\n \\"flag\\": \\"x {{ event.flag_key | upper }}\\"}"}',
        '{"Detail": "[{\\"flag\\": \\"{{ event.flag_key }}"}',
        '{"Detail": "[\\"{{ event.flag_key }}\\", {{ event.payload.rank }}]"}',
        '{"a": 1, "Detail": "{\\"n\\": {{ event.payload.rank }}, \\"flag\\": \\"{{ event.flag_key }}\\"}"}',
    ],
)
def test_a_text_in_json_inside_of_a_json_string_is_found_in(source: str) -> None:
    found = found_in(source)
    assert len(found) == 1
    assert found[0].startswith("a text is printed inside of JSON that is itself in a string, behind ")
    assert "tojson" in found[0]


@pytest.mark.parametrize(
    ("source", "inner"),
    [
        ('{"Detail": "{{ {"flag": event.flag_key, "ids": ids} | tojson }}"}', {"flag": 'new"ui', "ids": ["a", 'b"']}),
        ('{"Detail": {{ {"flag": event.flag_key} | tojson | tojson }}}', {"flag": 'new"ui'}),
        ('{"Detail": "{\\"flag\\": {{ event.flag_key | tojson }}, \\"n\\": {{ event.payload.rank }}}"}',
         {"flag": 'new"ui', "n": 3}),
        ('{"Detail": "{{ event.payload }}"}', EVENT.payload),
        ('{"Detail": "{{ event.raw }}"}', json.loads(EVENT.raw)),
    ],
)  # fmt: skip
def test_json_inside_of_a_json_string_is_written_by_tojson(source: str, inner: Any) -> None:
    assert found_in(source) == []
    assert json.loads(made_of(source)["Detail"]) == inner


@pytest.mark.parametrize(
    "source", ['{"text": "[{{ event.type }}] {{ event.flag_key }}"}', '{"t": "\\"{{ event.type }}\\""}']
)
def test_a_text_that_begins_with_a_bracket_is_no_json(source: str) -> None:
    assert found_in(source) == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('{"Detail": "{\\"flag\\": \\"{{ .Payload.key }}\\"}"}', 1),
        ('{"Detail": "{\\"flag\\": {{ toJson .Payload.key }}}"}', 0),
        ('{"Detail": "{{ toJson .Payload }}"}', 0),
        ('{"text": "{{ .Payload.key }}", "payload": {{ toJson .Payload }}}', 0),
    ],
)
def test_so_it_is_in_go(source: str, count: int) -> None:
    template = compile_go(source, "body")
    assert isinstance(template, GoTemplate)
    pieces = template.fill({"event": EVENT})
    assert isinstance(pieces, tuple)
    assert len(list(lookalikes(pieces))) == count


def test_what_the_documentation_shows_for_json_inside_a_json_string_is_right() -> None:
    text = (Path(__file__).parents[3] / "docs" / "templates.md").read_text(encoding="utf-8")
    section = text.partition("## JSON inside a JSON string")[2]
    source = section.partition("```jinja\n")[2].partition("```")[0]
    assert found_in(source) == []
    (entry,) = made_of(source)["Entries"]
    assert json.loads(entry["Detail"]) == {"flag": 'new"ui', "actor": "someone", "payload": EVENT.payload}
