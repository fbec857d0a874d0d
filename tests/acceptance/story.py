"""The story of an acceptance run, step by step, from two empty names to two empty names."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from hashlib import sha256
from typing import Any

import urllib3
from botocore.exceptions import WaiterError

from flagcast_cli import send as sending
from flagcast_cli.console import CommandError
from tests.acceptance.deleting import (
    CLOUDFORMATION_PATIENCE,
    delete_kept,
    delete_stacks,
    described,
    names,
    show_nothing_left,
)
from tests.acceptance.places import FUNCTIONS, TAG, Place, configuration
from tests.acceptance.receiver import TEMPLATE, Receiver
from tests.acceptance.steps import Step, Where, until
from tests.acceptance.traffic import Traffic
from tests.support.captures import captured

PATIENCE = 5 * 60
"""Seconds for what comes at once: a cold start, a retry, a permission that is on its way."""

ALARM_PATIENCE = 25 * 60
"""Seconds for an alarm on a queue: "A delay of up to 15 minutes occurs in CloudWatch metrics when a queue is activated
from an inactive state", https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html"""

FIRST = {"LogRetentionDays": "1", "MaximumConcurrency": "2"}
"""The parameters of the first deployment."""


@dataclass
class Run:
    """One run: where it takes place, and what the steps that are done have found."""

    place: Place
    receivers: list[Receiver] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)

    @property
    def is_aws(self) -> bool:
        return self.place.is_aws

    @property
    def receiver(self) -> Receiver:
        return self.receivers[0]

    @cached_property
    def webhook_url(self) -> str:
        """Return the address that Flipt would be given; it stays while the stack does."""
        return self.place.reached(outputs(self.place, self.place.stack)["WebhookUrl"])

    @cached_property
    def secret(self) -> str:
        named = f"flagcast/{self.place.stack}/flipt-signing-secret"
        return str(self.place.client("secretsmanager").get_secret_value(SecretId=named)["SecretString"])

    @property
    def log(self) -> str:
        return f"Look at the functions' logs: aws logs tail /aws/lambda/{self.place.stack}-deliver --since 1h"

    def moved(self) -> dict[str, str]:
        """Return the parameters after one was changed: another prefix, under which the receiver's address differs."""
        return {**FIRST, "ParameterPrefix": f"/flagcast/{self.place.stack}/moved/"}


def create_receiver(run: Run) -> None:
    cloudformation = run.place.client("cloudformation")
    _, name = names(run.place.stack)
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": TAG, "Value": run.place.stack}],
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": CLOUDFORMATION_PATIENCE // 2}
        )
    except WaiterError as error:
        look_at = f"aws cloudformation describe-stack-events --stack-name {name}"
        raise CommandError(f"the stack {name} could not be created", look_at) from error
    made = outputs(run.place, name)
    receiver = Receiver(run.place.reached(made["Url"]), run.place.table(made["Requests"]))
    until("the receiver's address does not answer", partial(_answers, receiver.url, 200), PATIENCE, receiver.url)
    run.receivers.append(receiver)


def _answers(url: str, status: int) -> bool | None:
    try:
        answer = urllib3.request("GET", url, timeout=10, retries=False)
    except urllib3.exceptions.HTTPError:
        return None
    return True if answer.status == status else None


def outputs(place: Place, stack: str) -> dict[str, str]:
    found = described(place, stack) or {}
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def store_addresses(run: Run) -> None:
    """The second one is what the changed parameter points at."""
    for name, value in (("receiver", run.receiver.url), ("moved/receiver", f"{run.receiver.url}/moved")):
        run.place.client("ssm").put_parameter(
            Name=f"/flagcast/{run.place.stack}/{name}",
            Value=value,
            Type="SecureString",
            Tags=[{"Key": TAG, "Value": run.place.stack}],
        )


def deploy(run: Run) -> None:
    run.place.deploy(configuration(run.place), FIRST)


def check_health(run: Run) -> None:
    health = run.webhook_url.replace("/webhooks/flipt", "/health")
    until(f"{health} does not answer 200", partial(_answers, health, 200), PATIENCE, run.log)


def reject_a_forged_event(run: Run) -> None:
    """After the deployments: it turns on an alarm, at which `flagcast doctor` would end them with 1."""
    answer = sending.send(_event("forged"), run.webhook_url, "not the secret")
    if answer.status != 401:
        raise CommandError(f"a forged event was answered {answer.status}, not 401", answer.body)


def deliver_captured_events(run: Run) -> None:
    """Every change that a real Flipt sent, and an event too large for a message: it goes through the bucket."""
    bodies = [*(each.body for each in captured("flipt-1.61.0/changes")), captured("flipt-1.61.0/strings")[-1].body]
    for body in bodies:
        accept(run, body)
    expect(run, "/everything", bodies)


def retry(run: Run) -> None:
    run.receiver.script("/retried", [503, 200])
    body = _event("retried", "segment")
    accept(run, body)

    def attempts() -> list[int] | None:
        received = [each for each in run.receiver.received("/retried") if each.sha256 == _digest(body)]
        answers = [each.answered for each in received]
        return answers if 200 in answers and len({each.webhook_id for each in received}) == 1 else None

    answers = until("the event was not delivered by a second attempt", attempts, PATIENCE, run.log)
    if answers != [503, 200]:
        raise CommandError(f"the receiver answered {answers}, not [503, 200]", run.log)


def dead_letter(run: Run) -> None:
    run.receiver.script("/rejected", [422])
    run.dead.append(accept(run, _event("rejected", "token")))
    found = until("no dead letter appeared", lambda: _dead_letters(run) or None, PATIENCE, run.log)
    if [(each["event_id"], each["reason"]) for each in found] != [(run.dead[0], "rejected")]:
        raise CommandError("the dead letters are others than expected", json.dumps(found))


def _dead_letters(run: Run) -> list[dict[str, Any]]:
    said = json.loads(run.place.flagcast("dlq", "list", "--stack", run.place.stack, "--json"))
    letters: list[dict[str, Any]] = said["letters"]
    return letters


def redrive(run: Run) -> None:
    run.receiver.script("/rejected", [200])
    config = str(configuration(run.place))
    run.place.flagcast("dlq", "redrive", "--yes", "--stack", run.place.stack, "--config", config)

    def is_delivered() -> bool | None:
        return True if [each.answered for each in run.receiver.received("/rejected")] == [422, 200] else None

    until("the redriven event was not delivered", is_delivered, PATIENCE, run.log)
    if letters := _dead_letters(run):
        raise CommandError("a dead letter is left", json.dumps(letters))


def alarm_is(state: str, run: Run) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html."""
    name = f"{run.place.stack}-dead-letters"
    cloudwatch = run.place.client("cloudwatch")

    def is_there() -> bool | None:
        [alarm] = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        return True if alarm["StateValue"] == state else None

    until(
        f"the alarm {name} is not {state}",
        is_there,
        ALARM_PATIENCE,
        f"aws cloudwatch describe-alarms --alarm-names {name}",
    )


def change_a_parameter(run: Run) -> None:
    run.place.deploy(configuration(run.place), run.moved())
    body = _event("moved")
    accept(run, body)
    expect(run, "/moved/everything", [body])


def upgrade(run: Run) -> None:
    """Deploy other code while events come in, and account for every one of them."""
    before = code(run)
    with Traffic(lambda at: accept(run, _event(f"traffic-{at}"))) as traffic:
        run.place.upgrade(configuration(run.place, upgraded=True), run.moved())
        traffic.wait_for_more(10)
    expect(run, "/moved/everything", [_event(f"traffic-{at}") for at in range(traffic.sent)])
    after = code(run)
    same = [name for name in before if before[name] == after[name]]
    if same:
        raise CommandError(f"{' and '.join(same)} still run what was there before", "Look at the stack's events.")
    body = _event("upgraded")
    accept(run, body)
    expect(run, "/moved/new", [body])


def code(run: Run) -> dict[str, str]:
    """Return the digest of each function's own code.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
    """
    functions = run.place.client("lambda")
    pages = run.place.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=run.place.stack)
    found = [each for page in pages for each in page["StackResourceSummaries"]]
    physical = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}
    return {name: functions.get_function_configuration(FunctionName=physical[name])["CodeSha256"] for name in FUNCTIONS}


def accept(run: Run, body: bytes) -> str:
    """Send an event as Flipt does, again while it is not accepted; returns its id."""

    def accepted() -> sending.Answer | None:
        try:
            answer = sending.send(body, run.webhook_url, run.secret)
        except CommandError:
            return None
        if answer.status < 500 and answer.status not in (200, 429):
            raise CommandError(f"an event was answered {answer.status}: {answer.body}", answer.advice or run.log)
        return answer if answer.status == 200 else None

    answer = until("an event was not accepted", accepted, PATIENCE, run.log)
    return str(json.loads(answer.body)["event_id"])


def expect(run: Run, route: str, bodies: Sequence[bytes]) -> None:
    """Wait until a path has received all of these, unchanged."""
    wanted = {_digest(body) for body in bodies}

    def all_arrived() -> bool | None:
        return True if wanted <= {each.sha256 for each in run.receiver.received(route)} else None

    until(f"not all of {len(wanted)} events arrived at {route}", all_arrived, PATIENCE, run.log)


def _digest(body: bytes) -> str:
    return sha256(body).hexdigest()


def _event(named: str, kind: str = "flag") -> bytes:
    payload = {"key": named, "name": named, "namespace_key": "default"}
    wire = {"version": "0.2", "type": kind, "action": "updated", "payload": payload}
    return json.dumps({**wire, "timestamp": "2026-01-02T03:04:05Z"}).encode()


STORY = (
    Step("create the receiver", create_receiver),
    Step("store the receiver's addresses", store_addresses),
    Step("deploy Flagcast", deploy),
    Step("answer a health check", check_health),
    Step("deliver captured events unchanged", deliver_captured_events),
    Step("retry a delivery that was answered 503", retry),
    Step("make a rejected delivery a dead letter", dead_letter),
    Step("see the dead-letters alarm go on", partial(alarm_is, "ALARM"), Where.AWS),
    Step("redrive the dead letter", redrive),
    Step("see the dead-letters alarm go off", partial(alarm_is, "OK"), Where.AWS),
    Step("change a parameter and see the running function obey", change_a_parameter),
    Step("upgrade in the middle of traffic without loss", upgrade),
    Step("reject a forged event", reject_a_forged_event),
)

DELETING = (
    Step[Run]("delete both stacks", lambda run: delete_stacks(run.place)),
    Step[Run]("delete the queues, table, bucket, secret and parameters", lambda run: delete_kept(run.place)),
    Step[Run]("show that nothing is left", lambda run: show_nothing_left(run.place)),
)
"""Done whatever happens before."""
