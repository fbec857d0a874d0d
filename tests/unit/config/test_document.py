import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flagcast.config import yaml_document
from flagcast.config.document import from_json, load
from flagcast.errors import ConfigurationUnreadable


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "line 2, column 1: not YAML: did not find expected node content"),
        (
            "a:\n\t- b",
            "line 2, column 1: not YAML: found character that cannot start any token;"
            " it is a tab, and YAML indents with spaces",
        ),
        ("a: b: c", "line 1, column 5: not YAML: mapping values are not allowed in this context"),
        ("a: 1\nb: *c\n", "line 2, column 4: not YAML: found undefined alias"),
        ("a: 1\n---\nb: 1\n", "line 2, column 1: not YAML: but found another document"),
        ("? [a, b]\n: c\n", "line 1, column 3: not YAML: found unhashable key"),
        (
            "a: !!python/name:os.sep x\n",
            "line 1, column 4: not YAML: could not determine a constructor for the tag"
            " 'tag:yaml.org,2002:python/name:os.sep'",
        ),
        ("a: 1\nb: \x01", "line 2, column 4: not YAML: a control character"),
    ],
)
def test_what_is_not_yaml_is_told_with_line_and_column(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationUnreadable) as told:
        load(text)
    assert str(told.value) == problem


# PyYAML reads these by int() and date(), whose ValueError is no YAMLError: the function failed instead of saying why.
@pytest.mark.parametrize("value", ["2026-13-01", "!!int canary", "2026-01-01 25:00:00", "!!float canary"])
def test_a_value_that_yaml_cannot_make_is_told_as_well(value: str) -> None:
    with pytest.raises(ConfigurationUnreadable, match=r"^not YAML: ") as told:
        load(f"a: {value}\n")
    assert "canary" not in str(told.value)


# Ten lines of aliases stand for more values than memory holds; looking for repeated keys went through all of them.
@pytest.mark.parametrize("link", ["[{}]", "{{<<: [{}]}}"])
def test_aliases_that_stand_for_more_than_memory_holds_are_refused_at_once(link: str) -> None:
    lines = ["a0: &a0 [x, x]" if link[0] == "[" else "a0: &a0 {x: 1}"]
    lines += [f"a{number}: &a{number} {link.format(', '.join([f'*a{number - 1}'] * 9))}" for number in range(1, 12)]
    with pytest.raises(ConfigurationUnreadable, match="its aliases expand to more than 100,000 values"):
        load("\n".join(lines))


def test_a_repeated_key_behind_an_alias_is_told_where_its_anchor_is_and_once() -> None:
    assert list(map(str, load("a: &a {b: 1, b: 2}\nc: *a\nd: [*a]\n")[1])) == [
        "a.b: repeated on line 1, first on line 1"
    ]


# A mapping that holds itself, or is nested past Python's stack, ended in a RecursionError.
@pytest.mark.parametrize(
    "text", ["a: &a [*a]", "a: &a {b: *a}", "[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000]
)
def test_a_document_without_a_bottom_is_told_as_well(text: str) -> None:
    with pytest.raises(ConfigurationUnreadable, match=r"^not YAML: "):
        load(text)


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("a: 1\nb: 2\n", []),
        ("a: 1\na: 2\n", ["a: repeated on line 2, first on line 1"]),
        ("a: 1\na: 2\na: 3\n", ["a: repeated on line 2, first on line 1", "a: repeated on line 3, first on line 1"]),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", ["a.b: repeated on line 4, first on line 2"]),
        ("a:\n  - b\n  - {c: 1,\n     c: 2}\n", ["a[1].c: repeated on line 4, first on line 3"]),
        ("a: {x: 1}\nb: {x: 1}\n", []),
        ("1: a\n'1': b\n", ["1: repeated on line 2, first on line 1"]),
        ("a: &x {b: 1}\nc: *x\n", []),
        ("a: &x {b: 1}\nc: {<<: *x, b: 2}\n", []),
    ],
)
def test_a_repeated_key_is_found_at_every_level(text: str, repeated: list[str]) -> None:
    assert list(map(str, load(text)[1])) == repeated


def test_a_key_that_is_no_text_is_named_by_a_question_mark_only_where_yaml_takes_it() -> None:
    with pytest.raises(ConfigurationUnreadable, match="unhashable key"):
        load("{[a]: 1, [a]: 2}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing but this\n", None),
        ("a: 5s\nb: [1, true, null]\n", {"a": "5s", "b": [1, True, None]}),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}\n", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
    ],
)
def test_yaml_becomes_plain_values(text: str, value: object) -> None:
    assert load(text) == (value, [])


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text(alphabet=":{}[]&*!-? \n\tab1#'\"|>%@"))
def test_any_text_is_a_document_or_unreadable_in_one_line(text: str) -> None:
    told = ""
    try:
        load(text)
    except ConfigurationUnreadable as error:
        told = str(error)
    assert told == "" or "not YAML: " in told
    assert "\n" not in told


def test_json_of_more_values_than_any_document_may_have_is_refused_like_yaml() -> None:
    with pytest.raises(ConfigurationUnreadable, match="expand to more than 100,000 values"):
        load(json.dumps({"a": [0] * 100_000}))


def test_a_repeated_key_of_json_is_told_with_its_lines() -> None:
    assert list(map(str, load('{"a": 1,\n "b": [{"c": 1, "c": 2}]}')[1])) == [
        "b[0].c: repeated on line 2, first on line 2"
    ]


def test_a_document_that_is_json_is_read_without_a_problem() -> None:
    assert load('{"a": [1, "b"]}') == ({"a": [1, "b"]}, [])


def test_json_is_read_by_json_and_anything_else_is_not() -> None:
    assert from_json('{"a": [1, -2.5, true, null, "⛔ \\u2028\\n"],\n "b": {}}') == {
        "a": [1, -2.5, True, None, "⛔ \u2028\n"],
        "b": {},
    }
    assert from_json("a: 1") is None
    assert from_json("{a: 1}") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1e5}', "1e5"),
        ('{"a": 1.5E3}', "1.5E3"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "-Infinity"),
        ('{"a": "b\u2028c"}', "b\u2028c"),
        ('{"a": "b\x85  c"}', "b c"),
        ('{"a": "\\ud55c"}', "한"),
    ],
)
def test_what_yaml_takes_for_another_value_than_json_is_read_as_yaml(text: str, value: object) -> None:
    assert from_json(text) is None
    assert load(text) == ({"a": value}, [])


_PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"]))
_TREES = st.dictionaries(
    st.text(max_size=20),
    st.recursive(_PLAIN, lambda below: st.lists(below) | st.dictionaries(st.text(max_size=20), below), max_leaves=20),
)


@given(_TREES, st.booleans(), st.sampled_from([None, 2]), st.sampled_from([(",", ":"), (", ", ": ")]))
@example({"<<": {"a": 1}, "=": "=", "2026-11-27": "2026-11-27", "1": "yes"}, False, None, (",", ":"))
@example({"a": "😀"}, True, None, (",", ":"))
def test_what_is_read_as_json_is_what_yaml_reads(
    tree: dict[str, Any], is_ascii: bool, indent: int | None, separators: tuple[str, str]
) -> None:
    _is_read_alike(json.dumps(tree, ensure_ascii=is_ascii, indent=indent, separators=separators))


@given(
    st.sampled_from(['{"a":%s}', '{"a":"%s"}', "{%s}"]),
    st.text("0123456789.eE+-") | st.text('\\ud8bnrt"/0 \n\t\u2028\x7f') | st.text('{}[]":,01truefalsn '),
)
def test_any_text_that_is_read_as_json_is_what_yaml_reads(around: str, text: str) -> None:
    _is_read_alike(around % text)


def _is_read_alike(text: str) -> None:
    if (value := from_json(text)) is not None:
        read, repeated = yaml_document.load(text)
        assert (repr(read), repeated) == (repr(value), [])  # 1, 1.0 and True are equal, and not the same.
