from typing import Any

import pytest
from jinja2 import FunctionLoader, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flagcast.templates.data import as_text
from flagcast.templates.jinja.template import JinjaTemplate, Templates
from flagcast.templates.json_escaping import plain

NAMES: dict[str, Any] = {
    "x": "X<&>\"'", "y": 3, "n": None, "t": True, "l": [1, 2, "a"], "d": {"k": "v", "z": [1]}, "e": [],
    "us": [{"n": "b", "c": 1}, {"n": "a", "c": 2}],
    "tree": [{"v": 1, "c": [{"v": 2, "c": []}]}],
}  # fmt: skip
STOCK = [
    "{{ x }} {{ n }} {{ t }} {{ l }} {{ d }} {{ 1e3 }}\n",
    "a\n{{ x }}\n\n{% if t %}\nb\n{% endif %}\n",
    "  {%- if t %}  a  {%- else %} b {% endif +%}  {{- x -}}  {{ y }}  ",
    "{% raw %}{{ x }}{% endraw %}{# c #}{{ '{{' }}",
    "{% for i in l %}{{ loop.index }}/{{ loop.length }}{{ loop.last }}{{ loop.previtem | default('-') }}"
    "{{ loop.nextitem | default('-') }}{{ loop.revindex0 }}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for i in e %}x{% else %}none{% endfor %}{% for i in l if i is number and i > 1 %}{{ loop.length }}{% endfor %}",
    "{% for i in l if i == 9 %}x{% else %}none{% endfor %}",
    "{% for u in us %}{% if loop.changed(u.n) %}{{ u.n }}{% endif %}{% endfor %}",
    "{% for n in tree recursive %}{{ n.v }}{{ loop.depth }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% endfor %}",
    "{% set z = 1 %}{% for i in l %}{% set z = i %}{% endfor %}{{ z }}",
    "{% set ns = namespace(a=0) %}{% for i in [1, 2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}",
    "{% set b %}<{{ x }}>{% endset %}{{ b }}{{ b | upper }}{{ b | length }}{{ b ~ '!' }}{{ b[1] }}",
    "{% macro m(a, b='d') %}({{ a }},{{ b }},{{ varargs }},{{ kwargs }}){% endmacro %}{{ m(1, 2, 3, q=4) }}"
    "{{ m(b=1, a=x) }}",
    # The sandbox's own parameters had these names.
    "{% macro m(context, obj) %}{{ context }}{{ obj }}{% endmacro %}{{ m(context=1, obj=2) }}",
    "{% macro m() %}[{{ caller('p') }}]{% endmacro %}{% call(q) m() %}c{{ q }}{{ x }}{% endcall %}",
    "{% filter upper %}a{{ x }}{% filter lower %}QQ{% endfilter %}{% endfilter %}",
    "{% import 'm' as k with context %}{{ k.c() }}{% from 'm' import v as w %}{{ w }}{% import 'm' as k %}{{ k.v }}",
    "{% include 'i' %}{% include 'nope' ignore missing %}{% include ['nope', 'i'] %}",
    "{% extends 'b' %}{% block a %}N{{ super() }}{{ self.q() }}{% endblock %}ignored",
    "{% for i in [1, 2] %}{% block s scoped %}{{ i }}{% endblock %}{% endfor %}",
    "{% with a=1, b=2 %}{{ a + b }}{% endwith %}{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{{ x or 'q' }}{{ n or 'none' }}{{ 'a' if t else 'b' }}{{ 'z' if n }}{{ ('a' if t else 'b') ~ y }}",
    "{{ 1 < y < 5 }}{{ 1 < y > 5 }}{{ y in l }}{{ 'k' in d }}{{ 'a' not in x }}{{ not t }}{{ y == 3.0 }}",
    "{{ {'a': 1, 'b': [x]} }}{{ {(1, 2): 3}[(1, 2)] }}{{ {} }}{{ (1,) }}{{ l[1:] }}{{ x[::-1] }}{{ l[-1] }}"
    "{{ d['k'] }}",
    "{{ 1 + 2 * 3 ** 2 // 2 % 4 - 1 }}{{ 'a' * 3 }}{{ [1] * 2 }}{{ [1] + [2] }}{{ '%s-%05d' % (x, 3) }}"
    "{{ 7 / 2 }}{{ -y }}",
    "{{ x | e }}{{ x | e | e }}{{ x | replace(old='X', new='Y', count=1) }}{{ l | join('-') }}"
    "{{ us | join('|', attribute='n') }}",
    "{{ us | sort(attribute='n') | map(attribute='c') | list }}{{ us | groupby('n') }}{{ us | sum(attribute='c') }}"
    "{{ us | selectattr('c', 'gt', 1) | list }}{{ us | unique(attribute='n') | list | length }}{{ d | dictsort }}",
    "{{ [1, 2, 3] | batch(2, '-') | list }}{{ [1, 2, 3] | slice(2) | list }}{{ 'a\nb' | indent(2, true) }}"
    "{{ 'a' | center(5) }}",
    "{{ 'abc def' | wordwrap(3) }}{{ 42.55 | round(1, 'floor') }}{{ 'a b' | urlencode }}"
    "{{ 'x' | attr('nope') | default('D') }}",
    "{{ y is odd }}{{ nope is defined }}{{ 'upper' is filter }}{{ y is in l }}{{ 'A' is upper }}"
    "{{ y is sameas y }}{{ 2 is lt 3 }}",
    "{% set j = joiner(',') %}{{ j() }}{{ j() }}{% set c = cycler(1, 2) %}{{ c.next() }}{{ c.next() }}"
    "{{ range(3) | list }}{{ dict(a=1) }}",
    "{{ x.lower() }}{{ 'a,b'.split(',') }}{{ d.items() | list }}{{ d.keys() }}{% for k, v in d.items() %}"
    "{{ k }}{% endfor %}",
    "{% if l | select('none') %}a generator is true{% endif %}{{ [1, 2] | map('string') | map('upper') | join }}",
]  # fmt: skip
STOCK_FILES = {
    "m": "{% macro c() %}{{ x }}{{ y }}{% endmacro %}{% set v = 7 %}",
    "i": "inc {{ x }}\n",
    "b": "<{% block a %}A{{ x }}{% endblock %}|{% block q %}Q{% endblock %}>",
}


@pytest.mark.parametrize("source", STOCK)
def test_as_text_a_template_gives_what_jinja2_gives_and_what_is_no_text_is_json(source: str) -> None:
    stock = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        loader=FunctionLoader(STOCK_FILES.get),
        finalize=lambda value: value if isinstance(value, Undefined) else as_text(value),
    )
    template = Templates(STOCK_FILES).compile(source, "body")
    assert isinstance(template, JinjaTemplate), template
    pieces = template.fill(NAMES)
    assert isinstance(pieces, tuple), pieces
    assert plain(pieces) == stock.from_string(source).render(NAMES)
