"""The commands of the README, run as a new user runs them."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flagcast_cli.checkout import ROOT
from tests.e2e.conftest import free_port

PATIENCE = 120
FLAGCAST = str(Path(sys.executable).parent / "flagcast")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FLAGCAST, *arguments],
        capture_output=True, text=True, check=False, timeout=PATIENCE, cwd=ROOT,
        env={**os.environ, "COLUMNS": "120", **environment},
    )  # fmt: skip


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_demo_shows_what_arrived_where_and_leaves_nothing_running() -> None:
    port = free_port()
    shown = run("demo", "--port", str(port))
    assert shown.returncode == 0, shown.stdout + shown.stderr
    rows = {cells[1].strip(): [cell.strip() for cell in cells[2:-1]] for cells in table_rows(shown.stdout)}
    assert rows["event"] == ["archive", "team-chat", "incident-desk", "old-tool"]
    assert rows["flag updated"] == ["✓", "✓", "·", "·"]
    assert rows["rollout created"] == ["✓", "✓", "✓ 3 attempts", "·"]
    assert rows["segment created"] == ["✓", "·", "·", "✗ 422 rejected"]
    assert rows["old-tool"] == ["segment created", "rejected", "422", "segments are not supported"]
    assert not listens(port)


def table_rows(shown: str) -> list[list[str]]:
    return [re.split("[│┃]", line) for line in shown.splitlines() if line.startswith(("│", "┃"))]


def test_a_taken_port_ends_the_demo_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = run("demo", "--port", str(port))
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


def test_send_says_what_is_wrong_with_its_file_or_address(tmp_path: Path) -> None:
    shown = run("send", str(tmp_path / "none.json"), "--url", "http://127.0.0.1:1/", "--secret", "x")
    assert shown.returncode == 2
    assert "No such file" in shown.stderr
    shown = run("send", "--url", "http://127.0.0.1:1/", FLAGCAST_SIGNING_SECRET="x")
    assert shown.returncode == 2
    assert "did not answer" in shown.stderr


def test_check_lists_every_problem_with_its_path_and_exits_1(tmp_path: Path) -> None:
    bad = tmp_path / "flagcast.yaml"
    bad.write_text(
        """
sources:
  flipt: {signing_secrets: [plain-secret]}
destinations:
  chat: {url: "https://x.example", timeout: 31s, body: '{"text": {{ event.typo }}}'}
  syntax: {url: "https://x.example", body: '{{ event.type'}
  denied: {url: "https://x.example", events: ["flag:deleted"], body: '"{{ event.payload.key }}"'}
  quoted: {url: "https://x.example", events: ["flag:created"], escape: none, body: '"{{ event.payload.name }}"'}
"""
    )
    good_sources = bad.read_text().replace("[plain-secret]", '["${secret:x}"]')
    shown = run("check", "--config", str(bad))
    assert shown.returncode == 1
    assert "sources.flipt.signing_secrets[0]: expected one reference" in shown.stderr
    assert "plain-secret" not in shown.stderr
    bad.write_text(good_sources)
    shown = run("check", "--config", str(bad))
    assert shown.returncode == 1
    for problem in (
        "destinations.chat.timeout: expected more than 0s and at most 30s",
        "destinations.chat: body, line 1: ",
        "destinations.syntax.body: body, line 1: ",
        "destinations.denied: body, line 1: 'None' has no attribute 'key' (on sample flag-deleted-denied)",
        "destinations.quoted: body: the result is not JSON: ",
    ):
        assert problem in shown.stderr, shown.stderr


def test_check_finds_nothing_wrong_with_what_is_shipped() -> None:
    for path in ("layers/config/flagcast.yaml", "cli/flagcast_cli/local/demo/flagcast.yaml", "tests/e2e/flagcast.yaml"):
        shown = run("check", "--config", path)
        assert (shown.returncode, shown.stderr) == (0, ""), path


@pytest.mark.parametrize("broken", ["exit 127", "echo 'pyenv: python3.13: command not found' >&2; exit 127"])
def test_a_python_on_path_that_does_not_run_is_passed_over(tmp_path: Path, broken: str) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("scripts", "layers", "cli"):
        shutil.copytree(ROOT / name, checkout / name)
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, checkout / name)
    shim = tmp_path / "bin" / "python3.13"
    shim.parent.mkdir()
    shim.write_text(f"#!/bin/sh\n{broken}\n")
    shim.chmod(0o755)
    # The interpreter that runs these tests is somewhere on the machine, but not where PATH looks first.
    paths = [path for path in os.environ["PATH"].split(os.pathsep) if Path(path) != Path(sys.executable).parent]
    environment = {**os.environ, "PATH": os.pathsep.join([str(shim.parent), *paths])}
    environment.pop("VIRTUAL_ENV", None)
    began = time.monotonic()
    made = subprocess.run(
        [str(checkout / "scripts" / "bootstrap")], env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    assert time.monotonic() - began < PATIENCE
    python = str(checkout / ".venv" / "bin" / "python")
    assert subprocess.check_output([python, "--version"], text=True).startswith("Python 3.13.")


def test_check_tries_templates_even_where_no_source_is_right(tmp_path: Path) -> None:
    # Nothing was tried, and a broken template passed.
    path = tmp_path / "flagcast.yaml"
    path.write_text('sources: {}\ndestinations: {d: {url: "https://x.example", body: "{{ event.nope }}"}}\n')
    shown = run("check", "--config", str(path))
    assert (shown.returncode, "event has no attribute 'nope'" in shown.stderr) == (1, True)
    missing = run("check", "--config", str(tmp_path / "none.yaml"))
    assert "No such file or directory" in missing.stderr
