"""The template keeps every rule in every state, and no rule lets its weakening pass."""

import json
from functools import cache
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from tests.support.template import Template, changed, decided, translated, written
from tests.unit.template import alarms, insights, limits, monitoring, policies, references, replacement
from tests.unit.template.policies import Policy
from tests.unit.template.states import EVERYTHING, STATES, state
from tests.unit.template.weakened import WEAKENED

IN_ANY_STATE: list[Policy] = [
    policies.visibility,
    policies.redrive,
    policies.partial_responses,
    policies.concurrency,
    policies.queues,
    policies.tls,
    policies.log_groups,
    policies.roles,
    policies.api,
    policies.bucket,
    policies.archive,
    policies.encryption,
    policies.outputs,
    alarms.an_alarm_for_each_queue,
    alarms.alarms_for_deliver,
    alarms.alarms_for_the_api,
    alarms.no_alarm_for_what_passes_by_itself,
    alarms.queries,
    alarms.this_stack_alone,
    alarms.evaluation,
    alarms.notifying,
    references.cycles,
    references.unresolved,
    limits.names,
    limits.sizes,
    replacement.kept_when_replaced,
    insights.queries_by_the_grammar,
    monitoring.metric_math,
    monitoring.dashboard,
    monitoring.access_log,
]


@pytest.mark.parametrize("name", STATES)
def test_the_template_keeps_every_rule_in_every_state(name: str) -> None:
    assert {rule.__name__: faults for rule in IN_ANY_STATE if (faults := rule(state(name)))} == {}


def test_the_states_turn_every_parameter_by_itself_and_all_of_them_together() -> None:
    parameters = written()["Parameters"]
    assert EVERYTHING.keys() == parameters.keys()
    assert [name for name, each in EVERYTHING.items() if each == str(parameters[name]["Default"])] == []
    assert {name for each in STATES.values() for name in each} == parameters.keys()
    assert len(STATES) >= 12


@cache
def strong() -> Template:
    return translated(written())


def linted(template: Template) -> list[str]:
    """What cfn-lint says of a translated template; `make lint` reads the one before, where it sees no cycle."""
    return [f"{each.rule.id} {each}" for each in lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))]


def test_the_translated_template_is_clean_for_cfn_lint() -> None:
    # It weighs every condition both ways itself, and no parameter changes what SAM's translator makes: once is enough.
    assert [name for name, each in STATES.items() if translated(written(), **each) != strong()] == []
    assert linted(strong()) == []


def test_cfn_lint_would_find_what_breaks_the_translated_template() -> None:
    circular = changed(strong(), "Resources/TaskQueue/DependsOn", "DeliverRole")
    broken = changed(circular, "Resources/IngestLogGroup/Properties/RetentionInDays", {"Ref": "NoSuchParameter"})
    said = "".join(linted(broken))
    assert "E3004" in said
    assert "NoSuchParameter" in said


def weakened(path: str, value: Any) -> Template:
    """Change the template before it is translated where SAM reads it, else after it: translating takes the time."""
    part, name, *_ = path.split("/")
    kind = written()["Resources"].get(name, {"Type": ""})["Type"]
    before = part == "Globals" or kind.startswith("AWS::Serverless")
    return translated(changed(written(), path, value)) if before else changed(strong(), path, value)


@pytest.mark.parametrize(("policy", "path", "value"), WEAKENED)
def test_no_weakening_passes(policy: Policy, path: str, value: Any) -> None:
    weak = weakened(path, value)
    assert [each for parameters in ({}, EVERYTHING) for each in policy(decided(weak, **parameters))] != []


def test_every_rule_has_a_weakening() -> None:
    assert {each.__name__ for each in IN_ANY_STATE} == {policy.__name__ for policy, _, _ in WEAKENED}
