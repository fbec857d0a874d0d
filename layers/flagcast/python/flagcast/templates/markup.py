"""Text as each vendor's markup takes it for text: no value becomes a mention, a link, an emoji or a format.

Each filter gives one line: a line break is where headings, quotes and lists begin. What a vendor can escape is escaped;
what it cannot is followed by a zero-width space (U+200B), which shows nothing and ends what would be read as markup.
A key such as new_checkout or an address such as ada@example.com stays as it is, so that it can be copied.
"""

import html
import re
from collections.abc import Callable
from urllib.parse import quote

from flagcast.primitives.line_of_text import line, shorten

_GAP = "\u200b"

_LINK = re.compile(r":(?=//)|\bwww(?=\.)", re.IGNORECASE)
_EMOJI = re.compile(r":(?=(?!\d\d:)[\w+'-]+:)")
"""No emoji has a name of two digits, which is how the minutes of a time stand between colons."""

_MENTION = re.compile(r"(?<![A-Za-z0-9])@(?=\w)|@(?=(?:everyone|here|channel|all)\b)", re.IGNORECASE)
_CHANNEL = re.compile(r"(?<![A-Za-z0-9])[#~](?=\w)")
_ANGLE = re.compile(r"<(?=[A-Za-z@!#/])")
_LINK_TO_MATTERMOST = (
    # From the beginning of a run of such characters, and over each of them once: a long word is not looked through for
    # each of its letters.
    re.compile(r"(?<![A-Za-z\d.+-])[\d.+-]*+[A-Za-z][A-Za-z\d.+-]*+:(?=[^\W_]|[/%])"),
    re.compile(r"www\d{0,3}(?=\.)", re.IGNORECASE),
    re.compile(r"\.(?=[^\W\d_]{2,4}/)"),
)
"""What Mattermost makes a link of: any scheme before a letter, digit or slash, www2., and evil.com/ with a path.

The rule `url` of its own renderer: https://github.com/mattermost/marked/blob/master/lib/marked.js
"""

_EMOTICON = re.compile(r"[:;](?=['`\u2019]?-?[\[\]()@/|$dopsx](?![A-Za-z0-9]))|<(?=/?3)|\bx(?=-d\b)", re.IGNORECASE)
"""What Mattermost shows as an emoji: utils/emoticons.tsx of its web app, https://github.com/mattermost/mattermost."""

_SLACK_FORMAT = re.compile(r"(?<![A-Za-z0-9])[*_~]|[*_~](?![A-Za-z0-9])|`")
_BLOCK = re.compile(r"\d+(?=[.)](?: |$))|(?=[#>+=-])")


def slack(text: str) -> str:
    """Return a text for Slack, in mrkdwn and in plain_text: both decode the three entities.

    https://docs.slack.dev/messaging/formatting-message-text names the entities; nothing escapes its formats.
    """
    text = _SLACK_FORMAT.sub(rf"{_GAP}\g<0>{_GAP}", _unread(line(text), _LINK, _EMOJI, _MENTION, _CHANNEL))
    return (_GAP if text.startswith(">") else "") + _entities(text)


def discord(text: str) -> str:
    """Return a text for the Markdown of Discord's embeds.

    https://discord.com/developers/docs/reference#message-formatting for what < begins.
    """
    escaped = re.sub(r"[\\*_~`|<>\[\]]", r"\\\g<0>", _unread(line(text), _LINK, _EMOJI, _MENTION))
    return _not_a_block(escaped)


def markdown(text: str) -> str:
    """Return a text for CommonMark, as Adaptive Cards know a part of it.

    https://spec.commonmark.org/0.31.2/#backslash-escapes
    """
    return _not_a_block(re.sub(r"[\\*_~`|\[\]]", r"\\\g<0>", _entities(_unread(line(text), _LINK, _MENTION))))


def mattermost(text: str) -> str:
    """Return a text for Mattermost's Markdown, which knows @names, ~channels, #hashtags, :emoji:, :) and $LaTeX$ too.

    Its incoming webhooks also read Slack's <!channel> and <address|text>; an entity is neither.
    https://developers.mattermost.com/integrate/slash-commands/slack
    """
    text = _entities(_unread(line(text), *_LINK_TO_MATTERMOST, _EMOJI, _EMOTICON, _MENTION, _CHANNEL)).replace(
        "$", "&#36;"
    )
    return _not_a_block(re.sub(r"[\\*_~`|\[\]]", r"\\\g<0>", text))


def google_chat(text: str) -> str:
    """Return a text for Google Chat's cards, which are formatted by HTML.

    https://developers.google.com/workspace/chat/format-messages#format-cards
    """
    return _entities(_unread(line(text), _LINK, _MENTION))


def plain(text: str) -> str:
    """Return a text for what knows no markup, but may look for @names, addresses and <tags> all the same.

    Datadog's events are so: %%% begins Markdown (https://docs.datadoghq.com/api/latest/events/post-an-event/) and @name
    notifies (https://docs.datadoghq.com/monitors/notify/#notifications).
    """
    return _unread(line(text), _LINK, _EMOJI, _MENTION, _ANGLE).replace("%%%", f"%{_GAP}%{_GAP}%")


def html_text(text: str) -> str:
    """Return a text for HTML, inside an attribute's quotes too."""
    return html.escape(line(text))


def tag(text: str) -> str:
    """Return a text as a tag: what is neither letter nor digit of ASCII, nor one of _ . : / -, becomes _.

    https://docs.datadoghq.com/getting_started/tagging/#define-tags
    """
    return re.sub(r"[^A-Za-z0-9_.:/-]", "_", text)


def ce_header(text: str) -> str:
    """Return a text as the value of a CloudEvents header: printable ASCII, the rest percent-encoded.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values
    """
    return quote(line(text), safe="!#$&'()*+,/:;<=>?@[\\]^`{|}")


def _unread(text: str, *patterns: re.Pattern[str]) -> str:
    """Put a zero-width space behind what begins a mention or the like."""
    for pattern in patterns:
        text = pattern.sub(rf"\g<0>{_GAP}", text)
    return text


def _entities(text: str) -> str:
    return html.escape(text, quote=False)


def _not_a_block(text: str) -> str:
    """Escape what begins a heading, a quote or a list at the start of a line."""
    return _BLOCK.sub(r"\g<0>\\", text, count=1) if _BLOCK.match(text) else text


FILTERS: dict[str, Callable[..., str]] = {
    "line": line,
    "slack": slack,
    "discord": discord,
    "markdown": markdown,
    "mattermost": mattermost,
    "google_chat": google_chat,
    "plain": plain,
    "html": html_text,
    "tag": tag,
    "ce_header": ce_header,
    "shorten": shorten,
}
"""The filters that templates know, by name."""
