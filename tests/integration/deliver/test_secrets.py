import pytest

from flagcast.events.flipt_signature import FLIPT_HEADER, flipt_signature
from flagcast_cli.local.receiver_script import Answer
from tests.integration.deliver.harness import Stack

MINUTE = 60


@pytest.fixture
def guarded(stack: Stack) -> Stack:
    """A destination behind a token, whose value is in the cache."""
    stack.secrets.values = {"token": "old"}
    stack.configure({"hook": {"headers": {"Authorization": "Bearer ${secret:token}"}}})
    stack.put("hook")
    assert stack.deliver() == []
    return stack


def presented(stack: Stack) -> list[str]:
    return [dict(each.headers)["Authorization"] for each in stack.receiver.requests()]


@pytest.mark.parametrize("status", [401, 403])
def test_a_secret_that_was_rotated_meanwhile_is_tried_before_the_task_is_given_up(guarded: Stack, status: int) -> None:
    guarded.receiver.script("/hook", [Answer(status), Answer(200)])
    guarded.secrets.values["token"] = "new"
    guarded.clock.advance(MINUTE)
    guarded.put("hook")
    assert guarded.deliver() == []
    assert presented(guarded) == ["Bearer old", "Bearer old", "Bearer new"]
    assert guarded.dead_letters() == []
    guarded.put("hook")
    guarded.deliver()
    assert presented(guarded)[-1] == "Bearer new"


def test_a_secret_that_was_not_rotated_is_not_tried_again(guarded: Stack) -> None:
    guarded.receiver.script("/hook", [Answer(401)])
    guarded.clock.advance(MINUTE)
    guarded.put("hook")
    assert guarded.deliver() == []
    assert len(presented(guarded)) == 2
    assert guarded.secrets.calls == 2
    assert (guarded.attributes()["reason"], guarded.attributes()["status"]) == ("rejected", "401")


def test_a_new_secret_that_is_refused_too_is_the_end(guarded: Stack) -> None:
    guarded.receiver.script("/hook", [Answer(401)])
    guarded.secrets.values["token"] = "new"
    guarded.clock.advance(MINUTE)
    guarded.put("hook")
    assert guarded.deliver() == []
    assert presented(guarded) == ["Bearer old", "Bearer old", "Bearer new"]
    assert guarded.attributes()["reason"] == "rejected"


def test_a_refusal_while_the_secrets_cannot_be_asked_for_is_put_off(guarded: Stack) -> None:
    guarded.receiver.script("/hook", [Answer(401)])
    guarded.secrets.down = True
    guarded.clock.advance(MINUTE)
    task = guarded.put("hook")
    assert guarded.deliver() == [task.id]
    assert guarded.delay(task) == 60
    assert guarded.dead_letters() == []


def test_the_last_good_value_goes_on_serving_while_the_store_is_down(guarded: Stack) -> None:
    guarded.secrets.down = True
    guarded.clock.advance(24 * 60 * MINUTE)
    guarded.put("hook")
    assert guarded.deliver() == []
    assert presented(guarded) == ["Bearer old", "Bearer old"]


def test_a_task_whose_secret_cannot_be_had_is_put_off_without_a_request_and_others_flow(stack: Stack) -> None:
    stack.secrets.values = {}
    stack.configure({"hook": {"headers": {"X-Key": "${secret:token}"}}, "free": {}})
    held, _ = stack.put("hook"), stack.put("free")
    assert stack.deliver() == [held.id]
    assert stack.delay(held) == 60
    assert [each.path for each in stack.receiver.requests()] == ["/free"]
    stack.secrets.values = {"token": "there now"}
    stack.clock.advance(60)
    assert stack.deliver() == []
    assert [each.path for each in stack.receiver.requests()] == ["/free", "/hook"]


# Keys were sent with the line break they were stored with, as %0A or as an error, and signatures were made with it.
def test_white_space_around_a_stored_secret_is_sent_nowhere(stack: Stack) -> None:
    stack.secrets.values = {
        "token": "t0ken\n",
        "both": '{"key": "k3y\\r\\n", "room": "\\u2028r00m "}\n',
        "sign": "signing\n",
    }
    stack.configure(
        {
            "hook": {
                "headers": {"Authorization": "Bearer ${secret:token}", "X-Key": "${secret:both#key}"},
                "vars": {"room": "${secret:both#room}"},
                "body": '{"room": "{{ vars.room }}"}',
                "sign": {"scheme": "flipt", "secret": "${secret:sign}"},
            }
        }
    )
    stack.put("hook")
    assert stack.deliver() == []
    [request] = stack.receiver.requests()
    headers = {name.lower(): value for name, value in request.headers}
    assert (headers["authorization"], headers["x-key"]) == ("Bearer t0ken", "k3y")
    assert request.body == b'{"room": "r00m"}'
    assert headers[FLIPT_HEADER.lower()] == flipt_signature(request.body, "signing")
