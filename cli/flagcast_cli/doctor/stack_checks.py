"""Whether the stack, its functions and what connects them are as a deploy leaves them."""

from collections.abc import Iterator

from flagcast_cli.doctor.facts import FUNCTIONS, LOOKED_BACK, EventSource, Facts, Function, Queue
from flagcast_cli.doctor.finding import Finding, Unknown

_WELL = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_STUCK = {
    "UPDATE_ROLLBACK_FAILED": "cloudformation continue-update-rollback --stack-name {}",
    "UPDATE_FAILED": "cloudformation rollback-stack --stack-name {}",
    "ROLLBACK_COMPLETE": "cloudformation delete-stack --stack-name {}",
    "ROLLBACK_FAILED": "cloudformation delete-stack --stack-name {}",
    "CREATE_FAILED": "cloudformation delete-stack --stack-name {}",
}
"""What ends a state in which nothing can be deployed.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html"""

_UNDER_WAY = frozenset({"Creating", "Enabling", "Updating"})
"""https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html"""


def check_stack(facts: Facts) -> Iterator[Finding]:
    """Look at CloudFormation's state."""
    status, where = facts.status, facts.where
    if status in _WELL:
        yield Finding("stack", "ok", status)
        return
    events = where.aws(f"cloudformation describe-stack-events --stack-name {where.stack} --max-items 20")
    if status.endswith("_IN_PROGRESS"):
        yield Finding(
            "stack", "note", f"{status}: CloudFormation is changing it; run doctor again when it is done", (events,)
        )
    elif status == "UPDATE_ROLLBACK_COMPLETE":
        found = f"{status}: the last update failed, and the version before it runs"
        yield Finding("stack", "ill", found, (events,))
    else:
        way_out = (where.aws(_STUCK[status].format(where.stack)),) if status in _STUCK else ()
        yield Finding("stack", "ill", f"{status}: nothing can be deployed in this state", (events, *way_out))


def check_functions(facts: Facts) -> Iterator[Finding]:
    """Look at each function's configuration and failed invocations."""
    for name in FUNCTIONS:
        match facts.functions[name]:
            case None:
                yield Finding(name, "ill", "the function does not exist", (facts.where.deploy,), by_deploy=True)
            case Unknown() as unknown:
                yield unknown.as_finding(name)
            case Function() as function:
                yield from _check_function(name, function, facts)


def _check_function(name: str, function: Function, facts: Facts) -> Iterator[Finding]:
    reason = f": {function.reason}" if function.reason else ""
    log = facts.where.aws(f"logs tail {function.log_group} --since {LOOKED_BACK}m")
    match function.state, function.update:
        case "Failed", _:
            yield Finding(name, "ill", f"its state is Failed{reason}", (log,), by_deploy=True)
        case _, "Failed":
            yield Finding(name, "ill", f"its last update failed{reason}", (log,), by_deploy=True)
        case ("Active", "Successful"):
            yield from _check_errors(name, function.errors, log)
        case ("Inactive", _):
            yield Finding(
                name, "note", "Inactive, because it was not called for long: the next call activates it, and fails"
            )
        case _:
            found = f"its state is {function.state}, its last update {function.update}{reason}"
            found += "; run doctor again in a minute"
            yield Finding(name, "note", found)


def _check_errors(name: str, errors: int | Unknown, log: str) -> Iterator[Finding]:
    if isinstance(errors, Unknown):
        yield Finding(name, "ok", "Active, last update Successful")
        yield errors.as_finding(f"{name} errors")
    elif errors:
        found = f"{errors} of its invocations failed in the last {LOOKED_BACK} minutes"
        yield Finding(name, "ill", found, (log,), by_deploy=True)
    else:
        yield Finding(name, "ok", f"Active, last update Successful, no failed invocation in {LOOKED_BACK} minutes")


def check_own_errors(facts: Facts) -> Iterator[Finding]:
    """Look at the errors that no one expected."""
    if isinstance(facts.own_errors, Unknown):
        yield facts.own_errors.as_finding("unexpected errors")
    elif facts.own_errors:
        found = f"{facts.own_errors} in the last {LOOKED_BACK} minutes; each has a log line with the event error"
        known = [each for each in facts.functions.values() if isinstance(each, Function)]
        tails = [f"logs tail {each.log_group} --since {LOOKED_BACK}m --filter-pattern '\"error\"'" for each in known]
        yield Finding("unexpected errors", "ill", found, tuple(map(facts.where.aws, tails)), by_deploy=True)
    else:
        yield Finding("unexpected errors", "ok", f"none in {LOOKED_BACK} minutes")


def check_event_source(facts: Facts) -> Iterator[Finding]:
    """Look at what hands tasks to deliver."""
    match facts.event_source:
        case None:
            found = "deliver's event source mapping does not exist: no delivery leaves the queue"
            yield Finding("event source", "ill", found, (facts.where.deploy,), by_deploy=True)
        case Unknown() as unknown:
            yield unknown.as_finding("event source")
        case EventSource() as source:
            yield from _check_source(source, facts)


def _check_source(source: EventSource, facts: Facts) -> Iterator[Finding]:
    update = f"lambda update-event-source-mapping --uuid {source.uuid}"
    queue = facts.queues["task queue"]
    if source.state in _UNDER_WAY:
        yield Finding("event source", "note", f"{source.state}; run doctor again in a minute")
    elif source.state != "Enabled":
        found = f"{source.state}: no delivery leaves the queue"
        yield Finding("event source", "ill", found, (facts.where.aws(f"{update} --enabled"),))
    elif isinstance(queue, Queue) and source.queue_arn != queue.attributes.get("QueueArn", source.queue_arn):
        found = f"it reads {source.queue_arn}, which is not the stack's task queue"
        yield Finding("event source", "ill", found, (facts.where.deploy,), by_deploy=True)
    elif not source.reports_failures:
        fix = facts.where.aws(f"{update} --function-response-types ReportBatchItemFailures")
        found = "ReportBatchItemFailures is off, so Lambda deletes deliveries that failed"
        yield Finding("event source", "ill", found, (fix,))
    else:
        yield Finding("event source", "ok", "Enabled, from the task queue to deliver")
