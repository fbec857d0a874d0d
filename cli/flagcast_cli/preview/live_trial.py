"""One marked event to one destination, for real: from this machine, past the queue."""

import json
import os
import shlex
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, assert_never

from cyclopts import Parameter
from msgspec import structs

from flagcast.config.secret_references import Values
from flagcast.delivery.attempt import LONGEST_EXCERPT
from flagcast.edges.aws.secret_store import SecretStore
from flagcast.edges.aws.targets import transport as targets
from flagcast.edges.http import transport
from flagcast.errors import SecretUnavailable
from flagcast.events.event import Event, InvalidEvent
from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.masking import masked
from flagcast.exchange.request import Request
from flagcast.preflight.configuration_problems import sample_notices, taken_in
from flagcast.preflight.dry_run import ids_of, refusal
from flagcast.rendering.conditions import judged
from flagcast.rendering.render import render
from flagcast.tasks.outcomes import (
    Answered,
    BlockedAddress,
    DependencyFailed,
    Filtered,
    FilterFailed,
    NotAccepted,
    NotNow,
    Unreachable,
)
from flagcast_cli.checkout import CONFIGURATION, Config, samconfig_of
from flagcast_cli.console import CommandError, err, marked, out
from flagcast_cli.preview.advice import CAUSES, of_answer, of_aws
from flagcast_cli.preview.dry_run import Rehearsal, rehearsal_of
from flagcast_cli.preview.request_text import verdict
from flagcast_cli.request_output import show_made
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.deployed import deployed
from flagcast_cli.stack.samconfig import account_of, environment_of
from flagcast_cli.stack.secret_prefixes import prefixes_of

_MARK = "flagcast-test"
_SECRETS_WITHIN = 10.0


def command(
    destination: str,
    /,
    *,
    event: str | None = None,
    notice: Annotated[bool, Parameter(negative="")] = False,
    config: Config = CONFIGURATION,
    stack: str = "flagcast",
    account: Account = ENVIRONMENT,
) -> int:
    """Send one marked event from this machine to one destination, and print the answer.

    Parameters
    ----------
    destination
        Its name in the configuration.
    event
        Send this one instead: a sample (such as flag-deleted-denied) or the file of a body. It is not marked as a test.
    notice
        Send a notice, as the destination that `notify` names gets when another one is in trouble.
    stack
        The stack whose secrets and parameters are used.

    """
    if event is not None and notice:
        raise CommandError("--event and --notice are two events", "Give one of them.")
    code = trial(config, destination, stack, account_of(account, stack, config), event, notice=notice)
    if code:
        named = shlex.join(["flagcast", "dlq", "list", "--destination", destination, "--stack", stack])
        err.print(marked("Its dead letters: {}", named), soft_wrap=True)
    return code


def trial(config: Path, name: str, stack: str, account: Account, named: str | None = None, *, notice: bool) -> int:
    """Send one event and say what came of it; returns the exit code.

    It is a marked one, or the sample or file that is named, or with `notice` a notice of Flagcast's own.
    """
    rehearsal = rehearsal_of(config, name)
    if notice:
        event = _notice(rehearsal, name)
    else:
        event = _marked(rehearsal, name) if named is None else _accepted(rehearsal, named)
    values = _values(rehearsal, stack, account, samconfig_of(config))
    now = time.time()
    made = render(rehearsal.compiled, event, values, now, ids_of(rehearsal.compiled, event, unique=str(now)))
    if not isinstance(made, Request | AwsRequest):
        raise CommandError(made.detail, f"flagcast render {name} shows what would be sent.")
    show_made(_masked(made, values))
    answer = _sent(made, time.monotonic() + rehearsal.compiled.destination.timeout, account)
    outcome = judged(rehearsal.compiled, answer) if isinstance(answer, Answered) else answer
    return _tell(outcome, values, of_answer if isinstance(made, Request) else of_aws)


def _sent(
    made: Request | AwsRequest, deadline: float, account: Account
) -> Answered | Unreachable | BlockedAddress | DependencyFailed:
    """Send it by the deadline (monotonic seconds): to AWS with the operator's own login, not by the function's role."""
    if isinstance(made, Request):
        return transport.send(made, deadline)
    return targets.send(
        made,
        deadline,
        lambda service, region: (replace(account, region=region) if region else account).clients()(service),
    )


def _marked(rehearsal: Rehearsal, name: str) -> Event:
    """Return the first event of those that say they are a test which the destination wants; raises CommandError."""
    for status, action in (("success", "updated"), ("denied", "deleted"), ("success", "created")):
        for event in taken_in(_body(status, action), _MARK, rehearsal.configuration):
            if not isinstance(event, InvalidEvent) and refusal(rehearsal.compiled, event) is None:
                return event
    raise CommandError(
        "the destination's events and when reject every test event",
        "A test event is a flag updated or created in the namespace default, or a deletion denied.",
        f"flagcast render {name} --all shows what is sent for every sample.",
    )


def _accepted(rehearsal: Rehearsal, named: str) -> Event:
    """Return a sample or the event of a file, if the destination wants it; raises CommandError."""
    event = rehearsal.event(named)
    match refused := refusal(rehearsal.compiled, event):
        case None:
            return event
        case FilterFailed(detail):
            raise CommandError(detail, "Fix the destination's when: nothing was sent.")
        case Filtered():
            said = verdict(rehearsal.compiled, event, refused)
            raise CommandError(f"{said}: nothing was sent", "Name another event, or change the destination.")
    assert_never(refused)


def _notice(rehearsal: Rehearsal, name: str) -> Event:
    """Return a notice of a destination in trouble, as it would be sent to the one that `notify` names."""
    if rehearsal.configuration.notify != name:
        err.print(f"notify does not name {name}: it gets no notices but this one.", soft_wrap=True)
    return next(event for _, event in sample_notices())


def _body(status: str, action: str) -> bytes:
    payload = {
        "description": "Nothing was changed: this is a test of where audit events go.",
        "enabled": False,
        "key": _MARK,
        "name": "A test by flagcast",
        "namespace_key": "default",
    }
    wire = {
        "version": "0.2",
        "type": "flag",
        "action": action,
        "metadata": {"actor": {"authentication": "none", "name": "flagcast test"}},
        "payload": None if status == "denied" else payload,
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": status,
    }
    return json.dumps(wire, separators=(",", ":")).encode()


def _values(rehearsal: Rehearsal, stack: str, account: Account, samconfig: Path) -> Values:
    references = rehearsal.compiled.references
    client, prefixes = account.clients(), prefixes_of(stack)
    if any(each.store != "env" for each in references):
        found, environment = deployed(client("cloudformation"), account, stack), environment_of(samconfig, stack)
        prefixes = prefixes_of(stack, found.parameters if found else environment.parameters if environment else {})
    store = SecretStore(client, prefixes.secret, prefixes.parameter, os.environ, time.monotonic)
    try:
        return store.values(references, time.monotonic() + _SECRETS_WITHIN)
    except SecretUnavailable as error:
        raise CommandError(
            str(error),
            f"flagcast check --stack {stack} says what is missing there, and the command that stores it.",
        ) from error


def _masked(request: Request | AwsRequest, values: Values) -> Request | AwsRequest:
    secrets = list(values.values())

    def hidden(text: str) -> str:
        return masked(text, secrets)

    body = hidden(request.body.decode(errors="replace")).encode()
    if isinstance(request, AwsRequest):
        attributes = {name: hidden(value) for name, value in request.attributes.items()}
        return structs.replace(request, attributes=attributes, body=body)
    headers = {name: hidden(value) for name, value in request.headers.items()}
    return structs.replace(request, url=hidden(request.url), headers=headers, body=body)


def _tell(
    outcome: Answered | NotAccepted | NotNow | Unreachable | BlockedAddress | DependencyFailed,
    values: Values,
    advice_on: Callable[[int], str],
) -> int:
    out.print()
    match outcome:
        case Answered(status, excerpt=text):
            good, said, advice = outcome.is_delivery, text, advice_on(status)
            heading = str(status)
        case NotAccepted(status, detail):
            good, said, heading = False, detail, f"{status}, not accepted"
            advice = "The destination's accept does not hold for this answer."
        case NotNow(status, detail=detail):
            good, said, heading = False, detail, f"{status}, not now"
            advice = "The destination's retry.when holds for this answer: a delivery is retried."
        case Unreachable(cause):
            good, said, heading, advice = False, "", "no answer", CAUSES[cause]
        case BlockedAddress(detail):
            good, said, heading = False, detail, "not sent"
            advice = "It is not for everyone: allow_private opens the subnet that it is in, if that is meant."
        case DependencyFailed(detail):
            good, said, heading, advice = False, detail, "not sent", "Sign in to AWS, and try again."
        case _:
            assert_never(outcome)
    out.print(heading, style="green" if good else "red", end=" ")
    out.print(masked(said, values.values(), LONGEST_EXCERPT), soft_wrap=True)
    if not good:
        err.print(advice, soft_wrap=True)
    return 0 if good else 1
