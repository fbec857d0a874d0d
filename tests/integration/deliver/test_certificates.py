"""Who may vouch for a destination: the system's authorities, or those of its own file; always someone."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flagcast.config.model import Destination
from flagcast.edges.http import connection
from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast.exchange.request import Request
from flagcast.primitives.network_address import Subnet
from flagcast.tasks.outcomes import Answered, BlockedAddress, Unreachable
from tests.integration.deliver import sending
from tests.integration.deliver.authority import Authority, answering
from tests.integration.deliver.harness import Stack
from tests.integration.deliver.raw_server import serving
from tests.support.time_limits import PATIENCE

TLS = Unreachable("tls")


def send(url: str, ca_file: Path | None) -> Answered | Unreachable | BlockedAddress:
    allowed = (Subnet("127.0.0.0/8"),)
    made = Request("POST", url, {}, b"{}", allowed, None if ca_file is None else str(ca_file))
    return sending.send(made, time.monotonic() + PATIENCE)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_a_private_authority_vouches_for_its_servers_and_for_a_destination_that_names_it_alone(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other")
    with serving(answering(authority.certificate()), "https") as url:
        assert send(url, authority.file) == Answered(200)
        # The connection is kept, and another's: it was checked by another file.
        assert send(url, None) == TLS
        assert send(url, other.file) == TLS
    with serving(answering(authority.certificate()), "https") as url:
        assert send(url, None) == TLS
        assert send(url, authority.file) == Answered(200)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda authority: authority.certificate("hooks.example.com"), id="another-host"),
        pytest.param(lambda authority: authority.certificate("127.0.0.2"), id="another-address"),
        pytest.param(lambda authority: authority.certificate(valid=timedelta(seconds=-1)), id="expired"),
        pytest.param(lambda authority: authority.certificate(valid=timedelta(days=60)), id="not-yet-valid"),
    ],
)
def test_a_certificate_must_be_the_hosts_own_and_valid(authority: Authority, make: Callable[[Authority], Path]) -> None:
    with serving(answering(make(authority)), "https") as url:
        assert send(url, authority.file) == TLS


def test_the_name_in_the_url_is_the_one_that_is_verified(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: real("127.0.0.1", *rest, **named))
    with serving(answering(authority.certificate("hooks.example.com")), "https") as url:
        assert send(url.replace("127.0.0.1", "hooks.example.com"), authority.file) == Answered(200)
        assert send(url.replace("127.0.0.1", "hooks.example.com."), authority.file) == Answered(200)
        assert send(url.replace("127.0.0.1", "hooks.example.org"), authority.file) == TLS


def test_a_certificate_that_names_its_host_by_the_common_name_alone_is_none_of_that_host(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Browsers and urllib3 refuse it, and a public authority signs none.
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: real("127.0.0.1", *rest, **named))
    with serving(answering(authority.certificate("hooks.example.com", by_common_name=True)), "https") as url:
        assert send(url.replace("127.0.0.1", "hooks.example.com"), authority.file) == TLS


def test_a_file_stands_instead_of_the_systems_authorities(authority: Authority) -> None:
    with serving(answering(authority.certificate()), "https") as url:
        assert send(url, authority.file) == Answered(200)
    context = connection._verifying(str(authority.file))
    assert [each["subject"] for each in context.get_ca_certs()] == [((("commonName", "ca"),),)]
    for each in (context, connection._verifying(None)):
        assert (each.verify_mode, each.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.*:DeprecationWarning")
def test_tls_before_1_2_is_not_spoken(authority: Authority) -> None:
    old = ssl.TLSVersion.TLSv1_1
    with serving(answering(authority.certificate(), old), "https") as url:
        assert send(url, authority.file) == TLS
        # It is the version: one who speaks it is served.
        context = ssl.create_default_context(cafile=str(authority.file))
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = old
        port = int(url.rpartition(":")[2].removesuffix("/in"))
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped,
        ):
            assert wrapped.version() == "TLSv1.1"
    assert connection._verifying(None).minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_destination_names_a_file_beside_the_configuration(stack: Stack) -> None:
    authority = Authority(stack.folder)
    with serving(answering(authority.certificate()), "https") as url:
        stack.configure({"private": {"url": url, "ca_file": "ca.pem"}, "public": {"url": url}})
        stack.put("private")
        kept = stack.put("public")
        assert stack.deliver() == [kept.id]


@pytest.mark.parametrize("name", ["none.pem", "junk.pem", "../ca.pem", "folder/ca.pem", "/etc/ssl/cert.pem", "", "."])
def test_what_is_no_file_of_certificates_beside_the_configuration_faults_the_destination(
    tmp_path: Path, name: str
) -> None:
    beside = tmp_path / "config"
    (beside / "folder").mkdir(parents=True)
    for folder in (tmp_path, beside, beside / "folder"):
        Authority(folder)
    (beside / "junk.pem").write_text("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
    (beside / "folder.pem").mkdir()
    destination = {"url": "https://x", "ca_file": name}
    file = beside / "flagcast.yaml"
    file.write_text(json.dumps({"sources": {}, "destinations": {"d": destination}}))
    [problem] = map(str, read_configuration(file).problems)
    assert problem.startswith("destinations.d.ca_file: there is no .pem file of this name beside flagcast.yaml; ")
    assert "ca.pem" in problem
    file.write_text(json.dumps({"sources": {}, "destinations": {"d": {**destination, "ca_file": "ca.pem"}}}))
    read = read_configuration(file).destinations["d"]
    assert isinstance(read, Destination)
    assert read.ca_file == str(beside / "ca.pem")


@pytest.mark.parametrize("size", [2, 60_000, 6_000_000])
def test_an_answer_that_comes_before_the_body_is_read_is_the_answer(authority: Authority, size: int) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate())

    def talk(connection: socket.socket, over: threading.Event) -> None:
        # Without it the system keeps what was written last, and forgets it when the connection is closed.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(connection, server_side=True) as wrapped:
            head = b""
            while b"\r\n\r\n" not in head:
                head += wrapped.recv(4096)
            wrapped.sendall(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")

    with serving(talk, "https") as url:
        made = Request("POST", url, {}, b"x" * size, (Subnet("127.0.0.0/8"),), str(authority.file))
        assert [sending.send(made, time.monotonic() + PATIENCE) for _ in range(10)] == [
            Answered(413, excerpt="no")
        ] * 10
