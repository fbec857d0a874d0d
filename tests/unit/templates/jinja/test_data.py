"""What is data to a template, and how it is written where it is no JSON."""

import json
from typing import Any

import pytest
from msgspec import structs

from flagcast.events.change_context import Change, Known
from flagcast.exchange.request import Request
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.render import render
from flagcast.rendering.template_context import names_for
from flagcast.templates.jinja.template import Expression, JinjaTemplate, Templates
from flagcast.templates.json_escaping import place, plain
from tests.unit.builders import destination, event, event_of

FILES = {"macros": "{% macro pair(x) %}{{ x }}{% endmacro %}"}
METHODS = sorted({name for kind in (dict, list, str) for name in dir(kind) if name[0] != "_"})
VARS = {"copy": "2026", "channel": "C1"}
EVENT = event(
    payload={
        "key": "k", "values": [1, 2], "items": None, "keys": {"a": True}, "enabled": True, "name": "N",
        "tags": ["x", "y"], "get": "got",
    },
)  # fmt: skip
KNOWN = Known(is_known=True, changes=(Change("enabled", False, True), Change("name", "O", "N")))


def pieces(source: str, **more: Any) -> tuple[object, ...] | RenderFailed:
    template = Templates(FILES).compile(source, "body")
    assert isinstance(template, JinjaTemplate), template
    return template.fill({**names_for(EVENT, VARS), **more})


def text(source: str, **more: Any) -> str:
    made = pieces(source, **more)
    assert isinstance(made, tuple), made
    return plain(made)


def as_json(source: str, **more: Any) -> Any:
    made = pieces(source, **more)
    assert isinstance(made, tuple), made
    placed = place(made)
    assert isinstance(placed, str), placed
    return json.loads(placed)


def failure(source: str, **more: Any) -> str:
    made = pieces(source, **more)
    assert isinstance(made, RenderFailed), made
    return made.detail


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        # {{ vars.copy }} sent `<built-in method copy of dict object at 0x...>`, and so did each of these.
        ("vars.copy", "2026"),
        ("event.payload.values", [1, 2]),
        ("event.payload.items", None),
        ("event.payload.keys", {"a": True}),
        ("event.payload.get", "got"),
        ("event.payload['values']", [1, 2]),
        ("[event.payload] | map(attribute='values') | first", [1, 2]),
        ("{'pop': 1}.pop", 1),
    ],
)
def test_a_member_of_a_mapping_comes_before_a_method_of_python(expression: str, value: Any) -> None:
    assert as_json(f"{{{{ {expression} }}}}") == value


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_python_is_never_a_value(name: str) -> None:
    ways = ["{of}.{name}", "{of}['{name}']", "{of} | attr('{name}')", "([{of}] | map(attribute='{name}') | first)"]
    kinds = ["{{}}", "event.metadata", "event.payload.tags", "event.type"]
    looked_up = [way.replace("{of}", kind).format(name=name) for way in ways for kind in kinds]
    assert as_json("{{ [" + ", ".join(f"({each}) is defined" for each in looked_up) + "] }}") == [False] * 16
    condition = Templates({}).compile_expression(f"event.metadata.{name} is defined", "when")
    assert isinstance(condition, Expression)
    assert condition.ask(names_for(EVENT, {})) is False


def test_a_method_that_is_called_is_still_one() -> None:
    assert as_json("{{ event.payload.keys() }}") == list(EVENT.payload)
    assert as_json("{{ [event.payload.values() | first, event.payload.get('no'), 'a,b'.split(',')] }}") == [
        "k", None, ["a", "b"],
    ]  # fmt: skip
    assert text(
        "{% for name, value in event.payload.items() if name == 'key' %}{{ name }}={{ value }}{% endfor %}"
    ) == ("key=k")
    assert text("{% macro m(x) %}<{{ x }}>{% endmacro %}{% set d = {'f': m} %}{{ d.f(1) }}") == "<1>"


@pytest.mark.parametrize("body", ["{}", '"{}"', "x{}", "{{{{ [1, {}] }}}}", "{{{{ [{}] | tojson }}}}"])
@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("range", "a function; call it"),
        ("dict", "a function; call it"),
        ("joiner", "a function; call it"),
        ("range(3)", "a range; make a list of it with the filter list"),
        ("m", "a macro; call it"),
        ("macros", "an imported template; call one of its macros"),
        ("macros.pair", "a macro; call it"),
        ("namespace(a=1)", "a namespace; print one of its fields"),
        ("loop", "a loop; print one of its fields, such as loop.index"),
        ("'nan' | float", "a number that JSON does not know"),
        ("{(1, 2): 3}", "a mapping with a name that JSON does not know"),
        ("event.payload.keys() - ['key']", "a set"),
        ("(-8) ** 0.5", "a complex"),
    ],
)
def test_what_is_no_data_cannot_be_printed_and_the_error_says_what_it_is(expression: str, what: str, body: str) -> None:
    printed = f"{{{{ {expression} }}}}" if "{{" not in body.format("") else expression
    source = (
        "{% import 'macros' as macros %}{% macro m() %}{% endmacro %}{% for i in [1] %}"
        + body.format(printed)
        + "{% endfor %}"
    )
    assert what in failure(source)


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ('{"a": "{{ event }}"}', "event is an object; print one of its fields, or all of them with tojson"),
        ("{{ summary }}", "summary is an object; print one of its fields, or all of them with tojson"),
        ("{{ event.origin }}", "event.origin is an object; print one of its fields, or all of them with tojson"),
        ("\n{{ range }}", "range is a function; call it"),
        ("{{ event.type | upper ~ event }}",
         "what is written as text is an object; print one of its fields, or all of them with tojson"),
        ("{{ event | string }}",
         "what is written as text is an object; print one of its fields, or all of them with tojson"),
        ("{{ '%s' % event }}",
         "what is written as text is an object; print one of its fields, or all of them with tojson"),
        ("{{ '%r' % event.type }}", "%r and %a write Python; %s writes text"),
        ("{{ '%(x)-5a' | format(x=1) }}", "%r and %a write Python; %s writes text"),
        ("{{ deep | tojson }}", "tojson: a list that JSON does not know"),
        ("{{ deep ~ '' }}", "what is written as text is a list that JSON does not know"),
        ("{{ event.payload | pprint }}", "No filter named 'pprint'."),
    ],
)  # fmt: skip
def test_the_error_names_what_was_printed(source: str, detail: str) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    compiled = Templates(FILES).compile(source, "body")
    failed = (
        compiled.fill({**names_for(EVENT, VARS), "deep": deep}) if isinstance(compiled, JinjaTemplate) else compiled
    )
    assert isinstance(failed, RenderFailed), failed
    assert failed.detail == f"body, line {source.count('\n') + 1}: {detail}"


TEXTS = [
    ("{{ event.flag_key }}|{{ event.segment_key }}", "k|"),
    ("{{ none }}", ""),
    ("{{ 'a' ~ ('b' if false) }}{{ ['c', 'd' if false] | join }}{{ 'e' if false }}", "ac"),
    ("{{ true }}{{ false }}", "truefalse"),
    ("{{ event.payload.tags }}", '["x", "y"]'),
    ("{{ event.payload.keys }}", '{"a": true}'),
    ("{{ event.payload.keys() | list | first }}", "key"),
    ("{{ 'a' ~ none ~ true ~ {'b': none} }}", 'atrue{"b": null}'),
    ("{{ [none, true, [1], 'é'] | join('-') }}", "-true-[1]-é"),
    ("{{ '%s %s %d %.1f' % (none, true, 3, 2.25) }}", " true 3 2.2"),
    ("{{ '%(a)s' % {'a': false} }}{{ '%s' | format({'b': true}) }}{{ '%s%%r' % 1 }}", 'false{"b": true}1%r'),
    ("{{ none | upper }}{{ true | upper }}{{ none | string }}", "TRUE"),
    ("<{{ none | e }}{{ true | e }}{{ {'b': '<'} | e }}>", "<true{&#34;b&#34;: &#34;&lt;&#34;}>"),
    ("a={{ none | urlencode }}&b={{ true | urlencode }}&c={{ 5 | urlencode }}", "a=&b=true&c=5"),
    ("{{ {'a': none, 'b': true, 'c': 'x y', 'd': [1]} | urlencode }}", "a=&b=true&c=x+y&d=%5B1%5D"),
    ("{{ [('a', none), ('b', true)] | urlencode }}", "a=&b=true"),
    ("{{ none | slack }}{{ true | slack }}{{ none | trim }}{{ 'a' | replace('a', none) }}", "true"),
    ("{{ none | safe }}{{ true | safe }}{{ [1] | safe }}", "true[1]"),
    ("{{ 1 }} {{ 1.5 }} {{ 1e3 }} {{ 2 ** 70 }}", "1 1.5 1000.0 1180591620717411303424"),
    ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(none) }}{{ m(true) | upper }}", "<><TRUE>"),
]


@pytest.mark.parametrize(("source", "expected"), TEXTS)
def test_as_text_null_is_empty_true_is_true_and_a_mapping_is_json(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain", "{{ event.segment_key }}|{{ event.is_denied }}", "|false"),
        ("application/xml", "<a b='{{ event.segment_key | e }}'>{{ event.is_denied }}</a>", "<a b=''>false</a>"),
        ("application/x-www-form-urlencoded", "s={{ event.segment_key | urlencode }}&e={{ event.payload.enabled }}"
         "&k={{ event.payload['keys'] | urlencode }}", "s=&e=true&k=a=true"),
        ("application/json", '["{{ event.segment_key }}", {{ event.segment_key }}, "{{ event.payload.enabled }}"]',
         '["null", null, "true"]'),
    ],
)  # fmt: skip
def test_every_body_and_header_that_is_not_json_has_values_as_text(content_type: str, body: str, expected: str) -> None:
    compiled = compile_destination(
        destination(
            content_type=content_type, body=body, headers={"X-S": "<{{ event.segment_key }}{{ event.is_denied }}>"}
        ),
        {},
    )
    assert isinstance(compiled, Compiled)
    made = render(compiled, EVENT, {}, 0)
    assert isinstance(made, Request)
    assert made.body.decode() == expected
    assert made.headers["X-S"] == "<false>"


def test_an_event_is_a_mapping_of_what_templates_know_of_it_as_json() -> None:
    about = event_of(EVENT.raw.encode())
    found = as_json("{{ event | tojson }}", event=about)
    expected = {
        "type": "flag", "action": "updated", "payload": EVENT.payload, "flag_key": "k", "actor": "someone",
        "is_denied": False, "changes": [],
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    assert not {"raw", "origin", "known"} & {*found}
    assert all(found[name] == getattr(about, name) or name in ("changes", "changed") for name in found)
    assert as_json("{{ event | tojson(indent=2) }}", event=about) == found


def test_a_summary_and_changes_are_mappings_as_json() -> None:
    summary = as_json("{{ summary | tojson }}")
    assert (summary["title"], summary["kind"]) == ("Someone updated flag k", "updated")
    about = event_of(EVENT.raw.encode())
    changed = structs.replace(about, known=KNOWN)
    expected = [("enabled", False, True), ("name", "O", "N")]
    one_by_one = "[{% for each in event.changes %}{{ each | tojson }}{{ ',' if not loop.last }}{% endfor %}]"
    for source in ("{{ event.changes }}", "{{ event.changes | tojson }}", "{{ event.changes | list }}", one_by_one):
        found = as_json(source, event=changed)
        assert [(each["field"], each["before"], each["after"]) for each in found] == expected
    assert as_json('{"a": "{{ event.changes }}"}', event=changed)["a"] == text("{{ event.changes }}", event=changed)
