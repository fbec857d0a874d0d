from collections.abc import Callable, Mapping
from typing import Any

import pytest

from flagcast_cli.receiver import Answer
from tests.integration.deliver.harness import DAY, Stack

Destination = Mapping[str, Any]


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


@pytest.mark.parametrize("random", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("ill", [without_its_secret, faulty, answering_500, answering_500_every_second])
def test_a_group_whose_head_fails_for_twelve_days_and_more_runs_out_of_time_and_not_of_receives(
    stack: Stack, ill: Callable[[Stack], None], random: float
) -> None:
    stack.random = random
    ill(stack)
    began = stack.clock.now()
    tasks = {each.id: at for at, each in enumerate(stack.put("ill", group="one") for _ in range(10))}
    receives: dict[str, int] = {}
    while stack.waiting():
        receives |= {each.id: each.receives for each in stack.waiting().values()}
        if stack.deliver() is None:
            stack.clock.advance(max(stack.delay(each) for each in stack.waiting().values()))
    print("receives:", *(receives[each] for each in tasks))
    letters = stack.dead_letters()
    assert sorted(tasks[each.attributes["message_id"]["StringValue"]] for each in letters) == list(range(10))
    for letter in letters:
        assert letter.attributes["reason"]["StringValue"] == "expired"
        assert 12 * DAY <= letter.sent_at - began < 14 * DAY
        assert int(letter.attributes["receives"]["StringValue"]) < 900
