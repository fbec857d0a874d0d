import pytest

from tests.integration.deliver.harness import HOUR, Stack

NEWER = '{"v":2,"id":"evt_1:mirror","destination":"mirror","something":"else"}'


@pytest.mark.parametrize(
    ("text", "reason"), [(None, "unknown_destination"), (NEWER, "unreadable")], ids=["destination", "version"]
)
def test_what_a_deploy_may_still_bring_is_waited_for_two_hours_and_no_longer(
    stack: Stack, text: str | None, reason: str
) -> None:
    stack.configure({"mirror": {}})
    task = stack.put("to-come") if text is None else stack.put_text(text)
    while stack.waiting():
        assert stack.dead_letters() == []
        assert stack.deliver() == ([task.id] if stack.clock.now() - task.sent_at < 2 * HOUR else [])
        if stack.waiting():
            stack.clock.advance(stack.delay(task))
    waited = stack.clock.now() - task.sent_at
    assert 2 * HOUR <= waited <= 2 * HOUR + 30 * 60
    assert stack.attributes()["reason"] == reason
    assert stack.receiver.requests() == []


def test_a_destination_that_a_deploy_brings_gets_what_waited_for_it(stack: Stack) -> None:
    stack.configure({"mirror": {}})
    task = stack.put("to-come")
    assert stack.deliver() == [task.id]
    assert stack.delay(task) == 60
    stack.configure({"mirror": {}, "to-come": {}})
    stack.clock.advance(60)
    assert stack.deliver() == []
    assert len(stack.receiver.requests("/to-come")) == 1


@pytest.mark.parametrize(
    "faulty",
    [
        pytest.param({"timeout": "soon"}, id="value"),
        pytest.param({"body": "{% if"}, id="template"),
    ],
)
def test_a_faulty_destinations_tasks_are_put_off_and_others_flow(
    stack: Stack, capfd: pytest.CaptureFixture[str], faulty: dict[str, object]
) -> None:
    stack.configure({"faulty": faulty, "mirror": {}})
    held, _ = stack.put("faulty"), stack.put("mirror")
    assert stack.deliver() == [held.id]
    assert stack.delay(held) == 60
    assert [each.path for each in stack.receiver.requests()] == ["/mirror"]
    (line,) = [each for each in stack.lines(capfd) if each["destination"] == "faulty"]
    assert line["outcome"] == "put_off"
    assert "destinations.faulty." in line["detail"]
    stack.configure({"faulty": {}, "mirror": {}})
    stack.clock.advance(60)
    assert stack.deliver() == []
    assert len(stack.receiver.requests("/faulty")) == 1


def test_every_task_is_put_off_while_the_configuration_cannot_be_read(
    stack: Stack, capfd: pytest.CaptureFixture[str]
) -> None:
    stack.write("sources: [")
    tasks = [stack.put("mirror") for _ in range(3)]
    assert stack.deliver() == [each.id for each in tasks]
    assert [stack.delay(each) for each in tasks] == [60, 60, 60]
    assert "configuration.unreadable" in {each["event"] for each in stack.lines(capfd)}
    stack.configure({"mirror": {}})
    stack.clock.advance(60)
    assert stack.deliver() == []
    assert len(stack.receiver.requests()) == 3


def test_a_configuration_that_is_fixed_is_read_without_a_new_process(stack: Stack) -> None:
    stack.write("")
    task = stack.put("mirror")
    stack.deliver()
    fixed = (stack.folder / "flagcast.yaml").with_suffix(".new")
    mirror = f"{{url: '{stack.receiver.url}', allow_http: true, allow_private: [127.0.0.0/8]}}"
    fixed.write_text(f"sources: {{}}\ndestinations: {{mirror: {mirror}}}\n")
    fixed.rename(stack.folder / "flagcast.yaml")
    stack.clock.advance(60)
    assert stack.deliver() == []
    assert stack.waiting() == {}
    assert task.sent_at < stack.clock.now()
