"""Who is told of a destination in trouble, through the real handler; each `Function` is a process of its own."""

import json
import threading
from collections import Counter
from typing import Any

import pytest
from aws_lambda_powertools.utilities.circuit_breaker import base
from botocore.exceptions import ClientError

from flagcast.edges.aws.circuit_breaker import RECOVERY
from flagcast.events.event import NOTICES
from flagcast.notices.publisher import COUNTED_IN
from flagcast.tasks.task import Task, decode
from flagcast_cli.local.receiver_script import Answer
from tests.integration.deliver.harness import FOREVER, TABLE, Stack, forget
from tests.support.faulty_aws import IN_AN_ERROR
from tests.support.time_limits import HOLD, ends_within

CANARY = "canary-3f1c9a7e5d2b"
REFUSAL = Answer(403, body=b"no such channel")
HOSTILE = b'"},"type":"flag"}\n<!channel> @here \\u0000 \xf0\x9f\x98\x80 {{ 7 * 7 }}'


@pytest.fixture
def on(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("FLAGCAST_CIRCUIT_BREAKER", "on")
    monkeypatch.setenv("FLAGCAST_STACK", "flagcast-prod")
    _start_fresh()
    configure(stack)
    return stack


def configure(stack: Stack, **more: dict[str, Any]) -> None:
    """Deploy `chat`, which is told of trouble, with `ill` and `well` beside it."""
    stack.configure({"chat": {"preset": "json"}, "ill": {}, "well": {}, **more})
    path = stack.folder / "flagcast.yaml"
    stack.write(json.dumps({**json.loads(path.read_text()), "notify": "chat"}))


def queued(stack: Stack) -> list[dict[str, Any]]:
    """The notices that wait, by what their bodies say."""
    tasks = [decode(each.body) for each in stack.waiting().values()]
    return [json.loads(each.raw) for each in tasks if isinstance(each, Task) and each.destination == "chat"]


def told(stack: Stack) -> list[tuple[str, str]]:
    """What the chat was sent: kind and destination."""
    sent = [json.loads(each.body) for each in stack.receiver.requests("/chat")]
    return [(each["action"], each["payload"]["destination"]) for each in sent]


def _start_fresh() -> None:
    """Let the next invocation be another process's: Powertools counts in its module."""
    forget()
    kept: tuple[dict[str, Any], ...] = (base._LOCAL_FAILURES, base._LOCAL_SUCCESSES, base._LAST_OBSERVED_STATE)
    for each in kept:
        each.clear()


def refuse(stack: Stack) -> None:
    stack.receiver.script("/ill", [REFUSAL])
    stack.put("ill")
    stack.deliver()


def run(stack: Stack, times: int = 30) -> None:
    """Let time pass, each minute another process, until nothing is left to do."""
    for _ in range(times):
        while stack.deliver() is not None:
            _start_fresh()
        stack.wait(61)
        if "opened_at" in stack.rows().get("circuit#ill", {}):
            # The circuit goes by the real clock.
            stack.state.update_item(
                TableName=TABLE,
                Key={"key": {"S": "circuit#ill"}},
                UpdateExpression="SET opened_at = opened_at - :ago",
                ExpressionAttributeValues={":ago": {"N": str(RECOVERY)}},
            )


def test_an_outage_is_told_of_once_and_its_end_once_whichever_functions_see_them(on: Stack) -> None:
    on.receiver.script("/ill", [Answer(503)])
    for _ in range(6):
        on.put("ill")
    run(on, 10)
    assert told(on) == [("trouble", "ill")]
    on.receiver.script("/ill", [Answer(200)])
    run(on)
    assert told(on) == [("trouble", "ill"), ("recovered", "ill")]
    assert on.waiting() == {}
    on.put("ill")
    run(on, 3)
    assert len(told(on)) == 2
    assert "since" not in on.rows()["trouble#ill"]


def test_a_second_trouble_is_told_of_again(on: Stack) -> None:
    for _ in range(2):
        on.receiver.script("/ill", [REFUSAL])
        on.put("ill")
        run(on, 2)
        on.receiver.script("/ill", [Answer(200)])
        on.put("ill")
        run(on, 2)
    assert told(on) == [("trouble", "ill"), ("recovered", "ill")] * 2


def test_a_notice_says_what_there_is_to_know(on: Stack, capfd: pytest.CaptureFixture[str]) -> None:
    on.receiver.script("/ill", [REFUSAL])
    on.put("ill")
    on.put("ill")
    began = int(on.clock.now())
    on.deliver()
    [notice] = queued(on)
    assert notice["payload"] == {
        "destination": "ill", "since": "2026-09-21T14:13:20Z", "reason": "rejected", "status": 403,
        "excerpt": "no such channel", "waiting": notice["payload"]["waiting"],
        "command": "flagcast dlq list --destination ill --stack flagcast-prod",
    }  # fmt: skip
    assert notice["payload"]["waiting"] >= 1
    assert on.rows()["trouble#ill"]["since"] == str(began)
    [line] = [each for each in on.lines(capfd) if each["event"] == "notice.queued"]
    assert {key: line[key] for key in ("kind", "destination", "through", "Notices")} == {
        "kind": "trouble", "destination": "ill", "through": "chat", "Notices": 1,
    }  # fmt: skip


def test_a_notice_passes_the_filters_of_whom_it_is_for(on: Stack) -> None:
    configure(on, chat={"events": ["flag:created"], "when": "event.namespace == 'production'", "preset": "json"})
    refuse(on)
    on.put("chat")
    run(on, 3)
    assert told(on) == [("trouble", "ill")]


def test_a_destination_with_a_faulty_configuration_is_told_of(on: Stack) -> None:
    configure(on, ill={"timeout": "31s"})
    on.put("ill")
    run(on, 3)
    assert told(on) == [("trouble", "ill")]
    [sent] = on.receiver.requests("/chat")
    assert json.loads(sent.body)["payload"]["reason"] == "faulty"
    assert "timeout" in json.loads(sent.body)["payload"]["excerpt"]


def test_nothing_is_told_of_whom_it_would_be_told_to(on: Stack) -> None:
    on.receiver.script("/chat", [REFUSAL])
    on.put("chat")
    refuse(on)
    run(on, 3)
    assert [key for key in on.rows() if key.startswith("trouble#")] == ["trouble#ill"]
    assert queued(on) == []
    reasons = [each.attributes["destination"]["StringValue"] for each in on.dead_letters()]
    assert sorted(reasons) == ["chat", "chat", "ill"]


def test_without_notify_nothing_is_asked_or_told(stack: Stack, calls: Counter[str]) -> None:
    stack.configure({"ill": {}, "chat": {}})
    refuse(stack)
    assert calls == {"get_item": 1}
    assert stack.waiting() == {}


def test_a_table_that_is_down_tells_nothing_and_stops_nothing(
    on: Stack, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        for operation in ("update_item", "batch_get_item"):
            broken.setattr(on.state, operation, _refused)
        refuse(on)
        on.put("well")
        on.deliver()
        assert len(on.dead_letters()) == 1
        assert on.waiting() == {}
        failed = {each["action"] for each in on.lines(capfd) if each["event"] == "state.failed"}
        assert failed == {"trouble", "look up troubles"}
    on.put("well")
    on.deliver()
    assert [each["action"] for each in queued(on)] == ["trouble"]


def test_a_notice_that_the_queue_refuses_is_told_later_by_the_same_process(
    on: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        _refuse_notices(broken, on)
        refuse(on)
        assert queued(on) == []
    on.put("well")
    on.deliver()
    assert [each["action"] for each in queued(on)] == ["trouble"]


def test_a_notice_that_the_queue_refuses_is_told_later_by_another_process(
    on: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        _refuse_notices(broken, on)
        refuse(on)
    forget()
    on.receiver.script("/ill", [Answer(200)])
    on.put("ill")
    on.deliver()
    assert [each["action"] for each in queued(on)] == ["trouble"]


def test_an_end_that_the_queue_refuses_is_told_with_a_later_delivery(
    on: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(on)
    on.receiver.script("/ill", [Answer(200)])
    run(on, 2)
    with monkeypatch.context() as broken:
        on.put("ill")
        _refuse_notices(broken, on)
        on.deliver()
    forget()
    on.put("ill")
    run(on, 2)
    assert told(on) == [("trouble", "ill"), ("recovered", "ill")]


def test_a_process_that_ends_between_the_write_and_the_queue_is_followed_by_another(
    on: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(on.simulator, "get_queue_attributes", _killed)
        on.receiver.script("/ill", [REFUSAL])
        on.put("ill")
        with pytest.raises(KeyboardInterrupt):
            on.deliver()
    forget()
    on.receiver.script("/ill", [Answer(200)])
    on.put("well")
    run(on, 6)
    on.put("ill")
    run(on, 6)
    assert told(on)[:1] == [("trouble", "ill")]


def test_an_invocation_with_no_time_left_tells_in_the_next(on: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    on.receiver.script("/ill", [REFUSAL])
    on.put("ill")
    with monkeypatch.context() as late:
        late.setattr("flagcast.notices.trouble_tracker.ENOUGH", FOREVER)
        on.deliver()
    assert len(on.dead_letters()) == 1
    assert queued(on) == []
    on.put("well")
    on.deliver()
    assert [each["action"] for each in queued(on)] == ["trouble"]


@pytest.mark.parametrize("manner", ["refuses", "hangs"])
def test_a_count_that_is_not_to_be_had_is_left_out(
    on: Stack, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], manner: str
) -> None:
    released = threading.Event()
    monkeypatch.setattr("flagcast.notices.publisher.COUNTED_IN", COUNTED_IN)
    monkeypatch.setattr(
        on.simulator, "get_queue_attributes", _refused if manner == "refuses" else lambda **_: released.wait(HOLD)
    )
    with ends_within(COUNTED_IN):
        refuse(on)
    released.set()
    assert [each["payload"]["waiting"] for each in queued(on)] == [None]
    [failed] = [each for each in on.lines(capfd) if each["event"] == "queue.failed"]
    assert failed["action"] == "count"
    assert IN_AN_ERROR not in failed["detail"]


def test_no_secret_is_in_a_notice_nor_in_the_table(on: Stack, capfd: pytest.CaptureFixture[str]) -> None:
    on.secrets.values["token"] = CANARY
    configure(on, ill={"headers": {"Authorization": "Bearer ${secret:token}"}})
    on.receiver.script("/ill", [Answer(400, body=f"who is {CANARY}? Bearer {CANARY}".encode())])
    on.put("ill")
    on.deliver()
    [notice] = queued(on)
    assert notice["payload"]["excerpt"] == "who is ***? Bearer ***"
    run(on, 2)
    everywhere = [
        *(each.body for each in on.receiver.requests("/chat")), str(on.rows()), capfd.readouterr().out,
        *(each.body + str(each.attributes) for each in on.dead_letters()),
    ]  # fmt: skip
    assert len(told(on)) == 1
    assert CANARY not in str(everywhere)


def test_an_answer_cannot_break_out_of_a_notice(on: Stack) -> None:
    on.receiver.script("/ill", [Answer(400, body=HOSTILE)])
    on.put("ill")
    on.deliver()
    [notice] = queued(on)
    assert notice["type"] == "flagcast"
    assert notice["payload"]["excerpt"] == HOSTILE.decode()
    run(on, 2)
    assert told(on) == [("trouble", "ill")]


@pytest.fixture
def calls(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Calls to the table, and to the queue those that a notice makes."""
    made: Counter[str] = Counter()
    for service, operations in (
        (stack.state, ("get_item", "batch_get_item", "batch_write_item", "update_item", "put_item")),
        (stack.simulator, ("get_queue_attributes",)),
    ):
        for operation in operations:
            monkeypatch.setattr(service, operation, _counted(made, operation, getattr(service, operation)))
    return made


def test_when_all_is_well_one_read_in_seconds_is_all_that_is_asked(on: Stack, calls: Counter[str]) -> None:
    for _ in range(20):
        on.put("well")
        on.put("ill")
    while on.deliver() is not None:
        pass
    assert len(on.receiver.requests()) == 40
    assert calls["batch_get_item"] == 1
    assert calls["update_item"] == calls["get_queue_attributes"] == 0


def test_who_is_told_is_never_asked_about(on: Stack, calls: Counter[str]) -> None:
    on.put("chat")
    on.deliver()
    assert calls["batch_get_item"] == 0


def _counted(made: Counter[str], operation: str, real: Any) -> Any:
    def call(*positional: Any, **arguments: Any) -> Any:
        made[operation] += 1
        return real(*positional, **arguments)

    return call


def _refused(**_: Any) -> Any:
    raise ClientError({"Error": {"Code": "InternalServerError", "Message": IN_AN_ERROR}}, "x")


def _killed(**_: Any) -> Any:
    raise KeyboardInterrupt


def _refuse_notices(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    """Let no notice be added to the queue; everything else goes on."""
    real = stack.simulator.send_message_batch

    def send(**call: Any) -> Any:
        is_notice = any(NOTICES in each["MessageBody"] for each in call["Entries"])
        return _refused() if is_notice else real(**call)

    monkeypatch.setattr(stack.simulator, "send_message_batch", send)
