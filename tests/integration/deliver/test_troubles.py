from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flagcast.edges.aws.trouble_table import TroubleTable
from flagcast.errors import StateUnavailable
from flagcast.notices.trouble import Known, Trouble
from tests.integration.deliver.harness import DAY, TABLE
from tests.integration.deliver.test_state import OneAtATime
from tests.support.faulty_aws import Faults

NOW = 1_790_000_000.0
REFUSED = Trouble("rejected", int(NOW), 403, 'no "such" channel')
LATER = Trouble("gone", int(NOW) + 7, 410, "")
AGO = NOW - 60


@pytest.fixture
def troubles(table: Any) -> TroubleTable:
    return TroubleTable(OneAtATime(table), TABLE, lambda: NOW)


def test_of_all_who_see_a_trouble_at_the_same_time_one_wins(troubles: TroubleTable) -> None:
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda _: troubles.begin("d", REFUSED, NOW, AGO), range(24)))
    assert [each for each in won if each] == [REFUSED]


def test_what_was_claimed_and_never_told_is_claimed_again_after_a_while_as_it_was(troubles: TroubleTable) -> None:
    assert troubles.begin("d", REFUSED, NOW, AGO) == REFUSED
    assert troubles.begin("d", LATER, NOW + 59, NOW - 1) is None
    assert troubles.begin("d", LATER, NOW + 60, NOW) == REFUSED
    troubles.settle("d", REFUSED, is_told=True)
    assert troubles.look_up(["d"]) == {"d": Known(REFUSED, is_told=True)}


def test_a_claim_that_is_given_back_can_be_had_at_once(troubles: TroubleTable) -> None:
    troubles.begin("d", REFUSED, NOW, AGO)
    troubles.settle("d", REFUSED, is_told=False)
    assert troubles.look_up(["d"]) == {"d": Known(REFUSED, is_told=False)}
    assert troubles.begin("d", LATER, NOW, AGO) == REFUSED


def test_what_is_told_is_not_claimed_again_but_its_end_is_by_one(troubles: TroubleTable) -> None:
    troubles.begin("d", REFUSED, NOW, AGO)
    assert not troubles.end("d", REFUSED, NOW, AGO)
    troubles.settle("d", REFUSED, is_told=True)
    assert troubles.look_up(["c", "d"]) == {"d": Known(REFUSED, is_told=True)}
    assert troubles.begin("d", LATER, NOW + DAY, NOW + DAY - 60) is None
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda _: troubles.end("d", REFUSED, NOW, AGO), range(24)))
    assert won.count(True) == 1
    assert troubles.end("d", REFUSED, NOW + 60, NOW)


def test_a_trouble_that_is_forgotten_can_begin_again_and_is_not_ended_by_who_knew_the_last(
    troubles: TroubleTable,
) -> None:
    troubles.begin("d", REFUSED, NOW, AGO)
    troubles.settle("d", REFUSED, is_told=True)
    troubles.forget("d", REFUSED)
    assert troubles.look_up(["d"]) == {}
    assert troubles.begin("d", LATER, NOW, AGO) == LATER
    troubles.settle("d", LATER, is_told=True)
    assert not troubles.end("d", REFUSED, NOW, NOW)
    troubles.forget("d", REFUSED)
    troubles.settle("d", REFUSED, is_told=False)
    assert troubles.look_up(["d"]) == {"d": Known(LATER, is_told=True)}


def test_a_row_vanishes_30_days_after_it_was_claimed(troubles: TroubleTable, table: Any) -> None:
    troubles.begin("d", REFUSED, NOW, AGO)
    item = table.get_item(TableName=TABLE, Key={"key": {"S": "trouble#d"}})["Item"]
    assert item["expires"] == {"N": str(int(NOW) + 30 * DAY)}


@pytest.mark.parametrize(
    ("operation", "ask"),
    [
        ("UpdateItem", lambda troubles: troubles.begin("d", REFUSED, NOW, AGO)),
        ("UpdateItem", lambda troubles: troubles.settle("d", REFUSED, is_told=True)),
        ("UpdateItem", lambda troubles: troubles.end("d", REFUSED, NOW, AGO)),
        ("UpdateItem", lambda troubles: troubles.forget("d", REFUSED)),
        ("BatchGetItem", lambda troubles: troubles.look_up(["d"])),
    ],
)
@pytest.mark.parametrize("code", ["InternalServerError", "unreachable"])
def test_a_table_that_fails_is_one_error_whatever_is_asked(
    troubles: TroubleTable, faults: Faults, operation: str, ask: Callable[[TroubleTable], object], code: str
) -> None:
    faults.fail(operation, code)
    with pytest.raises(StateUnavailable):
        ask(troubles)


def test_a_row_that_is_none_of_ours_is_an_error_of_the_table(troubles: TroubleTable, table: Any) -> None:
    for facts in ({}, {"facts": {"S": "canary"}}):
        table.put_item(
            TableName=TABLE, Item={"key": {"S": "trouble#d"}, "since": {"N": "1"}, "told": {"N": "1"}, **facts}
        )
        with pytest.raises(StateUnavailable, match="none of ours"):
            troubles.look_up(["d"])


def test_a_read_that_is_not_whole_is_an_error(
    troubles: TroubleTable, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"Responses": {}, "UnprocessedKeys": {TABLE: {"Keys": [{"key": {"S": "trouble#d"}}]}}}
    monkeypatch.setattr(table, "batch_get_item", lambda **_: answer)
    with pytest.raises(StateUnavailable):
        troubles.look_up(["d"])
