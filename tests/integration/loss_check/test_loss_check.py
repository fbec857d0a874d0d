"""The loss accountant on a small scale: the product as it is, and the product with one bug at a time."""

from pathlib import Path

import pytest
from msgspec import structs

from flagcast_cli.replay.saved_replay import Progress, ReplayFile
from tests.loss_check import replaying
from tests.loss_check.judge import Judge
from tests.loss_check.mutations import MUTATIONS
from tests.loss_check.plans import mutated, small, with_circuits
from tests.loss_check.run import Run
from tests.loss_check.target import KINDS as KINDS_OF_TARGETS
from tests.loss_check.workers import Workers

KINDS = 25


def test_whatever_fails_every_accepted_event_is_delivered_in_order_or_is_a_dead_letter(
    lab: tuple[Path, Workers],
) -> None:
    result = Run(small(), *lab).go()
    verdict = Judge(result).judge()
    assert not verdict.violations, verdict.told(result)
    assert len(result.strikes.counts) >= KINDS, result.strikes.counts
    of_targets = {f"target: {kind}" for kind in KINDS_OF_TARGETS} & result.strikes.counts.keys()
    assert len(of_targets) >= len(KINDS_OF_TARGETS) - 2
    assert verdict.counts["delivered"] > verdict.counts["accepted"]
    assert result.strikes.counts["replay: killed, and resumed"] > 1
    assert verdict.counts["replayed"] > verdict.counts["accepted"] / 4


def test_circuits_that_open_cost_no_event_and_no_order(lab: tuple[Path, Workers]) -> None:
    result = Run(with_circuits(), *lab).go()
    verdict = Judge(result).judge()
    assert not verdict.violations, verdict.told(result)
    assert '"event":"circuit.changed"' in result.log
    assert verdict.counts["delivered"] > verdict.counts["accepted"]


@pytest.mark.long
@pytest.mark.parametrize(("moved", "caught"), [(10, "lost"), (-4, "duplicate")])
def test_the_accountant_catches_a_replay_that_is_resumed_in_another_place(
    lab: tuple[Path, Workers], monkeypatch: pytest.MonkeyPatch, moved: int, caught: str
) -> None:
    class Elsewhere(ReplayFile):
        @property
        def progress(self) -> Progress:
            before = super().progress
            return structs.replace(before, position=max(0, before.position + moved))

    monkeypatch.setattr(replaying, "ReplayFile", Elsewhere)
    verdict = Judge(result := Run(small(), *lab).go()).judge()
    assert caught in {each.kind for each in verdict.violations}, verdict.told(result)


@pytest.mark.long
@pytest.mark.parametrize("name", MUTATIONS)
def test_the_accountant_catches_a_bug_by_the_promise_it_breaks(name: str, lab: tuple[Path, Workers]) -> None:
    result = Run(mutated(name), *lab).go()
    verdict = Judge(result).judge()
    assert MUTATIONS[name].caught in {each.kind for each in verdict.violations}, verdict.told(result)
