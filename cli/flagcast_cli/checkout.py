"""Where things lie in the checkout that the command runs from."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, Token

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "layers" / "config" / "flagcast.yaml"
SAMPLES = ROOT / "events" / "flipt"
TEMPLATE = ROOT / "template.yaml"
LOCAL_STACK = ROOT / ".local-stack"
LOCAL = "FLAGCAST_LOCAL"
"""The variable that `flagcast --local` sets: the command works on the local stack, and samconfig.toml is not asked."""
SAMCONFIG = ROOT / "samconfig.toml"


def configuration_file(given: Path) -> Path:
    """Return the configuration that a file or its folder stands for, by its full path."""
    return (given / "flagcast.yaml" if given.is_dir() else given).absolute()


def usual_configuration() -> Path:
    """Return the configuration that a command without --config has: FLAGCAST_CONFIG, else the checkout's."""
    named = os.environ.get("FLAGCAST_CONFIG")
    return configuration_file(Path(named)) if named else CONFIGURATION


def samconfig_of(config: Path) -> Path:
    """Return the samconfig.toml beside a configuration, else the one of the checkout."""
    own = config.parent / "samconfig.toml"
    return own if own.is_file() else SAMCONFIG


def _read(kind: type, tokens: Sequence[Token]) -> Path:
    return configuration_file(Path(tokens[0].value))


Config = Annotated[
    Path,
    Parameter(
        converter=_read,
        env_var="FLAGCAST_CONFIG",
        help="The configuration: flagcast.yaml, or the folder that contains it. Its templates are in templates/"
        " beside it.",
    ),
]
