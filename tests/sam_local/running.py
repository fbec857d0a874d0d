"""`sam local` as a user runs it, and what Lambda's event source mapping does, with the function in a container."""

import http.client
import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from msgspec import Struct

from flagcast_cli.checkout import ROOT
from flagcast_cli.local.emulator import REGION
from flagcast_cli.local.stack import Stack
from tests.support.time_limits import PATIENCE

LOCALHOST = "127.0.0.1"
LARGEST_BODY = 5_900_000
"""Bytes of a body of ASCII that fits Lambda's 6 MB with the envelope of API Gateway around it."""

Headers = Sequence[tuple[str, str]]


class Answer(Struct, frozen=True):
    """What start-api answered; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


class Api:
    """`sam local start-api`, by HTTP and nothing that would change a request on its way."""

    def __init__(self, port: int) -> None:
        self._port = port

    def request(self, method: str, path: str, body: bytes = b"", headers: Headers = ()) -> Answer:
        connection = http.client.HTTPConnection(LOCALHOST, self._port, timeout=PATIENCE)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers or (("Host", LOCALHOST), ("Content-Length", str(len(body)))):
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()


class Tasks:
    """The local stack's queues, as the event source mapping and a person see them."""

    def __init__(self, stack: Stack) -> None:
        self._sqs = stack.emulator.client("sqs")
        self._url = stack.outputs["TaskQueueUrl"]
        self._dead_letters = stack.outputs["DeadLetterQueueUrl"]

    def receive(self) -> list[dict[str, Any]]:
        """Receive up to ten tasks as the records of an event."""
        answer = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )
        return [
            {
                "messageId": each["MessageId"],
                "receiptHandle": each["ReceiptHandle"],
                "body": each["Body"],
                "attributes": each["Attributes"],
                "messageAttributes": {},
                "md5OfBody": each["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:tasks.fifo",
                "awsRegion": REGION,
            }
            for each in answer.get("Messages", [])
        ]

    def delete(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Delete as Lambda does when an invocation has ended: what the function has deleted is no failure."""
        entries = [{"Id": str(at), "ReceiptHandle": each["receiptHandle"]} for at, each in enumerate(records)]
        self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def waiting(self) -> int:
        """Count the tasks on the queue, in flight or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counted = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        return sum(int(each) for each in counted.values())

    def dead_letters(self) -> list[dict[str, str]]:
        """Return the attributes of up to ten dead letters."""
        answer = self._sqs.receive_message(
            QueueUrl=self._dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
        )
        return [
            {name: value["StringValue"] for name, value in each["MessageAttributes"].items()}
            for each in answer.get("Messages", [])
        ]

    def purge(self) -> None:
        for url in (self._url, self._dead_letters):
            self._sqs.purge_queue(QueueUrl=url)


class Functions:
    """`sam local start-lambda`."""

    def __init__(self, port: int) -> None:
        self._lambda: Any = boto3.client(
            "lambda",
            endpoint_url=f"http://{LOCALHOST}:{port}",
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE),
        )

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        answer = self._lambda.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        said = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    def deliver(self, tasks: Tasks) -> int:
        """Take every task through DeliverFunction, ten at a time; returns how many there were."""
        count = 0
        while records := tasks.receive():
            assert self.invoke("DeliverFunction", {"Records": records}) == {"batchItemFailures": []}
            tasks.delete(records)
            count += len(records)
        return count


def sam_local(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run `sam local` to its end."""
    return subprocess.run(
        ["sam", "local", *words], cwd=ROOT, env=dict(environment),
        capture_output=True, text=True, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def sam_local_serving(environment: Mapping[str, str], port: int, log: Path, *words: str) -> Iterator[int]:
    """Run a command of `sam local` that serves, and yield its port; on leaving it has ended its containers."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["sam", "local", *words, "--port", str(port)], cwd=ROOT, env=dict(environment),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE
        while not _listens(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            # Between two looks, up to the deadline: a port does not announce that it opens.
            time.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOCALHOST, port)) == 0
