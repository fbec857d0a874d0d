"""MiniStack as a process of its own, bound to loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from msgspec import Struct

from flagcast_cli.checkout import ROOT
from flagcast_cli.console import CommandError

HOST = "127.0.0.1"
REGION = "us-east-1"
START_PATIENCE = 30.0
STOP_PATIENCE = 5.0


class Emulator(Struct, frozen=True):
    """A running MiniStack."""

    port: int
    log: Path

    @property
    def endpoint(self) -> str:
        """Return where AWS's clients find it."""
        return f"http://{HOST}:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """Return what leads an AWS client here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
        }

    def environment(self) -> dict[str, str]:
        """Return a process environment in which every AWS client talks to it, and to nothing else."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            **self.variables,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            # sam build wants this environment's python3.13, with its pip.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "SAM_CLI_TELEMETRY": "0",
        }

    def client(self, service: str) -> Any:
        """Return a client of a service."""
        return boto3.client(  # type: ignore[call-overload]  # the stubs know services by literals
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - the emulator takes any
            config=Config(retries={"total_max_attempts": 2}),
        )


@contextmanager
def emulator(port: int, folder: Path) -> Iterator[Emulator]:
    """Run MiniStack on a port of loopback; whatever happens, it and its functions are stopped after it.

    Raises CommandError if the port is taken or MiniStack does not start.
    """
    _require_free(port)
    scratch = folder / f"scratch-{port}"
    scratch.mkdir(parents=True, exist_ok=True)
    running = Emulator(port, folder / f"ministack-{port}.log")
    environment = {
        **running.environment(),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "TMPDIR": str(scratch),
    }
    with running.log.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "ministack"],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            # A group of its own: Ctrl-C reaches us alone, and the functions can be stopped along with it.
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until_it_answers(running, process)
        yield running
    finally:
        _stop(process)
        shutil.rmtree(scratch, ignore_errors=True)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"port {port} of {HOST} is taken ({error.strerror})",
                f"Choose another: PORT={port + 1} after make, as in make demo PORT={port + 1}; or --port {port + 1}.",
                f"To see what holds it: lsof -i :{port}, or ss -ltnp 'sport = :{port}'.",
            ) from error


def _wait_until_it_answers(running: Emulator, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((HOST, running.port)) == 0:
                return
        time.sleep(0.05)  # Between two looks, up to the deadline: a port does not announce that it opens.
    last = running.log.read_text(errors="replace").strip().splitlines()[-5:]
    raise CommandError("MiniStack did not start", *last, f"Its log is {running.log.relative_to(ROOT)}.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop MiniStack and whatever it started, gently first."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(STOP_PATIENCE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
    process.wait()
