"""What Go templates promise beyond what Go does: their place in JSON, their bounds, their errors."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.primitives.render_failure import RenderFailed
from flagcast.templates import limits
from flagcast.templates.go.template import GoTemplate, compile_go
from flagcast.templates.json_escaping import Misplaced, place, plain
from tests.unit.builders import JSON, event

AWKWARD = 'it\'s "x" \\ <b> \U000e0001 é\n'


def template(source: str) -> GoTemplate:
    made = compile_go(source, "body")
    assert isinstance(made, GoTemplate), made
    return made


def pieces(source: str, payload: Any = None) -> tuple[object, ...]:
    made = template(source).fill({"event": event(payload=payload, metadata={"actor": {"name": AWKWARD}})})
    assert not isinstance(made, RenderFailed), made
    return made


def placed(source: str, payload: Any = None) -> Any:
    text = place(pieces(source, payload))
    assert not isinstance(text, Misplaced), text
    return json.loads(text)


def failure(source: str, payload: Any = None) -> str:
    made = template(source).fill({"event": event(payload=payload)})
    assert isinstance(made, RenderFailed), made
    return made.detail


def test_a_template_is_called_by_the_name_it_was_given() -> None:
    assert template("x").name == "body"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{"a": "{{ .Payload.name }}"}', {"a": AWKWARD}),
        ('{"a": "{{ js .Payload.name }}"}', {"a": AWKWARD}),
        ('{"a": "{{ printf "%s by %s" (js .Payload.name) .Payload.name }}"}', {"a": f"{AWKWARD} by {AWKWARD}"}),
        ('{"a": "{{ print (js .Payload.name) .Payload.name }}"}', {"a": AWKWARD * 2}),
        ('{"a": "{{ println (js .Payload.name) 1 }}"}', {"a": f"{AWKWARD} 1\n"}),
        ('{"a": "{{ $x := js .Payload.name }}{{ $x }}"}', {"a": AWKWARD}),
        ('{"a": "{{ printf "%5s|%v" (js "a") (js .Payload.name) }}"}', {"a": f"    a|{AWKWARD}"}),
        ('{"a": "{{ printf "%.1s" (js .Payload.quote) }}"}', {"a": "\\"}),
        ('{"a": "{{ slice (js .Payload.quote) 0 1 }}"}', {"a": "\\"}),
        ('{"a": "{{ html (js .Payload.quote) }}"}', {"a": "\\&#34;"}),
        ('{"a": "{{ toJson .Payload.quote }}"}', {"a": '"\\""'}),
        ('{"a": {{ toJson .Payload.quote }}}', {"a": '"'}),
        ('{"a": {{ printf "%s" (toJson .Payload.quote) }}}', {"a": '"'}),
        ('{"a": {{ printf "%q" .Payload.quote }}}', {"a": '"'}),
        ('{"a": {{ printf "\\"%s\\"" (js .Payload.name) }}}', {"a": AWKWARD}),
        ('{"a": {{ printf "{\\"b\\": \\"%s\\", \\"c\\": [%d, %q]}" .Payload.name 1 .Payload.quote }}}',
         {"a": {"b": AWKWARD, "c": [1, '"']}}),
        ('{"a": {{ $q := "\\"" }}{{ $q }}{{ .Payload.name }}{{ $q }}, "b": "{{ .Type }}{{ "!" | print }}"}',
         {"a": AWKWARD, "b": "flag!"}),
        ('{"a": {{ or .Payload.missing "null" }}}', {"a": None}),
        ('{"a": "{{ or .Payload.missing "none" }}"}', {"a": "none"}),
        ('[{{ $s := "" }}{{ range 3 }}{{ $s }}{{ . }}{{ $s = ", " }}{{ end }}]', [0, 1, 2]),
        ('{"a": "{{ printf "one\\\\ntwo" }}"}', {"a": "one\ntwo"}),
        ('{"a": "{{ printf "one\\ntwo %s" .Payload.quote }}"}', {"a": 'one\ntwo "'}),
        ('{"a": "{{ $x := "say \\"hi\\"" }}{{ $x }}"}', {"a": 'say "hi"'}),
        ('{"a": "\\{{ "n" }}"}', {"a": "\n"}),
        ('{"a": "\\{{ $n := "n" }}{{ $n }}{{ .Payload.quote }}"}', {"a": '\n"'}),
        ('{"a": "\\{{ $n := "n" }}{{ $n }}{{ $q := "\\"" }}{{ $q }}"}', {"a": '\n"'}),
        ('{"a": {{ "\\"" }}b{{ "\\"" }}, "c": {{ 1 }}, "d": {{ true }}, "e": {{ \'a\' }}}',
         {"a": "b", "c": 1, "d": True, "e": 97}),
        ('{"a": {{ .Payload.number }}, "b": {{ js .Payload.number }}}', {"a": 2, "b": 2}),
        ('{"a": "{{ slice .Payload.accent 0 1 }}"}', {"a": "\ufffd"}),
        ('{"a": "{{ printf "%s%s" (slice .Payload.accent 0 1) (slice .Payload.accent 1) }}"}', {"a": "é"}),
    ],
    ids=lambda each: str(each) if isinstance(each, str) else "",
)  # fmt: skip
def test_a_value_is_escaped_for_where_it_stands_and_once(source: str, expected: Any) -> None:
    assert placed(source, {"name": AWKWARD, "quote": '"', "number": 2, "accent": "é"}) == expected


def test_as_text_what_js_made_is_gos() -> None:
    assert plain(pieces("{{ js .Payload }} {{ printf `%s` (js .Payload) }}", "'\U000e0001")) == r"\'\uE0001 \'\uE0001"


@pytest.mark.parametrize(
    ("source", "payload"),
    [
        ('{"a": {{ .Type }}}', None),
        ('{"a": {{ .Payload }}}', '1, "b": 2'),
        ('{"a": {{ printf "%s" .Payload }}}', '"'),
        ('{"a": {{ printf .Payload }}}', '"b", "c": "d"'),
        ('{"a": {{ js .Payload }}}', '"'),
        ('{"a": "\\{{ .Payload }}"}', "n"),
    ],
)
def test_what_is_no_json_value_cannot_stand_where_one_must(source: str, payload: Any) -> None:
    assert isinstance(place(pieces(source, payload)), Misplaced)


@pytest.mark.parametrize(
    "source",
    [
        "{{ range 3000000000 }}{{ end }}",
        "{{ range 200 }}{{ range 200 }}{{ end }}{{ end }}",
        '{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}',
        '{{ define "a" }}{{ template "a" . }}{{ template "a" . }}{{ end }}{{ template "a" . }}',
        '{{ define "a" }}{{ if true }}{{ range 1 }}{{ with 1 }}{{ template "a" . }}{{ end }}{{ end }}{{ end }}{{ end }}'
        '{{ template "a" . }}',
        '{{ printf "%300000d" 1 }}',
        '{{ printf "%.300000d" 1 }}',
        '{{ printf "%.300000f" 1.5 }}',
        '{{ printf "%*d" 300000 1 }}',
        '{{ printf "%0300000f" -1.5 }}',
        '{{ printf "%.300000U" 1 }}',
        '{{ printf "%300000s" "a" }}',
        '{{ $x := "0123456789" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}',
        '{{ $x := "<<<<<<<<<<" }}{{ range 40 }}{{ $x = html $x $x }}{{ end }}',
        '{{ $x := "0123456789" }}{{ range 40 }}{{ $x = printf "%s%s" $x $x }}{{ end }}',
        '{{ $x := "0123456789" }}{{ range 40 }}{{ $x = printf "%[1]s%[1]s" $x }}{{ end }}',
        "{{ range 4000 }}{{ print $.Payload.large }}{{ end }}",
        "{{ range 4000 }}{{ $x := js $.Payload.large }}{{ end }}",
        "{{ range 4000 }}{{ $x := len $.Payload.large }}{{ end }}",
        "{{ range 4000 }}{{ $x := slice $.Payload.large 1 2 }}{{ end }}",
        "{{ range 4000 }}{{ $x := index $.Payload.large 1 }}{{ end }}",
        "{{ range 4000 }}{{ $x := printf \"%d\" $.Payload.many }}{{ end }}",
        "{{ range 4000 }}{{ $x := toJson $.Payload.many }}{{ end }}",
        "{{ range 4000 }}{{ range $.Payload.keys }}{{ break }}{{ end }}{{ end }}",
        "{{ range 4000 }}{{ $x := toJson $.Payload.large }}{{ end }}",
        "{{ range 4000 }}{{ $x := printf $.Payload.large }}{{ end }}",
        "{{ range 4000 }}" + "x" * 10_000 + "{{ end }}",
        '{{ range 9000 }}{{ $x := len "a" }}{{ end }}',
    ],
)  # fmt: skip
def test_a_template_that_does_too_much_is_stopped_soon(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_WORK", limits.MOST_WORK // 10)
    large = {"large": "é" * 500_000, "many": list(range(5_000)), "keys": {str(each): 1 for each in range(20_000)}}
    detail = failure(source, large)
    assert detail.startswith("body, line 1, column ")
    assert "more than " in detail or "a number over 10,000" in detail or "more work" in detail


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("{{ .Nope }}", "body, line 1, column 4: can't evaluate field Nope in type audit.Event"),
        ("é\n{{ .Payload.key }}é{{ .Metadata.Actor.Name }}",
         "body, line 2, column 23: nil pointer evaluating *audit.Actor.Name"),
        ('{{ template "gone" . }}', "body, line 1, column 1: template 'gone' not defined"),
        ("{{ index .Type 99 }}", "body, line 1, column 4: index out of range: 99"),
        ("{{ eq .Type 1 }}", "body, line 1, column 4: incompatible types for comparison: string and int"),
        ("{{ 9223372036854775808 }}", "body, line 1, column 4: 9223372036854775808 overflows int"),
        ("{{ len 1 2 }}", "body, line 1, column 4: wrong number of args for len: want 1 got 2"),
        ("{{ eq }}", "body, line 1, column 4: wrong number of args for eq: want at least 1 got 0"),
        ("{{ toJson 1i }}", "body, line 1, column 4: error calling toJson: json: unsupported type: complex128"),
        ("{{ range .Payload.name }}{{ end }}", "body, line 1, column 10: range can't iterate over a string"),
    ],
)  # fmt: skip
def test_an_error_says_where_and_what_and_quotes_no_value(source: str, detail: str) -> None:
    found = failure(source, {"name": "secret-name"})
    assert found == detail
    assert "secret-name" not in found


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("a\n {{ nope }}", "body, line 2, column 5: function 'nope' not defined"),
        ("{{ if true }}", "body, line 1, column 14: unexpected EOF"),
        ("{{ .Type", "body, line 1, column 1: unclosed action"),
        ("{{ end }}", "body, line 1, column 1: unexpected end"),
        ("{{ $x }}", "body, line 1, column 4: undefined variable '$x'"),
        (f"{{{{ {'1' * 5000} }}}}", "body: ValueError"),
    ],
)
def test_a_template_that_cannot_be_read_says_where(source: str, detail: str) -> None:
    assert compile_go(source, "body") == RenderFailed(detail)


def test_whatever_goes_wrong_is_a_failure_and_quotes_nothing() -> None:
    # A whole number of 400 digits is JSON, and no float64.
    assert failure("{{ .Payload }}", int("7" * 400)) == "body, line 1, column 1: OverflowError"


@given(st.text("{}.$%[]*-+# 0123456789vsdqxTabc\"'`\\|()\n:=,", max_size=40), JSON)
def test_no_text_of_a_template_makes_the_engine_raise(source: str, payload: Any) -> None:
    made = compile_go("{{ " + source, "body")
    if isinstance(made, GoTemplate):
        assert isinstance(made.fill({"event": event(payload=payload)}), tuple | RenderFailed)


@given(st.text("%[]*.-+# 0123456789vsdqxXTtcUefgbop", max_size=20), JSON)
def test_no_format_makes_printf_raise(text: str, payload: Any) -> None:
    source = "{{ printf .Payload.format .Payload.value .Type 3 1.5 (index .Type 0) . }}"
    made = template(source).fill({"event": event(payload={"format": text, "value": payload})})
    if isinstance(made, RenderFailed):
        assert "a number over 10,000" in made.detail


def test_an_address_stands_for_a_pointer_that_is_another_in_go_each_time() -> None:
    assert plain(pieces('{{ .Metadata }} {{ printf "%p %#p" .Payload .Metadata.Actor }}', {})) == (
        "{0xc000000000} 0xc000000000 c000000000"
    )


def test_templates_that_are_called_one_after_another_are_not_deep() -> None:
    assert plain(pieces('{{ define "a" }}x{{ end }}{{ range 100 }}{{ template "a" }}{{ end }}')) == "x" * 100


def test_a_variable_of_a_turn_is_gone_in_the_next() -> None:
    assert plain(pieces("{{ $x := 1 }}{{ range 2 }}{{ $x }}{{ $x := 5 }}{{ end }}")) == "11"
