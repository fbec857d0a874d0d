from typing import Any

import pytest

from flagcast.exchange.response import Response, points_to, text_of


@pytest.mark.parametrize(
    ("text", "json"),
    [('{"ok": true}', {"ok": True}), ("ok", None), ("", None), ("null", None), ("[" * 100_000, None), ("NaN", None)],
)
def test_an_answer_that_is_not_json_has_none(text: str, json: Any) -> None:
    assert Response(200, text).json == json


@pytest.mark.parametrize("name", ["retry-after", "Retry-After", "RETRY-AFTER"])
def test_a_header_is_found_in_any_case(name: str) -> None:
    headers = Response(429, "", {"Retry-After": "5"}).headers
    assert (headers[name], headers.get(name), name in headers) == ("5", "5", True)
    assert (headers.get("x-" + name), headers.get("x-" + name, ""), "x-" + name in headers) == (None, "", False)
    assert not headers.__contains__(5)
    with pytest.raises(KeyError):
        headers["x-" + name]


OK = '{"ok": true, "who": "Zo\u00eb"}'


@pytest.mark.parametrize(
    ("read", "content_type"),
    [
        (OK.encode(), "application/json"),
        (OK.encode(), ""),
        (OK.encode(), "text/html; charset=utf-8"),
        (OK.encode("utf-8-sig"), "application/json"),
        (OK.encode("utf-16"), "application/json"),
        (b"\xfe\xff" + OK.encode("utf-16-be"), "application/json; charset=utf-8"),
        (OK.encode("utf-32"), "application/json"),
        (OK.encode("utf-16-le"), "application/json; charset=UTF-16LE"),
        (OK.encode("latin-1"), "application/json;charset=ISO-8859-1"),
        (OK.encode("cp1252"), 'application/json; Charset = "windows-1252"'),
    ],
)
def test_json_is_read_behind_a_mark_and_in_the_charset_that_is_told(read: bytes, content_type: str) -> None:
    # A byte order mark made None of the JSON of an answer, and a dead letter of a delivery.
    assert Response(200, text_of(read, content_type)).json == {"ok": True, "who": "Zo\u00eb"}


@pytest.mark.parametrize("charset", ["utf-16", "UTF-16LE", "utf-32be"])
@pytest.mark.parametrize("mark", [b"", b"\xff\xfe"])
def test_a_text_in_ascii_is_not_read_as_other_letters_because_its_server_says_so(charset: str, mark: bytes) -> None:
    # Its secrets were then in letters that no mask knows, and a reader of the log can turn back.
    assert text_of(mark + b"no such token: canary", f"text/plain; charset={charset}").endswith("no such token: canary")


@pytest.mark.parametrize(
    "charset", ["none", "idna", "unicode_escape", "zip", "undefined", "utf-7", "iso-8859-12", "\xff"]
)
def test_a_charset_that_is_none_or_costs_something_is_not_asked(charset: str) -> None:
    assert text_of(b"caf\xc3\xa9 \xff", f"text/plain; charset={charset}") == "caf\u00e9 \ufffd"


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://script.googleusercontent.com/macros/echo?user_content_key=canary&lib=canary",
         "https://script.googleusercontent.com/macros/echo?user_content_key=***&lib=***"),
        ("https://canary:canary@login.example.com/in?canary#canary", "https://***@login.example.com/in?***#***"),
        ("/signin", "/signin"),
        ("../up?a=1;b=2", "../up?a=***;b=***"),
        ("//other.example.com", "//other.example.com"),
        ("https://[canary", "***"),
        ("", ""),
    ],
)  # fmt: skip
def test_where_a_redirect_points_is_shown_without_what_its_query_holds(location: str, shown: str) -> None:
    assert points_to(location) == shown
