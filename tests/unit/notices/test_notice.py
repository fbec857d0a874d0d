import json
import shlex
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.config.model import Ordering
from flagcast.config.validation import NAME
from flagcast.events.event import NOTICES, Event, Origin
from flagcast.notices.notice import Kind, next_command, notice_body, notice_entry, notice_id
from flagcast.notices.trouble import Reason, Trouble
from flagcast.rendering.template_context import names_for
from flagcast.summaries.notice_summary import _REASONS, summarise_notice
from flagcast.tasks.outgoing_message import LARGEST_TASK
from flagcast.tasks.routing import wants
from flagcast.tasks.task import Task, decode
from tests.unit.builders import destination, event, event_of

TROUBLE = Trouble("rejected", 1767323045, 403, "no such channel")
NOW = 1767323105.7
OURS = Origin("evt_1", NOTICES)


def body(kind: Kind = "trouble", trouble: Trouble = TROUBLE, waiting: int | None = 12, name: str = "mirror") -> str:
    return notice_body(kind, name, trouble, waiting, "flagcast", NOW)


def notice(kind: Kind = "trouble", trouble: Trouble = TROUBLE, waiting: int | None = 12, name: str = "mirror") -> Event:
    return event_of(body(kind, trouble, waiting, name).encode(), OURS)


def sent(kind: Kind = "trouble", name: str = "mirror", ordering: Ordering = "subject") -> tuple[Task, str]:
    entry = notice_entry(notice_id(kind, name, TROUBLE), body(kind, name=name), name, "chat", ordering, NOW)
    read = decode(entry.body)
    assert isinstance(read, Task)
    return read, entry.group


def test_a_notice_has_the_shape_of_flipts_events() -> None:
    assert json.loads(body()) == {
        "version": "0.2", "type": "flagcast", "action": "trouble", "metadata": {"actor": {"name": "Flagcast"}},
        "payload": {
            "destination": "mirror", "since": "2026-01-02T03:04:05Z", "reason": "rejected", "status": 403,
            "excerpt": "no such channel", "waiting": 12,
            "command": "flagcast dlq list --destination mirror --stack flagcast",
        },
        "timestamp": "2026-01-02T03:05:05Z",
    }  # fmt: skip


def test_a_notice_is_a_task_like_any_other_and_says_when_it_was_made() -> None:
    task, _ = sent()
    assert (task.destination, task.source, task.received_at) == ("chat", NOTICES, "2026-01-02T03:05:05Z")
    assert task.raw.decode() == body()
    assert task.id == f"{task.event_id}:chat"


def test_one_trouble_is_one_notice_and_its_end_and_the_next_are_others() -> None:
    ids = {notice_id(kind, "mirror", TROUBLE) for kind in get_args(Kind)}
    ids |= {notice_id("trouble", "other", TROUBLE), notice_id("trouble", "mirror", Trouble("rejected", 1))}
    assert len(ids) == 4
    assert notice_id("trouble", "mirror", Trouble("gone", TROUBLE.since)) == notice_id("trouble", "mirror", TROUBLE)


def test_a_trouble_and_its_end_stay_in_order_and_troubles_of_others_do_not_wait() -> None:
    assert sent("trouble")[1] == sent("recovered")[1] != sent(name="other")[1]
    assert sent(ordering="destination")[1] == sent(name="other", ordering="destination")[1]
    assert sent("trouble", ordering="none")[1] != sent("recovered", ordering="none")[1]


def test_no_source_can_be_called_as_notices_are() -> None:
    assert NAME.fullmatch(NOTICES) is None
    assert not event(type="flagcast").is_notice
    assert notice().is_notice


def test_filters_that_speak_of_flipts_changes_let_a_notice_pass() -> None:
    filtered = destination(events=["flag:created"])
    assert wants(filtered, notice())
    assert not wants(filtered, event(type="flagcast", action="trouble"))


@given(st.text(), st.integers())
def test_whatever_was_answered_a_notice_is_json_and_says_it(excerpt: str, since: int) -> None:
    trouble = Trouble("rejected", abs(since) % 10**9, None, excerpt.encode(errors="ignore").decode())
    made = notice_entry("evt_1", body(trouble=trouble), "mirror", "chat", "subject", NOW)
    assert made.body.isascii()
    assert len(made.body) < LARGEST_TASK
    read = decode(made.body)
    assert isinstance(read, Task)
    assert json.loads(read.raw)["payload"]["excerpt"] == trouble.excerpt


def test_the_command_can_be_typed_as_it_is() -> None:
    assert next_command("recovered", "mirror", TROUBLE, "") == "flagcast dlq redrive --destination mirror"
    for kind in get_args(Kind):
        words = shlex.split(next_command(kind, "a b;$(c)", TROUBLE, "s"))
        assert words[3:] == ["--destination", "a b;$(c)", "--stack", "s"]


@pytest.mark.parametrize("reason", get_args(Reason))
def test_a_trouble_names_the_command_that_shows_what_waits_or_which_dead_letters_there_are(reason: Reason) -> None:
    command = next_command("trouble", "mirror", Trouble(reason, 0), "prod")
    waits = reason in ("circuit_open", "resting", "faulty")
    which = "status" if waits else "dlq list --destination mirror"
    assert command == f"flagcast {which} --stack prod"


def test_a_trouble_in_words() -> None:
    said = summarise_notice(notice())
    assert (said.title, said.what, said.kind, said.app, said.where, said.path, said.url) == (
        "Destination mirror is in trouble: it rejected an event", "destination mirror", "trouble", "Flagcast", "",
        "destinations/mirror", None,
    )  # fmt: skip
    assert said.facts == (
        ("Failing since", "2026-01-02 03:04:05 UTC"),
        ("Reason", "rejected"),
        ("Last answer", "HTTP 403: no such channel"),
        ("Waiting", "12 deliveries waiting, over all destinations"),
        ("Next command", "flagcast dlq list --destination mirror --stack flagcast"),
        ("Time", "2026-01-02 03:05:05 UTC"),
    )


def test_its_end_in_words() -> None:
    said = summarise_notice(notice("recovered"))
    assert (said.title, said.kind) == ("Destination mirror has recovered", "recovered")
    assert said.facts[:2] == (("Failed since", "2026-01-02 03:04:05 UTC"), ("Reason", "it rejected an event"))
    assert "Last answer" not in dict(said.facts)


def test_what_is_not_known_is_not_said() -> None:
    said = dict(summarise_notice(notice(trouble=Trouble("circuit_open", 1), waiting=None)).facts)
    assert "Waiting" not in said
    assert "Last answer" not in said
    said = dict(summarise_notice(notice(trouble=Trouble("faulty", 1, None, "url: is missing"), waiting=0)).facts)
    assert (said["Waiting"], said["Last answer"]) == ("0 deliveries waiting, over all destinations", "url: is missing")


@pytest.mark.parametrize("payload", [None, [], {}, {"reason": "of a later version"}])
def test_a_notice_of_another_version_is_told_as_far_as_it_is_understood(payload: object) -> None:
    said = summarise_notice(event(OURS, type="flagcast", action="trouble", payload=payload))
    assert said.title == "Destination - is in trouble: the reason is not known"


def test_every_reason_has_its_words() -> None:
    assert _REASONS.keys() == set(get_args(Reason))


def test_templates_see_a_notice_as_what_it_is() -> None:
    assert names_for(notice(), {})["summary"].app == "Flagcast"
    assert names_for(event(type="flagcast", action="trouble"), {})["summary"].app == "Flipt"
    assert notice().namespace is None
