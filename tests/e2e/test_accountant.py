"""The loss accountant's small run through the deployed template."""

from flagcast_cli.local.stack import Stack
from flagcast_cli.receiver import Receiver
from tests.accountant.local import account
from tests.accountant.small import struck
from tests.accountant.small_judge import ANSWERS

EVENTS, SEED = 60, 19


def test_through_the_whole_stack_every_event_ends_once_in_order_or_as_a_dead_letter_with_its_reason(
    stack: Stack, receiver: Receiver
) -> None:
    judge = account(stack, receiver, EVENTS, SEED)
    assert not judge.broken
    # All of this was in the run, or it would say less than its name.
    assert {*ANSWERS, "large", "order compared", *struck()} <= {kind for kind, count in judge.counts.items() if count}
