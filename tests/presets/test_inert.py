"""No value becomes a mention, a link, an emoji or a format: as each vendor reads it, it is the text that it was."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.presets.hostile import HOSTILE, everything
from tests.presets.limits import at
from tests.presets.rendered import CHATS, FLIPT, message, strings


def markup_of(name: str, made: Any) -> list[str]:
    """Return the texts of a message that its vendor reads as markup."""
    match name:
        case "slack":
            own = f"<{FLIPT}/#/namespaces/"
            return [each for each in strings(made) if not each.startswith(own)]
        case "discord":
            return [*at(made, "embeds.*.title"), *at(made, "embeds.*.fields.*.value")]
        case "mattermost":
            texts = [each.partition("\n")[0].strip("*") for each in at(made, "attachments.*.text")]
            return [*texts, *at(made, "attachments.*.fallback"), *at(made, "attachments.*.fields.*.value")]
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
    texts = markup_of(name, message(name, everything(hostile)))
    assert texts
    for text in texts:
        # Discord knows no entities; CommonMark would.
        tokens = (
            MarkdownIt("commonmark")
            .enable("strikethrough")
            .parse(text.replace("&", "&amp;") if name == "discord" else text)
        )
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
@pytest.mark.parametrize(("name", "own"), [("google-chat", {"b", "font"}), ("grafana-annotation", {"a"})])
def test_no_value_is_html(name: str, own: set[str], hostile: str) -> None:
    tags = Tags()
    for text in markup_of(name, message(name, everything(hostile))):
        tags.feed(text)
    assert set(tags.found) <= own
    assert len(tags.found) == len(own)


@read_as("[<>&*_~`]")
def test_no_value_is_markup_to_slack(hostile: str) -> None:
    for text in markup_of("slack", message("slack", everything(hostile))):
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
    said = {key: value for key, value in message(name, everything(hostile)).items() if key not in for_machines}
    texts = [re.split(rf"[(<]?{FLIPT}|http://adaptivecards", each)[0] for each in strings(said)]
    for text in texts:
        assert not re.search(MENTION, text)
        assert not re.search(TURNED, text)
        assert not re.search(LINK, text)
        assert EMOJI not in text or name in ("microsoft-teams", "google-chat")
        assert MARKDOWN not in text or name != "datadog"
    assert texts
