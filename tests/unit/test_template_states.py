"""Each parameter that turns something on, off and on, in the transformed template."""

import json
import tomllib
from typing import Any

import pytest

from tests.support.template import ROOT, Template, name_of, resources, transformed, written
from tests.unit.template_alarms import alarms
from tests.unit.test_template import EVERYTHING, KEY

USES_THE_KEY = {
    "AWS::SQS::Queue": ("KmsMasterKeyId", 2),
    "AWS::Logs::LogGroup": ("KmsKeyId", 3),
    "AWS::SecretsManager::Secret": ("KmsKeyId", 1),
}


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def template(**parameters: str) -> Template:
    return transformed(written(), **parameters)


def properties(made: Template, name: str) -> dict[str, Any]:
    found: dict[str, Any] = made["Resources"][name]["Properties"]
    return found


def statements(made: Template, role: str) -> list[dict[str, Any]]:
    (policy,) = properties(made, role)["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_by_default_no_parameter_that_turns_something_on_leaves_a_trace() -> None:
    said = json.dumps(template()["Resources"])
    assert [name for name in EVERYTHING if f'"{name}"' in said] == []


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_parameter_that_turns_something_on_is_used_when_it_is_given(name: str) -> None:
    # Subnets and security groups only work together.
    together = {"SubnetIds", "SecurityGroupIds"} if name in {"SubnetIds", "SecurityGroupIds"} else {name}
    said = json.dumps(template(**{each: EVERYTHING[each] for each in together})["Resources"])
    assert [each for each in EVERYTHING if f'"{each}"' in said and each not in together] == []
    assert f'"{name}"' in said


@pytest.mark.parametrize("kind", USES_THE_KEY)
def test_a_key_is_used_by_whatever_keeps_something(kind: str) -> None:
    key, at_least = USES_THE_KEY[kind]
    made, without = template(KmsKeyArn=KEY), template()
    of_a_kind = list(resources(made, kind))
    assert len(of_a_kind) >= at_least
    assert [name for name, each in of_a_kind if each.get(key) != {"Ref": "KmsKeyArn"}] == []
    assert [name for name, each in resources(without, kind) if key in each] == []


def test_a_key_takes_the_place_of_the_encryption_that_is_there_without_one() -> None:
    made, without = template(KmsKeyArn=KEY), template()
    for queue in ("TaskQueue", "DeadLetterQueue"):
        # SQS refuses both at once.
        assert "SqsManagedSseEnabled" not in properties(made, queue)
        assert properties(without, queue)["SqsManagedSseEnabled"] is True
    (rule,) = properties(made, "BodiesBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}}
    assert rule == {"ServerSideEncryptionByDefault": by_key, "BucketKeyEnabled": True}
    (rule,) = properties(without, "BodiesBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    table = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "KmsKeyArn"}}
    assert properties(made, "StateTable")["SSESpecification"] == table
    assert "SSESpecification" not in properties(without, "StateTable")


@pytest.mark.parametrize("role", ["IngestRole", "DeliverRole", "PrecheckRole"])
def test_with_a_key_the_roles_may_use_it_and_no_other(role: str) -> None:
    of_keys = [each for each in statements(template(KmsKeyArn=KEY), role) if "kms:" in json.dumps(each["Action"])]
    allowed = {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": {"Ref": "KmsKeyArn"}}
    assert of_keys == [{"Sid": "UseTheKey", "Effect": "Allow", **allowed}]
    assert "kms:" not in json.dumps(statements(template(), role))


@pytest.mark.parametrize("function", ["IngestFunction", "DeliverFunction", "PrecheckFunction"])
def test_in_a_vpc_a_function_has_its_subnets_and_its_role_may_connect_it(function: str) -> None:
    made, without = template(SubnetIds="a,b", SecurityGroupIds="c"), template()
    connected = {"SubnetIds": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}
    assert properties(made, function)["VpcConfig"] == connected
    role = name_of(properties(made, function)["Role"])
    assert properties(made, role)["ManagedPolicyArns"] == [{"Ref": "NetworkPolicy"}]
    assert "VpcConfig" not in properties(without, function)
    assert "ManagedPolicyArns" not in properties(without, role)
    assert "NetworkPolicy" not in without["Resources"]


def test_what_connects_a_function_to_a_vpc_is_denied_to_its_own_code() -> None:
    made = properties(template(SubnetIds="a", SecurityGroupIds="c"), "NetworkPolicy")
    allowed = [each for each in made["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    (denied,) = [each for each in made["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
    several = [one["Action"] if isinstance(one["Action"], list) else [one["Action"]] for one in allowed]
    named = {each for actions in several for each in actions}
    assert named == {*denied["Action"]}
    assert denied["Resource"] == "*"
    assert [*denied["Condition"]] == ["ArnLike"]
    assert [*denied["Condition"]["ArnLike"]] == ["lambda:SourceFunctionArn"]


@pytest.mark.parametrize("role", ["IngestRole", "DeliverRole", "PrecheckRole"])
def test_a_boundary_bounds_the_roles(role: str) -> None:
    made = template(PermissionsBoundaryArn="arn:aws:iam::123456789012:policy/b")
    assert properties(made, role)["PermissionsBoundary"] == {"Ref": "PermissionsBoundaryArn"}
    assert "PermissionsBoundary" not in properties(template(), role)


@pytest.mark.parametrize("name", ["Ingest", "Deliver"])
def test_functions_are_set_aside_by_parameter_each_by_its_own(name: str) -> None:
    made = template(**{f"{name}ReservedConcurrency": "7"})
    reserved = {function: each.get("ReservedConcurrentExecutions") for function, each in _functions(made)}
    assert reserved[f"{name}Function"] == {"Ref": f"{name}ReservedConcurrency"}
    assert [each for each in reserved.values() if each] == [reserved[f"{name}Function"]]


def _functions(made: Template) -> list[tuple[str, dict[str, Any]]]:
    return list(resources(made, "AWS::Lambda::Function"))


def test_alarms_are_there_whether_somebody_is_told_or_not() -> None:
    silent, told = alarms(template()), alarms(template(AlarmTopicArn=EVERYTHING["AlarmTopicArn"]))
    assert silent.keys() == told.keys()
    assert len(silent) >= 15
    assert [name for name, each in silent.items() if "AlarmActions" in each or "OKActions" in each] == []


def test_silence_is_alarmed_if_asked_for_and_by_the_hour() -> None:
    assert "quiet" not in alarms(template())
    alarm = alarms(template(QuietHours="6"))["quiet"]
    assert alarm["EvaluationPeriods"] == {"Ref": "QuietHours"}
    assert "AcceptedEvents" in template(QuietHours="6")["Resources"]
    assert "AcceptedEvents" not in template()["Resources"]


def test_the_local_stack_gets_every_alarm_but_those_on_expressions() -> None:
    everywhere = alarms(template(QuietHours="6"))
    local = alarms(template(QuietHours="6", ConfigurationPath="/somewhere/flagcast.yaml"))
    assert {name for name, each in everywhere.items() if "Metrics" not in each} == local.keys()
    assert everywhere.keys() - local.keys() == {"tasks-waiting", "rejected-events", "failing-destinations", "quiet"}


def test_every_parameter_of_samconfig_is_the_templates_and_every_environment_is_tagged() -> None:
    known = written()["Parameters"].keys()
    environments = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for name in ("staging", "production"):
        said = environments[name]["deploy"]["parameters"]
        assert {each.partition("=")[0] for each in said["parameter_overrides"].split()} <= known
        assert dict(each.split("=") for each in said["tags"].split()) == {"application": "flagcast", "stage": name}
