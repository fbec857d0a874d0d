from typing import Any

import pytest
from msgspec import structs

from flagcast_cli.doctor.command import CHECKS
from flagcast_cli.doctor.facts import Facts
from flagcast_cli.doctor.finding import Finding, Unknown, exit_code
from flagcast_cli.doctor.stack_checks import check_event_source, check_functions, check_own_errors, check_stack
from tests.unit.doctor_facts import DELIVER, EVENT_SOURCE, INGEST, OPTIONS, STACK, facts

DENIED = Unknown("the function could not be asked about: AccessDenied", ("Sign in.",))


def all_of(known: Facts) -> list[Finding]:
    return [each for check in CHECKS for each in check(known)]


def test_of_a_stack_that_is_well_every_line_is() -> None:
    lines = all_of(facts())
    assert {each.level for each in lines} == {"ok"}
    assert [each.check for each in lines] == [
        "stack", "ingest", "deliver", "unexpected errors", "event source", "task queue", "dead-letter queue",
        "dead letters", "waiting tasks", "alarms", "alarm topic", "secrets", "health", "probe",
    ]  # fmt: skip
    assert exit_code(tuple(lines)) == 0


def test_of_a_stack_that_cannot_be_looked_at_every_line_says_so_and_nothing_is_wrong() -> None:
    nothing = facts(
        functions={"ingest": DENIED, "deliver": DENIED},
        own_errors=DENIED, event_source=DENIED, oldest=DENIED, alarms=DENIED, secrets=DENIED,
        health=DENIED, probe=DENIED,
        queues={"task queue": DENIED, "dead-letter queue": DENIED},
    )  # fmt: skip
    lines = [each for each in all_of(nothing) if each.level != "ok"]
    assert {each.level for each in lines} == {"unknown"}
    assert {each.found for each in lines} == {f"could not check: {DENIED.why}"}
    assert {each.next for each in lines} == {DENIED.next}
    assert exit_code(tuple(lines)) == 2


@pytest.mark.parametrize(
    ("levels", "code"),
    [((), 0), (("ok", "note"), 0), (("ok", "unknown"), 2), (("unknown", "ill", "ok"), 1), (("ill",), 1)],
)
def test_the_code_is_1_for_what_is_wrong_else_2_for_what_could_not_be_looked_at(
    levels: tuple[Any, ...], code: int
) -> None:
    assert exit_code(tuple(Finding("x", level, "") for level in levels)) == code


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"])
def test_a_stack_that_is_complete_is_well(status: str) -> None:
    assert [*check_stack(facts(status=status))] == [Finding("stack", "ok", status)]


@pytest.mark.parametrize(
    "status", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"]
)
def test_a_stack_that_is_being_changed_is_looked_at_again_later(status: str) -> None:
    (line,) = check_stack(facts(status=status))
    assert (line.level, line.found.split(":")[0]) == ("note", status)


@pytest.mark.parametrize(
    ("status", "fix"),
    [
        ("UPDATE_ROLLBACK_COMPLETE", "describe-stack-events"),
        ("UPDATE_ROLLBACK_FAILED", f"aws cloudformation continue-update-rollback --stack-name {STACK} {OPTIONS}"),
        ("UPDATE_FAILED", f"aws cloudformation rollback-stack --stack-name {STACK} {OPTIONS}"),
        ("ROLLBACK_COMPLETE", f"aws cloudformation delete-stack --stack-name {STACK} {OPTIONS}"),
        ("ROLLBACK_FAILED", f"aws cloudformation delete-stack --stack-name {STACK} {OPTIONS}"),
        ("CREATE_FAILED", f"aws cloudformation delete-stack --stack-name {STACK} {OPTIONS}"),
        ("DELETE_FAILED", "describe-stack-events"),
        ("REVIEW_IN_PROGRESS_NOT", "describe-stack-events"),
    ],
)
def test_a_stack_that_is_stuck_is_ill_with_the_command_that_ends_it(status: str, fix: str) -> None:
    (line,) = check_stack(facts(status=status))
    assert (line.level, line.by_deploy) == ("ill", False)
    assert fix in line.next[-1]
    assert line.next[0].startswith(f"aws cloudformation describe-stack-events --stack-name {STACK}")


@pytest.mark.parametrize(
    ("changes", "level", "found"),
    [
        ({"state": "Failed", "reason": "no ENI"}, "ill", "its state is Failed: no ENI"),
        ({"update": "Failed", "reason": "bad layer"}, "ill", "its last update failed: bad layer"),
        ({"update": "Failed"}, "ill", "its last update failed"),
        ({"errors": 3}, "ill", "3 of its invocations failed in the last 15 minutes"),
        ({"state": "Inactive"}, "note", "Inactive, because it was not called for long"),
        (
            {"state": "Pending"},
            "note",
            "its state is Pending, its last update Successful; run doctor again in a minute",
        ),
        ({"update": "InProgress"}, "note", "its state is Active, its last update InProgress"),
    ],
)
@pytest.mark.parametrize("name", ["ingest", "deliver"])
def test_a_function_that_does_not_run_says_why(name: str, changes: dict[str, Any], level: str, found: str) -> None:
    functions = {"ingest": INGEST, "deliver": DELIVER}
    functions[name] = structs.replace(functions[name], **changes)
    line, *others = (each for each in check_functions(facts(functions=functions)) if each.level != "ok")
    assert (line.check, line.level, others) == (name, level, [])
    assert line.found.startswith(found)
    if level == "ill":
        assert line.by_deploy
        assert line.next == (f"aws logs tail /aws/lambda/{STACK}-{name} --since 15m {OPTIONS}",)


def test_a_function_that_is_gone_is_deployed_again() -> None:
    lines = [*check_functions(facts(functions={"ingest": None, "deliver": DELIVER}))]
    assert [(each.check, each.level) for each in lines] == [("ingest", "ill"), ("deliver", "ok")]
    assert lines[0].next == (f"make deploy STACK={STACK} REGION=eu-central-1",)


def test_a_function_whose_errors_cannot_be_counted_is_well_as_far_as_is_known() -> None:
    functions = {"ingest": structs.replace(INGEST, errors=DENIED), "deliver": DELIVER}
    lines = [*check_functions(facts(functions=functions))]
    assert [(each.check, each.level) for each in lines] == [
        ("ingest", "ok"), ("ingest errors", "unknown"), ("deliver", "ok"),
    ]  # fmt: skip


def test_unexpected_errors_are_shown_with_the_logs_that_hold_them() -> None:
    (line,) = check_own_errors(facts(own_errors=2))
    assert (line.level, line.by_deploy) == ("ill", True)
    assert line.found == "2 in the last 15 minutes; each has a log line with the event error"
    assert line.next == tuple(
        f"aws logs tail /aws/lambda/{STACK}-{name} --since 15m --filter-pattern '\"error\"' {OPTIONS}"
        for name in ("ingest", "deliver")
    )


@pytest.mark.parametrize("state", ["Disabled", "Disabling", "Deleting"])
def test_an_event_source_that_is_not_enabled_delivers_nothing(state: str) -> None:
    (line,) = check_event_source(facts(event_source=structs.replace(EVENT_SOURCE, state=state)))
    assert (line.level, line.found) == ("ill", f"{state}: no delivery leaves the queue")
    assert line.next == (f"aws lambda update-event-source-mapping --uuid 87524b43 --enabled {OPTIONS}",)


@pytest.mark.parametrize("state", ["Creating", "Enabling", "Updating"])
def test_an_event_source_that_is_being_changed_is_looked_at_again_later(state: str) -> None:
    (line,) = check_event_source(facts(event_source=structs.replace(EVENT_SOURCE, state=state)))
    assert line.level == "note"


def test_an_event_source_of_another_queue_or_of_none_is_ill() -> None:
    (line,) = check_event_source(facts(event_source=structs.replace(EVENT_SOURCE, queue_arn="arn:aws:sqs:other")))
    assert (line.level, line.by_deploy) == ("ill", True)
    assert "arn:aws:sqs:other, which is not the stack's task queue" in line.found
    (line,) = check_event_source(facts(event_source=None))
    assert (line.level, line.by_deploy) == ("ill", True)


def test_an_event_source_that_does_not_ask_which_tasks_failed_loses_tasks() -> None:
    (line,) = check_event_source(facts(event_source=structs.replace(EVENT_SOURCE, reports_failures=False)))
    assert line.level == "ill"
    assert "--function-response-types ReportBatchItemFailures" in line.next[0]


def test_an_event_source_is_well_though_its_queue_cannot_be_asked() -> None:
    queues = {"task queue": DENIED, "dead-letter queue": DENIED}
    assert [each.level for each in check_event_source(facts(queues=queues))] == ["ok"]
