import html
import json
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.exchange.masking import MASK, SHORTEST_PIECE, masked

URL = "https://hooks.slack.com/services/T0/B0/XXXXsecretXXXX"
# A mask is made of *, so that a secret of * alone would seem to be left.
SECRETS = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=1)


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("nothing here", [URL], "nothing here"),
        ("nothing here", [], "nothing here"),
        ("nothing here", [""], "nothing here"),
        (f"no such hook: {URL}!", [URL], "no such hook: ***!"),
        ("Cannot POST /services/T0/B0/XXXXsecretXXXX", [URL], "Cannot POST /***/T0/B0/***"),
        ("token abc is wrong; abc", ["abc"], "token *** is wrong; ***"),
        ("ab abc", ["ab", "abc"], "*** ***"),
        ('{"got": "a\\"b"}', ['a"b'], '{"got": "***"}'),
        ("<p>a&lt;b&amp;c</p>", ["a<b&c"], "<p>***</p>"),
        ("?key=a%2Bb%2Fc", ["a+b/c"], "?key=***"),
        ('{"got": "\\u00e9t\\u00e9"}', ["été"], '{"got": "***"}'),
        ("%C3%A9", ["é"], "***"),
        ("Authorization: Bearer abcdef", ["Bearer abcdef"], "Authorization: ***"),
        ("wrong token abcdef", ["Bearer abcdef"], "wrong token ***"),
        ("abcde", ["Bearer abcde"], "abcde"),
        # A server cut what it quoted, or wrote it in hex, and the rest became the dead letter's detail.
        ("no such token: 0123456789abcdef...", [f"Bearer 0123456789abcdef{'x' * 40}"], "no such token: ***..."),
        ("...cdefghijklmnopq is no token", ["abcdefghijklmnopq"], "...*** is no token"),
        ("defghijklmnop, fghijklmnopqrst", ["abcdefghijklmnopqrstuv"], "***, ***"),
        ("got 736563726574", ["secret"], "got ***"),
        ("got 7B7D7B7D7B7D", ["{}{}{}"], "got ***"),
        ("integrat", ["integration-key-of-ours"], "integrat"),
        (
            "https://hooks.example.com is down",
            ["https://hooks.slack.com/services/T0"],
            "https://hooks.example.com is down",
        ),
    ],
)
def test_a_secret_is_taken_out_in_each_form_an_answer_may_write_it(
    text: str, secrets: list[str], expected: str
) -> None:
    assert masked(text, secrets) == expected


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('{"got": "Zm9v\\u002BYmFy\\u002BQUJDREVG"}', "Zm9v+YmFy+QUJDREVG"),  # .NET escapes +
        ('{"got": "a\\u0026b\\u003c"}', "a&b<"),  # Go
        ('{"got": "a1b2c\\/d3e4f\\/g5h6i"}', "a1b2c/d3e4f/g5h6i"),  # PHP
        ("no route for /hooks/Zm9vYmFyQUJD==", "https://x.example/hooks/Zm9vYmFyQUJD%3D%3D"),
        ("no such user or password: bob / correct-horse", "Basic Ym9iOmNvcnJlY3QtaG9yc2U="),
        ("UNKNOWN TOKEN ABCDEF-GHIJKL", "abcdef-ghijkl"),
        ("no route for /hooks/a%252Bb%25252Fd3e4f", "a+b/d3e4f"),
    ],
)
def test_of_a_text_that_holds_a_secret_in_other_writing_nothing_secret_is_kept(text: str, secret: str) -> None:
    # None of these was taken out, and the answer became the dead letter's detail.
    kept = masked(text, [secret])
    assert MASK in kept
    assert not any(word in kept for word in ("u002B", "u0026", "d3e4f", "Zm9vYmFyQUJD", "correct-horse", "ABCDEF"))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"got &#{'9' * 5000};", f"got &#{'9' * 5000};"),
        (f"got &#{'0' * 5000}98;cdef", MASK),
        (f"got &#x{'f' * 5000};abcdef", f"got &#x{'f' * 5000};{MASK}"),
        ("\\ud800&#55296;%ED%A0%80", "\\ud800&#55296;%ED%A0%80"),
    ],
    ids=["many-digits", "many-zeros", "many-hex-digits", "half-a-character"],
)
def test_a_number_that_is_no_character_can_be_read_like_any_other_text(text: str, kept: str) -> None:
    # Python reads no number of more than 4,300 digits: one in a 200 raised, so that the event was sent again and again.
    assert masked(text, ["abcdef", "bcdef"]) == kept


@given(st.lists(SECRETS, max_size=3), st.lists(st.text(), min_size=4, max_size=4), st.data())
def test_no_secret_is_left_in_whatever_text_in_whatever_form(
    secrets: list[str], around: list[str], data: st.DataObject
) -> None:
    forms = (str, quote, html.escape, lambda text: quote(text, safe=""), lambda text: json.dumps(text)[1:-1])
    written = [data.draw(st.sampled_from(forms))(secret) for secret in secrets]
    text = "".join(f"{before}{form}" for before, form in zip(around, [*written, "", "", ""], strict=False))
    left = masked(text, secrets).split(MASK)
    assert [form for form in (*secrets, *written) for part in left if form in part] == []


@given(st.text(string.ascii_letters + " /"), st.text(string.digits, min_size=1))
def test_text_that_holds_no_secret_is_untouched(text: str, secret: str) -> None:
    assert masked(text, [secret]) == text


@given(st.text(string.ascii_letters + string.digits + "-_.~", min_size=12), st.text(" .:", max_size=9), st.data())
def test_no_piece_of_twelve_characters_is_left_wherever_a_server_cuts(
    secret: str, around: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(secret) - SHORTEST_PIECE))
    end = data.draw(st.integers(start + SHORTEST_PIECE, len(secret)))
    assert secret[start:end] not in masked(f"{around}{secret[start:end]}{around}", [f"Bearer {secret}"])
