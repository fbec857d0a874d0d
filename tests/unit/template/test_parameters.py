"""What each parameter that turns something on does to the translated template, and which are refused."""

import json
import re
import tomllib
from typing import Any

import pytest

from tests.support.template import ROOT, Template, name_of, refused, resources, transformed, translated, written
from tests.unit.template.alarms import alarms
from tests.unit.template.states import KEY, TURNS_SOMETHING_ON

USES_THE_KEY = {
    "AWS::SQS::Queue": ("KmsMasterKeyId", 2),
    "AWS::Logs::LogGroup": ("KmsKeyId", 3),
    "AWS::SecretsManager::Secret": ("KmsKeyId", 1),
}


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
    assert [name for name in TURNS_SOMETHING_ON if f'"{name}"' in said] == []


@pytest.mark.parametrize("name", TURNS_SOMETHING_ON)
def test_a_parameter_that_turns_something_on_is_used_when_it_is_given(name: str) -> None:
    # Subnets and security groups only work together.
    together = {"SubnetIds", "SecurityGroupIds"} if name in {"SubnetIds", "SecurityGroupIds"} else {name}
    said = json.dumps(template(**{each: TURNS_SOMETHING_ON[each] for each in together})["Resources"])
    assert [each for each in TURNS_SOMETHING_ON if f'"{each}"' in said and each not in together] == []
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
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}}
    for bucket in ("BodiesBucket", "ArchiveBucket"):
        (rule,) = properties(made, bucket)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule == {"ServerSideEncryptionByDefault": by_key, "BucketKeyEnabled": True}
        (rule,) = properties(without, bucket)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    table = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "KmsKeyArn"}}
    assert properties(made, "StateTable")["SSESpecification"] == table
    assert "SSESpecification" not in properties(without, "StateTable")


@pytest.mark.parametrize("role", ["IngestRole", "DeliverRole"])
def test_with_a_key_the_roles_may_use_it_and_no_other(role: str) -> None:
    of_keys = [each for each in statements(template(KmsKeyArn=KEY), role) if "kms:" in json.dumps(each["Action"])]
    allowed = {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": {"Ref": "KmsKeyArn"}}
    assert of_keys == [{"Sid": "UseTheKey", "Effect": "Allow", **allowed}]
    assert "kms:" not in json.dumps(statements(template(), role))


@pytest.mark.parametrize("function", ["IngestFunction", "DeliverFunction"])
def test_in_a_vpc_a_function_has_its_subnets_and_its_role_may_connect_it(function: str) -> None:
    made, without = template(SubnetIds="a,b", SecurityGroupIds="c"), template()
    connected = {name: {"Fn::Split": [",", {"Ref": name}]} for name in ("SubnetIds", "SecurityGroupIds")}
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


@pytest.mark.parametrize("role", ["IngestRole", "DeliverRole"])
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


def test_alarms_are_there_whether_someone_is_notified_or_not() -> None:
    silent, told = alarms(template()), alarms(template(AlarmTopicArn=TURNS_SOMETHING_ON["AlarmTopicArn"]))
    assert silent.keys() == told.keys()
    assert len(silent) >= 12
    assert [name for name, each in silent.items() if "AlarmActions" in each or "OKActions" in each] == []


def test_silence_is_alarmed_if_asked_for_and_by_the_hour() -> None:
    assert "quiet" not in alarms(template())
    alarm = alarms(template(QuietHours="6"))["quiet"]
    assert alarm["EvaluationPeriods"] == {"Ref": "QuietHours"}
    assert "AcceptedEvents" in template(QuietHours="6")["Resources"]
    assert "AcceptedEvents" not in template()["Resources"]


@pytest.mark.parametrize(
    ("subnets", "groups", "fault"),
    [
        ("", "", ""),
        ("subnet-1,subnet-2", "sg-1", ""),
        ("subnet-1", "", "SubnetIds needs SecurityGroupIds"),
        ("", "sg-1,sg-2", "SecurityGroupIds needs SubnetIds"),
    ],
)
def test_a_vpc_has_subnets_and_security_groups_or_neither(subnets: str, groups: str, fault: str) -> None:
    found = refused(translated(written()), SubnetIds=subnets, SecurityGroupIds=groups)
    assert [each.partition(".")[0] for each in found] == ([fault] if fault else [])


@pytest.mark.parametrize("days", ["0", "2557"])
@pytest.mark.parametrize("lock", ["off", "governance", "compliance"])
def test_a_lock_needs_days(days: str, lock: str) -> None:
    found = refused(translated(written()), ArchiveDays=days, ArchiveLock=lock)
    is_wrong = days == "0" and lock != "off"
    assert [each.partition(",")[0] for each in found] == (["ArchiveLock needs ArchiveDays"] if is_wrong else [])


def test_the_archive_is_there_whether_events_are_archived_or_not_and_drops_nothing_while_they_are_not() -> None:
    off, on = properties(template(), "ArchiveBucket"), properties(template(ArchiveDays="2557"), "ArchiveBucket")
    assert "LifecycleConfiguration" not in off
    lifecycle = on["LifecycleConfiguration"]["Rules"]
    assert lifecycle[0]["ExpirationInDays"] == {"Ref": "ArchiveDays"}
    assert {**off, "LifecycleConfiguration": on["LifecycleConfiguration"]} == on


@pytest.mark.parametrize(("days", "archives"), [("0", "off"), ("1", "on")])
def test_the_functions_know_the_archive_and_whether_events_are_archived(days: str, archives: str) -> None:
    for _, function in _functions(template(ArchiveDays=days)):
        variables = function["Environment"]["Variables"]
        assert variables["FLAGCAST_ARCHIVE_BUCKET"] == {"Fn::GetAtt": ["ArchiveBucket", "Arn"]}
        assert variables["FLAGCAST_ARCHIVE"] == archives


def test_a_lock_holds_for_the_days_of_the_archive() -> None:
    for lock, mode in (("governance", "GOVERNANCE"), ("compliance", "COMPLIANCE")):
        made = properties(template(ArchiveDays="2557", ArchiveLock=lock), "ArchiveBucket")
        retention = {"Mode": mode, "Days": {"Ref": "ArchiveDays"}}
        assert made["ObjectLockConfiguration"]["Rule"] == {"DefaultRetention": retention}
    for unlocked in ({"ArchiveDays": "2557"}, {}, {"ArchiveLock": "compliance"}):
        assert "ObjectLockConfiguration" not in properties(template(**unlocked), "ArchiveBucket")


def test_only_deliver_may_write_to_the_archive_and_neither_function_may_read_or_delete() -> None:
    for role, expected in (("IngestRole", []), ("DeliverRole", ["s3:PutObject"])):
        found = [each["Action"] for each in statements(template(), role) if "ArchiveBucket" in json.dumps(each)]
        assert found == expected


def test_the_default_endpoint_is_turned_off_for_a_custom_domain() -> None:
    key = "x-amazon-apigateway-endpoint-configuration"
    for value, disabled in (("on", False), ("off", True)):
        body = properties(template(DefaultEndpoint=value), "HttpApi")["Body"]
        assert body["servers"][0][key] == {"disableExecuteApiEndpoint": disabled}


def test_the_state_table_is_backed_up_if_asked_for() -> None:
    for value, backed_up in (("off", False), ("on", True)):
        table = properties(template(PointInTimeRecovery=value), "StateTable")
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": backed_up}


def test_every_parameter_is_explained_by_a_sentence_and_has_its_place_in_the_console() -> None:
    parameters, shown = written()["Parameters"], written()["Metadata"]["AWS::CloudFormation::Interface"]
    assert [name for name, each in parameters.items() if not each["Description"].endswith((".", ")."))] == []
    listed = [name for group in shown["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(listed) == sorted(parameters)
    documented = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert [name for name in parameters if f"`{name}`" not in documented] == []


def test_every_alarm_has_its_line_in_the_documentation_and_no_other_has() -> None:
    lines = (ROOT / "docs/operations.md").read_text(encoding="utf-8").partition("## Alarms")[2].partition("\n## ")[0]
    listed = {
        name
        for line in lines.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([a-z-]+)`", line.split("|")[1])
    }
    assert listed == alarms(template(QuietHours="6")).keys()


def test_every_parameter_of_samconfig_is_the_templates_and_every_environment_is_tagged() -> None:
    known = written()["Parameters"].keys()
    environments = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for name in ("staging", "production"):
        said = environments[name]["deploy"]["parameters"]
        assert {each.partition("=")[0] for each in said["parameter_overrides"].split()} <= known
        assert dict(each.split("=") for each in said["tags"].split()) == {"application": "flagcast", "stage": name}
