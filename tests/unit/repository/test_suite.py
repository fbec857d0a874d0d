"""The suite's parts: none stops another, and the end says what failed and how to run it again."""

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console
from scripts.suite import SLOWEST, Ended, Part, parts, run, slowest, tell, timed

from tests.support.time_limits import PATIENCE

REPORT = """<testsuites><testsuite>
<testcase classname="tests.unit.test_a" name="test_one[1]" time="0.25"/>
<testcase classname="tests.unit.test_a" name="test_two" time="1.5"><failure/></testcase>
</testsuite></testsuites>"""


def exits(code: int) -> Part:
    return Part(f"exits {code}", (sys.executable, "-c", f"raise SystemExit({code})"))


def test_a_part_that_fails_stops_no_other(tmp_path: Path) -> None:
    ended = list(run([exits(0), exits(1), exits(0)], tmp_path))
    assert [each.passed for each in ended] == [True, False, True]


def test_parts_run_side_by_side_and_what_each_said_is_shown_in_their_order(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    met = tmp_path / "met"
    wait = f"import pathlib, time; p = pathlib.Path({str(met)!r}); end = time.monotonic() + {PATIENCE}\n"
    wait += "while not p.exists() and time.monotonic() < end: time.sleep(0.01)\nprint('first', p.exists())"
    first = Part("waits for the other", (sys.executable, "-c", wait))
    other = Part("other", (sys.executable, "-c", f"open({str(met)!r}, 'w'); print('second')"))
    assert [each.passed for each in run([first, other], tmp_path)] == [True, True]
    assert capfd.readouterr().out == "first True\n\nother:\nsecond\n"


def test_the_end_names_what_failed_with_the_command_that_runs_just_that() -> None:
    shown = io.StringIO()
    unit = Part("unit", ("pytest", "tests/unit", "-k", "a b"))
    ended = [Ended(unit, 61, passed=False, tests={"slow": 9.0}), Ended(Part("lint", ("make", "lint")), 5, passed=True)]
    tell(ended, Console(file=shown, width=200))
    assert "9.0 s  slow" in shown.getvalue()
    assert "unit failed. Run it alone: . .venv/bin/activate && pytest tests/unit -k 'a b'" in shown.getvalue()
    assert "lint failed" not in shown.getvalue()


def test_the_slowest_of_all_parts_come_first() -> None:
    assert timed(REPORT) == {"tests.unit.test_a::test_one[1]": 0.25, "tests.unit.test_a::test_two": 1.5}
    many = Ended(exits(0), 1, passed=True, tests={f"test {at}": at for at in range(30)})
    one = Ended(exits(0), 1, passed=True, tests={"the slowest": 99.0})
    assert [name for name, _ in slowest([many, one])][:2] == ["the slowest", "test 29"]
    assert len(slowest([many, one])) == SLOWEST


def test_arguments_of_pytest_narrow_a_suite_to_one_part() -> None:
    assert [each.name for each in parts("test", [])] == ["unit", "integration, end to end"]
    assert [each.command for each in parts("test", ["tests/unit", "-k", "x"])] == [("pytest", "tests/unit", "-k", "x")]
    assert [each.command for each in parts("test-long", ["-x"])] == [("pytest", "-m", "long", "-x")]
    assert [each.name for each in parts("test-long", [])] == ["long", "coverage"]
    assert [each.name for each in parts("check", [])] == ["lint", "unit"]
