"""`flagcast check --stack`: everything a stack can lack for a configuration, looked up over moto."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from flagcast_cli.console import CommandError
from flagcast_cli.deploy import stack_check as checking
from flagcast_cli.stack.account import Account
from tests.integration.cli.conftest import Run

CONFIGURATION = """
sources:
  flipt: {signing_secrets: ["${secret:flipt-signing-secret}"]}
  old: {bearer_tokens: ["${ssm:old-token}"]}
destinations:
  chat:
    url: ${secret:slack#webhook_url}
    headers: {X-Team: "${secret:slack#team}"}
    body: '{"text": "{{ event.type }}"}'
  signed:
    url: https://hooks.example.com/${ssm:path}
    sign: {scheme: standard-webhooks, secret: "${secret:sign}"}
"""
OWN = {"flagcast/flagcast/flipt-signing-secret": "own-canary"}
SECRETS = {
    **OWN,
    "flagcast/flagcast/slack": json.dumps({"webhook_url": "https://hooks.slack.com/canary", "team": "canary"}),
    "flagcast/flagcast/sign": "whsec_Y2FuYXJ5",
}
PARAMETERS = {"/flagcast/flagcast/old-token": "canary", "/flagcast/flagcast/path": "canary"}
CREATE = "aws secretsmanager create-secret --region eu-central-1 --name"
PUT = "aws ssm put-parameter --region eu-central-1 --name"


class Stack:
    """An account, and a configuration for a stack in it."""

    def __init__(self, folder: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        self.config = folder / "flagcast.yaml"
        self.config.write_text(CONFIGURATION)
        self._folder, self._run, self._capsys = folder, run, capsys
        self.parameters: dict[str, str] | None = None
        self.status = "UPDATE_COMPLETE"
        self.calls: set[str] = set()
        self.denied = ""

    def deploy(self, **parameters: str) -> None:
        """Have the stack deployed, with these parameters."""
        self.parameters = parameters

    def call(self, model: Any, **_: object) -> tuple[SimpleNamespace, dict[str, Any]] | None:
        """Note a call, and answer as CloudFormation does; moto's has dependencies of its own."""
        self.calls.add(model.name)
        if model.name == self.denied:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "canary"}}, model.name)
        if model.name != "DescribeStacks":
            return None
        if self.parameters is None:
            return SimpleNamespace(status_code=400), {"Error": {"Code": "ValidationError", "Message": "canary"}}
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()]
        found = {"StackName": "flagcast", "StackStatus": self.status, "Parameters": given}
        return SimpleNamespace(status_code=200), {"Stacks": [found]}

    def store(self, secrets: dict[str, str] = SECRETS, parameters: dict[str, str] = PARAMETERS) -> None:
        for name, value in secrets.items():
            boto3.client("secretsmanager").create_secret(Name=name, SecretString=value)
        for name, value in parameters.items():
            boto3.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString")

    def samconfig(self, text: str) -> None:
        (self._folder / "samconfig.toml").write_text(text)

    def check(self, *words: str) -> list[str]:
        """Check, and return each problem and what ends it; that there are some is its exit code."""
        code, found = self._checked(*words)
        lines = [line for each in found if each["severity"] == "error" for line in self._lines(each)]
        assert bool(lines) == bool(code)
        return lines

    def warnings(self, *words: str) -> list[str]:
        """Check what has no problem, and return what is warned of, but for sources without an environment."""
        code, found = self._checked(*words)
        assert code == 0
        return [line for each in found if "environment" not in each["message"] for line in self._lines(each)]

    def _checked(self, *words: str) -> tuple[int, list[dict[str, Any]]]:
        code = self._run("check", self.config, "--stack", "flagcast", "--json", *words)
        shown = self._capsys.readouterr()
        assert "canary" not in shown.out + shown.err
        return code, json.loads(shown.out)

    @staticmethod
    def _lines(each: dict[str, Any]) -> list[str]:
        path = f"{each['path']}: " if each["path"] else ""
        return [f"{path}{each['message']}", *([each["fix"]] if each["fix"] else [])]


@pytest.fixture
def stack(
    aws: None, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Stack:
    made, sign_in = Stack(tmp_path, run, capsys), Account.session

    def watched(account: Account) -> boto3.Session:
        session = sign_in(account)
        session.events.register("before-call", made.call)  # type: ignore[arg-type]  # what answers instead of AWS
        return session

    monkeypatch.setattr(Account, "session", watched)
    return made


def test_a_stack_that_has_everything_has_no_problem(stack: Stack) -> None:
    stack.deploy()
    stack.store()
    assert stack.check() == []
    assert stack.check("--values") == []


def test_what_is_missing_is_said_once_each_with_the_command_that_creates_it(stack: Stack) -> None:
    stack.deploy()
    assert stack.check() == [
        "sources.flipt: the secret flagcast/flagcast/flipt-signing-secret (${secret:flipt-signing-secret})"
        " is not in eu-central-1",
        f"{CREATE} flagcast/flagcast/flipt-signing-secret --secret-string '...'",
        "sources.old: the parameter /flagcast/flagcast/old-token (${ssm:old-token}) is not in eu-central-1",
        f"{PUT} /flagcast/flagcast/old-token --type SecureString --value '...'",
        "destinations.chat: the secret flagcast/flagcast/slack (${secret:slack}) is not in eu-central-1",
        f"""{CREATE} flagcast/flagcast/slack --secret-string '{{"webhook_url": "...", "team": "..."}}'""",
        "destinations.signed: the parameter /flagcast/flagcast/path (${ssm:path}) is not in eu-central-1",
        f"{PUT} /flagcast/flagcast/path --type SecureString --value '...'",
        "destinations.signed: the secret flagcast/flagcast/sign (${secret:sign}) is not in eu-central-1",
        f"{CREATE} flagcast/flagcast/sign --secret-string '...'",
    ]


def test_before_the_first_deploy_the_stacks_own_secret_may_be_missing_and_nothing_else(stack: Stack) -> None:
    stack.store({name: value for name, value in SECRETS.items() if name not in OWN})
    assert stack.check() == []
    assert stack.check("--values") == []
    boto3.client("ssm").delete_parameter(Name="/flagcast/flagcast/path")
    assert stack.check("--values")[0].startswith("destinations.signed: the parameter /flagcast/flagcast/path")


def test_a_change_set_that_was_not_executed_is_no_first_deploy(stack: Stack) -> None:
    # The stack is there then, without a resource: its own secret was missed, and the first deploy refused.
    stack.deploy()
    stack.status = "REVIEW_IN_PROGRESS"
    stack.store({name: value for name, value in SECRETS.items() if name not in OWN})
    assert stack.check("--values") == []


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_a_stack_whose_first_deploy_failed_must_be_deleted_first(stack: Stack, status: str) -> None:
    stack.deploy()
    stack.status = status
    stack.store({name: value for name, value in SECRETS.items() if name not in OWN})
    assert stack.check() == [
        f"flagcast: the stack is {status}: its first deploy failed, and it cannot be updated",
        "aws cloudformation delete-stack --region eu-central-1 --stack-name flagcast",
    ]


def test_the_prefixes_are_those_of_the_deployed_stack(stack: Stack) -> None:
    stack.deploy(SecretPrefix="shared/", ParameterPrefix="/shared/")
    stack.store(
        {name.replace("flagcast/flagcast/", "shared/"): value for name, value in SECRETS.items()},
        {name.replace("/flagcast/flagcast/", "/shared/"): value for name, value in PARAMETERS.items()},
    )
    assert stack.check("--values") == []


def test_before_the_first_deploy_prefixes_and_region_are_those_of_samconfig(stack: Stack) -> None:
    stack.samconfig(
        "[first.deploy.parameters]\nstack_name = 'flagcast'\nregion = 'eu-west-3'\n"
        "parameter_overrides = 'SecretPrefix=shared/'\n"
    )
    assert stack.check()[2] == "destinations.chat: the secret shared/slack (${secret:slack}) is not in eu-west-3"
    assert "--region eu-west-3 --name shared/slack" in stack.check()[3]
    assert "is not in eu-central-1" in stack.check("--region", "eu-central-1")[0]


def test_the_environment_can_be_named(stack: Stack) -> None:
    stack.samconfig("[other.deploy.parameters]\nparameter_overrides = 'SecretPrefix=other/'\n")
    assert "the secret other/slack" in stack.check("--env", "other")[2]
    with pytest.raises(CommandError, match="has no environment prod"):
        stack.check("--env", "prod")


def test_a_prefix_that_the_next_deploy_changes_is_looked_up_where_it_will_be(stack: Stack) -> None:
    stack.deploy()
    stack.store()
    stack.samconfig("[next.deploy.parameters]\nstack_name = 'flagcast'\nparameter_overrides = 'SecretPrefix=next/'\n")
    # The stack makes its own secret under the new prefix.
    assert [line.partition(" (")[0] for line in stack.check()[::2]] == [
        "destinations.chat: the secret next/slack",
        "destinations.signed: the secret next/sign",
    ]


def test_a_secret_that_is_marked_for_deletion_is_not_there(stack: Stack) -> None:
    stack.deploy()
    stack.store()
    boto3.client("secretsmanager").delete_secret(SecretId="flagcast/flagcast/slack", RecoveryWindowInDays=7)
    assert stack.check() == [
        "destinations.chat: the secret flagcast/flagcast/slack (${secret:slack}) is marked for deletion in"
        " eu-central-1",
        "aws secretsmanager restore-secret --region eu-central-1 --secret-id flagcast/flagcast/slack",
    ]


def test_one_secret_of_many_is_one_problem(stack: Stack) -> None:
    stack.deploy()
    stack.config.write_text(
        "sources: {flipt: {signing_secrets: ['${secret:flipt-signing-secret}']}}\n"
        "destinations: {" + ", ".join(f"{name}: {{url: '${{secret:one}}'}}" for name in "abc") + "}\n"
    )
    stack.store(OWN, {})
    problem = "the secret flagcast/flagcast/one (${secret:one}) is not in eu-central-1; 2 more need it"
    assert stack.check()[0] == f"destinations.a: {problem}"


def test_more_parameters_than_one_call_can_name_are_all_found(stack: Stack) -> None:
    stack.deploy()
    names = [f"token-{number}" for number in range(120)]
    stack.config.write_text(
        "sources: {flipt: {auth: none}}\ndestinations:\n"
        + "".join(f"  d-{name}: {{url: 'https://x.example.com/${{ssm:{name}}}'}}\n" for name in names)
    )
    stack.store({}, {f"/flagcast/flagcast/{name}": "canary" for name in names if name != "token-77"})
    assert [line.partition(" (")[0] for line in stack.check()[::2]] == [
        "destinations.d-token-77: the parameter /flagcast/flagcast/token-77"
    ]


def test_a_variable_must_be_in_the_template(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.deploy()
    stack.config.write_text(
        "sources: {flipt: {auth: none}}\ndestinations:\n"
        "  a: {url: 'https://${env:FLAGCAST_VAR_HOST}/'}\n  b: {url: 'https://${env:FLAGCAST_VAR_OTHER}/'}\n"
        "  c: {url: '${env:FLAGCAST_VAR_BAD}'}\n  d: {url: '${env:FLAGCAST_VAR_REF}'}\n"
    )
    variables = "{FLAGCAST_VAR_HOST: x.example.com, FLAGCAST_VAR_BAD: canary, FLAGCAST_VAR_REF: !Ref X}"
    template = tmp_path / "template.yaml"
    template.write_text(f"Globals: {{Function: {{Environment: {{Variables: {variables}}}}}}}\nResources: {{Q: {{}}}}\n")
    monkeypatch.setattr(checking, "TEMPLATE", template)
    missing = [
        "destinations.b: ${env:FLAGCAST_VAR_OTHER} is a variable that the functions do not have",
        "Add FLAGCAST_VAR_OTHER under Globals: Function: Environment: Variables in template.yaml.",
    ]
    assert stack.check() == missing
    assert stack.check("--values") == [*missing, "destinations.c.url: its secret does not contain an https:// address"]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        (
            "slack",
            '{"webhook_url": "canary", "team": "a"}',
            "chat.url: its secret does not contain an https:// address",
        ),
        (
            "slack",
            '{"webhook_url": "https://hooks.slack.com/", "team": "can\\nary"}',
            "chat.headers.X-Team: its secret contains a line break or NUL",
        ),
        (
            "slack",
            '{"webhook_url": "https://hooks.slack.com/"}',
            "chat: ${secret:slack#team}: the value is empty, binary, or not a JSON object with this key as a string",
        ),
        (
            "slack",
            "canary",
            "chat: ${secret:slack#webhook_url}: the value is empty, binary, or not a JSON object with this key as a"
            " string",
        ),
        ("sign", "whsec_canary!", "signed.sign: expected whsec_ and Base64"),
    ],
)
def test_a_value_that_cannot_be_used_where_it_is_named_is_told_without_showing_it(
    stack: Stack, name: str, value: str, problem: str
) -> None:
    stack.deploy()
    stack.store({**SECRETS, f"flagcast/flagcast/{name}": value})
    assert stack.check() == []  # Its metadata say nothing of that.
    assert f"destinations.{problem}" in stack.check("--values")


# `--values` took the ... that a pasted command stored for a secret.
@pytest.mark.parametrize("value", ["...", "…", "https://hooks.slack.com/...", "<your token>", "CHANGE_ME", "xxxx"])
def test_a_placeholder_is_no_value(stack: Stack, value: str) -> None:
    stack.deploy()
    stack.store({**SECRETS, "flagcast/flagcast/slack": json.dumps({"webhook_url": "https://x.example", "team": value})})
    assert stack.check("--values") == [
        "destinations.chat: ${secret:slack#team}: its value is a placeholder, such as ...; store the real value"
    ]


def test_a_value_with_white_space_around_it_is_used_without_it_and_warned_of(stack: Stack) -> None:
    stack.deploy()
    stack.store(
        {
            **SECRETS,
            "flagcast/flagcast/flipt-signing-secret": "own-canary\n",
            "flagcast/flagcast/slack": json.dumps({"webhook_url": "https://hooks.slack.com/canary\n", "team": "a"}),
        }
    )
    what = "white space around its value is removed; if the other side uses the value with it, change it there"
    assert stack.warnings("--values") == [
        f"sources.flipt: ${{secret:flipt-signing-secret}}: {what}",
        f"destinations.chat: ${{secret:slack#webhook_url}}: {what}",
    ]


def test_a_destination_that_wants_no_sample_has_its_values_tried_all_the_same(stack: Stack) -> None:
    stack.deploy()
    stack.config.write_text(
        "sources: {flipt: {auth: none}}\n"
        "destinations: {d: {url: '${secret:url}', when: 'false', body: '{{ event.payload.nothing.there }}'}}\n"
    )
    stack.store({"flagcast/flagcast/url": "canary"}, {})
    assert "destinations.d.url: its secret does not contain an https:// address" in stack.check("--values")


def test_a_configuration_that_is_wrong_is_told_of_in_the_same_check(stack: Stack) -> None:
    stack.deploy()
    stack.store()
    stack.config.write_text(CONFIGURATION + "    method: post\n  other: {url: '${secret:other}'}\n")
    said = stack.check()
    assert any(line.startswith("destinations.signed.method") for line in said)
    assert any(line.startswith("destinations.other: the secret") for line in said)


def test_a_file_that_cannot_be_read_is_one_problem(stack: Stack) -> None:
    stack.config.unlink()
    assert len(stack.check()) == 1


QUEUE = "arn:aws:sqs:eu-central-1:123456789012:audit.fifo"
BUS = "arn:aws:events:us-east-2:123456789012:event-bus/audit"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1b2c3d4e-1a2b-3c4d-5e6f-1a2b3c4d5e6f"
TARGETS = f"""
sources: {{flipt: {{auth: none, environment: test}}}}
destinations:
  queue: {{url: "{QUEUE}"}}
  bus: {{url: "{BUS}"}}
"""
DROPS = "EventBridge accepts events for a bus that does not exist, and drops them"


def with_targets(stack: Stack, *, bus: bool = True) -> Stack:
    stack.config.write_text(TARGETS)
    if bus:
        boto3.client("events", region_name="us-east-2").create_event_bus(Name="audit")
    return stack


def test_a_stack_that_may_send_to_every_target_has_no_problem(stack: Stack) -> None:
    with_targets(stack).deploy(TargetArns=f"{KEY},{BUS},{QUEUE}")
    assert stack.check() == []
    assert stack.warnings() == []


def test_a_target_that_the_parameter_lacks_is_named_with_the_value_to_give(stack: Stack) -> None:
    with_targets(stack).deploy(TargetArns=f"{KEY},{QUEUE}")
    assert stack.check() == [
        f"destinations.bus.url: the stack's parameter TargetArns does not have {BUS}, so events:PutEvents is denied",
        f"Add this to parameter_overrides in samconfig.toml: TargetArns={KEY},{QUEUE},{BUS}",
    ]


def test_what_the_next_deploy_sets_counts(stack: Stack) -> None:
    with_targets(stack).deploy(TargetArns=BUS)
    stack.samconfig(f'[default.deploy.parameters]\nstack_name = "flagcast"\n'
                    f'parameter_overrides = "TargetArns={QUEUE}"\n')  # fmt: skip
    [problem, fix] = stack.check()
    assert BUS in problem
    assert fix.endswith(f"TargetArns={QUEUE},{BUS}")


def test_before_the_first_deploy_every_target_is_named(stack: Stack) -> None:
    found = with_targets(stack).check()
    assert found[1::2] == [f"Add this to parameter_overrides in samconfig.toml: TargetArns={QUEUE},{BUS}"] * 2


def test_an_event_bus_that_is_not_there_is_a_problem_as_no_delivery_would_tell(stack: Stack) -> None:
    with_targets(stack, bus=False).deploy(TargetArns=f"{BUS},{QUEUE}")
    assert stack.check() == [
        f"destinations.bus.url: there is no event bus {BUS}; {DROPS}",
        "aws events create-event-bus --region us-east-2 --name audit",
    ]


def test_an_event_bus_that_cannot_be_looked_up_is_warned_of(stack: Stack) -> None:
    # One in another account may not allow it.
    with_targets(stack).deploy(TargetArns=f"{BUS},{QUEUE}")
    stack.denied = "DescribeEventBus"
    assert stack.warnings() == [
        f"destinations.bus.url: could not look up the event bus (AccessDeniedException); {DROPS}: verify that it exists"
    ]


@pytest.mark.parametrize(
    ("operation", "step"),
    [
        ("DescribeSecret", "The check needs secretsmanager:DescribeSecret for the secrets under the stack's prefix."),
        (
            "DescribeParameters",
            "The check needs ssm:DescribeParameters, which IAM can only allow for all parameters (*).",
        ),
        (
            "DescribeStacks",
            "Your credentials do not allow this. docs/iam/operator.json has the permissions that the commands need.",
        ),
    ],
)
def test_who_may_not_look_is_told_which_permission_is_missing(stack: Stack, operation: str, step: str) -> None:
    stack.deploy()
    stack.denied = operation
    with pytest.raises(CommandError, match=f"AccessDeniedException for {operation}") as raised:
        stack.check()
    assert raised.value.next_steps[0] == step


def test_reading_no_value_it_needs_no_permission_to(stack: Stack) -> None:
    stack.deploy()
    stack.store()
    assert stack.check() == []
    assert stack.calls >= {"DescribeStacks", "DescribeSecret", "DescribeParameters"}
    assert stack.calls.isdisjoint({"GetSecretValue", "GetParameter", "GetParameters"})


@pytest.mark.parametrize("option", [("--values",), ("--env", "default")])
def test_what_is_said_of_a_stack_needs_one(stack: Stack, run: Run, option: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=f"{option[0]} needs --stack"):
        run("check", stack.config, *option)
