import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.templates.data import NotData, as_json, as_text
from flagcast.templates.json_escaping import Captured, Constant, Escaped, Json, Misplaced, Verbatim, place, plain
from tests.unit.builders import JSON

TEXT = st.text() | st.sampled_from(
    ['"', "\\", '","x":"', "\\u0022", "\x00\x1f\x7f", "\u2028", "😀", "}", "\n", "{{ a }}"]
)


def placed(*pieces: object) -> str:
    made = place(pieces)
    assert isinstance(made, str), made
    return made


def refused(*pieces: object) -> str:
    made = place(pieces)
    assert isinstance(made, Misplaced)
    return made.detail


@given(TEXT, TEXT)
def test_a_value_inside_a_string_is_that_string_whatever_it_holds(one: str, other: str) -> None:
    assert json.loads(placed(Verbatim('{"a": "<'), one, other, Verbatim('>", "b": 1}'))) == {
        "a": f"<{one}{other}>",
        "b": 1,
    }


@given(JSON)
def test_a_value_outside_of_a_string_is_itself_in_json(value: Any) -> None:
    assert json.loads(placed(Verbatim('{"a": ['), value, Verbatim('], "b": 1}'))) == {"a": [value], "b": 1}


@given(JSON.filter(lambda value: not isinstance(value, str)))
def test_what_is_no_text_stands_inside_a_string_as_json(value: Any) -> None:
    assert json.loads(json.loads(placed(Verbatim('"'), value, Verbatim('"')))) == value


@given(TEXT)
def test_a_value_may_name_a_member_and_no_more(name: str) -> None:
    assert json.loads(placed(Verbatim('{"'), name, Verbatim('": 1}'))) == {name: 1}
    assert json.loads(placed(Verbatim("{"), name, Verbatim(": 1}"))) == {name: 1}


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('"', True),
        ('"a"', False),
        (r'"\"', True),
        (r'"\\"', False),
        (r'"\\\"', True),
        ('"a": "', True),
        (r"\ "[:1], False),
        ('"\\u0022', True),
    ],
)
def test_the_templates_own_text_says_where_a_value_stands(text: str, inside: bool) -> None:
    assert placed(Verbatim(text), '"') == text + (r"\"" if inside else r'"\""')


def test_a_string_that_ends_behind_a_backslash_goes_on_in_the_next_text() -> None:
    assert placed(Verbatim('"\\'), Verbatim(""), Verbatim('"'), "x", Verbatim('"')) == '"\\"x"'


def test_no_value_stands_right_behind_a_backslash() -> None:
    assert refused(Verbatim('{"a": "\\'), "n") == ('a value stands right behind a backslash, behind \'{"a": "\\\\\'')


def test_json_stands_outside_of_a_string_as_it_is_and_is_text_inside_of_one() -> None:
    assert placed(Json('{"a" :1}')) == '{"a" :1}'
    assert json.loads(placed(Verbatim('"'), Json('{"a" :1}'), Verbatim('"'))) == '{"a" :1}'


@pytest.mark.parametrize("text", ["[1]", '"a"', "  ", ""])
def test_what_is_said_to_be_safe_stands_as_it_is_where_it_is_valid(text: str) -> None:
    assert placed(Escaped(text)) == text
    assert placed(Verbatim('"'), Escaped(r"\n"), Verbatim('"')) == r'"\n"'


@pytest.mark.parametrize("text", ['1, "b": 2', "nope", '"', "{", '"a" "b"', "\ud83d"])
def test_what_is_said_to_be_safe_and_is_not_json_is_refused(text: str) -> None:
    assert refused(Verbatim('{"a": '), Escaped(text)) == (
        "a value that is not JSON stands outside of a string, behind '{\"a\":'"
    )


@pytest.mark.parametrize("text", ['"', '","b":"', "\\", "\n", "\x00"])
def test_what_is_said_to_be_safe_and_ends_its_string_is_refused(text: str) -> None:
    assert refused(Verbatim('{"a": "'), Escaped(text)).startswith(
        "a value that is said to be safe would end the string"
    )


@pytest.mark.parametrize("text", [",", ": ", "\n", "[{", "}]", ""])
def test_punctuation_that_the_template_writes_as_a_constant_stands_as_it_is(text: str) -> None:
    assert placed(Constant(text)) == text


def test_another_constant_is_a_value_and_so_is_punctuation_out_of_one() -> None:
    assert placed(Constant("none")) == '"none"'
    assert placed(",") == '","'
    assert placed(Verbatim('"'), Constant('"'), Verbatim('"')) == r'"\""'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {"a": object()}, {(1,): 2}, b"x"])
def test_what_json_does_not_know_stands_nowhere(value: object) -> None:
    assert as_json(value) is None
    kind = type(value).__name__
    assert refused(value) == f"a {kind}, which JSON does not know, is printed, behind ''"
    # In a string it was written as Python writes it.
    assert refused(Verbatim('"'), value) == f"a {kind}, which JSON does not know, is printed, behind '\"'"
    with pytest.raises(NotData):
        as_text(value)


def test_a_value_too_deep_to_be_written_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert refused(deep).startswith("a list, which JSON does not know")
    assert refused(Escaped("[" * 100_000)).startswith("a value that is not JSON")


def test_what_a_macro_made_is_text_and_keeps_its_pieces() -> None:
    made = Captured((Verbatim("<"), None, 5))
    assert (made, made.pieces) == ("<5", (Verbatim("<"), None, 5))
    assert plain(made.pieces) == made


def test_what_is_made_of_a_captured_text_is_an_ordinary_one() -> None:
    made = Captured((Verbatim('"'), "x"))
    for each in (
        made + "",
        made[:],
        made.strip(),
        made * 1,
        "".join([made]),
        f"{made}",
        made.replace("a", "b"),
        str(made),
    ):
        assert type(each) is str


def test_a_constant_says_how_it_is_made_in_compiled_code() -> None:
    assert repr(Constant('a"b')) == "environment.constant('a\"b')"


def test_a_complaint_shows_the_templates_text_and_never_the_value() -> None:
    detail = refused(Verbatim("x" * 100 + '"key": '), Escaped("canary"))
    assert "canary" not in detail
    assert detail.endswith('xxx"key":\'')
    assert len(detail) < 110
