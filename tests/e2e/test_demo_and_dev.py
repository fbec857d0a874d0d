"""`make demo` and `make dev`, as a new user runs them."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from flagcast_cli.checkout import ROOT
from tests.support.command_line import FLAGCAST, flagcast
from tests.support.ports import free_port
from tests.support.time_limits import PATIENCE


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_demo_shows_what_arrived_where_and_leaves_nothing_running() -> None:
    port = free_port()
    shown = flagcast("demo", "--port", str(port))
    assert shown.returncode == 0, shown.stdout + shown.stderr
    rows = {cells[1].strip(): [cell.strip() for cell in cells[2:-1]] for cells in table_rows(shown.stdout)}
    assert rows["event"] == ["archive", "team-chat", "incident-desk", "old-tool"]
    assert rows["flag updated"] == ["✓", "✓", "·", "·"]
    assert "Enabled: no → yes" in rows
    assert rows["rollout created"] == ["✓", "✓", "✓ 3 attempts", "·"]
    assert rows["segment created"] == ["✓", "·", "·", "✗ 422 rejected"]
    assert rows["old-tool"] == ["segment created", "rejected", "422", "segments are not supported"]
    assert not listens(port)


def table_rows(shown: str) -> list[list[str]]:
    return [re.split("[│┃]", line) for line in shown.splitlines() if line.startswith(("│", "┃"))]


def test_a_taken_port_ends_the_demo_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = flagcast("demo", "--port", str(port))
    assert shown.returncode == 2
    assert f"port {port} of 127.0.0.1 is taken" in shown.stderr
    assert f"make demo PORT={port + 1}" in shown.stderr


def test_dev_shows_what_is_sent_to_it_and_stops_cleanly_on_ctrl_c() -> None:
    port = free_port()
    with subprocess.Popen(
        [FLAGCAST, "dev", "--port", str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as dev:  # fmt: skip
        try:
            command = line_with(dev, "flagcast send").strip()
            sent = subprocess.run(
                ["sh", "-c", command], capture_output=True, text=True, check=False, timeout=PATIENCE,
                env={**os.environ, "PATH": f"{Path(FLAGCAST).parent}{os.pathsep}{os.environ['PATH']}"},
            )  # fmt: skip
            assert sent.returncode == 0, sent.stdout + sent.stderr
            assert sent.stdout.startswith("200 ")
            assert '"type":"flag","action":"updated"' in line_with(dev, "/archive 200")
            dev.send_signal(signal.SIGINT)
            rest, _ = dev.communicate(timeout=PATIENCE)
        finally:
            dev.kill()
    assert dev.returncode == 0, rest
    assert "Stopping." in rest
    assert "Traceback" not in rest
    assert not listens(port)


def line_with(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"ended without {words!r}")
