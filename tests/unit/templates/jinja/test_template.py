import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from flagcast.events.event import InvalidEvent, parse
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.template_context import names_for
from flagcast.templates.jinja.template import JinjaTemplate, Templates
from flagcast.templates.json_escaping import place
from tests.support.captures import every_capture
from tests.unit.builders import JSON, event

HOSTILE = st.text() | st.sampled_from(['"', "\\", '","b":"', '"}', "\n", "\u2028", "{{ v }}", "\x00", "]", ",", ": {"])
FILES = {
    "part": '"p": "{{ v }}"',
    "macros": '{% macro pair(k, x) %}"{{ k }}": "{{ x }}"{% endmacro %}'
    "{% macro whole(x) %}{{ x | tojson }}{% endmacro %}",
    "seen": '{% macro it() %}"{{ v }}"{% endmacro %}',
    "base": '{"a": "{% block a %}<{{ v }}>{% endblock %}", {% block b %}"b": 1{% endblock %}}',
}  # fmt: skip
Expected = Callable[[str, Any], Any]

# A template, and what its JSON is for any text `v` and any value `o`.
SHAPES: list[tuple[str, Expected]] = [
    ('{"a": "{{ v }}"}', lambda v, o: {"a": v}),
    ('{"a": "x{{ v }}{{ v }}y"}', lambda v, o: {"a": f"x{v}{v}y"}),
    ('{"a": {{ v }}, "b": {{ o }}}', lambda v, o: {"a": v, "b": o}),
    ('{"a": {{ v | tojson }}, "b": {{ o | tojson(indent=2) }}}', lambda v, o: {"a": v, "b": o}),
    ('{"a": "{{ v | tojson }}"}', lambda v, o: {"a": json.dumps(v, ensure_ascii=False)}),
    ('{"{{ v }}": 1}', lambda v, o: {v: 1}),
    ("{ {{ v }}: 1}", lambda v, o: {v: 1}),
    ("{{ {'a': v, 'b': [o, v]} }}", lambda v, o: {"a": v, "b": [o, v]}),
    ('[{% for i in [v, v, v] %}"{{ i }}"{{ "," if not loop.last }}{% endfor %}]', lambda v, o: [v, v, v]),
    ("[{% for i in [v, o] %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}]", lambda v, o: [v, o]),
    ('[{% for i in [v, o] %}{{ "" if loop.first else "," }}{{ i }}{% endfor %}]', lambda v, o: [v, o]),
    ('[{% for i in [1, [2]] recursive %}{{ "," if loop.index > 1 }}'
     '{% if i is iterable %}[{{ loop(i) }}]{% else %}"{{ v }}"{% endif %}{% endfor %}]', lambda v, o: [v, [v]]),
    ('{"a": "{{ v or "none" }}"}', lambda v, o: {"a": v or "none"}),
    ('{"a": {{ v or "none" }}}', lambda v, o: {"a": v or "none"}),
    ('{"a": {{ nope | default(v) }}}', lambda v, o: {"a": v}),
    ('{"a": {{ "<" ~ v ~ ">" }}, "b": "{{ v ~ v }}"}', lambda v, o: {"a": f"<{v}>", "b": v + v}),
    ('{"a": {{ ["\\",", v] | join(":") }}}', lambda v, o: {"a": '",:' + v}),
    ('{"a": {{ "%s" % v }}, "b": {{ "%s" | format(v) }}}', lambda v, o: {"a": v, "b": v}),
    ('{"a": {{ v[:3] }}, "b": {{ v[:1] + v[1:] }}}', lambda v, o: {"a": v[:3], "b": v}),
    ('{"a": {{ [v] | map("string") }}}', lambda v, o: {"a": [v]}),
    ('{"a": {{ [v, o] | select("defined") | tojson }}}', lambda v, o: {"a": [v, o]}),
    ('{"a": "{{ v | upper }}"}', lambda v, o: {"a": v.upper()}),
    ('{% from "macros" import pair %}{ {{ pair("a", v) }}, {{ pair("b", "x") }} }', lambda v, o: {"a": v, "b": "x"}),
    ('{% import "macros" as m %}[{{ m.whole(v) }}, {{ m.whole(o) }}]', lambda v, o: [v, o]),
    ('{% from "seen" import it with context %}[{{ it() }}]', lambda v, o: [v]),
    ('{% macro m(x) %}["{{ x }}"]{% endmacro %}{{ m(v) }}', lambda v, o: [v]),
    ('{% macro m(x) %}["{{ x }}"]{% endmacro %}{{ [m(v)] | first }}', lambda v, o: [v]),
    ('{% macro m(x) %}["{{ x }}"]{% endmacro %}{{ m(v) | safe }}', lambda v, o: [v]),
    ('{% macro m(x) %}["{{ x }}"]{% endmacro %}{{ m(v) if true else "" }}', lambda v, o: [v]),
    ('{% macro m(x) %}"{{ x }}"{% endmacro %}[{{ m(v) | upper }}]', lambda v, o: [f'"{v}"'.upper()]),
    ('{% macro m(x) %}"{{ x }}"{% endmacro %}[{{ m(v) ~ "" }}]', lambda v, o: [f'"{v}"']),
    ('{% macro m() %}["{{ caller(v) }}"]{% endmacro %}{% call(x) m() %}({{ x }}){% endcall %}',
     lambda v, o: [f"({v})"]),
    ('{% set s %}"{{ v }}", {{ o }}{% endset %}[{{ s }}, {{ s }}]', lambda v, o: [v, o, v, o]),
    ('{% set s %}{% set t %}"{{ v }}"{% endset %}[{{ t }}]{% endset %}{{ s }}', lambda v, o: [v]),
    ('{% set s %}"{{ v }}"{% endset %}[{{ s | length }}]', lambda v, o: [len(v) + 2]),
    ('{% set s | upper %}"{{ v }}"{% endset %}[{{ s }}]', lambda v, o: [f'"{v}"'.upper()]),
    ('["{% filter upper %}{{ v }}{% endfilter %}"]', lambda v, o: [v.upper()]),
    ('[{% filter map("upper") %}ab{% endfilter %}, "{{ v }}"]', lambda v, o: [["A", "B"], v]),
    ('{% filter safe %}["{{ v }}"]{% endfilter %}', lambda v, o: [v]),
    ('{ {% include "part" %} }', lambda v, o: {"p": v}),
    ('[{% for i in [1, 2] %}{ {% include "part" %} }{{ "," if loop.first }}{% endfor %}]',
     lambda v, o: [{"p": v}, {"p": v}]),
    ('{% extends "base" %}', lambda v, o: {"a": f"<{v}>", "b": 1}),
    ('{% extends "base" %}{% block a %}{{ super() }}{{ v }}{% endblock %}', lambda v, o: {"a": f"<{v}>{v}", "b": 1}),
    ('{% extends "base" %}{% block b %}"c": "{{ self.a() }}"{% endblock %}',
     lambda v, o: {"a": f"<{v}>", "c": f"<{v}>"}),
    ('{% set ns = namespace(s="") %}{% for i in [v, v] %}{% set ns.s = ns.s ~ i %}{% endfor %}["{{ ns.s }}"]',
     lambda v, o: [v + v]),
    ('{% with x = v %}["{{ x }}"]{% endwith %}', lambda v, o: [v]),
    ('[{{ "," | replace(",", v) }}]', lambda v, o: [v]),
    ('{% set j = joiner(", ") %}["{{ j() }}{{ v }}{{ j() }}{{ v }}"]', lambda v, o: [f"{v}, {v}"]),
    ('{"a": "\\"{{ v }}\\\\"}', lambda v, o: {"a": f'"{v}\\'}),
]  # fmt: skip


def compiled(source: str) -> JinjaTemplate:
    made = Templates(FILES).compile(source, "body")
    assert isinstance(made, JinjaTemplate), made
    return made


COMPILED = [(compiled(source), expected) for source, expected in SHAPES]


@settings(max_examples=80)
@given(HOSTILE, JSON)
@example('","b":"', {"a": '"'})
@example("", None)
def test_a_value_never_changes_the_structure_around_it(text: str, value: Any) -> None:
    # Drawn once for all of them: drawing takes longer than what is tested.
    for template, expected in COMPILED:
        pieces = template.fill({"v": text, "o": value})
        assert isinstance(pieces, tuple), pieces
        made = place(pieces)
        assert isinstance(made, str), made
        assert json.loads(made) == expected(text, value)


def test_every_captured_event_goes_through_a_template_whole() -> None:
    source = (
        '{"text": "{{ event.actor }} {{ event.verb_phrase }} {{ event.type }} {{ event.resource_key }}", '
        '"payload": {{ event.payload }}, "again": {{ event.payload | tojson }}, "raw": "{{ event.raw }}", '
        '"fields": [{% for key in event.payload or {} %}"{{ key }}"{{ "," if not loop.last }}{% endfor %}]}'
    )
    template = compiled(source)
    events = [each for each in (parse(every.body) for every in every_capture()) if not isinstance(each, InvalidEvent)]
    assert max(len(each.raw) for each in events) > 900_000
    for each in events:
        pieces = template.fill(names_for(each, {}))
        assert isinstance(pieces, tuple), pieces
        made = place(pieces)
        assert isinstance(made, str)
        body = json.loads(made)
        assert body == {
            "text": f"{each.actor} {each.verb_phrase} {each.type} {each.resource_key or 'null'}",
            "payload": each.payload,
            "again": each.payload,
            "raw": each.raw,
            "fields": list(each.payload or {}),
        }


def test_a_large_event_is_rendered_within_the_budget_that_every_template_has() -> None:
    large = event(payload={"key": "k", "description": 'a "b"\n' * 170_000})
    template = compiled('{"text": "{{ event.flag_key }}: {{ event.payload.description }}", "all": {{ event.payload }}}')
    pieces = template.fill(names_for(large, {}))
    assert isinstance(pieces, tuple)
    assert len(str(place(pieces))) > 2_000_000


def test_a_generator_is_read_while_its_template_is_rendered() -> None:
    # It was read when it was placed, out of the budget and of reach of whatever catches its errors: the task went
    # round until its 900th receive.
    pieces = compiled('{"a": {{ xs | map("upper") }}, "b": "{{ xs | map("upper") }}"}').fill({"xs": ["a", "b"]})
    assert isinstance(pieces, tuple)
    assert json.loads(str(place(pieces))) == {"a": ["A", "B"], "b": '["A", "B"]'}
    failed = compiled('{{ [1] | map("upper") | map(attribute="nope") }}').fill({})
    assert failed == RenderFailed("body, line 1: 'str object' has no attribute 'nope'")


def test_the_names_that_are_printed_by_themselves_are_told() -> None:
    assert Templates({}).printed_names("{{ a }}{{ b ~ 1 }}{{ c | e }}{% if d %}{{ e }}{% endif %}") == ["a", "e"]


def test_a_template_knows_its_name() -> None:
    assert compiled("x").name == "body"


def test_gotpl_is_loaded_by_who_uses_it_alone() -> None:
    code = "import sys, flagcast.rendering.render, flagcast.rendering.conditions; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    names = loaded.stdout.split()
    assert "jinja2" in names
    assert [each for each in names if each.startswith(("gotpl", "flagcast.templates.go"))] == []
