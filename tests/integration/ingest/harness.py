"""The ingest function as deployed: its file, variables, queues, bucket and secrets; and what it answers and says."""

import base64
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from msgspec import Struct

from flagcast.edges.aws import client as aws_client
from flagcast.edges.wiring import ingest_request, resources, track_change
from flagcast.events.flipt_signature import flipt_signature
from ingest import handler
from tests.integration.conftest import REGION, start_fresh
from tests.support import state_table, strict_sqs
from tests.support.api_gateway import Headers, http_event
from tests.support.captures import SECRET, TOKEN, captured
from tests.support.faulty_aws import IN_AN_ERROR, Faults
from tests.support.iam.recorded import watched
from tests.support.time_limits import PATIENCE

PREFIX = "flagcast/test/"
WITHIN = track_change.WITHIN
DEADLINE = ingest_request.PATIENCE
"""Seconds after which a request of the real function is given up."""
BUCKET = "flagcast-bodies"
DESTINATION_SECRET = "canary-destination-secret"
FIFO = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "messageGroup",
    "FifoThroughputLimit": "perMessageGroupId",
    "MessageRetentionPeriod": "1209600",
    "VisibilityTimeout": "270",
}
SOURCES: dict[str, Any] = {
    "flipt": {"signing_secrets": ["${secret:signing}"]},
    "template": {"bearer_tokens": ["${secret:token}"]},
    "open": {"auth": "none"},
}
EVENT = captured("flipt-1.61.0/changes")[0].body
"""A real event, for a test that needs just one."""


def destination(*events: str, **more: object) -> dict[str, object]:
    made = {"url": "https://example.com/in", "headers": {"Authorization": "Bearer ${secret:destination}"}, **more}
    return {**made, "events": list(events)} if events else made


class Answer(Struct, frozen=True):
    """What API Gateway would send."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]


class Stored(Struct, frozen=True):
    """One message as it was taken off a queue."""

    text: str
    attributes: dict[str, str]

    @property
    def task(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.text)
        return read

    @property
    def raw(self) -> bytes:
        if "body_base64" in self.task:
            return base64.b64decode(self.task["body_base64"])
        return str(self.task["body"]).encode()


class Output:
    """Everything that was written to standard output and error, by whichever means."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd
        self._read = ""

    @property
    def text(self) -> str:
        self._read += "".join(self._capfd.readouterr())
        return self._read

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.split("\n") if line]


class Elapsed:
    """Lets monotonic time jump; to be there before the function's first request, which keeps the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._seconds = 0.0
        real = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: real() + self._seconds)

    def later(self, seconds: float) -> None:
        self._seconds += seconds


@cache
def operator() -> Session:
    """Return a session of the operator's: nothing that is checked, counted or broken for ingest touches it."""
    return Session("operator", "operator", region_name=REGION)


@cache
def operators(service: str) -> Any:
    made: Any = operator().client
    return made(service)


class Ingest:
    """One stack's ingest."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, output: Output) -> None:
        self.output = output
        self.canaries = {IN_AN_ERROR, DESTINATION_SECRET}
        self.file = folder / "flagcast.yaml"
        self._monkeypatch = monkeypatch
        self._sqs = operators("sqs")
        self._secrets = operators("secretsmanager")
        self._s3 = operators("s3")
        self._s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.table = state_table.create(operators("dynamodb"))
        self.queue, self.dead_letters = (
            self._sqs.create_queue(QueueName=name, Attributes=FIFO)["QueueUrl"]
            for name in ("tasks.fifo", "dead-letters.fifo")
        )
        for name, value in {
            "FLAGCAST_CONFIG": str(self.file),
            "FLAGCAST_QUEUE_URL": self.queue,
            "FLAGCAST_DEAD_LETTER_QUEUE_URL": self.dead_letters,
            "FLAGCAST_SECRET_PREFIX": PREFIX,
            "FLAGCAST_PARAMETER_PREFIX": "/flagcast/test/",
            "FLAGCAST_BODIES_BUCKET": BUCKET,
            "FLAGCAST_ARCHIVE_BUCKET": "arn:aws:s3:::archive",
            "FLAGCAST_ARCHIVE": "off",
            "FLAGCAST_STATE_TABLE": state_table.TABLE,
            "FLAGCAST_CIRCUIT_BREAKER": "on",
            "FLAGCAST_TRACK_CHANGES": "on",
            "FLAGCAST_LOG_NAMES": "on",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(resources, "client", watched(aws_client.client, "ingest"))
        self.faults = self.start()
        self.secret("signing", SECRET)
        self.secret("token", TOKEN)
        self.secret("destination", DESTINATION_SECRET)
        self.configure()

    def start(self, **endpoints: str) -> Faults:
        """Start the process again, with services that stand elsewhere than they should."""
        for service in ("SQS", "SECRETS_MANAGER", "S3", "DYNAMODB"):
            self._monkeypatch.delenv(f"AWS_ENDPOINT_URL_{service}", raising=False)
        for service, url in endpoints.items():
            self._monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        self._monkeypatch.setattr("flagcast.edges.wiring.ingest_request.PATIENCE", DEADLINE if endpoints else PATIENCE)
        self._monkeypatch.setattr("flagcast.edges.wiring.track_change.WITHIN", WITHIN if endpoints else PATIENCE)
        start_fresh()
        if not endpoints:
            # Reading botocore's models takes longer than most tests do; only what is timed does it.
            loader = operator()._session.get_component("data_loader")
            aws_client._session()._session.register_component("data_loader", loader)
        strict_sqs.enforce(aws_client._session())
        self.faults = Faults(aws_client._session())
        return self.faults

    def configure(
        self, sources: Mapping[str, Any] | None = None, destinations: Mapping[str, Any] | None = None
    ) -> None:
        """Write the file, where JSON is YAML, and have it read again; secrets that were fetched stay fetched."""
        self.write(
            {
                "sources": SOURCES if sources is None else sources,
                "destinations": {"everything": destination()} if destinations is None else destinations,
            }
        )

    def write(self, document: object) -> None:
        self.file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        resources.configuration.cache_clear()

    def secret(self, name: str, value: str) -> None:
        """Create or rotate a secret; whatever it holds, or held, must never be seen again."""
        self.canaries.add(value)
        try:
            self._secrets.create_secret(Name=PREFIX + name, SecretString=value)
        except self._secrets.exceptions.ResourceExistsException:
            self._secrets.put_secret_value(SecretId=PREFIX + name, SecretString=value)

    def lose_secret(self, name: str) -> None:
        self._secrets.delete_secret(SecretId=PREFIX + name, ForceDeleteWithoutRecovery=True)

    def ask(self, event: dict[str, Any]) -> Answer:
        """Hand over an event, and hold the answer to what is true of every answer."""
        response = handler(event, None)
        assert set(response) == {"statusCode", "headers", "body"}
        is_to_head = event["routeKey"] == "HEAD /health"
        assert (response["body"] == "") is is_to_head
        answer = Answer(response["statusCode"], response["headers"], json.loads(response["body"] or "{}"))
        assert answer.headers["content-type"] == "application/json"
        assert "retry-after" not in {name.lower() for name in answer.headers}
        assert answer.status in {200, 400, 401, 403, 404, 405, 413, 503}
        if answer.status != 200 and not is_to_head:
            assert set(answer.body) == {"error", "message"}
        return answer

    def post(
        self,
        body: bytes = EVENT,
        headers: Headers = (),
        *,
        source: str = "flipt",
        encoded: bool = False,
        request_id: str | None = None,
    ) -> Answer:
        return self.ask(http_event(source=source, headers=headers, body=body, encoded=encoded, request_id=request_id))

    def signed(
        self, body: bytes = EVENT, secret: str = SECRET, *, source: str = "flipt", encoded: bool = False
    ) -> Answer:
        return self.post(body, signature(body, secret), source=source, encoded=encoded)

    def waiting(self, url: str | None = None) -> int:
        """Count the messages on a queue, the task queue unless said."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=url or self.queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def drain(self, url: str | None = None) -> list[Stored]:
        """Take everything off a queue, the task queue unless said."""
        stored: list[Stored] = []
        while messages := self._sqs.receive_message(
            QueueUrl=url or self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=0, MessageAttributeNames=["All"]
        ).get("Messages"):
            for each in messages:
                attributes = {name: at["StringValue"] for name, at in each.get("MessageAttributes", {}).items()}
                stored.append(Stored(each["Body"], attributes))
                self._sqs.delete_message(QueueUrl=url or self.queue, ReceiptHandle=each["ReceiptHandle"])
        assert self.waiting(url) == 0
        for each in stored:
            assert not [canary for canary in self.canaries if canary in f"{each.text}{each.attributes}"]
        return stored

    def delivered_to(self) -> Counter[str]:
        """Take everything off the task queue; count the messages of each destination."""
        return Counter(each.task["destination"] for each in self.drain())

    def bodies(self) -> dict[str, bytes]:
        """Read every object of the bucket."""
        keys = [each["Key"] for each in self._s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        return {key: self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    def lose_body(self, key: str) -> None:
        self._s3.delete_object(Bucket=BUCKET, Key=key)

    def stores_nothing(self) -> bool:
        return self.waiting(self.queue) == 0 and self.waiting(self.dead_letters) == 0 and self.bodies() == {}


def signature(body: bytes, secret: str = SECRET) -> Sequence[tuple[str, str]]:
    return [("Content-Type", "application/json"), ("X-Flipt-Webhook-Signature", flipt_signature(body, secret))]


def bearer(token: str = TOKEN) -> Sequence[tuple[str, str]]:
    return [("Authorization", f"Bearer {token}"), ("Content-Type", "application/json")]
