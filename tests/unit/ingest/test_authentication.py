from collections.abc import Mapping, Sequence

import pytest

from flagcast.config.model import Source
from flagcast.config.secret_references import Reference, SecretText
from flagcast.errors import SecretUnavailable
from flagcast.events.flipt_signature import flipt_signature
from flagcast.ingest.authentication import is_genuine
from flagcast.ingest.http_api import Request
from tests.support.captures import SECRET, captured

OLD, NEW, TOKEN = (Reference("secret", name) for name in ("old", "new", "token"))
SIGNING = Source(signing_secrets=(SecretText(str(OLD)), SecretText(str(NEW))))
BEARING = Source(bearer_tokens=(SecretText(str(TOKEN)),))
BOTH = Source(signing_secrets=SIGNING.signing_secrets, bearer_tokens=BEARING.bearer_tokens)
DEADLINE = 12.5


class Store:
    """Has the first values it is given until it is asked for fresh ones."""

    def __init__(self, cached: dict[Reference, str], fresh: dict[Reference, str] | None = None) -> None:
        self.generations = (cached, cached if fresh is None else fresh)
        self.asked: list[tuple[list[Reference], float, bool]] = []

    def lookup(
        self, references: Sequence[Reference], deadline: float, *, fresh: bool = False
    ) -> tuple[Mapping[Reference, str], Sequence[str]]:
        self.asked.append((list(references), deadline, fresh))
        known = self.generations[fresh]
        missing = [f"{each} is not there" for each in references if each not in known]
        return {each: known[each] for each in references if each in known}, missing


def signed(secret: str, body: bytes = b"{}") -> Request:
    return Request("r", "POST", "flipt", {"x-flipt-webhook-signature": flipt_signature(body, secret)}, body)


def bearing(token: str) -> Request:
    return Request("r", "POST", "flipt", {"authorization": f"Bearer {token}"}, b"{}")


BARE = Request("r", "POST", "flipt", {}, b"{}")


def test_every_signed_capture_is_genuine() -> None:
    store = Store({OLD: "another", NEW: SECRET})
    for each in captured("flipt-1.61.0/changes"):
        headers = {name.lower(): value for name, value in each.headers}
        assert is_genuine(Request("r", "POST", "flipt", headers, each.body), SIGNING, store, DEADLINE)


@pytest.mark.parametrize(
    ("source", "request_", "genuine"),
    [
        (SIGNING, signed("old-value"), True),
        (SIGNING, signed("new-value"), True),
        (SIGNING, signed("wrong"), False),
        (SIGNING, bearing("token-value"), False),
        (SIGNING, BARE, False),
        (BEARING, bearing("token-value"), True),
        (BEARING, bearing("wrong"), False),
        (BEARING, signed("old-value"), False),
        (BEARING, signed("token-value"), False),
        (BEARING, BARE, False),
        (BOTH, signed("new-value"), True),
        (BOTH, bearing("token-value"), True),
        (BOTH, bearing("old-value"), False),
        (BOTH, BARE, False),
        (Source(auth="none"), BARE, True),
        (Source(auth="none"), signed("wrong"), True),
        (Source(), BARE, False),
        (Source(), signed(""), False),
    ],
)
def test_a_request_is_genuine_by_what_its_source_takes_and_by_nothing_else(
    source: Source, request_: Request, genuine: bool
) -> None:
    store = Store({OLD: "old-value", NEW: "new-value", TOKEN: "token-value"})
    assert is_genuine(request_, source, store, DEADLINE) is genuine


def test_either_proof_is_enough_where_both_are_there() -> None:
    store = Store({OLD: "old-value", NEW: "new-value", TOKEN: "token-value"})
    wrong_token = {**signed("old-value").headers, "authorization": "Bearer wrong"}
    assert is_genuine(Request("r", "POST", "flipt", wrong_token, b"{}"), BOTH, store, DEADLINE)
    wrong_signature = {"x-flipt-webhook-signature": "0" * 64, "authorization": "Bearer token-value"}
    assert is_genuine(Request("r", "POST", "flipt", wrong_signature, b"{}"), BOTH, store, DEADLINE)


def test_a_proven_request_asks_once_and_only_for_what_its_kind_of_proof_needs() -> None:
    store = Store({OLD: "old-value", NEW: "new-value"})
    assert is_genuine(signed("old-value"), BOTH, store, DEADLINE)
    assert store.asked == [([OLD, NEW], DEADLINE, False)]


@pytest.mark.parametrize("request_", [BARE, bearing("old-value")])
def test_a_request_without_a_proof_that_its_source_takes_asks_for_no_secret(request_: Request) -> None:
    store = Store({})
    assert not is_genuine(request_, SIGNING, store, DEADLINE)
    assert store.asked == []


@pytest.mark.parametrize(("source", "request_"), [(SIGNING, signed("rotated")), (BEARING, bearing("rotated"))])
def test_a_secret_that_was_just_rotated_costs_no_event(source: Source, request_: Request) -> None:
    store = Store({OLD: "a", NEW: "b", TOKEN: "c"}, {OLD: "a", NEW: "rotated", TOKEN: "rotated"})
    assert is_genuine(request_, source, store, DEADLINE)
    assert [fresh for _, _, fresh in store.asked] == [False, True]


def test_a_no_is_said_only_after_the_secrets_were_fetched_afresh_once() -> None:
    store = Store({OLD: "a", NEW: "b"})
    assert not is_genuine(signed("wrong"), SIGNING, store, DEADLINE)
    assert store.asked == [([OLD, NEW], DEADLINE, False), ([OLD, NEW], DEADLINE, True)]


def test_one_secret_that_is_there_proves_a_request_though_another_is_not() -> None:
    assert is_genuine(signed("new-value"), SIGNING, Store({NEW: "new-value"}), DEADLINE)


def test_a_no_that_may_be_due_to_a_missing_secret_is_not_said() -> None:
    with pytest.raises(SecretUnavailable, match=r"^\$\{secret:old\} is not there$"):
        is_genuine(signed("wrong"), SIGNING, Store({NEW: "new-value"}), DEADLINE)
    with pytest.raises(SecretUnavailable, match=r"^\$\{secret:old\} is not there; \$\{secret:new\} is not there$"):
        is_genuine(signed("wrong"), SIGNING, Store({}), DEADLINE)


def test_a_secret_that_is_back_on_the_second_look_decides() -> None:
    store = Store({NEW: "new-value"}, {OLD: "old-value", NEW: "new-value"})
    assert not is_genuine(signed("wrong"), SIGNING, store, DEADLINE)
