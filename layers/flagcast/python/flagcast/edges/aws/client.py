"""How every AWS client is made."""

import os
import threading
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from flagcast.config.model import LONGEST_TIMEOUT

# One attempt each: what is worth a second one is decided, within the deadline, by who calls.
# The read timeout leaves room for that second one inside the 4 s in which ingest must answer.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"total_max_attempts": 1},
    max_pool_connections=16,
)
_OF_TARGETS = _CONFIG.merge(Config(connect_timeout=LONGEST_TIMEOUT, read_timeout=LONGEST_TIMEOUT))
# Flagcast can do without the table, so it does not wait for it.
_CONFIG_OF = {"dynamodb": _CONFIG.merge(Config(connect_timeout=0.5, read_timeout=1))}


class NotFromAws(BotoCoreError):
    """Raised for what AWS did not send, such as a proxy's page: botocore reads a 2xx as an empty answer."""

    fmt = "what answered is not AWS"


# A session makes one client at a time: https://docs.aws.amazon.com/boto3/latest/guide/clients.html (multithreading).
_ONE_AT_A_TIME = threading.Lock()


@cache
def _session() -> Session:
    """Return the one session of this process: its clients share credentials and what was read of botocore's files.

    boto3 itself reads AWS_DEFAULT_REGION alone; Lambda sets both, and people the one that other tools of AWS read.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    """
    session = Session(region_name=os.environ.get("AWS_REGION"))
    session.events.register("before-parse", _check_body)
    session.events.register("after-call", _check_origin)
    return session


def _check_body(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    """Raise NotFromAws for a body over which botocore's parser of JSON raises whatever it happens to."""
    if operation_model.service_model.resolved_protocol == "json" and not _is_readable(response_dict["body"]):
        raise NotFromAws


def _is_readable(body: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(body), dict)
    except (msgspec.DecodeError, RecursionError):
        # botocore reads a text that is no JSON as a message.
        return body.decode(errors="ignore").encode() == body


def _check_origin(http_response: Any, parsed: dict[str, Any], **_: object) -> None:
    """Raise NotFromAws for a success without a request ID, which every answer of AWS has.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html (x-amzn-RequestId) and
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html (x-amz-request-id)
    """
    if http_response.status_code < HTTPStatus.MULTIPLE_CHOICES and not parsed["ResponseMetadata"].get("RequestId"):
        raise NotFromAws


@cache
def client(service: str) -> Any:
    """Return the one client of a service in this process, made on first use."""
    with _ONE_AT_A_TIME:
        made: Any = _session().client  # the stubs know services by literals
        return made(service, config=_CONFIG_OF.get(service, _CONFIG))


@cache
def target_client(service: str, region: str) -> Any:
    """Return the one client of a service that destinations are in, made on first use; the function's region if empty.

    Its timeouts are longer than any destination's: each call ends by a deadline of its own.
    """
    with _ONE_AT_A_TIME:
        made: Any = _session().client
        return made(service, region_name=region or None, config=_OF_TARGETS)


def error_name(error: BaseException) -> str:
    """Name an error by AWS's code or its type: its message may hold what was sent."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "ClientError"))
    return type(error).__name__
