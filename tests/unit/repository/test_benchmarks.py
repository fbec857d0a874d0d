"""What the benchmarks calculate from their figures, and that the documents say it."""

import io
import itertools
import math
import re
from pathlib import Path
from typing import Any

import pytest
from benchmarks import alarms, cost, documents, prices, run, scaling, staying
from benchmarks.environments import share_of_a_processor
from benchmarks.measuring import ROOT, Figure, compared, in_turns
from benchmarks.prices import Price
from benchmarks.results_file import read
from benchmarks.usage import Series, step
from benchmarks.usage import read as read_usage
from msgspec import structs
from rich.console import Console

from flagcast.delivery.batch_processor import BATCH_SIZE
from flagcast.delivery.retry_schedule import LONGEST_DELAY, LONGEST_STAY, MOST_RECEIVES
from flagcast.primitives.duration import DAY, HOUR
from flagcast.tasks.outcomes import CircuitOpen, Outcome, Paused
from tests.support.template import Template, decided, resources, written

USAGE = read_usage()


def test_the_documents_carry_the_last_run_and_what_follows_from_it() -> None:
    for path, made in documents.sections().items():
        text = path.read_text(encoding="utf-8")
        assert documents.with_sections(text, made) == text, "python -m benchmarks.documents writes them"
        named = re.findall(r"<!-- computed: (\w+) -->", text)
        assert sorted(named) == sorted(made), f"{path.name} has a section that is not computed"


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


def test_the_page_on_performance_says_which_limits_are_missed_and_by_how_much() -> None:
    result = read()
    kept, missed = (
        compared("a", "ms CPU", [2.0], [1.0], "b", 2.0),
        compared("c", "per second", [7.0], [1.0], "d", 8.0, at_least=True),
    )
    unlimited = compared("e", "ms", [9.0], [1.0], "f")
    assert "Every limit is kept." in documents.ratios(structs.replace(result, rows=[kept, unlimited]))
    said = documents.ratios(structs.replace(result, rows=[kept, missed, unlimited]))
    assert "1 of 2 limits are kept. Missed:\n\n- c, beside d: 7.00, limit 8.0\n" in said


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
    for item in cost.items(1_000_000, ingest_ms=2.0, deliver_ms=50.0, usage=USAGE):
        by_stage[item.stage] = by_stage.get(item.stage, 0) + item.dollars(with_free=False)
    assert by_stage["API Gateway"] == pytest.approx(1.00)
    # A million invocations, and 22 ms of half a GB for each.
    assert by_stage["Lambda ingest"] == pytest.approx(0.20 + 11_000 * 0.0000166667)
    # 3.03 million attempts, and 50 ms of half a GB for each.
    assert by_stage["Lambda deliver"] == pytest.approx(3.03 * 0.20 + 75_750 * 0.0000166667)
    # A send for each event, a receive for each attempt, a delete for each delivery, a delay for each retry. No receive
    # is empty.
    assert by_stage["SQS FIFO"] == pytest.approx((1 + 3.03 + 3 + 0.03) * 0.50)
    # What ingest reads and writes; a unit for each first attempt and each refusal, two for what is delivered after it;
    # a write for each refusal; and what the rows take.
    read, written = USAGE.ingest.read_units + 2.97 + 0.03 + 0.06, USAGE.ingest.write_units + 0.03
    rows = (30_000 * USAGE.row_bytes + 1_000 * USAGE.known_row_bytes) / 1e9 * 0.25
    assert by_stage["DynamoDB"] == pytest.approx(read * 0.125 + written * 0.625 + rows)


def test_a_write_costs_a_unit_for_each_kilobyte_of_its_row_rounded_up() -> None:
    # It counted one for every row.
    def units(size: int) -> float:
        put = {"TableName": "state", "Item": {"key": {"S": "x" * (size - 3)}}}
        return step([("", [("PutItem", put)])]).write_units

    assert [units(size) for size in (100, 1024, 1025, 2048, 2049)] == [1, 1, 2, 2, 3]


def test_an_event_is_settled_by_one_read_and_one_write_of_a_row_that_remembers_as_much_as_it_can() -> None:
    assert (USAGE.ingest.calls["BatchGetItem"], USAGE.ingest.calls["PutItem"]) == (1, 1)
    assert USAGE.ingest.read_units >= 1
    # Twenty events of some 49 bytes, and two states.
    assert USAGE.ingest.write_units == 2


def test_log_lines_cost_what_they_measure() -> None:
    per_event = USAGE.ingest.log_bytes + USAGE.access_log_bytes + USAGE.lambda_bytes
    first, refused, again = (
        step.log_bytes + USAGE.lambda_bytes for step in (USAGE.delivered, USAGE.refused, USAGE.again)
    )
    gigabytes = (per_event + 2.97 * first + 0.03 * refused + 0.03 * again) / 1e3
    items = {item.what: item.quantity for item in cost.items(1_000_000, 2.0, 50.0, USAGE)}
    assert items["GB ingested"] == items["GB kept 30 days"] == pytest.approx(gigabytes)


def test_an_idle_stack_costs_what_is_always_there_and_what_asks_an_empty_queue() -> None:
    idle = {item.what: item.dollars(with_free=False) for item in cost.items(0, 2.0, 50.0, USAGE)}
    assert {what for what, dollars in idle.items() if dollars} == {
        "empty receives",
        "metrics that the alarms list",
        "dashboards",
        "secrets: Flipt's, one for each destination",
    }
    assert idle["empty receives"] == pytest.approx(648_000 * 0.50e-6)


def test_a_custom_metric_costs_the_hours_in_which_it_has_a_value() -> None:
    def metrics(events: int) -> float:
        [found] = [item.quantity for item in cost.items(events, 2.0, 50.0, USAGE) if item.stage == "Custom metrics"]
        return found

    # One of the source, and for each destination four of deliveries and one of retries.
    assert metrics(1_000_000) == 1 + 3 * 5
    # Ten retries of each destination are in ten hours of 720.
    assert metrics(1_000) == pytest.approx(1 + 3 * (4 + 10 / 720))


def test_the_free_tier_is_never_more_than_what_is_used() -> None:
    for item in cost.items(1_000, 2.0, 50.0, USAGE):
        assert 0 <= item.dollars(with_free=True) <= item.dollars(with_free=False)


def test_an_alarm_counts_each_metric_that_it_watches() -> None:
    listed = {"MetricStat": {"Metric": {"MetricName": "a"}}}
    computed = {"Id": "sum", "Expression": "a + b"}
    # It counted alarms, so that one that adds two metrics was one.
    assert alarms.watched(with_alarms({"MetricName": "a"}, {"Metrics": [computed, listed, listed]}), set()).listed == 3


def test_a_query_counts_each_metric_that_it_analyzes() -> None:
    query = 'SELECT AVG("Failed") FROM SCHEMA("Flagcast/${AWS::StackName}", "destination") GROUP BY "destination"'
    template = with_alarms({"Metrics": [{"Id": "query", "Expression": {"Fn::Sub": query}}]})
    a, b = (Series("Failed", (("destination", name),)) for name in "ab")
    other_name, other_dimensions = Series("Deliveries", a.dimensions), Series("Failed", (*a.dimensions, ("x", "y")))
    assert alarms.watched(template, {a, b, other_name, other_dimensions}) == alarms.Watched(listed=0, queried=2)


def test_a_query_that_is_not_understood_is_no_query_that_analyzes_nothing() -> None:
    template = with_alarms({"Metrics": [{"Id": "query", "Expression": 'SELECT AVG("Failed") FROM "Flagcast"'}]})
    with pytest.raises(ValueError, match="not understood: SELECT"):
        alarms.watched(template, {Series("Failed", ())})


def test_every_alarm_of_the_template_is_counted() -> None:
    without = decided(written())
    names = {name for name, _ in resources(without, "AWS::CloudWatch::Alarm")}
    queries = {"RejectedEventsAlarm", "FailingDestinationsAlarm"}
    used = set(USAGE.delivered.series)
    for name in names:
        rest = {each: resource for each, resource in without["Resources"].items() if each != name}
        before, after = alarms.watched(without, used), alarms.watched({**without, "Resources": rest}, used)
        # No captured event is rejected, so there is nothing that the query for those analyzes.
        fewer = {"TasksWaitingAlarm": 2, **dict.fromkeys(queries, 0)}.get(name, 1)
        assert before.listed - after.listed == fewer, name
    assert alarms.watched(without, used).queried == cost.DESTINATIONS
    on, off = (alarms.watched(decided(written(), QuietHours=hours), used).listed for hours in ("24", "0"))
    assert on - off == 1


def with_alarms(*several: dict[str, Any]) -> Template:
    named = {f"Alarm{at}": {"Type": "AWS::CloudWatch::Alarm", "Properties": each} for at, each in enumerate(several)}
    return {"Resources": named}


def test_the_readme_says_what_the_page_on_cost_says() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    size = read().at(cost.MEMORY)
    idle, thousand, million = (
        sum(item.dollars(with_free=False) for item in cost.items(events, size.ingest_warm, size.deliver_one, USAGE))
        for events in cost.EVENTS
    )
    assert f"About ${idle:.0f} a month idle" in readme
    assert f"${thousand:.0f} with 1,000 events for three destinations and ${million:.0f} with a million" in readme


def test_every_price_names_its_page_and_where_its_figure_was_read() -> None:
    named = {name: each for name, each in vars(prices).items() if isinstance(each, Price)}
    assert len(named) > 15
    assert all(re.match(r"https://\S+$", each.page) for each in named.values())
    read = (
        r"from memory$|as quoted by <https://\S+> \(\d{4}-\d\d-\d\d\)$|usage type .+, as quoted in public source code$"
    )
    assert all(re.match(read, each.read) for each in named.values())


def test_functions_are_as_fast_as_the_measured_times_let_them_be() -> None:
    result = read()
    size = result.at(cost.MEMORY)
    assert scaling.one_group(result, 50) == pytest.approx(1000 / size.deliver_one)
    assert scaling.many_groups(result, 50, 10) == pytest.approx(100 * 1000 / size.deliver_ten)
    assert scaling.hours_until(120_000, 120_000 / 86_400) == pytest.approx(24)


def test_functions_with_ten_tasks_of_one_group_each_are_as_fast_as_was_measured() -> None:
    # Ten tasks times the functions was given as the rate of any backlog, eight times what a fleet does with these.
    measured = [each for each in scaling.backlogs() if each.of_a_group == 10]
    assert {each.functions for each in measured} == {2, 8}
    for each in measured:
        # On fewer cores than functions, and beside queues and destinations.
        assert scaling.full_groups(read(), 50, each.functions) == pytest.approx(each.rate.median, rel=0.05)


def test_the_arithmetic_uses_the_templates_own_defaults() -> None:
    assert scaling.default("IngestMemory") == scaling.default("DeliverMemory") == cost.MEMORY
    assert scaling.default("ThrottlingRate") < scaling.API_GATEWAY
    assert written()["Resources"]["TasksWaitingAlarm"]["Properties"]["Threshold"] == scaling.ALARMED_AT


@pytest.mark.parametrize("outcome", [Paused(), CircuitOpen()], ids=["pause", "circuit"])
def test_a_group_that_is_deferred_is_given_up_at_13_days_and_not_before(outcome: Outcome) -> None:
    nearly = staying.held((LONGEST_STAY - HOUR, outcome))
    assert {each.ends for each in nearly} == {"delivered"}
    assert max(each.receives for each in nearly) < MOST_RECEIVES
    for each in staying.held((LONGEST_STAY, outcome)):
        assert each.ends == "expired"
        assert LONGEST_STAY <= each.seconds < LONGEST_STAY + HOUR


@pytest.mark.parametrize("before", [(), ((2 * DAY, Paused()),), ((2 * DAY, CircuitOpen()),)], ids=str)
def test_a_day_of_outage_gives_nothing_up_whatever_deferred_the_group_before(
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


def test_a_slot_that_lies_beyond_the_longest_delay_is_reached_by_several_deferrals() -> None:
    [last] = staying.throttled("1/s", 1)
    assert last.deferrals == math.ceil(last.seconds / LONGEST_DELAY) == 3
    assert last.receives == last.deferrals + 1


def test_a_group_with_a_share_of_a_processor_is_gone_afterwards() -> None:
    with share_of_a_processor(0.5) as group:
        if group is None:
            pytest.skip("no control group can be made here")
        assert Path(group).exists()
    assert not Path(group).exists()
