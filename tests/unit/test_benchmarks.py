"""What the benchmarks make of their figures, and that the documents say it."""

import io
import itertools
import math
import re
from pathlib import Path

import pytest
from benchmarks import cost, documents, prices, run, scaling, staying
from benchmarks.environments import share_of_a_processor
from benchmarks.measuring import ROOT, Figure, compared, in_turns
from benchmarks.prices import Price
from benchmarks.results_file import read
from rich.console import Console

from flagcast.core.duration import DAY, HOUR
from flagcast.core.outcomes import CircuitOpen, Outcome, Paused
from flagcast.core.retry import LONGEST_DELAY, LONGEST_STAY, MOST_RECEIVES
from flagcast.story.batch import BATCH_SIZE

SECTIONS = documents.sections()


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.name)
def test_the_documents_carry_the_last_run_and_what_follows_from_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert documents.with_sections(text, SECTIONS[path]) == text, "python -m benchmarks.documents writes them anew"


@pytest.mark.parametrize("path", SECTIONS, ids=lambda path: path.name)
def test_every_section_of_a_document_is_computed_by_somebody(path: Path) -> None:
    named = re.findall(r"<!-- computed: (\w+) -->", path.read_text(encoding="utf-8"))
    assert sorted(named) == sorted(SECTIONS[path])


def test_a_section_that_is_missing_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="stages: 0 sections"):
        documents.with_sections("# Cost\n", {"stages": "1"})


def test_what_make_bench_shows_fits_100_columns_whole() -> None:
    result, shown = read(), io.StringIO()
    console = Console(file=shown, width=run.WIDTH)
    console.print(run.comparison(result.rows))
    console.print(run.by_size(result.sizes))
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert "…" not in shown.getvalue()
    assert all(row.name in shown.getvalue() and row.beside in shown.getvalue() for row in result.rows)


def test_a_ratio_is_taken_round_by_round_and_held_to_its_limit_from_the_right_side() -> None:
    slower = compared("a", "ms", [2.0, 6.0, 3.0], [1.0, 2.0, 2.0], "b", 1.9)
    assert slower.ratio == Figure(2.0, 1.5, 3.0)
    assert not slower.holds
    assert compared("a", "ms", [2.0], [1.0], "b", 2.0).holds
    assert compared("a", "per second", [9.0], [1.0], "b", 8.0, at_least=True).holds
    assert not compared("a", "per second", [7.0], [1.0], "b", 8.0, at_least=True).holds


def test_measures_take_turns_in_an_order_that_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []
    counts = itertools.count(1)

    def measure(name: str) -> float:
        order.append(name)
        return float(next(counts))

    first, second = in_turns(2, lambda: measure("a"), lambda: measure("b"))
    assert sorted(order) == ["a", "a", "a", "b", "b", "b"]
    assert {"".join(order[at : at + 2]) for at in (0, 2, 4)} == {"ab", "ba"}
    assert sorted(first + second) == [3.0, 4.0, 5.0, 6.0]


def test_a_million_events_cost_what_their_formula_says() -> None:
    by_stage: dict[str, float] = {}
    for item in cost.items(1_000_000, ingest_ms=2.0, deliver_ms=50.0):
        by_stage[item.stage] = by_stage.get(item.stage, 0) + item.dollars(with_free=False)
    assert by_stage["API Gateway"] == pytest.approx(1.00)
    # A million invocations, and 12 ms of half a GB for each.
    assert by_stage["Lambda ingest"] == pytest.approx(0.20 + 6_000 * 0.0000166667)
    # 3.03 million attempts, and 50 ms of half a GB for each.
    assert by_stage["Lambda deliver"] == pytest.approx(3.03 * 0.20 + 75_750 * 0.0000166667)
    # A send for each event; a receive and a delete for each attempt; a delay for each retry. The queue is never empty.
    assert by_stage["SQS FIFO"] == pytest.approx((1 + 6.06 + 0.03) * 0.50)


def test_an_idle_stack_costs_what_stands_there_and_what_asks_an_empty_queue() -> None:
    idle = {item.what: item.dollars(with_free=False) for item in cost.items(0, 2.0, 50.0)}
    assert {what for what, dollars in idle.items() if dollars} == {
        "empty receives",
        "metrics",
        "dashboards",
        "secrets: Flipt's, one for each destination",
    }
    assert idle["empty receives"] == pytest.approx(648_000 * 0.50e-6)


def test_what_is_free_is_never_more_than_what_is_used() -> None:
    for item in cost.items(1_000, 2.0, 50.0):
        assert 0 <= item.dollars(with_free=True) <= item.dollars(with_free=False)


def test_every_price_says_where_it_was_read() -> None:
    named = {name: each for name, each in vars(prices).items() if isinstance(each, Price)}
    assert len(named) > 15
    assert all(re.match(r"(from memory: )?https://\S+$", each.source) for each in named.values())


def test_a_line_and_a_fleet_are_as_fast_as_their_service_times_let_them_be() -> None:
    result = read()
    size = result.at(cost.MEMORY)
    assert scaling.line(result, 50) == pytest.approx(1000 / size.deliver_one)
    assert scaling.per_second(result, 50, 10) == pytest.approx(100 * 1000 / size.deliver_ten)
    assert scaling.hours_until(120_000, 120_000 / 86_400) == pytest.approx(24)


def test_the_arithmetic_stands_on_the_templates_own_defaults() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")

    def default(parameter: str) -> int:
        found = re.search(rf"^  {parameter}:\n    Type: Number\n    Default: (\d+)$", template, re.MULTILINE)
        assert found, parameter
        return int(found[1])

    assert default("IngestMemory") == default("DeliverMemory") == cost.MEMORY
    assert default("MaximumConcurrency") == scaling.MAXIMUM_CONCURRENCY


@pytest.mark.parametrize("outcome", [Paused(), CircuitOpen()], ids=["pause", "circuit"])
def test_a_group_that_is_put_off_is_given_up_at_13_days_and_not_before(outcome: Outcome) -> None:
    nearly = staying.held((LONGEST_STAY - HOUR, outcome))
    assert {each.ends for each in nearly} == {"delivered"}
    assert max(each.receives for each in nearly) < MOST_RECEIVES
    for each in staying.held((LONGEST_STAY, outcome)):
        assert each.ends == "expired"
        assert LONGEST_STAY <= each.seconds < LONGEST_STAY + HOUR


@pytest.mark.parametrize("before", [(), ((2 * DAY, Paused()),), ((2 * DAY, CircuitOpen()),)], ids=str)
def test_a_day_of_outage_gives_nothing_up_whatever_put_the_group_off_before(
    before: tuple[tuple[float, Outcome], ...],
) -> None:
    stays = staying.held(*before, (DAY, staying.ILL))
    assert {each.ends for each in stays} == {"delivered"}
    assert max(each.receives for each in stays) < MOST_RECEIVES / 4


@pytest.mark.parametrize(("rate", "seconds"), [("50/s", 2_000), ("1/s", 100_000)])
@pytest.mark.parametrize("size", [1, staying.GROUP])
def test_the_last_of_a_throttled_backlog_is_delivered_when_its_rate_says(rate: str, seconds: int, size: int) -> None:
    stays = staying.throttled(rate, size)
    assert {each.ends for each in stays} == {"delivered"}
    assert max(each.seconds for each in stays) == pytest.approx(seconds, rel=0.001)
    assert max(each.receives for each in stays) < 2 * BATCH_SIZE


def test_a_slot_that_lies_beyond_the_longest_delay_is_reached_by_several_put_offs() -> None:
    [last] = staying.throttled("1/s", 1)
    assert last.put_offs == math.ceil(last.seconds / LONGEST_DELAY) == 3
    assert last.receives == last.put_offs + 1


def test_a_group_with_a_share_of_a_processor_is_gone_afterwards() -> None:
    with share_of_a_processor(0.5) as group:
        if group is None:
            pytest.skip("no control group can be made here")
        assert Path(group).exists()
    assert not Path(group).exists()
