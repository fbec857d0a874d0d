"""The real template, built and deployed by SAM CLI on the emulator."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from flagcast.config.secret_references import Reference
from flagcast_cli.checkout import LOCAL_STACK, ROOT, TEMPLATE
from flagcast_cli.console import CommandError, step
from flagcast_cli.deploy.build import one_at_a_time, read_template, write_template
from flagcast_cli.local.emulator import HOST, Emulator, emulator
from flagcast_cli.local.receiver import Receiver

NAME = "flagcast"
BUILT = ROOT / ".aws-sam" / "local"
"""Beside what `make build` makes: SAM keeps one record of what it has built, and builds again what is not in it."""

DEPLOYED = BUILT / "local.yaml"
WITH_ARCHIVE = ("--parameter-overrides", "ArchiveDays=30")
API_ID = f"ms-custom-id={NAME}"
"""A tag by which MiniStack gives the HTTP API an id that is the same at each start, and so the same address."""


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
        # By path, as *.localhost is not a name that every machine can resolve. $default is a variable to a shell.
        return f"{self.emulator.endpoint}/_aws/execute-api/{api}/%24default{path}"

    def url_of(self, source: str) -> str:
        """Return the address of a source."""
        return f"{self.webhook_url.rpartition('/')[0]}/{source}"

    def put_secret(self, name: str, value: str) -> None:
        """Give a secret that is there another value."""
        self.emulator.client("secretsmanager").put_secret_value(SecretId=f"flagcast/{NAME}/{name}", SecretString=value)

    def add(self, reference: Reference, value: str) -> None:
        """Store what the configuration calls by a reference, unless it is there."""
        if reference.store == "ssm":
            client = self.emulator.client("ssm")
            with suppress(client.exceptions.ParameterAlreadyExists):
                client.put_parameter(Name=f"/flagcast/{NAME}/{reference.name}", Value=value, Type="SecureString")
        else:
            client = self.emulator.client("secretsmanager")
            with suppress(client.exceptions.ResourceExistsException):
                client.create_secret(Name=f"flagcast/{NAME}/{reference.name}", SecretString=value)

    def put_parameter(self, name: str, value: str) -> None:
        """Store what the configuration calls ${ssm:NAME}."""
        self.emulator.client("ssm").put_parameter(
            Name=f"/flagcast/{NAME}/{name}", Value=value, Type="SecureString", Overwrite=True
        )


@contextmanager
def local_stack(port: int, configuration: Path, *sam_flags: str) -> Iterator[tuple[Stack, Receiver]]:
    """Run the stack and a receiver that stands for its destinations; nothing is left running after it."""
    with emulator(port, LOCAL_STACK) as running, Receiver() as receiver:
        with one_at_a_time():
            with step("Building the functions and layers (sam build)"):
                build(running.environment())
            with step(f"Deploying template.yaml to MiniStack on {HOST}:{port} (sam deploy)"):
                stack = deploy(running, configuration, *sam_flags)
                stack.put_parameter("receiver", receiver.url)
        yield stack, receiver


def build(environment: Mapping[str, str]) -> None:
    """Run sam build into a folder of the local stack's own; raises CommandError."""
    _sam(
        environment, "build", "--cached", "--parallel",
        "--template-file", str(TEMPLATE),
        "--build-dir", str(BUILT),
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
        "--tags", API_ID,
        "--resolve-s3", "--no-confirm-changeset", "--no-progressbar", *sam_flags,
    )  # fmt: skip
    stack = emulator.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
    _create_routes(emulator)
    secret = emulator.client("secretsmanager").get_secret_value(SecretId=f"flagcast/{NAME}/flipt-signing-secret")
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    return Stack(emulator, outputs, secret["SecretString"])


def restart_functions(stack: Stack) -> None:
    """Have the functions read their configuration again: MiniStack ends their processes at an update of their settings.

    The settings stay what they are. A warm process reads its configuration once.
    """
    functions = stack.emulator.client("lambda")
    for each in functions.list_functions()["Functions"]:
        functions.update_function_configuration(FunctionName=each["FunctionName"], Timeout=each["Timeout"])


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
