from pathlib import Path

import pytest

from flagcast_cli.checkout import SAMCONFIG
from flagcast_cli.console import CommandError
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.samconfig import Environment, account_of, chosen, environment, environment_of, environments
from flagcast_cli.stack.secret_prefixes import Prefixes, prefixes_of

TEXT = """
version = 0.1

[default.build.parameters]
cached = true

[local.validate.parameters]
lint = true

[default.deploy.parameters]
stack_name = "flagcast"

[production.global.parameters]
region = "eu-west-1"
profile = "everybody"

[production.deploy.parameters]
stack_name = "flagcast-production"
profile = "production"
parameter_overrides = "LogRetentionDays=90 SecretPrefix=shared/ Text='a b'"

[listed.deploy.parameters]
parameter_overrides = ["LogRetentionDays=7", "SecretPrefix=listed/"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "samconfig.toml"
    path.write_text(TEXT)
    return path


def test_an_environment_is_read_as_sam_reads_it(file: Path) -> None:
    assert environments(file) == {
        "default": Environment("default", "flagcast"),
        "production": Environment(
            "production",
            "flagcast-production",
            "eu-west-1",
            "production",
            {"LogRetentionDays": "90", "SecretPrefix": "shared/", "Text": "a b"},
        ),
        "listed": Environment("listed", parameters={"LogRetentionDays": "7", "SecretPrefix": "listed/"}),
    }


def test_an_unknown_environment_is_refused_with_those_there_are(file: Path) -> None:
    # It went on to build, and died with SAM's "Missing option '--stack-name'".
    with pytest.raises(CommandError, match="has no environment prod") as raised:
        environment(file, "prod")
    assert raised.value.next_steps == ("ENV (or --env) is one of: default, production, listed.",)
    assert environment(file, "production").stack == "flagcast-production"


def test_the_environment_of_a_stack_is_the_one_that_names_it(file: Path) -> None:
    found = environment_of(file, "flagcast-production")
    assert found
    assert found.name == "production"
    assert environment_of(file, "another") is None


def test_without_a_name_the_environment_is_the_stacks_else_the_default_one(file: Path) -> None:
    assert chosen(file, "listed", "flagcast-production").name == "listed"
    assert chosen(file, None, "flagcast-production").name == "production"
    assert chosen(file, None, "another").name == "default"
    assert chosen(file, None, None).name == "default"
    with pytest.raises(CommandError, match="has no environment prod"):
        chosen(file, "prod", "flagcast-production")


def test_a_stack_is_not_deployed_with_the_part_of_another_stack(file: Path) -> None:
    # ENV=default STACK=flagcast-production gave production the parameters and tags of the other stack.
    with pytest.raises(CommandError, match=r"^flagcast-production is the stack of the environment production of "):
        chosen(file, "default", "flagcast-production")
    assert chosen(file, "default", "another").name == "default"
    assert chosen(file, "production", "flagcast-production").name == "production"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"[default", "is not TOML: "), (b"\xff", "is not TOML: "), (None, "No such file or directory")],
)
def test_a_file_that_cannot_be_read_is_said_by_its_path(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "samconfig.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=message) as raised:
        environments(path)
    assert str(raised.value).startswith(str(path))


def test_ours_can_be_read() -> None:
    assert {name: each.stack for name, each in environments(SAMCONFIG).items()} == {
        "default": "flagcast",
        "staging": "flagcast-staging",
        "production": "flagcast-production",
    }


def test_a_prefix_is_what_the_first_that_sets_it_says_else_the_stacks_name() -> None:
    assert prefixes_of("s") == Prefixes("flagcast/s/", "/flagcast/s/")
    assert prefixes_of("s", {"SecretPrefix": "a/"}, {"SecretPrefix": "b/", "ParameterPrefix": "/b/"}) == Prefixes(
        "a/", "/b/"
    )
    # Empty is what the template takes for its default.
    assert prefixes_of("s", {"SecretPrefix": ""}, {"SecretPrefix": "b/"}) == Prefixes("flagcast/s/", "/flagcast/s/")


# Region and profile of samconfig.toml were read by check and deploy, and not by doctor, dlq and test.
def test_every_command_looks_where_the_environment_deploys_the_stack(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = file.parent / "flagcast.yaml"
    there = Account(profile="production", region="eu-west-1")
    assert account_of(Account(), "flagcast-production", config) == there
    typed = Account(profile="mine", region="eu-north-1")
    assert account_of(typed, "flagcast-production", config) == typed
    assert account_of(Account(), "another", config) == Account()
    config.write_text("")
    monkeypatch.setenv("FLAGCAST_CONFIG", str(file.parent))
    assert account_of(Account(), "flagcast-production") == there
    monkeypatch.delenv("FLAGCAST_CONFIG")
    assert account_of(Account(), "flagcast-production") == Account()


def test_with_the_local_stack_its_own_region_is_used_and_not_that_of_samconfig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A region in samconfig.toml, which docs advise, would look for the stack where the emulator has none.
    config = tmp_path / "flagcast.yaml"
    (tmp_path / "samconfig.toml").write_text(
        'version = 0.1\n[default.deploy.parameters]\nstack_name = "flagcast"\nregion = "eu-west-1"\n', encoding="utf-8"
    )
    assert account_of(Account(), "flagcast", config) == Account(region="eu-west-1")
    monkeypatch.setenv("FLAGCAST_LOCAL", "1")
    assert account_of(Account(), "flagcast", config) == Account()
