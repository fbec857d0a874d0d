from collections.abc import Callable

import pytest

from flagcast_cli.local.receiver_script import Answer
from tests.integration.deliver.harness import DAY, HOUR, Stack


def without_its_secret(stack: Stack) -> None:
    stack.secrets.down = True
    stack.configure({"ill": {"headers": {"X-Key": "${secret:token}"}}})


def faulty(stack: Stack) -> None:
    stack.configure({"ill": {"timeout": "soon"}})


def answering_500(stack: Stack) -> None:
    stack.receiver.script("/ill", [Answer(500)])
    stack.configure({"ill": {"retry": {"max_backoff_duration": "288h"}}})


def answering_500_every_second(stack: Stack) -> None:
    stack.receiver.script("/ill", [Answer(500)])
    stack.configure({"ill": {"retry": {"max_interval": "1s", "max_backoff_duration": "288h"}}})


def run(stack: Stack, until: float = float("inf")) -> None:
    """Deliver whatever can be received, until the queue is empty or the time is there."""
    while stack.waiting() and stack.clock.now() < until:
        if stack.deliver() is None:
            head = max(each.visible_at for each in stack.waiting().values())
            stack.clock.advance(min(head, until) - stack.clock.now())


# Ten tasks are all that a function gets of a group; what they show, one shows in a tenth of the time.
@pytest.mark.parametrize("tasks", [1, pytest.param(3, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("ill", "longest", "random", "apart"),
    [
        (without_its_secret, 13, 0.0, 0),
        pytest.param(faulty, 13, 0.999, 3 * HOUR, marks=pytest.mark.long),
        (answering_500, 12, 0.0, 3 * HOUR),
        pytest.param(answering_500_every_second, 12, 0.0, 0, marks=pytest.mark.long),
    ],
)
def test_a_group_whose_head_fails_for_days_runs_out_of_time_and_not_of_receives(
    stack: Stack, ill: Callable[[Stack], None], longest: int, random: float, apart: float, tasks: int
) -> None:
    stay(stack, ill, longest, tasks, random, apart)


@pytest.mark.long
def test_nor_does_a_group_of_as_many_tasks_as_a_function_gets_at_once(stack: Stack) -> None:
    stay(stack, answering_500_every_second, 12, 10, 0.999, 3 * HOUR)


def stay(stack: Stack, ill: Callable[[Stack], None], longest: int, tasks: int, random: float, apart: float) -> None:
    """Let tasks of one group fail until they are dead letters, each by its time alone."""
    stack.random = random
    ill(stack)
    sent: dict[str, float] = {}
    for _ in range(tasks):
        sent[stack.put("ill", group="one").id] = stack.clock.now()
        run(stack, stack.clock.now() + apart)
    run(stack)
    letters = {each.attributes["message_id"]["StringValue"]: each for each in stack.dead_letters()}
    assert list(letters) == list(sent)
    # Not one is `exhausted`: it would be at 900 receives.
    assert {each.attributes["reason"]["StringValue"] for each in letters.values()} == {"expired"}
    for name, letter in letters.items():
        assert longest * DAY <= letter.sent_at - sent[name] < 14 * DAY
