import pytest

from flagcast.config.model import Problem
from flagcast_cli.deploy.stored_secrets import Fault
from flagcast_cli.doctor.endpoint_checks import check_health, check_probe, check_secrets
from flagcast_cli.doctor.facts import Answer, NoAnswer, Secrets
from tests.unit.doctor_facts import ACCEPTED, BASE, OPTIONS, STACK, facts

WEBHOOK = f"{BASE}/webhooks/flipt"
HEALTH = f"{BASE}/health"


def test_a_secret_that_is_not_there_is_shown_with_what_makes_it() -> None:
    problem = Problem("destinations.chat", "the secret flagcast/x/a is not there")
    faults = (Fault(problem, "aws secretsmanager create-secret ..."), Fault(problem, "another"))
    lines = [*check_secrets(facts(secrets=Secrets(3, faults)))]
    assert [(each.level, each.found) for each in lines] == [("ill", f"{problem}")] * 2
    assert [each.next for each in lines] == [("aws secretsmanager create-secret ...",), ("another",)]


@pytest.mark.parametrize(
    ("answer", "level", "found", "by_deploy"),
    [
        (Answer(HEALTH, 200, ""), "ok", "answers 200", False),
        (Answer(HEALTH, 503, ""), "ill", "answers 503: the configuration cannot be read", True),
        (Answer(HEALTH, 500, ""), "ill", "answers 500", True),
        (Answer(HEALTH, 404, ""), "ill", "answers 404: it is not the stack's address", False),
        (Answer(HEALTH, 403, ""), "ill", "answers 403", False),
        (NoAnswer(HEALTH, "ConnectTimeout"), "ill", "did not answer: ConnectTimeout", False),
    ],
)
def test_health_is_what_it_answers(answer: Answer | NoAnswer, level: str, found: str, by_deploy: bool) -> None:
    (line,) = check_health(facts(health=answer))
    assert (line.level, line.found, line.by_deploy) == (level, f"{HEALTH} {found}", by_deploy)
    assert (line.next == ()) == (level == "ok")


@pytest.mark.parametrize(
    ("answer", "level", "found", "by_deploy"),
    [
        (Answer(WEBHOOK, 200, ACCEPTED), "ok", "verified and answered evt_1", False),
        (Answer(WEBHOOK, 200, "<html>"), "ill", "answers 200, but not as Flagcast does", False),
        (Answer(WEBHOOK, 200, "{}"), "ill", "answers 200, but not as Flagcast does", False),
        (
            Answer(WEBHOOK, 200, '{"event_id":"evt_1","deliveries":2}'),
            "ill",
            "handled the probe as an event, with 2",
            False,
        ),
        (Answer(WEBHOOK, 301, "", "https://other/"), "ill", "answers 301 and redirects to https://other/", False),
        (Answer(WEBHOOK, 302, ""), "ill", "answers 302 and redirects to nowhere", False),
        (Answer(WEBHOOK, 400, '{"error":"too_old"}'), "ill", "answers 400: by the stack's clock the probe is", False),
        (Answer(WEBHOOK, 400, '{"error":"invalid_event"}'), "ill", "answers 400: Flipt's events are not", False),
        (Answer(WEBHOOK, 401, ""), "ill", "answers 401: the secret is not the source's", False),
        (Answer(WEBHOOK, 404, ""), "ill", "answers 404: the deployed configuration has no such source", False),
        (Answer(WEBHOOK, 429, ""), "ill", "answers 429: Flipt's events are not accepted", False),
        (Answer(WEBHOOK, 500, ""), "ill", "answers 500: Flipt's events are not accepted", True),
        (Answer(WEBHOOK, 503, ""), "ill", "answers 503: Flipt's events are not accepted", True),
        (NoAnswer(WEBHOOK, "SSLError"), "ill", "did not answer: SSLError", False),
    ],
)
def test_the_probe_is_what_it_was_answered(answer: Answer | NoAnswer, level: str, found: str, by_deploy: bool) -> None:
    (line,) = check_probe(facts(probe=answer))
    assert (line.check, line.level, line.by_deploy) == ("probe", level, by_deploy)
    assert line.found.startswith(f"{WEBHOOK} {found}")
    assert (line.next == ()) == (level == "ok")


def test_a_probe_from_outside_of_allow_from_says_nothing_of_the_stack() -> None:
    (line,) = check_probe(facts(probe=Answer(WEBHOOK, 403, "")))
    assert line.level == "unknown"
    assert "allow_from" in line.found


def test_what_the_stack_failed_at_is_in_the_log_of_ingest() -> None:
    (line,) = check_probe(facts(probe=Answer(WEBHOOK, 503, "")))
    assert line.next == (f"aws logs tail /aws/lambda/{STACK}-ingest --since 15m {OPTIONS}",)
