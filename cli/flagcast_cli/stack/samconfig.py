"""What samconfig.toml says of each environment's deployment.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from flagcast_cli.checkout import LOCAL, samconfig_of, usual_configuration
from flagcast_cli.console import CommandError
from flagcast_cli.stack.account import Account


class Environment(Struct, frozen=True):
    """One environment: the stack it deploys to, where that is, and the parameters that it sets."""

    name: str
    stack: str | None = None
    region: str | None = None
    profile: str | None = None
    parameters: Mapping[str, str] = {}


def environments(path: Path) -> dict[str, Environment]:
    """Read every environment that can be deployed; raises CommandError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", "Copy the samconfig.toml of Flagcast there.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} is not TOML: {error}", "Fix it: `sam deploy` reads it too.") from error
    return {
        name: _environment(name, commands)
        for name, commands in document.items()
        if isinstance(commands, dict) and "deploy" in commands
    }


def environment(path: Path, name: str) -> Environment:
    """Return one environment; raises CommandError with those there are."""
    known = environments(path)
    if name not in known:
        raise CommandError(
            f"{path} has no environment {name}", f"ENV (or --env) is one of: {', '.join(known) or 'none yet'}."
        )
    return known[name]


def environment_of(path: Path, stack: str) -> Environment | None:
    """Return the environment that deploys to a stack, if one does; raises CommandError."""
    return next((each for each in environments(path).values() if each.stack == stack), None)


def account_of(account: Account, stack: str, config: Path | None = None) -> Account:
    """Return where a stack is: what was typed, else what the environment says that deploys it. Raises CommandError.

    So that every command looks where `make deploy` put it. With `flagcast --local` that is the local stack.
    """
    if os.environ.get(LOCAL):
        return account
    found = environment_of(samconfig_of(config or usual_configuration()), stack)
    if found is None:
        return account
    return Account(profile=account.profile or found.profile, region=account.region or found.region)


def chosen(path: Path, name: str | None, stack: str | None) -> Environment:
    """Return the environment of this name, else the one that deploys to a stack, else the default one.

    Raises CommandError, also where the stack is another environment's: it would get that one's parameters and tags.
    """
    found = environment_of(path, stack) if stack else None
    if name is None:
        return found or environment(path, "default")
    named = environment(path, name)
    if found is not None and named.stack not in (None, stack):
        raise CommandError(
            f"{stack} is the stack of the environment {found.name} of {path}, not of {name}",
            "Leave out ENV (--env) or STACK (--stack).",
        )
    return named


def _environment(name: str, commands: Mapping[str, Any]) -> Environment:
    parameters = {**commands.get("global", {}).get("parameters", {}), **commands["deploy"].get("parameters", {})}
    return Environment(
        name,
        parameters.get("stack_name"),
        parameters.get("region"),
        parameters.get("profile"),
        _overrides(parameters.get("parameter_overrides", "")),
    )


def _overrides(written: str | list[str]) -> Mapping[str, str]:
    """Read parameter overrides as SAM does, in each way that it takes them."""
    # Loaded where it is used: it takes longer than the rest of a command's start.
    from samcli.cli.types import CfnParameterOverridesType

    overrides: Mapping[str, str] = CfnParameterOverridesType().convert(written, None, None) if written else {}
    return overrides
