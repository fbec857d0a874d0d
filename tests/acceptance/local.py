"""The local stack as a place of an acceptance run: MiniStack, with the same template, receiver and steps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from flagcast_cli.deploy.build import one_at_a_time
from flagcast_cli.local import stack as local
from flagcast_cli.local.emulator import REGION, Emulator
from tests.acceptance.places import TAG, release, run


class OnThisMachine:
    """A running emulator; what it does otherwise than AWS is in flagcast_cli.local.stack."""

    is_aws = False
    stack = local.NAME

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.folder = folder
        self.client = emulator.client
        self._emulator = emulator

    def table(self, name: str) -> Any:
        made = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=REGION)
        return made.resource("dynamodb", endpoint_url=self._emulator.endpoint).Table(name)

    def reached(self, url: str) -> str:
        """By path, as *.localhost is not a name that every machine can resolve."""
        host, _, path = url.partition("://")[2].partition("/")
        name, kind = host.split(".")[:2]
        stage = "/$default" if kind == "execute-api" else ""
        return f"{self._emulator.endpoint}/_aws/{kind}/{name}{stage}/{path}".rstrip("/")

    def configured(self, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "defaults": {"allow_http": True, "allow_private": ["127.0.0.0/8"]}}

    def deploy(self, configuration: Path, parameters: Mapping[str, str]) -> None:
        with one_at_a_time():
            local.build(self._emulator.environment())
            self._deploy(configuration, parameters)

    def upgrade(self, configuration: Path, parameters: Mapping[str, str]) -> None:
        with one_at_a_time():
            local.build(self._emulator.environment())
            release(local.BUILT)
            self._deploy(configuration, parameters)

    def _deploy(self, configuration: Path, parameters: Mapping[str, str]) -> None:
        given = [f"{name}={value}" for name, value in parameters.items()]
        local.deploy(self._emulator, configuration, "--tags", f"{TAG}={self.stack}", "--parameter-overrides", *given)
        # CloudFormation hands a stack's tags on to its buckets, too; MiniStack to all else.
        tags = {"TagSet": [{"Key": TAG, "Value": self.stack}]}
        for bucket in self.client("s3").list_buckets()["Buckets"]:
            if bucket["Name"].startswith(f"{self.stack}-"):
                self.client("s3").put_bucket_tagging(Bucket=bucket["Name"], Tagging=tags)

    def flagcast(self, *words: str) -> str:
        return run("flagcast", *words, environment=self._emulator.environment())
