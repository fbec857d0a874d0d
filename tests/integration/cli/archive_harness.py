"""A stack's archive over moto, beside its log, and the operator who verifies it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from flagcast.archive.record import Key, Record, encode, record_of
from flagcast.config.archive_destination import ARCHIVE
from flagcast.edges.aws import client as aws_client
from flagcast.events.change_context import Known
from flagcast.events.flipt_signature import flipt_signature
from flagcast.primitives.timestamp import rfc3339
from flagcast.tasks.outcomes import Answered, Decision, Done, Outcome
from flagcast.tasks.task import event_id, task
from flagcast_cli.archive import command, signing_secrets
from flagcast_cli.console import CommandError
from flagcast_cli.stack.account import Account
from tests.integration.cli.ledger_harness import NOW, LedgerStack, ledger
from tests.support.captures import every_capture

__all__ = ["archive", "ledger"]

BUCKET = "archive"
SECRET = "correct horse"
SOURCES = {"flipt": {"signing_secrets": ["${secret:signing}"]}, "edge": {"bearer_tokens": ["${secret:token}"]}}
TAKEN, DONE = Answered(200), Done()


class ArchiveStack:
    """The stack `flagcast` whose archive is on, its log, and its operator."""

    def __init__(self, ledger: LedgerStack, folder: Path) -> None:
        self.ledger = ledger
        self.s3 = aws_client.client("s3")
        where = {"LocationConstraint": self.s3.meta.region_name}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
        secrets = aws_client.client("secretsmanager")
        secrets.create_secret(Name="flagcast/flagcast/signing", SecretString=SECRET)
        self.secrets = secrets
        self.config = folder / "flagcast.yaml"
        self.config.write_text(json.dumps({"sources": SOURCES, "destinations": {}}))
        ledger.outputs["ArchiveBucketName"] = BUCKET
        ledger.parameters["ArchiveDays"] = "365"

    def run(self, *words: str) -> int:
        """Run a command and return its exit code."""
        return self.ledger.run("archive", *words, "--config", str(self.config))

    def record(self, number: int, at: float = NOW - 3600, *, source: str = "flipt", secret: str = SECRET) -> Record:
        """Make the record of an event, another for each number; without a secret it is not signed."""
        raw = every_capture()[number].body
        made = task(event_id(source, raw), source, ARCHIVE, rfc3339(at), raw, Known(names={"a": "b"}))
        signature = flipt_signature(raw, secret) if secret else None
        return record_of(structs.replace(made, signature=signature), raw)

    def keep(self, number: int, at: float = NOW - 3600, *, is_logged: bool = True, **more: str) -> Key:
        """Archive an event, as deliver does, and log it."""
        record = self.record(number, at, **more)
        if is_logged:
            self.log(record, at)
        assert record.key is not None
        self.put(record.key, encode(record))
        return record.key

    def log(self, record: Record, at: float, outcome: Outcome = TAKEN, decision: Decision = DONE) -> None:
        """Log that an event was accepted for the archive, and what came of it."""
        self.ledger.accept_as(record.event_id, at, [ARCHIVE])
        self.ledger.attempt_as(record.event_id, at + 1, ARCHIVE, outcome, decision)

    def put(self, key: Key | str, data: bytes) -> str:
        """Write an object; returns its version."""
        return str(self.s3.put_object(Bucket=BUCKET, Key=str(key), Body=data)["VersionId"])

    def read(self, key: Key) -> bytes:
        return bytes(self.s3.get_object(Bucket=BUCKET, Key=str(key))["Body"].read())

    def flip(self, key: Key, at: int) -> str:
        """Overwrite an object with one bit of it flipped; returns the version that was there."""
        before = self.s3.get_object(Bucket=BUCKET, Key=str(key))
        data = bytearray(before["Body"].read())
        data[at] ^= 1
        self.put(key, bytes(data))
        return str(before["VersionId"])

    def delete(self, key: Key) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=str(key))

    def lose(self, key: Key) -> None:
        """Delete an object with its versions, as if it had never been."""
        for each in self.s3.list_object_versions(Bucket=BUCKET, Prefix=str(key))["Versions"]:
            self.s3.delete_object(Bucket=BUCKET, Key=str(key), VersionId=each["VersionId"])


def not_deployed(*_: Any) -> None:
    raise CommandError("the deployed configuration cannot be looked up here")


@pytest.fixture
def archive(aws: None, ledger: LedgerStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ArchiveStack:
    made = ArchiveStack(ledger, tmp_path)
    clients = {
        "cloudformation": SimpleNamespace(describe_stacks=ledger.describe_stacks),
        "logs": ledger.logs,
        "s3": made.s3,
        "secretsmanager": made.secrets,
    }
    monkeypatch.setattr(Account, "session", lambda _: SimpleNamespace(client=clients.__getitem__))
    monkeypatch.setattr(signing_secrets, "deployed_configuration", not_deployed)
    monkeypatch.setattr(command, "time", SimpleNamespace(time=ledger.clock.now))
    monkeypatch.delenv("FLAGCAST_SIGNING_SECRET", raising=False)
    return made
