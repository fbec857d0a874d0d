"""What people see of a message: who did what, by words, colours and links."""

import html
import re

import pytest

from tests.presets.limits import at
from tests.presets.rendered import (
    CHATS,
    FLIPT,
    FOR_PEOPLE,
    PLAIN_ORIGIN,
    message,
    sample,
    strings,
)


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_a_message_says_who_did_what_to_what_and_where_it_is_shown(name: str) -> None:
    said = " ".join(strings(message(name, sample("flag-updated-by-person"))))
    for part in (
        "O'Brien",
        "updated flag",
        "new-checkout",
        "production",
        f"{FLIPT}/#/namespaces/production/flags/new-checkout",
    ):
        assert part in html.unescape(said).replace("\\", ""), part


@pytest.mark.parametrize("name", [*FOR_PEOPLE])
def test_a_refused_change_is_marked_as_one(name: str) -> None:
    said = " ".join(strings(message(name, sample("flag-deleted-denied"))))
    # Not only as one of the facts.
    assert re.search(r"⛔ Denied|\bDenied: Max", said)
    assert "Max tried to delete a flag" in said


VIEWS = {
    "slack": ("text", "blocks", "attachments"),
    "discord": ("embeds",),
    "mattermost": ("attachments.*.fallback", "attachments.*.text", "attachments.*.fields"),
    "google-chat": ("fallbackText", "cardsV2"),
    "microsoft-teams": ("attachments.*.content.fallbackText", "attachments.*.content.body"),
}
"""What is read for itself: a notification, a message."""


@pytest.mark.parametrize("name", CHATS)
def test_a_refused_change_says_so_once_in_each_view(name: str) -> None:
    # "⛔ Denied: ..." had a fact "Denied" below it, and Teams' fallback did not say it at all.
    made = message(name, sample("flag-deleted-denied"))
    views = [" ".join(strings(list(at(made, path)))) for path in VIEWS[name]]
    counts = [len(re.findall("denied", each, re.IGNORECASE)) for each in views]
    assert sum(counts[-2:]) == 1 if name in ("slack", "mattermost") else counts == [1] * len(views)
    assert "⛔ Denied" in views[0]


def test_a_label_looks_like_one_in_slack() -> None:
    # Labels and values were alike, as plain text is.
    made = message("slack", sample("flag-updated-by-person"))
    texts = list(at(made, "attachments.*.blocks.*.fields.*.text"))
    assert "*Name*\nNew checkout" in texts
    assert all(re.match(r"\*[\w-]+\*\n", each) for each in texts)
    assert all(at(made, "attachments.*.blocks.*.fields.*.verbatim"))


@pytest.mark.parametrize("name", FOR_PEOPLE)
@pytest.mark.parametrize("kind", ["flag", "segment", "namespace", "token"])
def test_nothing_opens_what_was_deleted(name: str, kind: str) -> None:
    said = list(strings(message(name, sample(f"{kind}-deleted"))))
    assert [each for each in said if "Open in Flipt" in each or "/#/" in each] == []


@pytest.mark.parametrize("name", CHATS)
def test_what_happened_can_be_told_by_colour(name: str) -> None:
    names = ("flag-created", "flag-updated", "flag-deleted", "flag-updated-denied")
    paths = {
        "slack": "attachments.*.color",
        "microsoft-teams": "attachments.*.content.body.*.style",
        "discord": "embeds.*.color",
        "google-chat": "cardsV2.*.card.sections.*.widgets.*.textParagraph.text",
        "mattermost": "attachments.*.color",
    }
    colours = [next(at(message(name, sample(each)), paths[name])) for each in names]
    if name == "google-chat":
        colours = [re.findall("#[0-9a-f]{6}", each)[0] for each in colours]
    assert len(set(colours)) == len(names)


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_there_is_no_link_where_the_address_is_unknown(name: str) -> None:
    said = list(strings(message(name, sample("flag-updated", PLAIN_ORIGIN))))
    assert [each for each in said if "Open in Flipt" in each or "/#/" in each] == []
