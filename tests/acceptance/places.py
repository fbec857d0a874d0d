"""Where the acceptance run takes place, as its steps see it, and the place that is a real account."""

import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import yaml

from flagcast_cli.checkout import ROOT
from flagcast_cli.console import CommandError
from flagcast_cli.deploy.build import BUILT
from flagcast_cli.stack.account import Account

CONFIGURATION = Path(__file__).with_name("flagcast.yaml")
TAG = "flagcast-acceptance"
"""The tag that says a stack was made here; its value is the stack's name. CloudFormation hands it on to what it makes:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html"""

FUNCTIONS = ("IngestFunction", "DeliverFunction")
LAYERS = ("DependenciesLayer", "FlagcastLayer")
RELEASE = "acceptance-release.txt"
LAST_LINES = 20


class Place(Protocol):
    """An account, or what stands for one: its clients, its addresses, and how Flagcast is deployed there."""

    @property
    def stack(self) -> str: ...

    @property
    def is_aws(self) -> bool: ...

    @property
    def folder(self) -> Path:
        """Return the temporary folder that holds the configuration of the run."""

    def client(self, service: str) -> Any: ...

    def table(self, name: str) -> Any: ...

    def reached(self, url: str) -> str:
        """Return how an address that AWS gave out is reached, without a / at its end."""

    def configured(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return a configuration as this place needs it."""

    def deploy(self, configuration: Path, parameters: Mapping[str, str]) -> None:
        """Deploy as an operator does; raises CommandError."""

    def upgrade(self, configuration: Path, parameters: Mapping[str, str]) -> None:
        """Deploy other code of both functions and both layers; raises CommandError."""

    def flagcast(self, *words: str) -> str:
        """Run the command line and return what it printed; raises CommandError."""


class OnAws:
    """A real account."""

    is_aws = True

    def __init__(self, stack: str, account: Account, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.client = account.clients()
        self._account = account

    @cached_property
    def _session(self) -> Any:
        return self._account.session()

    @cached_property
    def _options(self) -> list[str]:
        profile = ["--profile", self._account.profile] if self._account.profile else []
        return ["--region", str(self._session.region_name), *profile]

    def table(self, name: str) -> Any:
        return self._session.resource("dynamodb").Table(name)

    def reached(self, url: str) -> str:
        return url.rstrip("/")

    def configured(self, document: dict[str, Any]) -> dict[str, Any]:
        return document

    def deploy(self, configuration: Path, parameters: Mapping[str, str]) -> None:
        write_samconfig(configuration.parent, self.stack, parameters)
        self.flagcast("deploy", "--config", str(configuration), "--stack", self.stack, "--", *SAM_FLAGS)

    def upgrade(self, configuration: Path, parameters: Mapping[str, str]) -> None:
        samconfig = write_samconfig(configuration.parent, self.stack, parameters)
        run("flagcast", "build", "--config", str(configuration))
        release(BUILT)
        run("sam", "deploy", "--config-file", str(samconfig), "--stack-name", self.stack, *self._options, *SAM_FLAGS)
        self.flagcast("doctor", "--stack", self.stack, "--config", str(configuration))

    def flagcast(self, *words: str) -> str:
        at = words.index("--") if "--" in words else len(words)
        return run("flagcast", *words[:at], *self._options, *words[at:])


SAM_FLAGS = ("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar")


def write_samconfig(folder: Path, stack: str, parameters: Mapping[str, str]) -> Path:
    """Write the samconfig.toml that `flagcast deploy` reads beside the configuration; returns where it is."""
    given = " ".join(f"{name}={value}" for name, value in parameters.items())
    path = folder / "samconfig.toml"
    path.write_text(
        "version = 0.1\n"
        "[default.deploy.parameters]\n"
        f'stack_name = "{stack}"\n'
        'capabilities = "CAPABILITY_IAM"\n'
        "resolve_s3 = true\n"
        f'tags = "{TAG}={stack}"\n'
        f'parameter_overrides = "{given}"\n',
        encoding="utf-8",
    )
    return path


def release(built: Path) -> None:
    """Make other code of what was built, which does the same: AWS compares digests of archives."""
    for folder in (*FUNCTIONS, *(f"{layer}/python" for layer in LAYERS)):
        (built / folder / RELEASE).write_text("upgraded in the middle of traffic\n", encoding="utf-8")


def configuration(place: Place, targets: Mapping[str, str], *, upgraded: bool = False) -> Path:
    """Write the run's configuration into its folder, with AWS services by name and ARN.

    The upgraded one has a destination more.
    """
    document = place.configured(yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8")))
    document["destinations"] |= {name: {"url": arn, "events": ["namespace:*"]} for name, arn in targets.items()}
    if upgraded:
        document["destinations"]["new"] = {"url": "${ssm:receiver}/new"}
    path = place.folder / "flagcast.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def run(program: str, *words: str, environment: Mapping[str, str] | None = None, ok: Sequence[int] = (0,)) -> str:
    """Run a program of this environment in the checkout and return what it printed; raises CommandError."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *words],
        cwd=ROOT, env=dict(environment) if environment else None,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in ok:
        last = (done.stdout + done.stderr).strip().splitlines()[-LAST_LINES:]
        raise CommandError(f"{shlex.join((program, *words))} ended with {done.returncode}:", *last)
    return done.stdout
