"""The real template, built and deployed by SAM CLI on the emulator."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from flagcast_cli.checkout import LOCAL_STACK, ROOT, TEMPLATE
from flagcast_cli.console import CommandError
from flagcast_cli.deploy.build import read_template, write_template
from flagcast_cli.local.emulator import Emulator

NAME = "flagcast"
BUILT = LOCAL_STACK / "build"
DEPLOYED = BUILT / "local.yaml"


class Stack(Struct, frozen=True):
    """A deployed stack: its outputs, and the secret that Flipt would sign with."""

    emulator: Emulator
    outputs: dict[str, str]
    signing_secret: str

    @property
    def webhook_url(self) -> str:
        """Return the address that stands for the output WebhookUrl on this machine."""
        path = self.outputs["WebhookUrl"].partition(".amazonaws.com")[2]
        api = self.outputs["WebhookUrl"].partition("://")[2].partition(".")[0]
        # By path, as *.localhost is not a name that every machine can resolve.
        return f"{self.emulator.endpoint}/_aws/execute-api/{api}/$default{path}"

    def put_parameter(self, name: str, value: str) -> None:
        """Store what the configuration calls ${ssm:NAME}."""
        self.emulator.client("ssm").put_parameter(
            Name=f"/flagcast/{NAME}/{name}", Value=value, Type="SecureString", Overwrite=True
        )


def build(environment: Mapping[str, str]) -> None:
    """Run sam build into a folder of the local stack's own; raises CommandError."""
    _sam(
        environment, "build", "--cached", "--parallel",
        "--template-file", str(TEMPLATE),
        "--build-dir", str(BUILT),
        "--cache-dir", str(LOCAL_STACK / "cache"),
    )  # fmt: skip


def built_template() -> dict[str, Any]:
    """Return the template that sam build made."""
    return read_template(BUILT / "template.yaml")


def for_emulator(template: dict[str, Any], configuration: Path) -> dict[str, Any]:
    """Return the template as MiniStack can deploy it.

    It runs the functions as processes of this machine, with no layer under /opt, so they read the configuration where
    it is. It refuses alarms that compute something: those on `Metrics`.
    """
    function = template["Globals"]["Function"]
    variables = {**function["Environment"]["Variables"], "FLAGCAST_CONFIG": str(configuration.resolve())}
    return {
        **template,
        "Globals": {**template["Globals"], "Function": {**function, "Environment": {"Variables": variables}}},
        "Resources": {
            name: each for name, each in template["Resources"].items() if "Metrics" not in each.get("Properties", {})
        },
    }


def deploy(emulator: Emulator, configuration: Path, *sam_flags: str) -> Stack:
    """Run sam deploy against the emulator, again for an update; raises CommandError."""
    write_template(DEPLOYED, for_emulator(built_template(), configuration))
    _sam(
        emulator.environment(), "deploy",
        "--template-file", str(DEPLOYED),
        "--stack-name", NAME,
        "--config-env", "local",
        "--capabilities", "CAPABILITY_IAM",
        "--resolve-s3", "--no-confirm-changeset", "--no-progressbar", *sam_flags,
    )  # fmt: skip
    stack = emulator.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
    _create_routes(emulator)
    secret = emulator.client("secretsmanager").get_secret_value(SecretId=f"flagcast/{NAME}/flipt-signing-secret")
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    return Stack(emulator, outputs, secret["SecretString"])


def _create_routes(emulator: Emulator) -> None:
    """Create the HTTP API's routes, as the template's HttpApi events describe them.

    On AWS they are in the API's Body, which MiniStack ignores.
    """
    resources = emulator.client("cloudformation").describe_stack_resources(StackName=NAME)["StackResources"]
    physical = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
    api = emulator.client("apigatewayv2")
    functions = emulator.client("lambda")
    for function, event in _http_events(built_template()):
        api_id = physical[event["ApiId"]["Ref"]]
        arn = functions.get_function(FunctionName=physical[function])["Configuration"]["FunctionArn"]
        integration = api.create_integration(
            ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
        )
        target = f"integrations/{integration['IntegrationId']}"
        api.create_route(ApiId=api_id, RouteKey=f"{event['Method']} {event['Path']}", Target=target)


def _http_events(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in template["Resources"].items():
        for event in resource["Properties"].get("Events", {}).values() if "Properties" in resource else ():
            if event["Type"] == "HttpApi":
                yield name, event["Properties"]


def _sam(environment: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["sam", *arguments],  # noqa: S607 - the environment's own, first on its PATH
        cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode != 0:
        last = (done.stdout + done.stderr).strip().splitlines()[-15:]
        raise CommandError(f"sam {arguments[0]} failed", *last)
