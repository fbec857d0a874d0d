"""How Ctrl-C ends a command, each in a process of its own."""

import signal
import subprocess
import sys

import pytest

from tests.support.time_limits import PATIENCE

PREPARED = """
import os, signal, sys
from flagcast_cli.interruption import INTERRUPTION

INTERRUPTION.end_by_signals()

def interrupt(how=signal.SIGINT):
    os.kill(os.getpid(), how)
    for _ in range(100_000):
        pass
    print("goes on")

def pause():
    INTERRUPTION.pause(0)

def ends(work):
    try:
        work()
    except KeyboardInterrupt:
        print("ends")
"""


def said_by(script: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", PREPARED + script], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return ran.stdout.split("\n")[:-1]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_at_once(sent: signal.Signals) -> None:
    assert said_by(f"ends(lambda: interrupt({int(sent)}))") == ["ends"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_in_a_round_it_ends_when_the_round_has(sent: signal.Signals) -> None:
    # A Ctrl-C of `flagcast dev` was lost in a finalizer of botocore's answer, or left a lock of urllib3's locked that
    # its clean-up waited for: of 6,000 five.
    assert said_by(f"pause()\ninterrupt({int(sent)})\nends(pause)") == ["goes on", "ends"]


def test_between_two_rounds_it_ends_at_once() -> None:
    sleeping = f"signal.setitimer(signal.ITIMER_REAL, 0.05)\nends(lambda: INTERRUPTION.pause({PATIENCE}))"
    assert said_by(f"signal.signal(signal.SIGALRM, lambda *_: interrupt())\n{sleeping}") == ["ends"]


def test_a_second_one_ends_a_round_at_once() -> None:
    assert said_by("pause()\ninterrupt()\nends(interrupt)") == ["goes on", "ends"]


def test_what_is_stopped_by_it_can_be_interrupted_too() -> None:
    assert said_by("pause()\ninterrupt()\nends(pause)\nends(interrupt)") == ["goes on", "ends", "ends"]
