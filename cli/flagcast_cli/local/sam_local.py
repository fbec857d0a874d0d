"""What `sam local` needs to run the functions against the local stack: a template and a file of variables.

samconfig.toml names both. The template is the one that `sam build` made, with two changes: its configuration layer
holds the local stack's configuration, and it declares the AWS variables below, as `sam local --env-vars` sets only
what a template declares:
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-using-invoke.html
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import yaml
from msgspec import structs

from flagcast_cli.checkout import LOCAL_STACK
from flagcast_cli.deploy.build import LAYER, copy_configuration
from flagcast_cli.local.containers import Bridge, reachable
from flagcast_cli.local.emulator import REGION
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.stack import BUILT, NAME, Stack, built_template

FOLDER = LOCAL_STACK / "sam-local"
TEMPLATE = FOLDER / "template.yaml"
VARIABLES = FOLDER / "variables.json"
CONFIGURATION = FOLDER / "configuration"

COMMANDS = (
    "invoke IngestFunction -e events/ingest.json",
    "invoke DeliverFunction -e events/deliver.json",
    "start-api",
)
"""What is typed after `sam local`: docs/sam-local.md."""

SIGNING_SECRET = "capture-signing-secret"  # noqa: S105 - what events/ingest.json is signed with; it opens nothing
PARAMETER_PREFIX = "/flagcast/containers/"
"""Where ${ssm:NAME} is looked up by a container: the receiver has another address there."""


@contextmanager
def prepared(stack: Stack, receiver: Receiver, configuration: Path, network: Bridge) -> Iterator[Stack]:
    """Let containers reach the stack and the receiver, and write what `sam local` reads; raises CommandError.

    Yields the stack with another signing secret: the one that the sample request is signed with. The files are gone
    after it: without them `sam local` says what is missing, with stale ones it would only time out.
    """
    with ExitStack() as opened:
        opened.callback(shutil.rmtree, FOLDER, ignore_errors=True)
        port = stack.emulator.port
        endpoint = opened.enter_context(reachable(network, port, at=port))
        url = opened.enter_context(reachable(network, int(receiver.url.rpartition(":")[2])))
        stack.emulator.client("secretsmanager").put_secret_value(
            SecretId=f"flagcast/{NAME}/flipt-signing-secret", SecretString=SIGNING_SECRET
        )
        stack.emulator.client("ssm").put_parameter(
            Name=f"{PARAMETER_PREFIX}receiver", Value=url, Type="SecureString", Overwrite=True
        )
        copy_configuration(configuration, CONFIGURATION)
        built = built_template()
        TEMPLATE.write_text(yaml.safe_dump(for_containers(built), sort_keys=False), encoding="utf-8")
        VARIABLES.write_text(json.dumps(dict(_variables(stack, built, endpoint)), indent=2) + "\n", encoding="utf-8")
        yield structs.replace(stack, signing_secret=SIGNING_SECRET)


def aws_variables(endpoint: str) -> dict[str, str]:
    """Return the variables by which AWS's clients in a container talk to the local stack, and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        # SAM CLI passes on the credentials of the shell that it runs in: none of them is to get there.
        "AWS_SESSION_TOKEN": "",
    }


def for_containers(built: dict[str, Any]) -> dict[str, Any]:
    """Return the built template as `sam local` is to run it: see above; its paths are absolute."""
    variables = built["Globals"]["Function"]["Environment"]["Variables"]
    declared = {**variables, **dict.fromkeys(aws_variables(""), "")}
    function = {**built["Globals"]["Function"], "Environment": {"Variables": declared}}
    return {
        **built,
        "Globals": {**built["Globals"], "Function": function},
        "Resources": {name: _located(name, resource) for name, resource in built["Resources"].items()},
    }


def _located(name: str, resource: dict[str, Any]) -> dict[str, Any]:
    located = {
        key: str(CONFIGURATION if name == LAYER else (BUILT / path).resolve())
        for key, path in resource.get("Properties", {}).items()
        if key in ("CodeUri", "ContentUri")
    }
    return {**resource, "Properties": {**resource["Properties"], **located}} if located else resource


def _variables(stack: Stack, built: dict[str, Any], endpoint: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the variables of each function: those that it was deployed with, and what is other for a container."""
    resources = stack.emulator.client("cloudformation").describe_stack_resources(StackName=NAME)["StackResources"]
    physical = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}
    functions = stack.emulator.client("lambda")
    for name, resource in built["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            deployed = functions.get_function_configuration(FunctionName=physical[name])["Environment"]["Variables"]
            changed = {"FLAGCAST_CONFIG": "/opt/flagcast.yaml", "FLAGCAST_PARAMETER_PREFIX": PARAMETER_PREFIX}
            yield name, {**deployed, **changed, **aws_variables(endpoint)}
