"""Both functions in this process over moto's SQS, S3, DynamoDB and Secrets Manager, in real time.

moto delivers a deduplication id again once its first message was deleted, which SQS does not: no one sends again what
was accepted. Its queues can lose what is sent while others delete: the functions take turns.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

import deliver
from flagcast.edges.aws import client as aws_client
from flagcast.edges.wiring import deliver_batch, resources
from tests.integration.conftest import REGION
from tests.integration.deliver.harness import Context, create_table
from tests.integration.ingest.harness import Ingest, Output, operators
from tests.loss_check import setup
from tests.loss_check.archive import BUCKET, faults, versions
from tests.loss_check.client import request
from tests.loss_check.events import NO_EVENT, NOT_ACCEPTED, Made
from tests.loss_check.received import ReceivingSource
from tests.loss_check.seeded_random import SeededRandom
from tests.loss_check.short_run import DESTINATIONS, ORDERED, Letter, read_letter

ARCHIVE_SEED = 7
ARCHIVE_FAULTS = {"denied": (403, "AccessDenied"), "throttled": (503, "SlowDown"), "no answer": (0, "")}
"""What S3 does at times instead of writing an object of the archive; no answer means that it wrote none."""
EVERY = 3
"""Requests after which deliver has its turn."""
PATHS = {"segments": f"/segments/{setup.IN_URL}"}
"""Where a path is not the destination's name: one holds a secret."""


class MotoStack:
    """One stack in moto's AWS, which must be there already."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, output: Output, url: str) -> None:
        self._ingest = Ingest(folder, monkeypatch, output)
        # Both functions have one process and its clients here, so no call is one function's.
        monkeypatch.setattr(resources, "client", aws_client.client)
        deliver_batch.attempts.cache_clear()
        where = {"LocationConstraint": REGION}
        operators("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
        monkeypatch.setenv("FLAGCAST_ARCHIVE", "on")
        resources.settings.cache_clear()
        for name in ("signing", "header", "in-url", "key"):
            self._ingest.secret(name, setup.SECRETS[name])
        self._ingest.configure({"flipt": {"signing_secrets": ["${secret:signing}"]}}, _destinations(url))
        self._source = ReceivingSource(operators("sqs"), self._ingest.queue)
        self._posted = 0
        self.archive_faults = Counter[str]()
        self.asked: list[tuple[str, str]] = []
        """Each call that the functions made of what keeps something: of which service, and with what."""
        # Clients keep what their session had registered when they were made.
        aws_client._session().events.register("provide-client-params", self._ask)
        self._fail_archive()
        self._table = create_table()

    def post(self, event: Made) -> int:
        status = self._ingest.ask(request(event)).status
        self._posted += 1
        if self._posted % EVERY == 0:
            self._deliver(0)
        return status

    def letters(self) -> list[Letter]:
        self._deliver(1)
        return [read_letter(each.text, each.attributes) for each in self._ingest.drain(self._ingest.dead_letters)]

    def archived(self) -> Mapping[str, list[str]]:
        return faults(versions(operators("s3"), BUCKET), setup.SIGNING)

    def is_idle(self) -> bool:
        return self._ingest.waiting() == 0

    def leaks(self) -> list[str]:
        """Name every secret that was written anywhere, and every body that was kept though it was refused."""
        rows = ("dynamodb", str(self._table.scan(TableName="state")["Items"]))
        written = [*self.asked, rows, ("log", self._ingest.output.text)]
        canaries = (*setup.CANARIES, *self._ingest.canaries, NOT_ACCEPTED)
        found = [f"{canary} in {where}" for where, text in written for canary in canaries if canary in text]
        return found + [
            f"{NO_EVENT} in {where}"
            for where, text in written
            if not _may_hold_no_event(where, text) and NO_EVENT in text
        ]

    def _fail_archive(self) -> None:
        """Let S3 refuse, deny or not answer every fourth write of an object, as AWS does."""
        dice, asked = SeededRandom(ARCHIVE_SEED), Counter[str]()

        def fail(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
            name = params["url_path"].rpartition("/")[2]
            asked[name] += 1
            kind = dice.choose(dict.fromkeys(ARCHIVE_FAULTS, 0.25 / len(ARCHIVE_FAULTS)), name, asked[name])
            if kind is None or BUCKET not in params["url"]:
                return None
            self.archive_faults[kind] += 1
            status, code = ARCHIVE_FAULTS[kind]
            if not status:
                raise ReadTimeoutError(endpoint_url=f"https://{kind}")
            answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
            return AWSResponse("https://aws.invalid", status, HTTPHeaders(), None), answer

        events: Any = aws_client._session().events  # The stubs know no answer of a handler.
        events.register("before-call.s3.PutObject", fail)

    def _deliver(self, wait: int) -> None:
        """Take a batch through deliver as Lambda does, if there is one within so many seconds."""
        self._source.wait = wait
        self._source.run(lambda event: deliver.handler(event, Context()))

    def _ask(self, **call: Any) -> None:
        params, service = call["params"], call["event_name"].split(".")[1]
        if service != "secrets-manager":
            where = "dead letters" if params.get("QueueUrl") == self._ingest.dead_letters else service
            self.asked.append((where, str(params)))


def _may_hold_no_event(where: str, text: str) -> bool:
    """Return whether what is no event may be written there: as a dead letter, and for the archive or in it."""
    return (
        where == "dead letters"
        or (where == "s3" and f"'Bucket': '{BUCKET}'" in text)
        or (where == "sqs" and '"destination":"flagcast-archive"' in text)
    )


def _destinations(url: str) -> dict[str, dict[str, object]]:
    """Make each destination, with a secret in its header, its URL or its signature."""
    return {
        name: {
            "url": f"{url}/segments/${{secret:in-url}}" if name == "segments" else f"{url}/{name}",
            "events": list(filters),
            "headers": {"Authorization": "Bearer ${secret:header}"},
            "sign": {"scheme": "standard-webhooks", "secret": "${secret:key}"},
            "ordering": "subject" if name in ORDERED else "none",
            "allow_http": True,
            "allow_private": ["127.0.0.0/8"],
        }
        for name, filters in DESTINATIONS.items()
    }
