"""`flagcast check`, `build` and `deploy`: what can be said."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flagcast.edges.configuration_file import read_configuration
from flagcast_cli.aws import ENVIRONMENT, Account
from flagcast_cli.check import problems_of, warnings_of
from flagcast_cli.checkout import CONFIGURATION, Config, samconfig_of
from flagcast_cli.console import CommandError, err, marked, out
from flagcast_cli.deploy.build import build as build_stack
from flagcast_cli.deploy.build import run_sam
from flagcast_cli.deploy.check import Target, faults
from flagcast_cli.deploy.samconfig import Environment, chosen, environment, environment_of
from flagcast_cli.deployed import deployed

Env = Annotated[
    str | None,
    Parameter(help="The environment of samconfig.toml; without it the one that names the stack, else default."),
]
SamFlag = Annotated[str, Parameter(help="Flags for SAM CLI, after --, such as -- --no-confirm-changeset.")]
_NO_EXECUTE = "--no-execute-changeset"


def check(
    config: Config = CONFIGURATION,
    *,
    stack: str | None = None,
    env: str | None = None,
    values: Annotated[bool, Parameter(negative="")] = False,
    account: Account = ENVIRONMENT,
) -> int:
    """Validate the configuration and try every template on every sample event.

    With --stack it also looks up, with your credentials, whether that stack has every secret and parameter that the
    configuration names. Exits 1 if there is a problem.

    Parameters
    ----------
    stack
        The stack that the configuration is for. Reads no value: secretsmanager:DescribeSecret, ssm:DescribeParameters
        and cloudformation:DescribeStacks are enough.
    env
        The environment of samconfig.toml that deploys this stack; without it, the one that names it.
    values
        Read each value as well and check that it can be used where it is; none is shown.

    """
    if stack is None:
        if values or env:
            option = "--values" if values else "--env"
            raise CommandError(f"{option} needs --stack", "Add --stack and the stack's name.")
        return _checked(config, None)
    samconfig = samconfig_of(config)
    named = environment(samconfig, env) if env else environment_of(samconfig, stack)
    return _checked(config, Target.of(stack, account, named), values=values)


def build(*sam_flags: SamFlag, config: Config = CONFIGURATION, env: Env = None) -> int:
    """Check the configuration and build what is deployed, with it and with bytecode, into .aws-sam."""
    samconfig = samconfig_of(config)
    named = chosen(samconfig, env, None)
    if _checked(config, None):
        return 1
    _build(config, samconfig, named, sam_flags)
    return 0


def deploy(
    *sam_flags: SamFlag,
    stack: str | None = None,
    env: Env = None,
    config: Config = CONFIGURATION,
    account: Account = ENVIRONMENT,
) -> int:
    """Check the configuration against the stack, build, deploy, and look at the new version.

    Nothing is rolled back by itself. Exits 1 if the check finds a problem, before anything is built, or if the new
    version is ill.

    Parameters
    ----------
    stack
        The stack's name; without it, the environment's.

    """
    samconfig = samconfig_of(config)
    named = chosen(samconfig, env, stack)
    name = stack or named.stack
    if name is None:
        raise CommandError(
            f"the environment {named.name} of {samconfig} names no stack", "Add STACK=NAME, or --stack NAME."
        )
    target = Target.of(name, account, named)
    region = str(target.account.session().region_name)
    if _checked(config, target):
        return 1
    _build(config, samconfig, named, ())
    where = ["--region", region, *(["--profile", target.account.profile] if target.account.profile else [])]
    run_sam(
        _environment(), "deploy", "--config-file", str(samconfig), "--config-env", named.name, "--stack-name", name,
        *where, *sam_flags,
    )  # fmt: skip
    if _NO_EXECUTE in sam_flags:
        return 0
    # SAM CLI ends well when its question is answered with no, and a first change set leaves no stack to look at.
    if deployed(target.account.clients()("cloudformation"), target.account, name) is None:
        raise CommandError(
            f"the stack {name} was not deployed: its change set was not confirmed", "Deploy again and answer y."
        )
    flagcast = str(Path(sys.executable).with_name("flagcast"))
    doctor = [flagcast, "doctor", "--stack", name, "--config", str(config), *where]
    return subprocess.run(doctor, check=False).returncode  # noqa: S603 - ours


def _checked(config: Path, target: Target | None, *, values: bool = False) -> int:
    """Print every problem; returns 1 if there is one."""
    problems = [str(each) for each in problems_of(config)]
    if target is not None:
        with err.status(marked("Looking up what {} has", target.stack)):
            problems += [str(each) for each in faults(config, target, values=values)]
    for problem in problems:
        err.print(problem, soft_wrap=True)
    at = f"{config}, for the stack {target.stack}" if target else str(config)
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        err.print(marked("[red]✗[/] {}: {}", at, count), soft_wrap=True)
        return 1
    for warning in warnings_of(config):
        err.print(marked("[yellow]![/] {}", warning), soft_wrap=True)
    if target is not None and not read_configuration(config).destinations:
        err.print(
            marked(
                "[yellow]![/] {} has no destination: every event is accepted, and goes nowhere. CONFIG (or --config)"
                " names another one.",
                config,
            ),
            soft_wrap=True,
        )
    out.print(marked("[green]✓[/] {}: no problems", at), soft_wrap=True)
    return 0


def _build(config: Path, samconfig: Path, named: Environment, flags: tuple[str, ...]) -> None:
    build_stack(config, _environment(), ["--config-file", str(samconfig), "--config-env", named.name, *flags])
    out.print(marked("[green]✓[/] built, with bytecode, in .aws-sam/build"))


def _environment() -> dict[str, str]:
    """Return the environment for SAM CLI, whose build needs this environment's python3.13 with its pip."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "SAM_CLI_TELEMETRY": "0"}
