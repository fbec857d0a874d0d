"""How every AWS client is made."""

import threading
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session, get_session

from flagcast.edges.aws.models import Models

# One attempt each: what is worth a second one is decided, within the deadline, by who calls.
# The read timeout leaves room for that second one inside the 4 s in which ingest must answer.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"total_max_attempts": 1},
    max_pool_connections=16,
)
# What the table knows can be done without, so nobody waits for it.
_CONFIG_OF = {"dynamodb": _CONFIG.merge(Config(connect_timeout=0.5, read_timeout=1))}


# A session makes one client at a time: https://docs.aws.amazon.com/boto3/latest/guide/clients.html (multithreading).
_ONE_AT_A_TIME = threading.Lock()


@cache
def _session() -> Session:
    session = get_session()
    session.register_component("data_loader", Models())
    return session


@cache
def client(service: str) -> Any:
    """Return the one client of a service in this process, made on first use.

    botocore is enough: boto3 adds resources, which nothing here uses, and its import time.
    """
    with _ONE_AT_A_TIME:
        return _session().create_client(service, config=_CONFIG_OF.get(service, _CONFIG))


def error_name(error: BaseException) -> str:
    """Name an error by AWS's code or its type: its message may hold what was sent."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "ClientError"))
    return type(error).__name__
