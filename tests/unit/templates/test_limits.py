import json

import pytest

from flagcast.events.event import Event
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.template_context import names_for
from flagcast.templates import limits
from flagcast.templates.jinja.filters import filters
from flagcast.templates.jinja.template import JinjaTemplate, Templates
from flagcast.templates.json_escaping import plain
from tests.support.alone import alone
from tests.support.time_limits import ends_within
from tests.unit.builders import event

BIG = event(
    payload={"key": "k", "word": "a" * 1_000_000, "tags": "<a>" * 300_000, "numbers": list(range(100_000))},
)
FILES = {"self": '{% include "self" %}', "parent": '{% extends "parent" %}', "empty": ""}
DOUBLED = "{{% set ns = namespace(s={}) %}}{{% for i in range(60) %}}{{% set ns.s = {} %}}{{% endfor %}}{}"

TEXT, WORK, STEPS, NUMBER, LARGE = (
    "more than 16,777,216 characters are made",
    "more work than a message is worth",
    "more than 10,000 turns of loops, calls and includes",
    "a number over 10,000 where a width or count is expected",
    "a number that is too large",
)
UNSAFE = "access to attribute '{}' of 'Markup' object is unsafe."


def filled(source: str, about: Event = BIG) -> str:
    template = Templates(FILES).compile(source, "t")
    assert isinstance(template, JinjaTemplate), template
    made = template.fill(names_for(about, {}))
    return made.detail.partition(": ")[2] if isinstance(made, RenderFailed) else plain(made)


HOSTILE = [
    ('{{ "a" * 300000000 }}', TEXT),
    ('{{ 300000000 * "a" }}', TEXT),
    ("{{ [1] * 300000000 }}", TEXT),
    ("{{ 9 ** 99999 }}", LARGE),
    ("{{ 10 ** 4000 * 10 ** 4000 }}", LARGE),
    ('{{ ("f" * 9999) | int(base=16) }}', LARGE),
    ('{{ "%300000000d" % 1 }}', NUMBER),
    ('{{ "%.99999999f" | format(1) }}', NUMBER),
    # Python takes the second % for the start of a directive; a name in parentheses seemed to swallow it.
    ('{{ "%%(%99999999d)" % 1 }}', NUMBER),
    ("{{ '%(a(b))99999999d' % {'a(b)': 1} }}", "a parenthesis inside a name in a format"),
    ("{{ '%*d' % (99999999, 1) }}", "a width that stands among the values"),
    ("{{ ('%(a)s' * 2500) % {'a': event.payload.word} }}", TEXT),
    ("{{ ('%s' * 50) | format(*[event.payload.word] * 50) }}", TEXT),
    ("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}", STEPS),
    ("{% set r = range(9999) %}{% for i in r %}{% for j in r if false %}{% endfor %}{% endfor %}", STEPS),
    ("{% for i in range(9999) %}{% include 'empty' %}{% endfor %}", STEPS),
    ("{% macro m() %}{% endmacro %}{% for i in range(9999) %}{{ m() }}{% endfor %}", STEPS),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError"),
    ("{% block b %}{{ self.b() }}{% endblock %}", "RecursionError"),
    ('{% include "self" %}', "RecursionError"),
    ('{% extends "parent" %}', "RecursionError"),
    ("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "RecursionError"),
    (DOUBLED.format('"ab"', "ns.s ~ ns.s", ""), TEXT),
    (DOUBLED.format('"ab"', "ns.s + ns.s", ""), TEXT),
    (DOUBLED.format("[1]", "ns.s + ns.s", ""), TEXT),
    (DOUBLED.format('"ab"', "[ns.s, ns.s] | join", ""), TEXT),
    (DOUBLED.format('"ab"', '"%s%s" | format(ns.s, ns.s)', ""), TEXT),
    (DOUBLED.format('"ab"', 'ns.s | replace("a", "aa" * 999)', ""), TEXT),
    # Named the other way round, the new text was counted in place of the old.
    (DOUBLED.format('"ab"', 'ns.s | replace(new="aa" * 999, old="a")', ""), TEXT),
    (DOUBLED.format('"a\n" * 999', "ns.s | indent(9999)", ""), TEXT),
    (DOUBLED.format('"a\n" * 999', 'ns.s | indent("x" * 9999)', ""), TEXT),
    (DOUBLED.format('"a"', '("a" | center(9999)) ~ ns.s', ""), TEXT),
    # A list of a list of a list: few items each, and more than can be written, compared or hashed.
    (DOUBLED.format("[1]", "[ns.s, ns.s]", "{{ ns.s }}"), WORK),
    (DOUBLED.format("[1]", "[ns.s, ns.s]", "{{ ns.s | tojson }}"), WORK),
    (DOUBLED.format("[1]", "[ns.s, ns.s]", "{{ ns.s | string }}"), WORK),
    (DOUBLED.format("[1]", "[ns.s, ns.s]", "{{ ns.s ~ '' }}"), WORK),
    (DOUBLED.format("[1]", "[ns.s, ns.s]", "{{ '%s' % ns.s }}"), WORK),
    (DOUBLED.format("[1]", "[ns.s, ns.s]", "{{ ns.s is eq ns.s }}"), WORK),
    (DOUBLED.format("(1,)", "(ns.s, ns.s)", "{{ {ns.s: 1} }}"), WORK),
    (DOUBLED.format("(1,)", "(ns.s, ns.s)", "{{ {}[ns.s] }}"), WORK),
    (DOUBLED.format("(1,)", "(ns.s, ns.s)", "{{ ns.s == 1 }}"), WORK),
    (DOUBLED.format("(1,)", "(ns.s, ns.s)", "{{ 1 in ns.s }}"), WORK),
    (DOUBLED.format("{}", '{"a": ns.s, "b": ns.s}', "{{ ns.s.values() }}"), WORK),
    (DOUBLED.format("{}", "dict(a=ns.s, b=ns.s)", "{{ ns.s.items() }}"), WORK),
    (DOUBLED.format("[1]", "[ns.s, ns.s]", "{% call dict(a=ns.s) %}{% endcall %}"), WORK),
    ("{% set ns = namespace() %}{% set ns.x %}{{ '' }}{% endset %}{% for i in range(60) %}"
     "{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}", WORK),
    ("{% set x %}{% for i in range(9999) %}" + "t" * 100_000 + "{% endfor %}{% endset %}", TEXT),
    ("{% for i in range(9999) %}{{ event.payload.word }}{% endfor %}", TEXT),
    ("{% for i in range(9999) %}{% set x = event.payload.word[1:] %}{% endfor %}", TEXT),
    ("{% for i in range(9999) %}{% set x = event.payload.word.split('a') %}{% endfor %}", TEXT),
    ("{% for i in range(9999) %}{% set x = event.payload.word.title() %}{% endfor %}", TEXT),
    ("{% for i in range(9999) %}{% set x = event.payload.word | urlencode %}{% endfor %}", TEXT),
    ("{% for i in range(9999) %}{% set x = event.payload.word is upper %}{% endfor %}", WORK),
    ("{% for i in range(9999) %}{% set x = 'zz' in event.payload.word %}{% endfor %}", WORK),
    ("{% for i in range(9999) %}{% set x = range(9999) | sort %}{% endfor %}", WORK),
    ("{% for i in range(9999) %}{% set x = range(9999) | map('string') | map('upper') | list %}{% endfor %}", WORK),
    ("{% for b in [1] | batch(9999, event.payload.numbers) %}{{ b }}{% endfor %}", WORK),
    ("{{ range(9999) | map(attribute='0.' * 500000) | list }}", WORK),
    ("{{ event.payload.numbers | tojson(9999) }}", TEXT),
    ("{{ [1] | tojson(indent=300000000) }}", NUMBER),
    ("{{ ([event.payload.word] * 90) | join }}", TEXT),
    ("{{ event.payload.word | wordwrap(1) }}", WORK),
    ("{{ ('a b ' * 100000) | wordwrap(1, wrapstring='x' * 99999) }}", TEXT),
    ("{{ event.payload.tags | striptags }}", WORK),
    ("{{ ([[1]] * 9999) | sum(start=[]) }}", "sum: adds numbers alone"),
    ("{{ 'a' | center(300000000) }}", NUMBER),
    ("{{ 'a' | center(width=300000000) }}", NUMBER),
    ("{{ 1 | round(300000000, 'floor') }}", NUMBER),
    ("{{ [1] | slice(300000000) | list }}", NUMBER),
    ("{{ [1] | batch(300000000, 1) | list }}", NUMBER),
    ("{{ range(1000000) | list }}", NUMBER),
]  # fmt: skip


@pytest.mark.parametrize(("source", "detail"), HOSTILE, ids=lambda each: each[:60])
def test_a_template_that_does_too_much_is_stopped_soon(
    source: str, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if detail == WORK:
        # A tenth of the work is as good a limit; the whole is spent by the test of its memory.
        monkeypatch.setattr(limits, "MOST_WORK", limits.MOST_WORK // 10)
    assert filled(source) == detail


@pytest.mark.parametrize(
    "method", ["center", "encode", "expandtabs", "format", "format_map", "join", "ljust", "maketrans", "replace",
               "rjust", "striptags", "translate", "zfill"]
)  # fmt: skip
def test_no_method_that_makes_more_of_a_text_is_reached(method: str) -> None:
    assert filled(f'{{{{ ("a"|e).{method}(9) }}}}') == UNSAFE.format(method)


@pytest.mark.parametrize(
    "lookup", ['("a"|e)["center"]', '("a"|e)|attr("center")', '(["a"|e]|map(attribute="center")|first)']
)
def test_no_other_way_leads_to_such_a_method(lookup: str) -> None:
    assert filled(f"{{{{ {lookup}(9) }}}}") == "'str object' has no attribute 'center'"


@pytest.mark.parametrize(
    ("text", "filter_"),
    [
        # A line is cut from a run of blanks as it is from a long word, and 2 million of them took 18 s. A no-break
        # space is a letter to textwrap.
        (" ", "wordwrap"),
        (" ", "wordwrap(1)"),
        ("\t", "wordwrap(10)"),
        ("\xa0", "wordwrap"),
        ("a", "wordwrap(1)"),
        ("\n", "wordwrap"),
        ("\n>", "wordwrap(10)"),
        ("\n>", "urlize"),
        ("a ", "urlize"),
        ("<", "striptags"),
    ],
)
def test_the_content_of_an_event_alone_makes_no_filter_slow(text: str, filter_: str) -> None:
    one = event(payload={"key": text * (2_000_000 // len(text))})
    assert filled(f"{{{{ event.payload.key | {filter_} }}}}", one) == WORK


def test_what_an_ordinary_event_holds_is_wrapped_and_linked() -> None:
    text = ("a word and https://flipt.example.com/#/flags " * 20 + "\n\n") * 40
    one = event(payload={"key": text})
    assert len(filled("{{ event.payload.key | wordwrap | urlize }}", one)) > len(text)


ARGUMENTS = {
    "attr": "('x')", "batch": "(3)", "format": "('x')", "groupby": "('x')", "indent": "(8, true, true)",
    "map": "('upper')", "reject": "('string')", "rejectattr": "('x')", "replace": "('a', 'b')", "select": "('string')",
    "selectattr": "('x')", "slice": "(3)", "truncate": "(80)",
}  # fmt: skip
TEXTS = (" ", "a", "<", "&amp;", "\n", "a ", "\n>", "\xa0", "\t", "http://a.b/ ", "<!--", "<a>", "*", "[a](", "0", "ß")


@pytest.mark.long
@pytest.mark.parametrize("name", filters())
def test_every_filter_ends_soon_whatever_text_it_is_given(name: str) -> None:
    # Each either stays within the budget or is stopped by it; what is neither takes minutes for as much as this.
    for text in TEXTS:
        one = event(payload={"key": text * (4_000_000 // len(text))})
        with ends_within(10):
            filled(f"{{{{ event.payload.key | {name}{ARGUMENTS.get(name, '')} | string | length }}}}", one)


@pytest.mark.long
def test_a_hostile_template_is_stopped_in_little_memory() -> None:
    probe = (
        "import resource; from tests.unit.templates.test_limits import HOSTILE, filled\n"
        "resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))\n"
        "print([source[:80] for source, detail in HOSTILE if filled(source) != detail])"
    )
    assert alone(probe) == "[]\n"


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("{{ nope | default(1735689600) }}", "1735689600"),
        ("{{ [1, 200000] | select('gt', 100000) | list }}", "[200000]"),
        ("{{ '%d' | format(123456) }}", "123456"),
        ("{{ 'x' | replace('x', 123456) }}", "123456"),
        ("{{ 'abc' | truncate(20000) }}", "abc"),
        ("{{ [1] | sum(start=100000) }}", "100001"),
        ("{{ 1.5 * 2 }}{{ 2 ** -1 }}{{ 'a' ~ (1 + 1) }}", "3.00.5a2"),
        ("{{ '%s %s' % ('a', 1) }}{{ '%(a)s' % {'a': 1} }}{{ '%s' % 'a' }}", "a 11a"),
        ("{% for i in range(9999) %}{% endfor %}", ""),
        ("{{ event.payload.word | length }}", "1000000"),
        ("{{ [1, 2, 3] | map('string') | join(',') }}", "1,2,3"),
        ("{{ 'a b' | wordwrap(1) }}{{ 'a' | indent }}{{ '<b>a' | striptags }}", "a\nbaa"),
        ("{{ [[2], [1]] | tojson(indent=1) }}", json.dumps([[2], [1]], indent=1)),
    ],
)
def test_what_is_ordinary_is_not_stopped(source: str, made: str) -> None:
    # Every number over 10,000 was refused wherever a filter took it.
    assert filled(source) == made


def test_each_rendering_has_a_budget_of_its_own() -> None:
    template = Templates({}).compile("{% for i in range(9000) %}{% endfor %}", "t")
    assert isinstance(template, JinjaTemplate)
    for _ in range(3):
        assert template.fill({}) == ()


def test_a_budget_ends_with_what_is_rendered_in_it() -> None:
    with limits.budgeted():
        limits.spend(limits.MOST_TEXT)
        with limits.budgeted():
            limits.spend(1)
        with pytest.raises(limits.LimitExceeded):
            limits.spend(1)
