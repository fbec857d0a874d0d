"""How AWS is called: as boto3 does it, with the credentials and the region of the caller."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ProfileNotFound, SSOError

from flagcast.config.secret_references import Reference
from flagcast.edges.aws.body_store import BodyStore
from flagcast.edges.aws.client import client
from flagcast.edges.aws.delivery_table import DeliveryTable
from flagcast.edges.aws.queue import Queue
from flagcast.edges.aws.secret_store import SecretStore
from flagcast.edges.aws.trouble_table import TroubleTable
from flagcast.errors import BodyUnavailable, QueueUnavailable, SecretUnavailable, StateUnavailable
from tests.integration.conftest import start_fresh
from tests.integration.deliver.raw_server import serving
from tests.support.time_limits import PATIENCE


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Sign no one in; returns the file of profiles."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "config"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    start_fresh()
    yield file
    start_fresh()


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
    ],
)
def test_the_region_is_that_of_either_variable(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], region: str
) -> None:
    # boto3 reads AWS_DEFAULT_REGION alone, and our own messages name AWS_REGION.
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert client("sqs").meta.region_name == region


def test_who_signs_in_by_sso_is_asked_to_sign_in(monkeypatch: pytest.MonkeyPatch, profiles: Path) -> None:
    # Every command ended in UnknownServiceError: our loader knew the seven services that Flagcast calls, and not `sso`.
    profiles.write_text(
        "[profile here]\nregion = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n"
        "sso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = operator\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "here")
    with pytest.raises(SSOError):
        client("sqs").list_queues()


def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    with pytest.raises(ProfileNotFound, match="nowhere"):
        client("sqs")


PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>Sign in to the network</h1>"


CALLS: list[tuple[Callable[[], object], type[Exception]]] = [
    (lambda: DeliveryTable(client("dynamodb"), "state", time.time).read(["one"]), StateUnavailable),
    (lambda: DeliveryTable(client("dynamodb"), "state", time.time).take_slot("d", 1), StateUnavailable),
    (lambda: TroubleTable(client("dynamodb"), "state", time.time).look_up(["d"]), StateUnavailable),
    (lambda: BodyStore(lambda: client("s3"), "bodies").store("bodies/1", b"1", soon()), BodyUnavailable),
    (lambda: BodyStore(lambda: client("s3"), "bodies").fetch("bodies/1", soon()), BodyUnavailable),
    (lambda: Queue(client("sqs"), "https://sqs/1/q.fifo").waiting(soon()), QueueUnavailable),
    (lambda: store().values([Reference("secret", "one")], soon()), SecretUnavailable),
    (lambda: store().values([Reference("ssm", "one")], soon()), SecretUnavailable),
]


@contextmanager
def answering(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> Iterator[None]:
    """Let AWS's endpoints give an answer, whatever is asked."""

    def page(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass  # Closing before the rest of a request is read would reset the connection, and the page be lost.

    with serving(page) as url:
        for name, value in {
            "AWS_ENDPOINT_URL": url.removesuffix("/in"), "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.parametrize(("call", "error"), CALLS)
def test_a_proxys_page_in_place_of_an_answer_is_an_outage(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[], object], error: type[Exception]
) -> None:
    # botocore reads it as an empty answer: a KeyError stopped the batch, and S3 had stored what it never saw.
    with answering(monkeypatch, PAGE), pytest.raises(error, match="NotFromAws"):
        call()


@pytest.mark.parametrize("status", [b"200 OK", b"503 Service Unavailable"])
@pytest.mark.parametrize("body", [b"<h1>Zugriff verweigert f\xfcr Sie</h1>", b'"unavailable"'])
@pytest.mark.parametrize(("call", "error"), CALLS)
def test_so_is_a_page_that_botocore_cannot_read(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[], object], error: type[Exception], body: bytes, status: bytes
) -> None:
    # Its parser raised UnicodeDecodeError for a page in Latin-1, and AttributeError for JSON that is no object.
    answer = b"HTTP/1.1 %b\r\nConnection: close\r\n\r\n%b" % (status, body)
    with answering(monkeypatch, answer), pytest.raises(error):
        call()


def test_a_stored_body_that_is_cut_short_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    # urllib3's ProtocolError was not known for one: the task stayed without a decision.
    answer = b"HTTP/1.1 200 OK\r\nx-amz-request-id: 1\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{"
    with answering(monkeypatch, answer), pytest.raises(BodyUnavailable, match="ResponseStreamingError"):
        BodyStore(lambda: client("s3"), "bodies").fetch("bodies/1", soon())


def store() -> SecretStore:
    return SecretStore(client, "flagcast/", "/flagcast/", {}, time.monotonic)


def soon() -> float:
    return time.monotonic() + PATIENCE
