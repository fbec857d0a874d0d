"""`flagcast check`, `build` and `deploy`: what can be said."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flagcast.config.model import Problem
from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast_cli.check.located_problem import Found, in_order, located, with_fix
from flagcast_cli.check.output import show_annotations, show_json, show_text
from flagcast_cli.check.problems import everything_about
from flagcast_cli.checkout import CONFIGURATION, Config, samconfig_of
from flagcast_cli.console import CommandError, err, marked, out
from flagcast_cli.deploy.build import DESTINATIONS, run_sam
from flagcast_cli.deploy.build import build as build_stack
from flagcast_cli.deploy.stack_check import Target, faults
from flagcast_cli.deploy.stored_secrets import Fault
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.deployed import Deployed, deployed
from flagcast_cli.stack.samconfig import Environment, chosen, environment, environment_of

Env = Annotated[
    str | None,
    Parameter(help="The environment of samconfig.toml. Without it, the one that names the stack, else default."),
]
SamFlag = Annotated[str, Parameter(help="Flags for SAM CLI, after --, such as -- --no-confirm-changeset.")]
_NO_EXECUTE = "--no-execute-changeset"


def check(
    config: Config = CONFIGURATION,
    *,
    stack: str | None = None,
    env: str | None = None,
    values: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
    github: Annotated[bool, Parameter(negative="")] = False,
    account: Account = ENVIRONMENT,
) -> int:
    """Validate the configuration and try every template on every sample event.

    With --stack it also checks, with your credentials, that the stack has every secret and parameter that the
    configuration names. Exits 1 if there is a problem. Warnings do not change the exit code.

    Parameters
    ----------
    stack
        The stack that the configuration is for. No value is read. Needs secretsmanager:DescribeSecret,
        ssm:DescribeParameters and cloudformation:DescribeStacks.
    env
        The environment of samconfig.toml that deploys this stack. Without it, the one that names the stack.
    values
        Also read each value and check that it can be used. No value is shown.
    json
        Write the problems to stdout as a JSON list: severity, file, line, column, path, message, hint, fix.
    github
        Write the problems to stdout as workflow commands, which GitHub shows at the lines of a change.

    """
    if json and github:
        raise CommandError("--json and --github cannot be used together", "Give one of them.")
    show = show_json if json else show_annotations if github else show_text
    if stack is None:
        if values or env:
            option = "--values" if values else "--env"
            raise CommandError(f"{option} needs --stack", "Add --stack and the stack's name.")
        return _checked(config, None, show=show)
    samconfig = samconfig_of(config)
    named = environment(samconfig, env) if env else environment_of(samconfig, stack)
    return _checked(config, Target.of(stack, account, named), values=values, show=show)


def build(*sam_flags: SamFlag, config: Config = CONFIGURATION, env: Env = None) -> int:
    """Check the configuration, and build the stack with it and with bytecode into .aws-sam."""
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
    without_destinations: Annotated[bool, Parameter(negative="")] = False,
    account: Account = ENVIRONMENT,
) -> int:
    """Check the configuration against the stack, build, deploy, and check the new version.

    Nothing rolls back by itself. Exits 1 if the first check finds a problem, before anything is built, or if the new
    version has one.

    Parameters
    ----------
    stack
        The stack's name. Without it, the one in the environment of samconfig.toml.
    without_destinations
        Allow replacing a configuration that has destinations with one that has none.

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
    cloudformation = target.account.clients()("cloudformation")
    before = deployed(cloudformation, target.account, name)
    if before is not None and not without_destinations:
        _refuse_to_empty(config, name, before)
    _build(config, samconfig, named, ())
    where = ["--region", region, *(["--profile", target.account.profile] if target.account.profile else [])]
    run_sam(
        _environment(), "deploy", "--config-file", str(samconfig), "--config-env", named.name, "--stack-name", name,
        *where, *sam_flags,
    )  # fmt: skip
    if _NO_EXECUTE in sam_flags:
        return 0
    # SAM CLI ends well when its question is answered with no, and a first change set leaves no stack to look at.
    after = deployed(cloudformation, target.account, name)
    if after is None:
        raise CommandError(
            f"the stack {name} was not deployed, because its change set was not confirmed", "Deploy again and answer y."
        )
    if before is not None and before.changed_at == after.changed_at:
        out.print(
            f"Nothing was deployed: the change set was not confirmed, or nothing has changed. {name} still runs the"
            f" earlier version. To check it: flagcast doctor --stack {name}",
            soft_wrap=True,
        )
        return 0
    flagcast = str(Path(sys.executable).with_name("flagcast"))
    doctor = [flagcast, "doctor", "--stack", name, "--config", str(config), *where]
    return subprocess.run(doctor, check=False).returncode  # noqa: S603 - ours


def _refuse_to_empty(config: Path, name: str, before: Deployed) -> None:
    """Raise CommandError where the destinations of a stack would all be taken away: someone left CONFIG out."""
    count = before.outputs.get(DESTINATIONS, "0")
    if count != "0" and not read_configuration(config).destinations:
        raise CommandError(
            f"{config} has no destination, and the stack {name} has {count}:"
            " Flagcast would accept every event and send none",
            "Give the folder of your configuration: CONFIG=FOLDER with make, or --config FOLDER.",
            "To remove all destinations: flagcast deploy --without-destinations",
        )


def _checked(
    config: Path,
    target: Target | None,
    *,
    values: bool = False,
    show: Callable[[Sequence[Found], str], None] = show_text,
) -> int:
    """Show every problem; returns 1 if there is one that is more than a warning."""
    found = located(config, everything_about(config))
    if target is not None:
        with err.status(marked("Checking what {} has", target.stack)):
            lacking = list(faults(config, target, values=values))
        found = in_order([*found, *_located(config, lacking)])
    show(found, f"{config}, for the stack {target.stack}" if target else str(config))
    return int(any(not each.is_warning for each in found))


def _located(config: Path, lacking: Iterable[Problem | Fault]) -> Iterator[Found]:
    for each in lacking:
        problem, fix = (each.problem, each.fix) if isinstance(each, Fault) else (each, "")
        yield from (with_fix(found, fix) for found in located(config, [problem]))


def _build(config: Path, samconfig: Path, named: Environment, flags: tuple[str, ...]) -> None:
    build_stack(config, _environment(), ["--config-file", str(samconfig), "--config-env", named.name, *flags])
    out.print(marked("[green]✓[/] Built with bytecode in .aws-sam/build"))


def _environment() -> dict[str, str]:
    """Return the environment for SAM CLI, whose build needs this environment's python3.13 with its pip."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "SAM_CLI_TELEMETRY": "0"}
