"""A stack that is well, with only what a test is about changed."""

from typing import Any

from msgspec import structs

from flagcast_cli.doctor.facts import Alarm, Alarms, Answer, EventSource, Facts, Function, Queue, Secrets, Where
from flagcast_cli.doctor.queue_checks import WANTED

STACK = "flagcast-production"
TASKS, DEAD = (f"arn:aws:sqs:eu-central-1:123456789012:{name}.fifo" for name in ("tasks", "dead"))
TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call"
BASE = "https://abc123.execute-api.eu-central-1.amazonaws.com"
WHERE = Where(STACK, "eu-central-1")
OPTIONS = "--region eu-central-1"

INGEST = Function("Active", "Successful", "", f"/aws/lambda/{STACK}-ingest", 0)
DELIVER = structs.replace(INGEST, log_group=f"/aws/lambda/{STACK}-deliver")
EVENT_SOURCE = EventSource("87524b43", "Enabled", TASKS, reports_failures=True)
ALARM = Alarm(f"{STACK}-dead-letters", "OK", "There are dead letters.", enabled=True, topics=(TOPIC,))
ACCEPTED = '{"event_id": "evt_1", "deliveries": 0}'


def task_queue(**attributes: str) -> Queue:
    policy = f'{{"deadLetterTargetArn":"{DEAD}","maxReceiveCount":1000}}'
    whole = {**WANTED["task queue"], "QueueArn": TASKS, "RedrivePolicy": policy, **attributes}
    return Queue("https://sqs.example/tasks.fifo", {name: value for name, value in whole.items() if value})


def dead_letter_queue(**attributes: str) -> Queue:
    whole = {**WANTED["dead-letter queue"], "QueueArn": DEAD, **attributes}
    return Queue("https://sqs.example/dead.fifo", {name: value for name, value in whole.items() if value})


def facts(**changes: Any) -> Facts:
    well = Facts(
        where=WHERE,
        status="UPDATE_COMPLETE",
        parameters={"OldestTaskSeconds": "600"},
        functions={"ingest": INGEST, "deliver": DELIVER},
        own_errors=0,
        event_source=EVENT_SOURCE,
        queues={"task queue": task_queue(), "dead-letter queue": dead_letter_queue()},
        oldest=None,
        alarms=Alarms((ALARM,), (), {TOPIC: 2}),
        secrets=Secrets(2, ()),
        health=Answer(f"{BASE}/health", 200, '{"status": "ok"}'),
        source="flipt",
        probe=Answer(f"{BASE}/webhooks/flipt", 200, ACCEPTED),
    )
    return structs.replace(well, **changes)
