from concurrent.futures import ThreadPoolExecutor

import pytest

from flagcast_cli.local.receiver_script import Answer
from tests.integration.deliver.harness import Stack, bodies
from tests.integration.deliver.refusing import refuse


def test_what_failed_alone_is_reported_and_stays(stack: Stack) -> None:
    stack.configure({"well": {}, "ill": {}, "well-too": {}})
    stack.receiver.script("/ill", [Answer(500)])
    tasks = [stack.put(name) for name in ("well", "ill", "well-too")]
    assert stack.deliver() == [tasks[1].id]
    assert list(stack.waiting()) == [tasks[1].id]
    assert stack.dead_letters() == []


def test_the_groups_of_a_batch_are_delivered_at_the_same_time(stack: Stack) -> None:
    stack.configure({"mirror": {}})
    stack.receiver.script("/mirror", [Answer(held="until all are there")])
    for _ in range(10):
        stack.put("mirror")
    with ThreadPoolExecutor() as threads:
        delivery = threads.submit(stack.deliver)
        try:
            stack.receiver.wait_for(10, timeout=5)
        finally:
            stack.receiver.release("until all are there")
        assert delivery.result() == []
    assert stack.waiting() == {}


def test_the_tasks_of_one_group_are_delivered_in_order(stack: Stack) -> None:
    stack.configure({"mirror": {}})
    stack.receiver.script("/mirror", [Answer(delay=0.05), Answer()])
    sent = bodies(10)
    for raw in sent:
        stack.put("mirror", raw, group="one")
    assert stack.deliver() == []
    assert [each.body for each in stack.receiver.requests()] == sent


def test_the_changes_of_one_flag_arrive_in_order_among_those_of_others(stack: Stack) -> None:
    stack.configure({"mirror": {}})
    tasks = [stack.put_in_order("mirror", raw) for raw in bodies()]
    groups = {each.group for each in tasks}
    assert 1 < len(groups) < len(tasks)
    while stack.deliver() is not None:
        pass
    arrived = [each.body for each in stack.receiver.requests()]
    for group in groups:
        sent = [raw for raw, each in zip(bodies(), tasks, strict=True) if each.group == group]
        assert [raw for raw in arrived if raw in sent] == sent


def test_a_failing_task_holds_back_its_own_group_alone(stack: Stack) -> None:
    stack.configure({"mirror": {}})
    stack.receiver.script("/mirror", [Answer(500), Answer(200)])
    first = [stack.put("mirror", group="failing") for _ in range(3)]
    assert stack.deliver() == [each.id for each in first]
    other = [stack.put("mirror", group="other") for _ in range(3)]
    assert stack.deliver() == []
    assert len(stack.receiver.requests()) == 1 + len(other)
    assert list(stack.waiting()) == [each.id for each in first]


def test_what_is_done_is_deleted_while_others_still_run(stack: Stack) -> None:
    stack.configure({"slow": {}, "fast": {}})
    stack.receiver.script("/slow", [Answer(held="seen")])
    slow = stack.put("slow")
    stack.put("fast")
    with ThreadPoolExecutor() as threads:
        delivery = threads.submit(stack.deliver)
        try:
            assert stack.simulator.wait_for(lambda: list(stack.waiting()) == [slow.id], timeout=5)
            assert not delivery.done()
        finally:
            stack.receiver.release("seen")
        assert delivery.result() == []
    assert stack.waiting() == {}


def test_a_delete_that_is_refused_is_no_failure(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.configure({"slow": {}, "fast": {}})
    stack.receiver.script("/slow", [Answer(held="refused")])
    stack.put("slow")
    stack.put("fast")
    refusal = refuse(monkeypatch, stack, "delete_message_batch", times=2)
    with ThreadPoolExecutor() as threads:
        delivery = threads.submit(stack.deliver)
        assert refusal.wait(5)
        stack.receiver.release("refused")
        assert delivery.result() == []
    assert stack.waiting() == {}
    assert [each["action"] for each in stack.lines(capfd) if each["event"] == "queue.failed"] == ["delete"]


@pytest.mark.parametrize(("refusals", "delay"), [(1, 1), (2, 270)])
def test_a_delay_is_asked_for_twice_and_then_left_to_the_visibility_timeout(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, refusals: int, delay: int
) -> None:
    # One throttled call made 270 s of a delay of one.
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(500)])
    task = stack.put("ill")
    refuse(monkeypatch, stack, "change_message_visibility_batch", times=refusals)
    assert stack.deliver() == [task.id]
    assert stack.delay(task) == delay


def test_what_cannot_be_begun_in_time_goes_back_at_once_without_an_attempt(stack: Stack) -> None:
    stack.configure({"long": {"timeout": "30s"}, "short": {"timeout": "1s"}})
    late = [stack.put("long", group="late") for _ in range(2)]
    stack.put("short")
    assert stack.deliver(seconds=30) == [each.id for each in late]
    assert [each.path for each in stack.receiver.requests()] == ["/short"]
    assert [stack.delay(each) for each in late] == [0, 0]
