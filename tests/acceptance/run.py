"""One acceptance run: where it takes place, what it has found, and how its steps send and expect events."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from flagcast_cli.console import CommandError
from flagcast_cli.local import send as sending
from tests.acceptance.deleting import described
from tests.acceptance.places import Place
from tests.acceptance.receiver import Receiver
from tests.acceptance.steps import until

PATIENCE = 5 * 60
"""Seconds for what comes at once: a cold start, a retry, a permission that is on its way."""

FIRST = {"LogRetentionDays": "1", "MaximumConcurrency": "2", "ArchiveDays": "1"}
"""Parameters of every deployment."""


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

    @property
    def targets(self) -> dict[str, str]:
        """Return the ARNs of the AWS services that destinations are, by name."""
        return {each.name: each.arn for each in self.receiver.targets}

    def first(self) -> dict[str, str]:
        """Return the parameters of the first deployment."""
        return {**FIRST, "TargetArns": ",".join(self.targets.values())}

    def moved(self) -> dict[str, str]:
        """Return the parameters after one was changed: another prefix, under which the receiver's address differs."""
        return {**self.first(), "ParameterPrefix": f"/flagcast/{self.place.stack}/moved/"}


def outputs(place: Place, stack: str) -> dict[str, str]:
    found = described(place, stack) or {}
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


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
    wanted = {digest(body) for body in bodies}

    def all_arrived() -> bool | None:
        return True if wanted <= {each.sha256 for each in run.receiver.received(route)} else None

    until(f"not all of {len(wanted)} events arrived at {route}", all_arrived, PATIENCE, run.log)


def digest(body: bytes) -> str:
    return sha256(body).hexdigest()


def event(named: str, kind: str = "flag") -> bytes:
    payload = {"key": named, "name": named, "namespace_key": "default"}
    wire = {"version": "0.2", "type": kind, "action": "updated", "payload": payload}
    return json.dumps({**wire, "timestamp": "2026-01-02T03:04:05Z"}).encode()
