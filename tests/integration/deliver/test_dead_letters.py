import json
from typing import Any

import pytest

from flagcast.tasks.task import Task, decode
from flagcast_cli.local.receiver_script import Answer
from tests.integration.deliver.harness import HOUR, Stack
from tests.integration.deliver.refusing import refuse


def test_a_dead_letter_is_the_unchanged_task_with_what_people_need_to_know(stack: Stack) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(503), Answer(400, body="no “such” thing\n".encode())])
    sent = stack.put("ill")
    stack.deliver()
    stack.clock.advance(60)
    assert stack.deliver() == []
    task = decode(sent.body)
    assert isinstance(task, Task)
    (letter,) = stack.dead_letters()
    assert letter.body == sent.body
    assert stack.attributes() == {
        "reason": "rejected",
        "detail": "no ?such? thing?",
        "status": "400",
        "attempts": "2",
        "destination": "ill",
        "event_id": task.event_id,
        "message_id": sent.id,
        "sequence": str(sent.sequence),
    }


def test_a_task_leaves_the_queue_only_when_its_dead_letter_is_there(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(400)])
    task = stack.put("ill")
    real = stack.simulator.send_message_batch
    waiting: list[list[str]] = []

    def send(**arguments: Any) -> dict[str, Any]:
        waiting.append(list(stack.waiting()))
        answer = real(**arguments)
        waiting.append(list(stack.waiting()))
        return answer

    monkeypatch.setattr(stack.simulator, "send_message_batch", send)
    stack.deliver()
    assert waiting == [[task.id], [task.id]]
    assert stack.waiting() == {}
    assert len(stack.dead_letters()) == 1


def test_a_task_stays_while_its_dead_letter_cannot_be_sent(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(400)])
    task = stack.put("ill", group="one")
    follower = stack.put("ill", group="one")
    # Each send is tried twice.
    refuse(monkeypatch, stack, "send_message_batch", times=2, url=stack.dead_url)
    assert stack.deliver() == [task.id, follower.id]
    assert (stack.delay(task), stack.delay(follower)) == (60, 0)
    assert stack.dead_letters() == []
    assert [each["action"] for each in stack.lines(capfd) if each["event"] == "queue.failed"] == ["dead letter"]
    stack.clock.advance(60)
    assert stack.deliver() == []
    assert len(stack.dead_letters()) == 2


def test_a_group_goes_on_when_one_of_its_tasks_is_given_up(stack: Stack) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(200), Answer(400), Answer(200)])
    tasks = [stack.put("ill", group="one") for _ in range(3)]
    assert stack.deliver() == []
    assert [each.answered for each in stack.receiver.requests()] == [200, 400, 200]
    assert stack.attributes()["message_id"] == tasks[1].id


def test_more_dead_letters_of_one_group_than_lock_a_group_can_be_listed(stack: Stack) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(400)])
    for _ in range(12):
        stack.put("ill", group="one")
    stack.deliver()
    stack.deliver()
    listed = [stack.simulator.take(stack.dead_url, 10) for _ in range(2)]
    assert [len(each) for each in listed] == [10, 2]


def test_a_dead_letter_that_is_made_twice_is_there_once(stack: Stack) -> None:
    stack.configure({"ill": {}})
    stack.receiver.script("/ill", [Answer(400)])
    stack.put("ill")
    event = stack.source.poll()
    assert event is not None
    for _ in range(2):
        stack.invoke(event)
    assert len(stack.dead_letters()) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("no JSON", id="text"),
        pytest.param(
            '{"v":1,"id":"e:mirror","event_id":"e","source":"flipt","destination":"mirror","received_at":"now",'
            '"body":"[]"}',
            id="no-event",
        ),
        # The length is none that base64 can have: the error of decoding it broke the attempt, which had no outcome.
        pytest.param(
            '{"v":1,"id":"e:mirror","event_id":"e","source":"flipt","destination":"mirror","received_at":"now",'
            '"body_base64":"a"}',
            id="no-base64",
        ),
    ],
)
def test_what_cannot_be_read_is_given_up_and_the_rest_goes_on(stack: Stack, text: str) -> None:
    stack.configure({"mirror": {}})
    stack.put_text(text)
    stack.put("mirror")
    assert stack.deliver() == []
    assert stack.attributes()["reason"] == "unreadable"
    assert len(stack.receiver.requests()) == 1


def test_nothing_is_asked_of_a_task_that_was_received_too_often(stack: Stack) -> None:
    stack.configure({"mirror": {}})
    task = stack.put("mirror")
    stack.waiting()[task.id].receives = 899
    assert stack.deliver() == []
    assert stack.receiver.requests() == []
    assert (stack.attributes()["reason"], stack.attributes()["attempts"]) == ("exhausted", "0")


def test_nothing_is_asked_of_a_task_that_is_thirteen_days_old(stack: Stack) -> None:
    stack.configure({"mirror": {}})
    stack.put("mirror")
    stack.clock.advance(13 * 24 * HOUR)
    assert stack.deliver() == []
    assert stack.receiver.requests() == []
    assert stack.attributes()["reason"] == "expired"


@pytest.mark.parametrize("field", ["id", "event_id", "source", "received_at", "body"])
@pytest.mark.parametrize("value", ["evt_1\nX-More: 1", "evt_1\r\n\r\n", "\0", "", " ", "é", "x" * 70_000, "\u2028"])
def test_a_poison_message_is_settled_and_never_an_error_of_ours(
    stack: Stack, capfd: pytest.CaptureFixture[str], field: str, value: str
) -> None:
    # A line break in event_id raised where the header Webhook-Id was written, and the message stayed for 900 receives.
    stack.configure({"well": {"body": '{"id": "{{ event.id }}", "when": "{{ event.received_at }}"}'}})
    stack.put_text(json.dumps({**json.loads(stack.put("well").body), field: value}), name="poison")
    while stack.deliver() is not None:
        pass
    assert stack.waiting() == {}
    lines = [json.loads(line) for line in capfd.readouterr().out.split("\n") if line]
    assert [line for line in lines if line["event"] == "error"] == []
    assert len(stack.receiver.requests()) + len(stack.dead_letters()) == 2
    if field == "event_id":
        (letter,) = stack.dead_letters()
        assert letter.attributes["reason"]["StringValue"] == "unreadable"
