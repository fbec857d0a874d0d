"""What is deployed: SAM's build of template.yaml, with the operator's configuration as its configuration layer.

The configuration may be anywhere. It is put into the build when `sam build` is done, so that neither template.yaml nor
samconfig.toml has to know where it comes from, and a plain `sam build && sam deploy` works as well, with layers/config.
"""

import fcntl
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast_cli.checkout import LOCAL_STACK, ROOT
from flagcast_cli.console import CommandError
from flagcast_cli.deploy.precompile import make_quick, presets_in, write_as_json

BUILT = ROOT / ".aws-sam" / "build"
LAYER = "ConfigurationLayer"
FILE = "flagcast.yaml"
DESTINATIONS = "Destinations"
"""The output that says how many destinations the deployed configuration has."""

_FILE, _FOLDER = 0o644, 0o755
"""Lambda keeps the permissions of a layer's files, and a function is another user than their owner:
https://repost.aws/knowledge-center/lambda-deployment-package-errors"""


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other build of this checkout is under way.

    SAM keeps what it downloads in .aws-sam/deps, whatever folders it is given, and two builds at once fail there.
    """
    LOCAL_STACK.mkdir(exist_ok=True)
    with (LOCAL_STACK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(configuration: Path, environment: Mapping[str, str], arguments: Sequence[str]) -> None:
    """Build into .aws-sam with a configuration, quick to start; raises CommandError."""
    with one_at_a_time():
        run_sam(environment, "build", *arguments)
    install_configuration(BUILT, configuration)
    make_quick(BUILT, presets_in(BUILT / "FlagcastLayer" / "python"))


def run_sam(environment: Mapping[str, str], *arguments: str) -> None:
    """Run SAM CLI in the checkout, in front of the operator; raises CommandError."""
    done = subprocess.run(  # noqa: S603 - our own arguments
        [str(Path(sys.executable).with_name("sam")), *arguments], cwd=ROOT, env=dict(environment), check=False
    )
    if done.returncode:
        raise CommandError(f"sam {arguments[0]} failed; its output is above", *_next(arguments))


def _next(arguments: Sequence[str]) -> Iterator[str]:
    """Yield what to type after SAM CLI failed."""
    if arguments[0] == "deploy":
        where = " ".join(
            f"{option} {shlex.quote(arguments[arguments.index(option) + 1])}"
            for option in ("--stack-name", "--region", "--profile")
            if option in arguments
        )
        yield f"Which resource failed, and why: aws cloudformation describe-stack-events {where} --max-items 20"
        yield "Fix it, and deploy again. Until then the stack runs the earlier version."
    else:
        yield "Fix it, and run the command again. `make clean` removes earlier builds."


def install_configuration(built: Path, configuration: Path) -> None:
    """Make a configuration the configuration layer of what was built; raises CommandError."""
    copy_configuration(configuration, built / LAYER)
    write_as_json(built / LAYER / FILE)
    template = read_template(built / "template.yaml")
    template["Resources"][LAYER]["Properties"]["ContentUri"] = LAYER
    # What the next deployment compares with: one without CONFIG would take every destination away.
    count = len(read_configuration(configuration).destinations)
    template["Outputs"][DESTINATIONS] = {"Description": "How many destinations are configured", "Value": str(count)}
    write_template(built / "template.yaml", template)


def copy_configuration(configuration: Path, folder: Path) -> None:
    """Copy a configuration and what is read beside it, nothing else: its folder may be a checkout of its own.

    Raises CommandError.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        shutil.copyfile(configuration, folder / FILE)
        for authority in configuration.parent.glob("*.pem"):
            if b"PRIVATE KEY-----" in authority.read_bytes():
                raise CommandError(
                    f"{authority} contains a private key, and every *.pem beside the configuration is deployed",
                    "Move it to another folder: ca_file needs only certificates.",
                )
            shutil.copy(authority, folder)
        if (configuration.parent / "templates").is_dir():
            shutil.copytree(configuration.parent / "templates", folder / "templates", ignore_dangling_symlinks=True)
    except shutil.Error as error:
        # Of a folder, each file that could not be copied: its path, the copy's and why.
        raise CommandError(
            *(f"{file}: {why}" for file, _, why in error.args[0]),
            "Everything in templates/ is deployed: move what is no template to another folder.",
        ) from error
    except OSError as error:
        raise CommandError(
            f"{error.filename or configuration}: {error.strerror}",
            "CONFIG (or --config) is a folder with flagcast.yaml.",
        ) from error
    folder.chmod(_FOLDER)
    for each in folder.rglob("*"):
        each.chmod(_FOLDER if each.is_dir() else _FILE)


def read_template(path: Path) -> dict[str, Any]:
    """Return a template that `sam build` made; its short forms are written out."""
    template: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return template


def write_template(path: Path, template: Mapping[str, Any]) -> None:
    """Write a template."""
    path.write_text(yaml.safe_dump(template, sort_keys=False), encoding="utf-8")
