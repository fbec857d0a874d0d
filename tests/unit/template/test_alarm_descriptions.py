"""What an alarm says to who is paged: which command answers the next question."""

import re
import shlex

import pytest

from flagcast_cli.checkout import ROOT
from flagcast_cli.main import app
from tests.support.template import written
from tests.unit.template.alarms import alarms

ALARMS = alarms(written())
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def command(name: str) -> list[str]:
    """Return the words of the command that an alarm's description names."""
    found = re.search(r"Next: (flagcast .*)", ALARMS[name]["AlarmDescription"]["Fn::Sub"])
    assert found is not None, name
    return shlex.split(found[1].replace("${AWS::StackName}", "prod"))


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_names_a_command_that_can_be_typed_as_it_is(name: str) -> None:
    words = command(name)
    assert words[-2:] == ["--stack", "prod"]
    _, bound, _ = app.parse_args(words[1:], exit_on_error=False, print_error=False)
    assert bound.arguments["stack"] == "prod"


@pytest.mark.parametrize("name", ALARMS)
def test_the_page_names_the_same_command(name: str) -> None:
    [row] = re.findall(rf"^\| `{name}` \|.*$", PAGE, re.MULTILINE)
    assert f"`{shlex.join(command(name)[:-2])}`" in row
