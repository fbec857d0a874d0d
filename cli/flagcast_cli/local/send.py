"""A signed event to an address, as Flipt sends it."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import urllib3
from cyclopts import Parameter
from msgspec import Struct
from urllib3.exceptions import HTTPError, LocationValueError

from flagcast.config.secret_references import stripped
from flagcast.events.flipt_signature import FLIPT_HEADER, flipt_signature
from flagcast_cli.console import CommandError, err, out
from flagcast_cli.local.kept import Sent, earlier, read_sent, write_sent
from flagcast_cli.samples import sample

PATIENCE = 30.0
"""Seconds for an answer: an HTTP API has none after this, however long a function takes to start.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""

STDIN = Path("-")
_ADVICE = {
    400: "The body is not an event as Flipt sends it, or it is too old. The log says which: `make dev` prints it.",
    401: "The secret is not the source's. The stack's output SigningSecretCommand prints it.",
    404: "The path must end in /webhooks/ and the name of a source in flagcast.yaml.",
    503: "The function's log says which queue, secret or configuration could not be had.",
}


class _Accepted(Struct):
    event_id: str


class Answer(Struct, frozen=True):
    """What came back."""

    status: int
    body: str

    @property
    def advice(self) -> str | None:
        """Return what to do about it, where that is known."""
        return _ADVICE.get(self.status)


def command(
    file: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *,
    url: Annotated[str | None, Parameter(env_var="FLAGCAST_WEBHOOK_URL")] = None,
    secret: Annotated[str | None, Parameter(env_var="FLAGCAST_SIGNING_SECRET")] = None,
    type: str | None = None,  # noqa: A002 - Flipt's name for it
    action: str | None = None,
    again: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Sign and post one event as Flipt does, and print the answer.

    To the local stack: flagcast --local send

    Parameters
    ----------
    file
        A file whose bytes are sent unchanged, or - for standard input. Without it, a sample of --type and --action
        with the present time.
    url
        The address to post to: the stack's output WebhookUrl.
    secret
        The signing secret. Set the variable instead if others can see your command line.
    type
        The sample's type: flag (unless said), variant, segment, constraint, rule, distribution, rollout, namespace or
        token.
    action
        The sample's action: created, updated (unless said) or deleted.
    again
        Give the file's event the time of now, so that it is a new one and no repeat.

    """
    if url is None:
        raise CommandError(
            "no address to send to",
            "Add --url, the stack's output WebhookUrl; or flagcast --local send, with make dev.",
        )
    if not (secret := stripped(secret or "")):
        raise CommandError(
            "no signing secret is given",
            "Set FLAGCAST_SIGNING_SECRET to what the stack's output SigningSecretCommand prints.",
        )
    answer = send(body_of(Typed(file, type, action, again)), url, secret)
    colour = "green" if answer.status == 200 else "red"
    out.print(answer.status, style=colour, end=" ")
    out.print(answer.body, soft_wrap=True)
    for said in (answer.advice, repeat(url, answer, time.time())):
        if said:
            err.print(said, soft_wrap=True)
    return 0 if answer.status == 200 else 1


def stamped(body: bytes) -> bytes:
    """Give a sample today's timestamp, so that sending it again is another event; written as Flipt writes it."""
    event = json.loads(body)
    if "timestamp" in event:
        event["timestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


class Typed(Struct, frozen=True):
    """What was typed of an event: a file (- for stdin), or the type and action of a sample; `again` stamps a file."""

    file: Path | None = None
    type: str | None = None
    action: str | None = None
    again: bool = False


def body_of(typed: Typed) -> bytes:
    """Return the body that was asked for; raises CommandError, also for options that contradict each other."""
    if typed.file is None:
        if typed.again:
            raise CommandError("--again is for a file: a sample always has the time of now", "Leave it out.")
        return stamped(read(sample(typed.type or "flag", typed.action or "updated")))
    if typed.type is not None or typed.action is not None:
        raise CommandError("a file and --type or --action are two events", "Give the file alone, or leave it out.")
    if str(typed.file).startswith("-") and typed.file != STDIN:
        raise CommandError(f"unknown option {typed.file}", "flagcast send --help lists those there are.")
    body = sys.stdin.buffer.read() if typed.file == STDIN else read(typed.file)
    if not typed.again:
        return body
    try:
        return stamped(body)
    except (ValueError, TypeError) as error:
        raise CommandError(
            "--again needs a JSON object: it changes the timestamp", "Send it without --again."
        ) from error


def repeat(url: str, answer: Answer, now: float) -> str | None:
    """Say that a stack accepted the event before, and keep that it has now; None where it is new as far as is known.

    A repeat is answered as the first time, by the same id: that is all that tells it.
    """
    if answer.status != 200 or (event_id := event_id_of(answer.body)) is None:
        return None
    sent = read_sent()
    before = earlier(sent, url, event_id)
    if before is None:
        write_sent([*sent, Sent(url, event_id, now)])
        return None
    return (
        f"Already accepted {round(now - before.at)} s ago: nothing is delivered again. --again sends it as a new event."
    )


def event_id_of(body: str) -> str | None:
    """Return the id that an answer names. Pure."""
    try:
        return msgspec.json.decode(body, type=_Accepted).event_id
    except msgspec.DecodeError:
        return None


def read(path: Path) -> bytes:
    """Read an event's file; raises CommandError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", "Give the path of a file, or --type and --action.") from error


def send(body: bytes, url: str, secret: str) -> Answer:
    """Sign and post a body; raises CommandError if no answer comes."""
    if not url.startswith(("https://", "http://")):
        raise CommandError(f"{url} is not an address", "It begins with https://; it is the stack's output WebhookUrl.")
    headers = {"Content-Type": "application/json", FLIPT_HEADER: flipt_signature(body, secret)}
    try:
        response = urllib3.request("POST", url, body=body, headers=headers, timeout=PATIENCE, retries=False)
    except (HTTPError, LocationValueError) as error:
        raise CommandError(f"{url} did not answer: {error}", "Is it the stack's output WebhookUrl?") from error
    return Answer(response.status, response.data.decode(errors="replace"))
