"""The loss accountant's small run through the deployed template."""

from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.stack import Stack
from tests.loss_check.local import account
from tests.loss_check.short_run import struck
from tests.loss_check.short_run_judge import ANSWERS

EVENTS, SEED = 60, 19


def test_through_the_whole_stack_every_event_ends_once_in_order_or_as_a_dead_letter_with_its_reason(
    stack: Stack, receiver: Receiver
) -> None:
    judge = account(stack, receiver, EVENTS, SEED)
    assert not judge.broken
    # All of this was in the run, or it would say less than its name.
    assert {*ANSWERS, "large", "archived", "order compared", *struck()} <= {
        kind for kind, count in judge.counts.items() if count
    }
