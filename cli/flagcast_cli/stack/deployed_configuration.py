"""The configuration that a stack runs with: what is in the layer of its functions, not what lies in the checkout."""

import io
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

import requests

from flagcast.config.model import Configuration
from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.console import CommandError
from flagcast_cli.stack.account import Account

LARGEST: Final = 250 * 1024 * 1024
"""Bytes of all layers of a function, unpacked.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_FUNCTION: Final = "DeliverFunction"
_LAYER: Final = re.compile(r"arn:[^:]+:lambda:[^:]+:\d+:layer:([^:]+):(\d+)")
_IN_THE_LAYER: Final = Path("/opt/flagcast.yaml")
_WITHIN: Final = 30.0
_TRY_AGAIN: Final = "Try again."
_NOT_DEPLOYED: Final = "Its deployment failed or has not ended."


def deployed_configuration(stack: str, account: Account) -> Configuration:
    """Read the configuration that deliver runs with; raises CommandError where it cannot be had.

    Lambda gives a link to the content of a layer, valid for ten minutes, to who may lambda:GetLayerVersion:
    https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html
    Not seen on AWS yet. The local stack's functions have no layer, and read a file of this machine.
    """
    client = account.clients()
    with account.asking("the deployed configuration could not be looked up"):
        found = client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        function = next((each["PhysicalResourceId"] for each in found if each["LogicalResourceId"] == _FUNCTION), None)
        if function is None:
            raise CommandError(f"the stack {stack} has no function {_FUNCTION}", _NOT_DEPLOYED)
        runs_with = client("lambda").get_function_configuration(FunctionName=function)
        file = Path(runs_with.get("Environment", {}).get("Variables", {}).get("FLAGCAST_CONFIG", _IN_THE_LAYER))
        if file != _IN_THE_LAYER:
            return _read(file)
        # By its name: Lambda takes 140 characters here, and the ARN of a stack with a long name has more.
        name = f"{stack}-config"
        version = _version_of(name, runs_with.get("Layers", []))
        layer = client("lambda").get_layer_version(LayerName=name, VersionNumber=version)
    return _unpacked(_downloaded(layer["Content"]["Location"]))


def _version_of(wanted: str, layers: list[dict[str, Any]]) -> int:
    """Return the version of the layer of this name; raises CommandError."""
    for each in layers:
        if (named := _LAYER.fullmatch(each["Arn"])) and named[1] == wanted:
            return int(named[2])
    raise CommandError(f"deliver has no layer {wanted}", _NOT_DEPLOYED)


def _downloaded(url: str) -> bytes:
    """Download a layer; raises CommandError without the link, which anyone could use."""
    try:
        answer = requests.get(url, timeout=_WITHIN)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise CommandError(
            f"the deployed configuration could not be downloaded: {type(error).__name__}", _TRY_AGAIN
        ) from error
    return answer.content


def _unpacked(archive: bytes) -> Configuration:
    """Read the configuration in a layer's archive; raises CommandError."""
    with TemporaryDirectory() as folder:
        try:
            with ZipFile(io.BytesIO(archive)) as layer:
                if sum(each.file_size for each in layer.infolist()) > LARGEST:
                    raise CommandError("the deployed configuration's layer is larger than Lambda takes", _TRY_AGAIN)
                layer.extractall(folder)
        except BadZipFile as error:
            raise CommandError("the deployed configuration's layer is no archive", _TRY_AGAIN) from error
        return _read(Path(folder) / _IN_THE_LAYER.name)


def _read(file: Path) -> Configuration:
    try:
        return read_configuration(file)
    except ConfigurationUnreadable as error:
        raise CommandError(f"the deployed configuration cannot be read: {error}", _TRY_AGAIN) from error
