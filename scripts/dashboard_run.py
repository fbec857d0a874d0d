"""A run of the local stack for docs/dashboard.png: real traffic, and every sample that this stack has of it.

What it has: the functions' log (EMF lines, and the duration that Lambda's REPORT lines say) and the numbers of both
queues, asked once a second. It has no metrics of API Gateway and no age of a queue's oldest message.
"""

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

from scripts.dashboard import Sample, samples_of

from flagcast_cli.checkout import LOCAL_STACK, SAMPLES
from flagcast_cli.local import send as sending
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer
from flagcast_cli.local.stack import NAME, Stack, local_stack

SECONDS = 120
DOWN = range(35, 70)
"""The seconds in which one destination answers 503."""
BUSY = range(50, 62)
FORGED = (20, 22, 24, 26, 80, 81)
CONFIGURATION = """\
sources: {flipt: {signing_secrets: ["${secret:flipt-signing-secret}"], environment: demo}}
defaults: {allow_http: true, allow_private: [127.0.0.0/8], timeout: 5s, retry: {max_interval: 8s}}
destinations:
  archive: {url: "${ssm:receiver}/archive"}
  team-chat: {preset: slack, url: "${ssm:receiver}/team-chat", events: ["flag:*", "rollout:*"], rate_limit: 2/s}
  incident-desk: {url: "${ssm:receiver}/incident-desk", events: ["flag:*", "segment:*"]}
  old-tool: {url: "${ssm:receiver}/old-tool", events: ["segment:created"]}
"""
QUEUES = {"TaskQueueUrl": "TaskQueue", "DeadLetterQueueUrl": "DeadLetterQueue"}
COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
METRICS = ("ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible")

_REPORT = re.compile(r"^REPORT .*?\tDuration: ([\d.]+) ms")


def run(port: int) -> tuple[str, list[Sample]]:
    """Run the stack under traffic; returns the deployed dashboard's body and the samples in the order of time."""
    configuration = LOCAL_STACK / "dashboard.yaml"
    configuration.parent.mkdir(exist_ok=True)
    configuration.write_text(CONFIGURATION)
    with local_stack(port, configuration) as (stack, receiver):
        sampled: list[Sample] = []
        ended = Event()
        sampler = Thread(target=lambda: sampled.extend(_queue_samples(stack, ended)))
        sampler.start()
        try:
            _drive(stack, receiver)
        finally:
            ended.set()
            sampler.join()
        body = stack.emulator.client("cloudwatch").get_dashboard(DashboardName=f"{NAME}-us-east-1")["DashboardBody"]
        return body, sorted([*sampled, *_logged(stack)], key=lambda sample: sample.at)


def _drive(stack: Stack, receiver: Receiver) -> None:
    receiver.script("/archive", [Answer(200, delay=0.02)])
    receiver.script("/team-chat", [Answer(200, body=b"ok", delay=0.15)])
    receiver.script("/old-tool", [Answer(422, body=b"segments are not supported")])
    bodies = itertools.cycle(path.read_bytes() for path in _samples())
    began = time.monotonic()
    for second in range(SECONDS):
        receiver.script("/incident-desk", [Answer(503 if second in DOWN else 200, delay=0.05)])
        for _ in range(6 if second in BUSY else 2):
            sending.send(sending.stamped(next(bodies)), stack.webhook_url, stack.signing_secret)
        if second in FORGED:
            sending.send(next(bodies), stack.webhook_url, "another secret")
        time.sleep(max(0.0, began + second + 1 - time.monotonic()))


def _samples() -> list[Path]:
    kinds = ("flag-*", "segment-*", "rollout-*", "rule-*", "variant-*")
    return sorted({path for kind in kinds for path in SAMPLES.glob(f"{kind}.json")})


def _queue_samples(stack: Stack, ended: Event) -> Iterator[Sample]:
    sqs = stack.emulator.client("sqs")
    while not ended.wait(1):
        for output in QUEUES:
            url = stack.outputs[output]
            counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))["Attributes"]
            name = {"QueueName": url.rpartition("/")[2]}
            for count, metric in zip(COUNTS, METRICS, strict=True):
                yield Sample(time.time(), "AWS/SQS", metric, name, float(counted[count]))


def _logged(stack: Stack) -> Iterator[Sample]:
    resources = stack.emulator.client("cloudformation").describe_stack_resources(StackName=NAME)["StackResources"]
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
    for function, output in (("IngestFunction", "IngestLogGroupName"), ("DeliverFunction", "DeliverLogGroupName")):
        for said in _lines(stack.emulator.client("logs").filter_log_events, stack.outputs[output]):
            if report := _REPORT.match(said["message"]):
                name = {"FunctionName": names[function]}
                yield Sample(said["timestamp"] / 1000, "AWS/Lambda", "Duration", name, float(report[1]))
            elif said["message"].startswith("{"):
                yield from samples_of(json.loads(said["message"]))


def _lines(ask: Callable[..., dict[str, Any]], group: str) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    while True:
        answer = ask(logGroupName=group, **more)
        yield from answer["events"]
        if "nextToken" not in answer:
            return
        more = {"nextToken": answer["nextToken"]}
