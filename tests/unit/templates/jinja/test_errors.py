from typing import Any

import pytest

from flagcast.primitives.render_failure import RenderFailed
from flagcast.templates.jinja.template import JinjaTemplate, Templates
from flagcast.templates.json_escaping import Misplaced, place
from tests.unit.builders import event

FILES = {"part": '"p": "{{ v }}"'}


def failure(source: str, **names: Any) -> str:
    made = Templates(FILES).compile(source, "body")
    failed = made.fill(names) if isinstance(made, JinjaTemplate) else made
    assert isinstance(failed, RenderFailed), failed
    return failed.detail


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("\n{{ nope }}", "body, line 2: 'nope' is undefined"),
        ("{{ nope.x }}", "body, line 1: 'nope' is undefined"),
        ("{{ event.nope }}", "body, line 1: event has no attribute 'nope'"),
        ("{{ event.nope | tojson }}", "body, line 1: event has no attribute 'nope'"),
        ("{{ [1, {'a': event.nope}] | tojson }}", "body, line 1: event has no attribute 'nope'"),
        ("{{ [event.nope] }}", "body, line 1: event has no attribute 'nope'"),
        ("{{ event.nope | upper }}", "body, line 1: event has no attribute 'nope'"),
        ("{{ event.nope ~ '' }}", "body, line 1: event has no attribute 'nope'"),
        ("{{ event.nope | list }}", "body, line 1: event has no attribute 'nope'"),
        ("{{ 'x' if event.nope }}", "body, line 1: event has no attribute 'nope'"),
        ("{{ [d] | map(attribute='a.nope') | list }}", "body, line 1: 'dict object' has no attribute 'nope'"),
        ("{{ d['nope'] }}", "body, line 1: 'dict object' has no attribute 'nope'"),
        ("{% filter first %}{% endfilter %}", "body: No first item, sequence was empty."),
        ("{% macro m(a) %}\n{{ a }}{% endmacro %}{{ m() }}", "body, line 2: parameter 'a' was not provided"),
        ("{% include 'part' %}", "part, line 1: 'v' is undefined"),
        ("{% include 'nope' %}", "body, line 1: no file templates/nope"),
        ("{% autoescape true %}{% endautoescape %}",
         "body, line 1: autoescape is for HTML, and this is none: write | e where it is meant"),
        ("{{ event.type | random }}", "body, line 1: No filter named 'random'."),
        ("{{ [] | first | tojson }}", "body, line 1: No first item, sequence was empty."),
        # Python's own compiler and lexer raised these out of the check of a configuration.
        ("{% for a in x %}" * 30 + "{% endfor %}" * 30, "body: SyntaxError"),
        ("{{ " + "9" * 5000 + " }}", "body: ValueError"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "body: RecursionError"),
    ],
)  # fmt: skip
def test_an_error_names_the_template_the_line_and_the_name(source: str, detail: str) -> None:
    assert failure(source, event=event(), d={"a": {"b": 1}}) == detail


@pytest.mark.parametrize(
    "source",
    [
        "{{ {}[v] }}",
        "{{ {} | attr(v) }}",
        # A subscript that is no text was quoted whole: {{ map[(event.type, vars.k)] }}.
        "{{ {}[(1, v)] }}",
        "{{ {}[v, v] }}",
        "{{ {}[[v]] }}",
        "{{ {}[{'a': v}] }}",
        "{{ {}[(v,) if v] }}",
        "{{ 'a'[(v, v)] }}",
        "{{ [][[v]] }}",
        "{{ {} | attr((v,)) }}",
        "{{ [{}] | map(attribute=(v,)) | list }}",
        "{{ [{}] | map(attribute=[v]) | list }}",
        "{{ [{}, {}] | sort(attribute=v) }}",
        "{{ [{}] | sum(attribute=(v,)) }}",
        "{{ [{}] | unique(attribute=v) | list }}",
        "{{ [{}, {}] | max(attribute=v) }}",
        "{{ [{}] | selectattr((v,)) | list }}",
        "{{ '%(a)s' % {v: 1} }}",
        "{{ '%(x)s' | format(**{v: 1}) }}",
        "{{ [1][v:] }}",
        "{{ namespace(**{v: 1}).nope }}",
        "{{ 'a'[v] }}",
        "{{ [{}] | map(attribute=v) | join }}",
        "{{ [{}] | groupby(v) }}",
        "{{ [1] | map(v) | list }}",
        "{{ [1] | select(v) | list }}",
        "{{ 'a' | urlize(extra_schemes=[v]) }}",
        "{% include v %}",
        "{% include [v, v ~ '2'] %}",
        "{% extends v %}",
        "{% import v as x %}",
        "{{ v + 1 }}",
        "{{ {v: 1} | map(**{v: 1}) | list }}",
        "{{ v.nope }}",
        "{{ dict(a=1)(v) }}",
        "{{ range(v) }}",
        "{{ v | round }}",
        "{{ v | tojson(indent=v) }}",
        "{% macro m() %}{% endmacro %}{{ m(**{v: 1}) }}",
        '{"a": {{ v | safe }}}',
    ],
)
def test_an_error_never_quotes_a_value(source: str) -> None:
    # Jinja2 names what it looked up, and that can be a value: 'dict object' has no attribute 'canary'.
    template = Templates(FILES).compile(source, "body")
    assert isinstance(template, JinjaTemplate), template
    pieces = template.fill({"v": "canary value"})
    failed = place(pieces) if isinstance(pieces, tuple) else pieces
    assert isinstance(failed, RenderFailed | Misplaced)
    assert "canary" not in failed.detail
    assert len(failed.detail) > 12
