"""What `make` hands to the command: printed by `make --just-print`, never run."""

import os
import subprocess

import pytest

from flagcast_cli.checkout import ROOT

EXPORTED = {"ENV": "canary", "STACK": "canary", "REGION": "canary", "PROFILE": "canary", "CONFIG": "canary"}
EXPORTED |= {"PORT": "canary", "ARGS": "canary", "CONTAINERS": "canary", "SECONDS": "canary"}


def printed(*words: str, environ: dict[str, str] | None = None) -> str:
    made = subprocess.run(
        ["make", "--just-print", *words],
        cwd=ROOT, env={**os.environ, **(environ or {})}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return made.stdout


# A shell that exports REGION or ENV for something else deployed there: make takes its variables from the environment.
@pytest.mark.parametrize("target", ["deploy", "build", "demo", "dev", "test", "acceptance", "fuzz", "lint"])
def test_what_a_shell_exports_is_not_taken(target: str) -> None:
    assert "canary" not in printed(target, environ=EXPORTED)


def test_what_is_given_to_make_is_handed_on_whatever_it_holds() -> None:
    # CONFIG with a space was two files, neither of them there.
    given = ("CONFIG=our conf/it's", "STACK=ours", "REGION=eu-west-1", "PROFILE=the team", "ENV=prod")
    [line] = [each for each in printed("deploy", *given).splitlines() if "flagcast deploy" in each]
    assert r"FLAGCAST_CONFIG='our conf/it'\''s' flagcast deploy" in line
    assert "--env 'prod' --stack 'ours' --region 'eu-west-1' --profile 'the team' --" in line
    assert "--port 4570" in printed("demo", "PORT=4570")
    assert "scripts.suite test tests/unit -k DEL" in printed("test", "ARGS=tests/unit -k DEL")
