"""One faulty part of the configuration does not stop the rest."""

from http import HTTPStatus
from typing import Any

import pytest

from tests.integration.ingest.harness import SOURCES, Ingest, destination
from tests.support.api_gateway import http_event
from tests.support.captures import captured

MISPLACED = "canary-misplaced-secret"
EVENTS = {(each.body.split(b'"')[7]).decode(): each.body for each in captured("flipt-1.61.0/changes")}
# Secrets where none belong, and one fault for all that tests/unit/config holds.
FAULTY_SOURCES: dict[str, Any] = {
    "a secret in the file": {"signing_secrets": [MISPLACED]},
    "a secret that is no list": {"signing_secrets": MISPLACED},
    "a secret under a wrong key": {"signing_secret": MISPLACED},
    "a secret as the source": MISPLACED,
    # Of an optional choice the value itself was told, in the file's report and in the log line of every 503.
    "a secret in the place of auth": {"auth": MISPLACED},
    "a secret in the place of a switch": {**SOURCES["flipt"], "dedupe": MISPLACED},
    "no credentials": {},
    "a variable that cannot be read": {"signing_secrets": ["${env:AWS_SECRET_ACCESS_KEY}"]},
}
FAULTY_DESTINATIONS: dict[str, Any] = {
    "a wrong timeout": destination("flag:*", timeout="99h"),
    "an unknown key": destination("flag:*", colour="red"),
    "no such template": destination("flag:*", template="absent.j2"),
    "no address": {"events": ["flag:*"]},
}
UNREADABLE = {
    "no YAML": "sources: [",
    "a secret in a wrong place": f"{MISPLACED}: [",
}


@pytest.mark.parametrize("faulty", FAULTY_SOURCES.values(), ids=FAULTY_SOURCES.keys())
def test_a_faulty_source_is_asked_again_while_another_works(ingest: Ingest, faulty: object) -> None:
    ingest.canaries.add(MISPLACED)
    ingest.configure({"faulty": faulty, "flipt": SOURCES["flipt"]})
    answer = ingest.signed(source="faulty")
    assert (answer.status, answer.body["error"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
    assert ingest.stores_nothing()
    (line,) = ingest.output.lines
    assert (line["event"], line["source"], line["reason"]) == ("event.rejected", "faulty", "unavailable")
    assert line["detail"].startswith("sources.faulty")
    assert ingest.signed().status == HTTPStatus.OK
    assert ingest.waiting() == 1


@pytest.mark.parametrize("faulty", FAULTY_DESTINATIONS.values(), ids=FAULTY_DESTINATIONS.keys())
def test_the_tasks_of_a_faulty_destination_are_stored_as_its_events_say(ingest: Ingest, faulty: object) -> None:
    ingest.configure(destinations={"faulty": faulty, "well": destination()})
    assert ingest.signed(EVENTS["flag"]).body["deliveries"] == 2
    assert ingest.signed(EVENTS["segment"]).body["deliveries"] == 1
    assert ingest.delivered_to() == {"faulty": 1, "well": 2}


@pytest.mark.parametrize(
    "events", ["flag:*", ["flag"], ["flag:*", "flag:exploded"], [], {}], ids=["text", "noun", "verb", "none", "mapping"]
)
def test_a_destination_whose_events_are_faulty_takes_every_event_until_they_are_fixed(
    ingest: Ingest, events: object
) -> None:
    ingest.configure(destinations={"faulty": {**destination(), "events": events}, "well": destination("token:*")})
    for body in EVENTS.values():
        assert ingest.signed(body).body["deliveries"] == 1
    assert ingest.delivered_to() == {"faulty": len(EVENTS)}


def test_faulty_defaults_hold_every_destination_and_lose_no_event(ingest: Ingest) -> None:
    ingest.write({"sources": SOURCES, "defaults": {"timeout": "soon"}, "destinations": {"one": destination("flag:*")}})
    assert ingest.signed(EVENTS["flag"]).body["deliveries"] == 1
    assert ingest.delivered_to() == {"one": 1}


@pytest.mark.parametrize("document", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_file_lets_every_source_ask_again_until_it_is_fixed(ingest: Ingest, document: object) -> None:
    ingest.canaries.add(MISPLACED)
    ingest.write(document)
    for source in ("flipt", "template", "open", "stranger"):
        assert ingest.signed(source=source).status == HTTPStatus.SERVICE_UNAVAILABLE
    assert ingest.ask(http_event(method="GET", source=None)).status == HTTPStatus.SERVICE_UNAVAILABLE
    assert ingest.stores_nothing()
    assert {(line["event"], line["source"], line["reason"]) for line in ingest.output.lines} == {
        ("event.rejected", "-", "unavailable")
    }
    ingest.configure()
    assert ingest.signed().status == HTTPStatus.OK


@pytest.mark.parametrize("content", [None, b"sources: {\xff: 1}"], ids=["missing", "not UTF-8"])
def test_a_file_that_is_no_text_lets_every_source_ask_again(ingest: Ingest, content: bytes | None) -> None:
    if content is None:
        ingest.file.unlink()
    else:
        ingest.file.write_bytes(content)
    for source in ("flipt", "open", "stranger"):
        assert ingest.signed(source=source).status == HTTPStatus.SERVICE_UNAVAILABLE
    assert ingest.stores_nothing()
