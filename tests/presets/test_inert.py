"""No value becomes a mention, a link, an emoji or a format: as each vendor reads it, it is the text that it was."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.presets.hostile import HOSTILE, KINDS, every_kind, everything
from tests.presets.limits import at
from tests.presets.rendered import CHATS, FLIPT, message, strings

COMMONMARK = MarkdownIt("commonmark").enable("strikethrough")


def markup_of(name: str, made: Any) -> list[str]:
    """Return the texts of a message that its vendor reads as markup."""
    match name:
        case "slack":
            # Its own link, and the labels that it prints bold.
            own = f"<{FLIPT}/#/"
            return [re.sub(r"^\*[\w -]+\*\n", "", each) for each in strings(made) if not each.startswith(own)]
        case "discord":
            lines = [each for text in at(made, "embeds.*.description") for each in text.split("\n")]
            return [*at(made, "embeds.*.title"), *lines, *at(made, "embeds.*.fields.*.value")]
        case "mattermost":
            [text] = at(made, "attachments.*.text")
            title, *lines = text.split("\n")
            lines = [each for each in lines if not each.startswith(f"[Open in Flipt]({FLIPT}/#/")]
            return [title.removeprefix("**").removesuffix("**"), *lines, *at(made, "attachments.*.fields.*.value")]
        case "microsoft-teams":
            return list(at(made, "attachments.*.content.fallbackText"))
        case _:
            return [*strings(made)]


def read_as(markup: str) -> pytest.MarkDecorator:
    """Take the values in which a vendor would find something: in any other, nothing need be escaped."""
    return pytest.mark.parametrize("hostile", [each for each in HOSTILE if re.search(markup, each)])


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", ["discord", "mattermost", "microsoft-teams"])
def test_no_value_is_markdown(name: str, hostile: str) -> None:
    texts = [text for event in every_kind(hostile) for text in markup_of(name, message(name, event))]
    assert len(texts) > len(KINDS)
    for text in dict.fromkeys(texts):
        # Discord knows no entities; CommonMark would.
        tokens = COMMONMARK.parse(text.replace("&", "&amp;") if name == "discord" else text)
        assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
        assert {child.type for child in tokens[1].children or []} <= {"text", "text_special"}, text


class Tags(HTMLParser):
    """Notes the tags in a text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


@read_as("[<&]")
@pytest.mark.parametrize(("name", "own"), [("google-chat", {"b", "font", "br"}), ("grafana-annotation", {"a"})])
def test_no_value_is_html(name: str, own: set[str], hostile: str) -> None:
    for event in every_kind(hostile):
        tags = Tags()
        for text in markup_of(name, message(name, event)):
            tags.feed(text)
        assert set(tags.found) <= own
        assert len([each for each in tags.found if each != "br"]) <= len(own - {"br"})


@read_as("[<>&*_~`]")
def test_no_value_is_markup_to_slack(hostile: str) -> None:
    for event in every_kind(hostile):
        for text in markup_of("slack", message("slack", event)):
            assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", text)
            assert not re.search(r"(?<![A-Za-z0-9])[*_~`](?!\u200b)", text)


MENTION = r"@(everyone|here|all|channel|slack-ops|U123)"
TURNED = "[\u202a-\u202e\u2066-\u2069]"
LINK = r"http://|www\."
EMOJI, MARKDOWN = ":tada:", "%%%"


@read_as("|".join([MENTION, TURNED, LINK, EMOJI, MARKDOWN]))
@pytest.mark.parametrize("name", [*CHATS, "datadog"])
def test_no_value_is_a_mention_a_link_or_an_emoji(name: str, hostile: str) -> None:
    # The message's own addresses are the beginning of a text, or what its own link or paragraph ends with.
    for_machines = {"tags", "aggregation_key"}
    texts = []
    for event in every_kind(hostile):
        said = {key: value for key, value in message(name, event).items() if key not in for_machines}
        texts += [re.split(rf"[(<]?{FLIPT}|http://adaptivecards", each)[0] for each in strings(said)]
    for text in dict.fromkeys(texts):
        assert not re.search(MENTION, text)
        assert not re.search(TURNED, text)
        assert not re.search(LINK, text)
        assert EMOJI not in text or name in ("microsoft-teams", "google-chat")
        assert MARKDOWN not in text or name != "datadog"
    assert texts


@pytest.mark.parametrize("name", CHATS)
def test_a_change_cannot_begin_a_line_of_its_own(name: str) -> None:
    # Lines of changes are joined with a line break, so that one inside of a value would forge another change.
    for event in every_kind("a\nEnabled: no → yes\u2028b\r\x0bc"):
        for text in strings(message(name, event)):
            assert not re.search(r"(^|\n|<br>)Enabled: no → yes", text)


@pytest.mark.parametrize(("name", "path"), [("mattermost", "attachments.*.fallback"), ("google-chat", "fallbackText")])
def test_a_plain_text_fallback_has_no_escapes(name: str, path: str) -> None:
    # A phone shows the fallback as it is: it said \\*b\\* and &amp;.
    [text] = at(message(name, everything("*b* & [c]")), path)
    assert "*b* & [c]" in text
