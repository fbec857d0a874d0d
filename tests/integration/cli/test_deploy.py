"""`flagcast deploy`: in which order, with which arguments, and where it stops."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs

from flagcast.config.model import Problem
from flagcast_cli.checkout import SAMCONFIG
from flagcast_cli.console import CommandError
from flagcast_cli.deploy import build, command
from flagcast_cli.deploy.stack_check import Target
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.deployed import Deployed
from flagcast_cli.stack.samconfig import environment
from tests.integration.cli.conftest import Run

CONFIGURATION = "sources: {flipt: {auth: none}}\ndestinations: {d: {url: 'https://x.example.com/'}}\n"


class Deployment:
    """What was called, instead of SAM CLI and of AWS."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "flagcast.yaml"
        self.config.write_text(CONFIGURATION)
        self.done: list[list[str]] = []
        self.codes: dict[str, int] = {}
        self.faults: list[Problem] = []
        self.targets: list[Target] = []
        self.stack: Deployed | None = Deployed({}, {}, "UPDATE_COMPLETE", "before")
        self.changed: str | None = "after"

    def run(self, words: list[str], **_: object) -> SimpleNamespace:
        self.done.append([Path(words[0]).name, *words[1:]])
        if words[1] == "deploy" and self.stack is not None and self.changed is not None:
            self.stack = structs.replace(self.stack, changed_at=self.changed)
        return SimpleNamespace(returncode=self.codes.get(words[1], 0))

    def check(self, config: Path, target: Target, *, values: bool) -> list[Problem]:
        assert (config, values) == (self.config, False)
        self.targets.append(target)
        return self.faults

    def commands(self) -> list[str]:
        return [" ".join(words[:2]) for words in self.done]


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    made = Deployment(tmp_path)
    monkeypatch.setattr(subprocess, "run", made.run)
    monkeypatch.setattr(command, "faults", made.check)
    monkeypatch.setattr(command, "deployed", lambda *_: made.stack)
    monkeypatch.setattr(build, "install_configuration", lambda built, config: made.done.append(["put in", config.name]))
    monkeypatch.setattr(
        Account,
        "session",
        lambda account: SimpleNamespace(region_name=account.region or "eu-west-1", client=lambda service: service),
    )
    return made


def test_it_checks_builds_with_the_configuration_and_bytecode_deploys_and_looks_at_the_new_version(
    deployed: Deployment, run: Run
) -> None:
    words = ("--stack", "ours", "--region", "eu-north-1", "--profile", "us", "--", "--no-confirm-changeset")
    assert run("deploy", "--config", deployed.config.parent, *words) == 0
    assert deployed.targets == [
        Target("ours", Account(profile="us", region="eu-north-1"), environment(SAMCONFIG, "default"))
    ]
    configured = ["--config-file", str(SAMCONFIG), "--config-env", "default"]
    where = ["--region", "eu-north-1", "--profile", "us"]
    sam_build, put_in, compiled, sam_deploy, doctor = deployed.done
    assert sam_build == ["sam", "build", *configured]
    assert put_in == ["put in", "flagcast.yaml"]
    assert compiled[1:3] == ["-m", "compileall"]
    assert sam_deploy == ["sam", "deploy", *configured, "--stack-name", "ours", *where, "--no-confirm-changeset"]
    assert doctor == ["flagcast", "doctor", "--stack", "ours", "--config", str(deployed.config), *where]


# A deploy without CONFIG replaced their destinations by those of the checkout, which has none: nothing said so, and
# every event was answered 200 and went nowhere.
def test_a_configuration_without_a_destination_does_not_replace_one_with_some(deployed: Deployment, run: Run) -> None:
    words = ("deploy", "--config", deployed.config, "--stack", "ours")
    deployed.config.write_text("sources: {flipt: {auth: none}}\ndestinations: {}\n")
    deployed.stack = Deployed({}, {"Destinations": "2"}, "UPDATE_COMPLETE")
    with pytest.raises(
        CommandError, match="has no destination, and the stack ours has 2: Flagcast would accept every event"
    ) as raised:
        run(*words)
    assert "CONFIG=FOLDER" in raised.value.next_steps[0]
    assert deployed.done == []
    assert run(*words, "--without-destinations") == 0
    assert deployed.commands()[-1] == "flagcast doctor"


@pytest.mark.parametrize("outputs", [{}, {"Destinations": "0"}])
def test_a_stack_without_a_destination_may_go_on_having_none(
    deployed: Deployment, run: Run, capsys: pytest.CaptureFixture[str], outputs: dict[str, str]
) -> None:
    deployed.config.write_text("sources: {flipt: {auth: none}}\ndestinations: {}\n")
    deployed.stack = Deployed({}, outputs, "UPDATE_COMPLETE")
    assert run("deploy", "--config", deployed.config, "--stack", "ours") == 0
    assert "destinations: is empty: Flagcast accepts every event and sends none" in capsys.readouterr().err


# Answering N to an update ran doctor on the old version, and said that all was well.
def test_an_update_that_is_not_confirmed_is_told_and_not_looked_at(
    deployed: Deployment, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.changed = None
    assert run("deploy", "--config", deployed.config, "--stack", "ours") == 0
    assert deployed.commands()[-1] == "sam deploy"
    assert "Nothing was deployed: the change set was not confirmed, or nothing has changed." in capsys.readouterr().out


def test_a_deployment_that_fails_says_where_to_look_next(deployed: Deployment, run: Run) -> None:
    # "What it says is above" was all, and CloudFormation's own reason is among the stack's events.
    deployed.codes = {"deploy": 1}
    with pytest.raises(CommandError, match=r"^sam deploy failed; its output is above$") as raised:
        run("deploy", "--config", deployed.config, "--stack", "our stack", "--region", "eu-north-1")
    assert raised.value.next_steps[0] == (
        "Which resource failed, and why: aws cloudformation describe-stack-events"
        " --stack-name 'our stack' --region eu-north-1 --max-items 20"
    )
    deployed.codes = {"build": 1}
    with pytest.raises(CommandError, match=r"^sam build failed; its output is above$") as raised:
        run("build", "--config", deployed.config)
    assert raised.value.next_steps == ("Fix it, and run the command again. `make clean` removes earlier builds.",)


def test_an_environment_says_which_stack_where_and_by_whom(deployed: Deployment, run: Run) -> None:
    samconfig = deployed.config.parent / "samconfig.toml"
    samconfig.write_text("[prod.deploy.parameters]\nstack_name = 'p'\nregion = 'eu-west-3'\nprofile = 'them'\n")
    assert run("deploy", "--config", deployed.config, "--env", "prod") == 0
    assert deployed.done[3] == [
        "sam", "deploy", "--config-file", str(samconfig), "--config-env", "prod", "--stack-name", "p",
        "--region", "eu-west-3", "--profile", "them",
    ]  # fmt: skip
    with pytest.raises(CommandError, match=r"samconfig.toml has no environment default") as raised:
        run("deploy", "--config", deployed.config)
    assert raised.value.next_steps == ("ENV (or --env) is one of: prod.",)


def test_an_environment_without_a_stack_needs_one(deployed: Deployment, run: Run) -> None:
    (deployed.config.parent / "samconfig.toml").write_text("[default.deploy.parameters]\nresolve_s3 = true\n")
    with pytest.raises(CommandError, match="names no stack"):
        run("deploy", "--config", deployed.config)
    assert run("deploy", "--config", deployed.config, "--stack", "ours") == 0


def test_a_stack_that_an_environment_names_is_deployed_with_that_environment(deployed: Deployment, run: Run) -> None:
    assert run("deploy", "--config", deployed.config, "--stack", "flagcast-staging") == 0
    assert deployed.done[3][:6] == ["sam", "deploy", "--config-file", str(SAMCONFIG), "--config-env", "staging"]


def test_what_the_stack_lacks_stops_it_before_anything_is_built(deployed: Deployment, run: Run) -> None:
    deployed.faults = [Problem("destinations.d", "the secret is not there")]
    assert run("deploy", "--config", deployed.config) == 1
    assert deployed.done == []


def test_a_build_or_deployment_that_fails_ends_it(deployed: Deployment, run: Run) -> None:
    for failing in ("build", "deploy"):
        deployed.done = []
        deployed.codes = {failing: 1}
        with pytest.raises(CommandError, match=f"sam {failing} failed"):
            run("deploy", "--config", deployed.config)
        assert deployed.commands()[-1] == f"sam {failing}"


def test_what_the_doctor_finds_is_the_exit_code(deployed: Deployment, run: Run) -> None:
    deployed.codes = {"doctor": 1}
    assert run("deploy", "--config", deployed.config) == 1


def test_a_change_set_that_is_not_executed_has_no_new_version_to_look_at(deployed: Deployment, run: Run) -> None:
    assert run("deploy", "--config", deployed.config, "--", "--no-execute-changeset") == 0
    assert deployed.commands()[-1] == "sam deploy"


def test_a_first_change_set_that_is_not_confirmed_has_nothing_to_look_at(deployed: Deployment, run: Run) -> None:
    deployed.stack = None
    with pytest.raises(
        CommandError, match="the stack flagcast was not deployed, because its change set was not confirmed"
    ):
        run("deploy", "--config", deployed.config)
    assert deployed.commands()[-1] == "sam deploy"


def test_a_build_needs_neither_stack_nor_account(deployed: Deployment, run: Run) -> None:
    assert run("build", "--config", deployed.config, "--", "--use-container") == 0
    assert deployed.targets == []
    assert deployed.done[0][-1] == "--use-container"
    deployed.config.write_text("sources: {}")
    assert run("build", "--config", deployed.config) == 1
    assert len(deployed.done) == 3


def test_the_configuration_may_be_named_by_the_variable_that_make_sets(
    deployed: Deployment, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGCAST_CONFIG", str(deployed.config.parent))
    assert run("build") == 0
    assert run("check") == 0
    deployed.config.write_text("sources: {}")
    assert run("check") == 1
