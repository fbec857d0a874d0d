"""What the local stack leaves out of the template, as its emulator refuses it, and what it changes."""

from pathlib import Path

from flagcast_cli.local.stack import for_emulator
from tests.support.template import changed, decided, translated, written
from tests.unit.template.alarms import alarms

CONFIGURATION = Path("/somewhere/flagcast.yaml")
ON_EXPRESSIONS = {"tasks-waiting", "rejected-events", "failing-destinations", "quiet"}


def test_the_local_stack_gets_every_alarm_but_those_that_compute_something() -> None:
    everywhere = alarms(decided(translated(written()), QuietHours="6"))
    local = alarms(decided(translated(for_emulator(written(), CONFIGURATION)), QuietHours="6"))
    assert {name for name, each in everywhere.items() if "Metrics" not in each} == local.keys()
    assert everywhere.keys() - local.keys() == ON_EXPRESSIONS


def test_the_local_stack_reads_the_configuration_where_it_is_and_is_the_template_otherwise() -> None:
    local = for_emulator(written(), CONFIGURATION)
    path = "Globals/Function/Environment/Variables/FLAGCAST_CONFIG"
    assert local["Globals"] == changed(written(), path, str(CONFIGURATION))["Globals"]
    kept = local["Resources"]
    assert kept == {name: each for name, each in written()["Resources"].items() if name in kept}
    assert written()["Globals"]["Function"]["Environment"]["Variables"]["FLAGCAST_CONFIG"] == "/opt/flagcast.yaml"
