import json
import shlex

import pytest

from flagcast_cli.doctor.facts import QUEUES
from flagcast_cli.doctor.finding import Unknown
from flagcast_cli.doctor.queue_checks import (
    MAX_RECEIVES,
    WANTED,
    check_dead_letters,
    check_oldest_task,
    check_queues,
)
from tests.support.template import written
from tests.unit.doctor_facts import DEAD, OPTIONS, STACK, dead_letter_queue, facts, task_queue

NOT_VISIBLE = "ApproximateNumberOfMessagesNotVisible"


def queues(**attributes: str) -> dict[str, object]:
    return {"task queue": task_queue(**attributes), "dead-letter queue": dead_letter_queue()}


def test_the_attributes_that_are_wanted_are_the_templates() -> None:
    resources = written()["Resources"]
    for name, resource in zip(QUEUES, ("TaskQueue", "DeadLetterQueue"), strict=True):
        properties = resources[resource]["Properties"]
        assert WANTED[name] == {key: str(properties[key]) for key in WANTED[name]}
        # FIFO, once made, stays; encryption is a parameter's; the redrive policy is looked at by itself.
        left = {"FifoQueue", "SqsManagedSseEnabled", "KmsMasterKeyId", "RedrivePolicy"}
        assert properties.keys() - WANTED[name].keys() <= left
    assert resources["TaskQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"] == MAX_RECEIVES


@pytest.mark.parametrize("attribute", WANTED["task queue"])
def test_an_attribute_that_was_changed_is_shown_with_the_command_that_sets_it(attribute: str) -> None:
    line, well = check_queues(facts(queues=queues(**{attribute: "30"})))
    wanted = WANTED["task queue"][attribute]
    assert (line.check, line.level, well.level) == ("task queue", "ill", "ok")
    assert line.found == f"{attribute} is 30, the template has {wanted}"
    command = shlex.split(line.next[0])
    assert command[:3] == ["aws", "sqs", "set-queue-attributes"]
    assert json.loads(command[command.index("--attributes") + 1]) == {attribute: wanted}


@pytest.mark.parametrize("attribute", WANTED["dead-letter queue"])
def test_an_attribute_of_the_dead_letter_queue_that_is_gone_is_shown(attribute: str) -> None:
    known = {"task queue": task_queue(), "dead-letter queue": dead_letter_queue(**{attribute: ""})}
    well, line = check_queues(facts(queues=known))
    assert (well.level, line.check, line.level) == ("ok", "dead-letter queue", "ill")
    assert line.found.startswith(f"{attribute} is not set, ")


@pytest.mark.parametrize(
    "policy",
    [
        "",
        "{",
        "{}",
        f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":3}}',
        f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":"many"}}',
        '{"deadLetterTargetArn":"arn:aws:sqs:other","maxReceiveCount":1000}',
    ],
)
def test_a_redrive_policy_that_was_changed_is_shown_with_the_command_that_sets_it(policy: str) -> None:
    line, _ = check_queues(facts(queues=queues(RedrivePolicy=policy)))
    assert (line.check, line.level) == ("task queue", "ill")
    command = shlex.split(line.next[0])
    given = json.loads(command[command.index("--attributes") + 1])
    assert json.loads(given["RedrivePolicy"]) == {"deadLetterTargetArn": DEAD, "maxReceiveCount": 1000}


def test_a_redrive_policy_is_well_with_its_count_as_a_text() -> None:
    policy = f'{{"maxReceiveCount":"1000","deadLetterTargetArn":"{DEAD}"}}'
    assert [each.level for each in check_queues(facts(queues=queues(RedrivePolicy=policy)))] == ["ok", "ok"]


def test_a_queue_that_is_gone_or_cannot_be_asked_is_said_to_be() -> None:
    known = {"task queue": None, "dead-letter queue": Unknown("no")}
    lines = [*check_queues(facts(queues=known))]
    assert [(each.check, each.level) for each in lines] == [("task queue", "ill"), ("dead-letter queue", "unknown")]
    assert [*check_dead_letters(facts(queues=known))] == []
    assert [*check_oldest_task(facts(queues=known))] == []


def test_dead_letters_are_counted_whether_someone_holds_them_or_not() -> None:
    known = dead_letter_queue(ApproximateNumberOfMessages="2", ApproximateNumberOfMessagesNotVisible="1")
    (line,) = check_dead_letters(facts(queues={**queues(), "dead-letter queue": known}))
    assert (line.level, line.found.split(";")[0], line.by_deploy) == ("ill", "3", False)
    assert line.next == (f"flagcast dlq list --stack {STACK} {OPTIONS}",)


@pytest.mark.parametrize(
    ("waiting", "oldest", "level", "found"),
    [
        ("0", None, "ok", "none"),
        ("0", 9_000.0, "ok", "none"),
        ("4", None, "ok", "4"),
        ("4", 600.0, "ok", "4; the oldest was 600 s old"),
        ("4", 601.0, "ill", "4; the oldest was 601 s old, and OldestTaskSeconds is 600"),
        ("4", Unknown("no"), "unknown", "could not check: no"),
    ],
)
def test_the_oldest_task_is_held_against_the_parameter_of_its_alarm(
    waiting: str, oldest: float | Unknown | None, level: str, found: str
) -> None:
    (line,) = check_oldest_task(facts(queues=queues(ApproximateNumberOfMessagesNotVisible=waiting), oldest=oldest))
    assert (line.level, line.found) == (level, found)


def test_without_the_parameter_the_oldest_task_is_held_against_its_default() -> None:
    known = queues(ApproximateNumberOfMessages="1")
    assert written()["Parameters"]["OldestTaskSeconds"]["Default"] == 3600
    for oldest, level in ((3600.0, "ok"), (3601.0, "ill")):
        (line,) = check_oldest_task(facts(queues=known, oldest=oldest, parameters={}))
        assert line.level == level
