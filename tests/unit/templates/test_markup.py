import html
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from flagcast.primitives.line_of_text import line, shorten
from flagcast.templates.markup import FILTERS
from tests.presets.hostile import HOSTILE

GAP = "\u200b"
TEXT = st.text() | st.lists(st.sampled_from([*HOSTILE, " ", "a", "_", "\\", "&", "&amp;", ":"])).map("".join)
MARKDOWN = ("discord", "markdown", "mattermost")
WITH_ENTITIES = ("slack", "google_chat", "html")
BY_NAME = pytest.mark.parametrize("name", [name for name in FILTERS if name != "shorten"])


def filtered(name: str, text: str) -> str:
    return FILTERS[name](text)


def utf_16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def markdown_reads(text: str) -> str:
    """Read CommonMark; what is not plain text in one paragraph is an error."""
    tokens = MarkdownIt("commonmark").enable("strikethrough").parse(text)
    if not tokens:
        return ""
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"], text
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}, text
    return "".join(child.content for child in children)


@pytest.mark.parametrize("name", MARKDOWN)
@settings(deadline=None)
@given(text=TEXT)
def test_markdown_reads_nothing_but_the_text(name: str, text: str) -> None:
    escaped = filtered(name, text)
    if name == "discord":
        # Discord knows no entities; CommonMark would.
        escaped = escaped.replace("&", "&amp;")
    assert markdown_reads(escaped).replace(GAP, "").strip() == line(text).replace(GAP, "").strip()


@pytest.mark.parametrize("name", WITH_ENTITIES)
@settings(deadline=None)
@given(text=TEXT)
def test_html_and_slack_read_nothing_but_the_text(name: str, text: str) -> None:
    escaped = filtered(name, text)
    assert not set("<>") & set(escaped)
    assert html.unescape(escaped).replace(GAP, "") == line(text).replace(GAP, "")


@pytest.mark.parametrize("name", ["slack", "discord", "markdown", "mattermost", "google_chat", "plain"])
@pytest.mark.parametrize("mention", ["@everyone", "@here", "@channel", "@all", "@ada", "x@here", "_@here", "<@U123>"])
def test_no_one_is_mentioned(name: str, mention: str) -> None:
    assert not re.search(r"@(everyone|here|channel|all|ada|U123)", filtered(name, mention))


@pytest.mark.parametrize("name", ["slack", "discord", "markdown", "mattermost", "google_chat"])
@pytest.mark.parametrize("link", ["http://x.y", "see HTTPS://x.y/z", "www.x.y", "a:http://x"])
def test_nothing_becomes_a_link(name: str, link: str) -> None:
    assert not re.search(r"https?://|www\.", filtered(name, link), re.IGNORECASE)


# Its own renderer links more than CommonMark: the rule `url` of https://github.com/mattermost/marked, lib/marked.js.
MATTERMOST_LINKS = re.compile(
    r"(?:[A-Za-z][A-Za-z\d.+-]*:(?:/{1,3}|[^\W_]|%)|www\d{0,3}[.]|(?:[^\W_]|[.-])+[.][^\W\d_]{2,4}/)[^\s<>]"
)


@pytest.mark.parametrize(
    "link",
    ["evil.com/login", "mailto:ada", "javascript:alert(1)", "tel:+49", "x:1", "WWW2.x.y", "a.b.de/x", "bücher.de/a",
     "magnet:?xt", "steam://run/1", "ftp://x", "evil.com/", "a%3a.com/x", "ssh://a.b/c", "see evil.co/x, too"],
)  # fmt: skip
def test_mattermost_links_nothing_that_its_own_renderer_would(link: str) -> None:
    # evil.com/login in a flag's name was a link in Mattermost.
    made = html.unescape(filtered("mattermost", link))
    assert not MATTERMOST_LINKS.search(made)
    assert made.replace(GAP, "").replace("\\", "") == link


@settings(deadline=None)
@given(text=TEXT | st.from_regex(MATTERMOST_LINKS))
def test_mattermost_links_no_text_at_all(text: str) -> None:
    assert not MATTERMOST_LINKS.search(html.unescape(filtered("mattermost", text)))


@pytest.mark.parametrize("text", ["12:30:45", "2026-11-23 23:05:34 UTC", "version 1.2.3", "a.b", "Share: 60 %"])
def test_a_time_and_a_version_stay_as_they_are_in_mattermost(text: str) -> None:
    assert filtered("mattermost", text) == text


@pytest.mark.parametrize(
    "text",
    [":)", ":-)", ";)", ":o", ":-O", ":]", ":D", "x-d", ":p", ":@", ":[", ":(", ":'(", ":\u2019-(", ":/", ":s", ":|",
     ":$", ":-x", "<3", "</3", "a :) b", ":-$"],
)  # fmt: skip
def test_no_emoticon_becomes_an_emoji_in_mattermost(text: str) -> None:
    made = re.sub(r"\\(?=\W)", "", html.unescape(filtered("mattermost", text)))
    assert text not in made
    assert made.replace(GAP, "") == text


def test_no_formula_is_made_of_a_name_in_mattermost() -> None:
    assert filtered("mattermost", "$a$") == "&#36;a&#36;"


def test_what_knows_no_markup_reads_no_tag() -> None:
    assert filtered("plain", "<users/all> <b> 1 < 2") == f"<{GAP}users/all> <{GAP}b> 1 < 2"


@pytest.mark.parametrize("name", ["slack", "discord", "mattermost"])
@pytest.mark.parametrize("emoji", [":tada:", "a:+1:b", ":100:", ":a::b:"])
def test_no_emoji_is_made_of_a_name(name: str, emoji: str) -> None:
    assert not re.search(r":[\w+-]+:", filtered(name, emoji).replace("\\", ""))


@pytest.mark.parametrize("text", ["*bold*", "a *b* c", "_i_", "~s~", "`code`", "a`b`c", "(*b*)", "_*both*_"])
def test_slack_formats_nothing(text: str) -> None:
    # A format begins behind what is no letter, right before what it holds, and ends the other way about.
    assert not re.search(r"(?<![A-Za-z0-9])[*_~`](?!\u200b)|(?<!\u200b)[*_~`](?![A-Za-z0-9])", filtered("slack", text))


def test_slack_quotes_nothing() -> None:
    assert not filtered("slack", "> quoted").startswith("&gt;")


@pytest.mark.parametrize("name", ["slack", "mattermost"])
@pytest.mark.parametrize("channel", ["#general", "~town-square"])
def test_no_channel_is_linked(name: str, channel: str) -> None:
    assert not re.search(r"[#~]\w", filtered(name, channel))


@pytest.mark.parametrize("name", ["line", "slack", "google_chat", "plain", "html"])
@pytest.mark.parametrize(
    "text", ["new_checkout", "new-checkout", "ada@example.com", "127.0.0.1", "2026-11-23 23:05:34"]
)
def test_what_is_copied_from_a_message_is_what_stood_there(name: str, text: str) -> None:
    assert filtered(name, text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("127.0.0.1", "127.0.0.1"), ("1. x", "1\\. x"), ("# h", "\\# h"), ("a-b", "a-b"), ("- a", "\\- a")],
)
def test_only_what_begins_a_block_is_escaped_as_one(text: str, escaped: str) -> None:
    assert filtered("discord", text) == escaped


def test_datadog_reads_no_markdown() -> None:
    assert "%%%" not in filtered("plain", "%%% \n# h\n %%%%")


@BY_NAME
@settings(deadline=None)
@given(text=TEXT)
def test_a_value_is_one_line_that_keeps_its_direction(name: str, text: str) -> None:
    made = filtered(name, text)
    assert not any(
        unicodedata.bidirectional(each) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI", "PDF", "PDI")
        for each in made
    )
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in made)


@settings(deadline=None)
@given(text=TEXT)
def test_a_header_of_cloudevents_is_printable_ascii_without_quotes(text: str) -> None:
    assert re.fullmatch(r"(?:[!#$&-~]|%[0-9A-F]{2})*", filtered("ce_header", text))


@pytest.mark.parametrize(
    ("text", "tagged"), [("new-ui", "new-ui"), ("a b,c", "a_b_c"), ("café", "caf_"), ("a/b:c.d", "a/b:c.d")]
)
def test_a_tag_holds_what_tags_may_hold(text: str, tagged: str) -> None:
    assert filtered("tag", text) == tagged


@settings(deadline=None)
@given(text=TEXT, length=st.integers(-1, 40), suffix=st.sampled_from(["…", "", "...", "👍"]))
def test_what_is_shortened_fits_and_says_that_it_was(text: str, length: int, suffix: str) -> None:
    made = shorten(text, length, suffix)
    assert utf_16(made) <= max(length, 0)
    if utf_16(text) <= length:
        assert made == text
    elif length >= utf_16(suffix):
        assert made.endswith(suffix)
        assert text.startswith(made.removesuffix(suffix))


@pytest.mark.parametrize("name", [*MARKDOWN, *WITH_ENTITIES])
@settings(deadline=None)
@given(text=TEXT, length=st.integers(1, 40))
def test_what_is_shortened_is_still_escaped(name: str, text: str, length: int) -> None:
    kept = shorten(filtered(name, text), length).removesuffix("…")
    if name in MARKDOWN:
        if name == "discord":
            kept = kept.replace("&", "&amp;")
        assert line(text).replace(GAP, "").startswith(markdown_reads(kept).replace(GAP, "").strip())
    else:
        assert not re.search(r"&(?!(?:amp|lt|gt|quot|#x27);)", kept)


@pytest.mark.parametrize(
    ("text", "length", "made"),
    [
        ("a&amp;b", 5, "a…"),
        ("a&amp;bc", 7, "a&amp;…"),
        ("a\\*bc", 3, "a…"),
        ("a\\\\bcd", 4, "a\\\\…"),
        ("& & & & &", 4, "& &…"),
        ("a&amper;sand&b", 4, "a…"),
        ("a😀bc", 3, "a…"),
        ("cafe\u0301 x", 5, "caf…"),
        ("👩\u200d👩\u200d👧 family", 6, "…"),
        ("a👍🏽b", 4, "a…"),
        ("e" + "\u0301" * 100, 50, "e" + "\u0301" * 48 + "…"),
    ],
)  # fmt: skip
def test_what_reads_as_one_is_cut_as_one(text: str, length: int, made: str) -> None:
    assert shorten(text, length) == made


def test_a_suffix_that_does_not_fit_is_cut_too() -> None:
    assert shorten("abcdef", 2, "...") == ".."
    assert shorten("abcdef", 0) == ""
    assert shorten("", -1) == ""


def test_every_filter_takes_a_text_and_gives_a_text() -> None:
    assert {type(filtered(name, "<a>")) for name in FILTERS if name != "shorten"} == {str}
