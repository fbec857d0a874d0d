from collections.abc import Sequence

import pytest

from flagcast.core.config.model import Configuration
from flagcast.core.config.read import read
from flagcast.core.config.references import Reference
from flagcast.errors import SecretUnavailable
from flagcast.story.secrets_needed import missing_secrets

CONFIGURATION = read("""
sources:
  flipt: {signing_secrets: ["${secret:old}", "${secret:new}"], bearer_tokens: ["${ssm:token}"]}
  open: {auth: none}
  faulty: {}
destinations:
  chat: {url: "${secret:chat#url}", headers: {X-Key: "${ssm:key}"}}
  signed: {url: https://example.com, sign: {scheme: flipt, secret: "${secret:signing}"}}
  faulty: {url: "${secret:nowhere}", timeout: soon}
""")
EVERYTHING = ("old", "new", "token", "chat", "key", "signing")


class Store:
    """Has the secrets of some names, and remembers by when it was to have them."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.deadlines: set[float] = set()

    def lookup(
        self, references: Sequence[Reference], deadline: float, *, fresh: bool = False
    ) -> tuple[dict[Reference, str], list[str]]:
        self.deadlines.add(deadline)
        found = {each: "value" for each in references if each.name in self.names}
        return found, [] if found else [f"{each}: none" for each in references]

    def values(self, references: Sequence[Reference], deadline: float, *, fresh: bool = False) -> dict[Reference, str]:
        self.deadlines.add(deadline)
        if missing := [f"{each}: none" for each in references if each.name not in self.names]:
            raise SecretUnavailable("; ".join(missing))
        return dict.fromkeys(references, "value")


def missing(*names: str, configuration: Configuration = CONFIGURATION) -> list[str]:
    return [str(each) for each in missing_secrets(configuration, Store(*names), 12.5)]


def test_nothing_is_missing_where_every_secret_is_there() -> None:
    assert missing(*EVERYTHING) == []


@pytest.mark.parametrize("gone", ["old", "new", "token"])
def test_a_source_can_do_without_a_secret_that_was_rotated_away(gone: str) -> None:
    assert missing(*(each for each in EVERYTHING if each != gone)) == []


def test_a_source_that_nothing_can_prove_is_told_of() -> None:
    assert missing("chat", "key", "signing") == [
        "sources.flipt: ${secret:old}: none",
        "sources.flipt: ${secret:new}: none",
        "sources.flipt: ${ssm:token}: none",
    ]


def test_a_destination_needs_every_secret_that_it_names() -> None:
    assert missing("old", "key") == [
        "destinations.chat: ${secret:chat#url}: none",
        "destinations.signed: ${secret:signing}: none",
    ]


def test_every_secret_is_asked_for_by_the_same_deadline() -> None:
    store = Store(*EVERYTHING)
    assert list(missing_secrets(CONFIGURATION, store, 12.5)) == []
    assert store.deadlines == {12.5}
