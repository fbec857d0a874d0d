"""Each preset takes an answer for what its vendor means by it."""

from collections.abc import Sequence

import pytest
from msgspec import structs

from flagcast.config.presets import Answer, read_preset
from flagcast.edges.runtime.configuration_file import read_presets
from flagcast.rendering.conditions import judged
from flagcast.tasks.outcomes import Answered, NotAccepted, NotNow
from tests.presets.rendered import compiled

SIGN_IN = Answered(200, None, "<!doctype html><title>Sign in</title>", {"content-type": "text/html"})
ANSWERS = {name: read_preset(text).answers for name, text in read_presets().items()}
VENDORS = [name for name, answers in ANSWERS.items() if answers.accepted]


def kinds(name: str) -> dict[str, Sequence[Answer]]:
    return {"accepted": ANSWERS[name].accepted, "not_now": ANSWERS[name].not_now, "rejected": ANSWERS[name].rejected}


@pytest.mark.parametrize(
    ("name", "kind", "answer"),
    [(name, kind, each) for name in VENDORS for kind, answers in kinds(name).items() for each in answers],
)
def test_an_answer_is_taken_for_what_its_vendor_means_by_it(name: str, kind: str, answer: Answer) -> None:
    # Slack's and Teams' "not now" in a 200 was final.
    made = judged(compiled(name), Answered(answer.status, None, answer.text))
    assert (
        made
        == {
            "accepted": Answered(answer.status, None, answer.text),
            "not_now": NotNow(answer.status, None, answer.text),
            "rejected": NotAccepted(answer.status, answer.text)
            if answer.status <= 299
            else Answered(answer.status, None, answer.text),
        }[kind]
    )


def test_every_preset_of_a_vendor_knows_what_its_vendor_answers() -> None:
    assert set(ANSWERS) - set(VENDORS) == {"json", "cloudevents-binary", "cloudevents-structured"}
    assert all(ANSWERS[name].rejected for name in VENDORS)


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("text", [SIGN_IN.excerpt, "", "{}", "[]", "null", '"ok"', "gateway"])
def test_a_2xx_of_whatever_stands_in_front_of_a_vendor_is_no_delivery(name: str, text: str) -> None:
    # A page to sign in, with status 200, counted as delivered by eleven of twelve presets.
    assert isinstance(judged(compiled(name), structs.replace(SIGN_IN, excerpt=text)), NotAccepted)


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("status", [200, 302, 403])
def test_what_a_preset_asks_of_an_answer_never_makes_a_delivery_of_what_is_none(name: str, status: int) -> None:
    made = judged(compiled(name), Answered(status, None, "<html>", {"location": "https://login.example.com"}))
    assert not (isinstance(made, Answered) and made.is_delivery) or (status == 200 and name not in VENDORS)
