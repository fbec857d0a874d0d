import re
import string
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.config.secret_references import Reference, SecretText, Text, stripped

SECRET = Reference("secret", "slack", "webhook_url")
PIECES = st.one_of(
    st.text(alphabet=string.ascii_letters + " $/:#{}é").filter(
        lambda text: "${" not in text and not text.endswith("$")
    ),
    st.builds(Reference, st.sampled_from(["secret", "ssm"]), st.from_regex(r"[a-z][a-z/._-]{0,5}", fullmatch=True)),
    st.builds(Reference, st.just("env"), st.from_regex(r"FLAGCAST_VAR_[A-Z_]{1,4}", fullmatch=True)),
    st.builds(Reference, st.just("secret"), st.just("json"), st.from_regex(r"[^{}#]{1,5}", fullmatch=True)),
)


@pytest.mark.parametrize(
    ("written", "reference"),
    [
        ("${secret:slack}", Reference("secret", "slack")),
        ("${secret:slack#webhook_url}", SECRET),
        ("${secret:team/slack-1_a.b+c=d@e#a key, é}", Reference("secret", "team/slack-1_a.b+c=d@e", "a key, é")),
        ("${ssm:grafana/token}", Reference("ssm", "grafana/token")),
        ("${env:FLAGCAST_VAR_REGION}", Reference("env", "FLAGCAST_VAR_REGION")),
    ],
)
def test_a_reference_is_read_and_written_back_the_same(written: str, reference: Reference) -> None:
    assert Text.parse(written).references == (reference,)
    assert SecretText.parse(written).reference == reference
    assert str(reference) == written


FORMS = "expected ${secret:NAME}, ${secret:NAME#KEY}, ${ssm:NAME} or ${env:FLAGCAST_VAR_NAME}"


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ("${secret:}", FORMS),
        ("${secret:/absolute}", FORMS),
        ("${secret:a b}", FORMS),
        ("${secret:a#}", FORMS),
        ("${secret:a#b#c}", FORMS),
        ("${secret:a", FORMS),
        ("${vault:a}", FORMS),
        ("${SECRET:a}", FORMS),
        ("${}", FORMS),
        ("${secret:a} and ${", FORMS),
        ("${secret:${secret:a}}", FORMS),
        ("${ssm:a#key}", "${ssm:a#key}: only ${secret:...} can have a #KEY"),
        ("${env:FLAGCAST_VAR_A#key}", "${env:FLAGCAST_VAR_A#key}: only ${secret:...} can have a #KEY"),
        (
            "${env:AWS_SESSION_TOKEN}",
            "${env:AWS_SESSION_TOKEN}: only variables that begin with FLAGCAST_VAR_ can be read",
        ),
    ],
)
def test_a_reference_that_is_not_well_formed_is_refused_with_a_sentence(bad: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Text.parse(bad)


@pytest.mark.parametrize("bad", [7, None, {"secret": "a"}, ["${secret:a}"]])
def test_what_is_not_even_text_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a string"):
        Text.parse(bad)


@pytest.mark.parametrize(
    "literal",
    ["canary", "", "${secret:a}canary", "canary${secret:a}", "${secret:a}${secret:b}", " ${secret:a}", 7, ["canary"]],
)
def test_a_literal_secret_is_refused_without_being_repeated(literal: object) -> None:
    with pytest.raises(ValueError, match=r"this file must not contain secrets$") as refusal:
        SecretText.parse(literal)
    assert "canary" not in str(refusal.value)


def test_a_source_cannot_read_the_functions_own_environment_either() -> None:
    with pytest.raises(ValueError, match="only variables that begin with FLAGCAST_VAR_"):
        SecretText.parse("${env:AWS_SECRET_ACCESS_KEY}")


def test_a_reference_that_stands_twice_is_resolved_twice() -> None:
    text = Text.parse("${ssm:a}-${secret:slack#webhook_url}-${ssm:a}")
    assert text.references == (Reference("ssm", "a"), SECRET, Reference("ssm", "a"))
    assert text.resolve({Reference("ssm", "a"): "1", SECRET: "2"}) == "1-2-1"


@given(st.text().filter(lambda text: "${" not in text))
def test_text_without_a_reference_is_untouched(written: str) -> None:
    text = Text.parse(written)
    assert text.references == ()
    assert text.resolve({}) == written


@given(st.lists(PIECES, max_size=6), st.data())
def test_a_resolved_value_is_never_looked_into_again(pieces: list[str | Reference], data: st.DataObject) -> None:
    references = [each for each in pieces if isinstance(each, Reference)]
    value = st.text() | st.sampled_from(["${secret:a}", "${", "\\1", "\\g<0>", *map(str, references)])
    values = {each: data.draw(value) for each in dict.fromkeys(references)}
    text = Text.parse("".join(map(str, pieces)))
    assert list(text.references) == references
    assert text.resolve(values) == "".join(values[each] if isinstance(each, Reference) else each for each in pieces)


@given(st.text(alphabet=string.ascii_letters + "${}:#/ ") | st.from_regex(r"\$\{(secret|ssm|env):.{0,8}"))
def test_any_text_is_read_or_refused_by_a_value_error(written: str) -> None:
    try:
        text = Text.parse(written)
    except ValueError:
        return
    assert text == written
    assert "${" not in text.resolve(dict.fromkeys(text.references, ""))


def test_a_dollar_before_and_a_brace_behind_a_reference_are_no_other_reference() -> None:
    # Taking the reference out joined them to an opening of one.
    assert [str(each) for each in Text.parse("$${secret:a}{").references] == ["${secret:a}"]


# The ideographic space, and those of typesetters, were left: a key that was copied from a page was sent with one.
def test_every_white_space_and_mark_of_utf_8_around_a_secret_is_stripped_and_nothing_within() -> None:
    spaces = [chr(each) for each in range(sys.maxunicode) if chr(each).isspace()]
    for each in ("\r\n", "\ufeff", *spaces):
        assert stripped(f"{each}a{each}b{each}{each}") == f"a{each}b", hex(ord(each[0]))
    assert stripped("\ufeff \r\n" + "".join(spaces)) == ""
