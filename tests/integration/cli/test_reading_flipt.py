"""How `flagcast learn` and `verify` read a Flipt on loopback, whatever it answers."""

import copy

import pytest

from flagcast_cli.console import CommandError
from flagcast_cli.flipt_state import flipt_client
from tests.integration.cli.known_harness import FLAG, SEGMENT, THINGS, KnownStack, known, row, wide
from tests.support.flipt_server import Scripted

__all__ = ["known", "wide"]

NAMESPACES = "/api/v1/namespaces"


def test_pages_are_read_to_the_last(known: KnownStack) -> None:
    known.flipt.page = 1
    assert known.run("learn") == 0
    assert len(known.rows()) == THINGS


def test_a_list_that_shrinks_between_two_pages_is_read_again(known: KnownStack) -> None:
    whole = known.flipt.state
    shrunk = copy.deepcopy(whole)
    shrunk["by_namespace"]["production"]["segments"].pop(0)
    known.flipt.page = 1
    # The namespaces are the first list of two pages, the segments the second.
    known.flipt.between_pages = [whole, shrunk]
    assert known.run("learn") == 0
    assert SEGMENT not in known.rows()
    assert len([each for each in known.rows() if "#segment#" in each]) == 1


def test_a_list_that_changes_each_time_is_given_up(known: KnownStack) -> None:
    two, three = known.flipt.state, copy.deepcopy(known.flipt.state)
    segments = three["by_namespace"]["production"]["segments"]
    segments.append({**segments[0], "key": "more"})
    known.flipt.page = 1
    known.flipt.between_pages = [two, three] * 20
    with pytest.raises(CommandError, match="changes while it is read"):
        known.run("learn")


def test_the_token_is_sent_from_the_variable_that_is_named(known: KnownStack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert known.run("learn") == 0
    monkeypatch.setenv("FLIPT_TOKEN", "canary-1")
    monkeypatch.setenv("OTHER_TOKEN", "canary-2")
    assert known.run("learn") == 0
    assert known.run("verify", "--token-env", "OTHER_TOKEN") == 0
    assert known.flipt.tokens == {None, "Bearer canary-1", "Bearer canary-2"}
    with pytest.raises(CommandError, match="NO_TOKEN is not set"):
        known.run("verify", "--token-env", "NO_TOKEN")


@pytest.mark.parametrize("answer", [
    Scripted(429, headers={"Retry-After": "7"}), Scripted(503), Scripted(502, b"<html>"), Scripted(200, closes=True),
])  # fmt: skip
def test_a_flipt_that_is_busy_is_asked_again(known: KnownStack, answer: Scripted) -> None:
    known.flipt.scripted["/api/v1/namespaces"] = [answer, answer]
    began = known.clock.now()
    assert known.run("learn") == 0
    assert known.clock.now() - began == (14 if answer.status == 429 else 3)


@pytest.mark.parametrize(
    ("path", "answers", "said", "step"),
    [
        (NAMESPACES, [Scripted(401)], "answers 401", "Set FLIPT_TOKEN to a Flipt token"),
        (NAMESPACES, [Scripted(403)], "answers 403", "may read every namespace"),
        (NAMESPACES, [Scripted(404)], "answers 404", "Give the address of Flipt's UI"),
        (NAMESPACES, [Scripted(302, headers={"Location": "/login"})], "it redirects", "Give the address"),
        (NAMESPACES, [Scripted(500)], "answers 500", "Flipt's log says why"),
        (NAMESPACES, [Scripted(200, b"<!doctype html>")], "with HTML", "Give the address"),
        (NAMESPACES, [Scripted(200, b"x", {"Content-Type": "text/html; charset=utf-8"})], "HTML", "Give the address"),
        (NAMESPACES, [Scripted(200, b'{"namespaces": [{"name": "x"}]}')], "missing required field `key`", "Give the"),
        (NAMESPACES, [Scripted(429)] * 5, "answers 429, 5 times", "less busy"),
        (NAMESPACES, [Scripted(200, closes=True)] * 5, "cannot be reached: ConnectionError", "curl -i "),
        (NAMESPACES, [Scripted(429, headers={"Retry-After": "3600"})], "wait 3600 s", "after that"),
        (f"{NAMESPACES}/production/flags/new-checkout/rules", [Scripted(404)], "answers 404", "deleted while Flipt"),
    ],
)  # fmt: skip
def test_a_flipt_that_cannot_be_read_is_an_error_that_says_what_to_do(
    known: KnownStack, path: str, answers: list[Scripted], said: str, step: str
) -> None:
    known.flipt.scripted[path] = answers
    for command in (["learn"], ["verify"]):
        known.flipt.scripted[path] = list(answers)
        with pytest.raises(CommandError) as raised:
            known.run(*command)
        assert said in str(raised.value)
        assert step in "\n".join(raised.value.next_steps)
    assert known.rows() == {}


def test_an_address_that_is_none_is_not_repeated(known: KnownStack) -> None:
    known.flipt.url = "https://user:canary@flipt.example.com"
    with pytest.raises(CommandError) as raised:
        known.run("learn")
    assert "canary" not in f"{raised.value} {raised.value.next_steps}"


def test_a_host_that_is_no_name_cannot_be_reached(known: KnownStack) -> None:
    known.flipt.url = "http://flipt..example.com"
    with pytest.raises(CommandError, match="cannot be reached"):
        known.run("learn")


def test_an_answer_without_its_date_is_not_used(known: KnownStack) -> None:
    known.flipt.date = None
    with pytest.raises(CommandError, match="without a Date header"):
        known.run("learn")


def test_a_clock_that_is_far_ahead_is_an_error(known: KnownStack) -> None:
    known.flipt.now += flipt_client.FURTHEST_AHEAD + 60
    with pytest.raises(CommandError, match="clock is 360 s ahead"):
        known.run("learn")


def test_a_version_that_may_not_be_asked_for_is_taken_for_the_newest(known: KnownStack) -> None:
    known.flipt.scripted["/meta/info"] = [Scripted(401), Scripted(200, b"<html>")]
    for _ in range(2):
        assert known.run("learn") == 0
    assert (row(known, FLAG).state or {})["default_variant"] == "a"


def test_a_source_that_the_configuration_has_not_is_an_error(known: KnownStack) -> None:
    for command in ("learn", "verify"):
        with pytest.raises(CommandError) as raised:
            known.run(command, source="flpit")
        assert raised.value.next_steps == ("It has flipt, other.",)
    known.config.write_text("sources: {")
    with pytest.raises(CommandError):
        known.run("learn")
