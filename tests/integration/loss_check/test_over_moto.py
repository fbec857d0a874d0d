"""A small run of both functions over moto's queues, bucket and table; no one sends again what was accepted."""

from pathlib import Path

import pytest

from flagcast_cli.local.receiver import Receiver
from tests.integration.ingest.harness import Output
from tests.loss_check.moto_stack import ARCHIVE_FAULTS, PATHS, MotoStack
from tests.loss_check.short_run import run, struck
from tests.loss_check.short_run_judge import ANSWERS, Judge
from tests.support.time_limits import PATIENCE

EVENTS, SEED = 100, 19


@pytest.mark.long
def test_over_motos_queues_every_event_ends_once_in_order_and_no_secret_is_written_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], aws: None
) -> None:
    with Receiver() as receiver:
        stack = MotoStack(tmp_path, monkeypatch, Output(capfd), receiver.url)
        judge = Judge(run(stack, receiver, EVENTS, SEED, PATIENCE, PATHS)).judge()
    assert not judge.broken
    assert not stack.leaks()
    assert stack.archive_faults.keys() == ARCHIVE_FAULTS.keys()
    # All of this was in the run, or it would say less than its name.
    assert {service for service, _ in stack.asked} == {"sqs", "dead letters", "s3", "dynamodb"}
    assert {*ANSWERS, "large", "archived", "order compared", *struck()} <= {
        kind for kind, count in judge.counts.items() if count
    }
