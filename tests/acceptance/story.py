"""The story of an acceptance run, step by step, from two empty names to two empty names."""

import json
import shlex
from functools import partial
from typing import Any

import urllib3
from botocore.exceptions import WaiterError

from flagcast.tasks.task import event_id
from flagcast_cli.console import CommandError
from flagcast_cli.local import send as sending
from tests.acceptance.deleting import (
    CLOUDFORMATION_PATIENCE,
    delete_kept,
    delete_stacks,
    names,
    show_nothing_left,
)
from tests.acceptance.places import FUNCTIONS, TAG, configuration
from tests.acceptance.receiver import TEMPLATE, Receiver, Target
from tests.acceptance.run import PATIENCE, Run, accept, digest, event, expect, outputs
from tests.acceptance.steps import Step, Where, until
from tests.acceptance.traffic import Traffic
from tests.support.captures import captured

ALARM_PATIENCE = 25 * 60
"""Seconds for an alarm on a queue: "A delay of up to 15 minutes occurs in CloudWatch metrics when a queue is activated
from an inactive state", https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html"""


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
    targets = tuple(Target(name.lower(), made[f"{name}Arn"], made[f"{name}Url"]) for name in ("Queue", "Topic", "Bus"))
    receiver = Receiver(run.place.reached(made["Url"]), run.place.table(made["Requests"]), targets)
    until("the receiver's address does not answer", partial(_answers, receiver.url, 200), PATIENCE, receiver.url)
    run.receivers.append(receiver)


def _answers(url: str, status: int) -> bool | None:
    try:
        answer = urllib3.request("GET", url, timeout=10, retries=False)
    except urllib3.exceptions.HTTPError:
        return None
    return True if answer.status == status else None


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
    run.place.deploy(configuration(run.place, run.targets), run.first())


def check_health(run: Run) -> None:
    health = run.webhook_url.replace("/webhooks/flipt", "/health")
    until(f"{health} does not answer 200", partial(_answers, health, 200), PATIENCE, run.log)


def reject_a_forged_event(run: Run) -> None:
    """After the deployments: it turns on an alarm, at which `flagcast doctor` would end them with 1."""
    answer = sending.send(event("forged"), run.webhook_url, "not the secret")
    if answer.status != 401:
        raise CommandError(f"a forged event was answered {answer.status}, not 401", answer.body)


def deliver_captured_events(run: Run) -> None:
    """Every change that a real Flipt sent, and an event too large for a message: it goes through the bucket."""
    bodies = [*(each.body for each in captured("flipt-1.61.0/changes")), captured("flipt-1.61.0/strings")[-1].body]
    for body in bodies:
        accept(run, body)
    expect(run, "/everything", bodies)


def deliver_to_aws_services(run: Run) -> None:
    """By the function's role, whose permissions no emulator looks at."""
    body = event("to-aws", "namespace")
    accept(run, body)
    for target in run.receiver.targets:
        until(f"the event did not come to {target.arn}", partial(_has, run, target, body), PATIENCE, run.log)


def _has(run: Run, target: Target, body: bytes) -> bool | None:
    answer = run.place.client("sqs").receive_message(
        QueueUrl=target.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=1
    )
    wanted = json.loads(body)
    found = [json.loads(each["Body"]) for each in answer.get("Messages", [])]
    return True if any(each.get("detail", each) == wanted for each in found) else None


def prove_the_archive(run: Run) -> None:
    """S3 took each object on its condition and with the function's permissions, and its signature holds."""
    config = str(configuration(run.place, run.targets))
    ask = ("archive", "verify", "--json", "--stack", run.place.stack, "--config", config)

    def is_proven() -> bool | None:
        said = json.loads(run.place.flagcast(*ask))
        return True if said["objects"] and said["proven"] == said["objects"] and not said["log"]["waiting"] else None

    until("not every archived event is proven", is_proven, PATIENCE, shlex.join(["flagcast", *ask]))


def replay(run: Run) -> None:
    """By the operator's permissions, which read the archive, and through the real queue."""
    body = event("to-aws", "namespace")
    words = ("replay", "everything", "--event", event_id("flipt", body), "--yes", "--json", "--stack", run.place.stack)
    said = json.loads(run.place.flagcast(*words))
    if said["sent"] != 1:
        raise CommandError("the archived event was not replayed", json.dumps(said))

    def came_again() -> bool | None:
        received = [each for each in run.receiver.received("/everything") if each.sha256 == digest(body)]
        return True if len(received) > 1 and len({each.webhook_id for each in received}) == 1 else None

    until("the replayed event did not arrive", came_again, PATIENCE, run.log)


def retry(run: Run) -> None:
    run.receiver.script("/retried", [503, 200])
    body = event("retried", "segment")
    accept(run, body)

    def attempts() -> list[int] | None:
        received = [each for each in run.receiver.received("/retried") if each.sha256 == digest(body)]
        answers = [each.answered for each in received]
        return answers if 200 in answers and len({each.webhook_id for each in received}) == 1 else None

    answers = until("the event was not delivered by a second attempt", attempts, PATIENCE, run.log)
    if answers != [503, 200]:
        raise CommandError(f"the receiver answered {answers}, not [503, 200]", run.log)


def dead_letter(run: Run) -> None:
    run.receiver.script("/rejected", [422])
    run.dead.append(accept(run, event("rejected", "token")))
    found = until("no dead letter appeared", lambda: _dead_letters(run) or None, PATIENCE, run.log)
    if [(each["event_id"], each["reason"]) for each in found] != [(run.dead[0], "rejected")]:
        raise CommandError("the dead letters are others than expected", json.dumps(found))


def _dead_letters(run: Run) -> list[dict[str, Any]]:
    said = json.loads(run.place.flagcast("dlq", "list", "--stack", run.place.stack, "--json"))
    letters: list[dict[str, Any]] = said["letters"]
    return letters


def redrive(run: Run) -> None:
    run.receiver.script("/rejected", [200])
    config = str(configuration(run.place, run.targets))
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
    run.place.deploy(configuration(run.place, run.targets), run.moved())
    body = event("moved")
    accept(run, body)
    expect(run, "/moved/everything", [body])


def upgrade(run: Run) -> None:
    """Deploy other code while events come in, and account for every one of them."""
    before = code(run)
    with Traffic(lambda at: accept(run, event(f"traffic-{at}"))) as traffic:
        run.place.upgrade(configuration(run.place, run.targets, upgraded=True), run.moved())
        traffic.wait_for_more(10)
    expect(run, "/moved/everything", [event(f"traffic-{at}") for at in range(traffic.sent)])
    after = code(run)
    same = [name for name in before if before[name] == after[name]]
    if same:
        raise CommandError(f"{' and '.join(same)} still run what was there before", "Look at the stack's events.")
    body = event("upgraded")
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


STORY = (
    Step("create the receiver", create_receiver),
    Step("store the receiver's addresses", store_addresses),
    Step("deploy Flagcast", deploy),
    Step("answer a health check", check_health),
    Step("deliver captured events unchanged", deliver_captured_events),
    Step("deliver an event to a queue, a topic and an event bus", deliver_to_aws_services),
    Step("prove every event in the archive", prove_the_archive),
    Step("replay an event of the archive", replay),
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
