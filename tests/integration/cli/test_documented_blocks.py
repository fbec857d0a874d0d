"""Every block of commands or YAML in the pages is run here, or says what runs it, or that it needs AWS.

A comment right before a block says so: `<!-- needs AWS -->`, or `<!-- run by tests/e2e/test_dlq.py -->` with the files
that run it. A block without one is run here: commands of flagcast in a folder that holds README's example, YAML as a
configuration of Flagcast's or of Flipt's.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from cyclopts import CycloptsError

from flagcast.config.secret_references import Text
from flagcast_cli.check.problems import everything_about
from flagcast_cli.doctor.flipt_checks import check_buffer, check_events, check_sink, check_tracing, check_version
from flagcast_cli.doctor.flipt_facts import Flipt, from_file
from flagcast_cli.main import app
from tests.integration.cli.conftest import Run
from tests.support.documentation import PAGES, Block, blocks
from tests.support.template import ROOT

SHELLS = frozenset({"sh", "bash", "console", "shell"})
READ = [page for page in PAGES if not page.startswith("tests/")]
RUN = [each for page in READ for each in blocks(page) if each.language in SHELLS | {"yaml", "yml"}]
COMMANDS = [each for each in RUN if each.language in SHELLS]
NEEDS_AWS = "needs AWS"
RUN_BY = "run by "
SOURCES = {"flipt": {"signing_secrets": ["${secret:flipt-signing-secret}"], "environment": "production"}}
VERSION = (1, 61, 1)


def is_run_here(block: Block) -> bool:
    return block.mark != NEEDS_AWS and not block.mark.startswith(RUN_BY)


def named(found: list[Block]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", found, ids=str)


def example(page: str, begins: str) -> str:
    """Return the block of a page that begins so."""
    [found] = [dedent(each.text) for each in blocks(page) if each.text.lstrip().startswith(begins)]
    return found


def typed(block: Block) -> Iterator[list[str]]:
    """Yield the words of each simple command, without variables set before it and what follows a pipe."""
    text = re.sub(r"\\\n\s*", " ", block.text)
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        end = next((at for at, word in enumerate(words) if word in (">", "|", "&&", ";")), len(words))
        while words and re.match(r"[A-Z_]+=", words[0]):
            words, end = words[1:], end - 1
        if words:
            # [--option VALUE] is one that may be left out.
            yield [word.strip("[]") for word in words[:end]]


def test_every_block_says_what_it_is() -> None:
    # One without a language, or of one that is not known here, would be run by nothing.
    # Athena's alone is SQL: tests/unit/archive/test_athena.py.
    known = {*SHELLS, "yaml", "yml", "json", "jinja", "text", "sql"}
    assert [str(each) for page in READ for each in blocks(page) if each.language not in known] == []


@named([each for each in RUN if each.mark.startswith(RUN_BY)])
def test_what_is_said_to_run_a_block_is_there(block: Block) -> None:
    for name in block.mark.removeprefix(RUN_BY).split(" and "):
        assert (ROOT / name).is_file(), name


@named(COMMANDS)
def test_every_command_of_a_block_is_one_that_there_is(block: Block) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command, *words in typed(block):
        if command == "flagcast":
            try:
                # main takes --local away before the command line is read.
                app.parse_args(words[words[:1] == ["--local"] :], print_error=False, exit_on_error=False)
            except CycloptsError as error:
                pytest.fail(f"flagcast {shlex.join(words)}: {error}")
        elif command == "make":
            assert words[0] in targets | {".venv/ready"}, words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with README's example as the configuration, and with README's configuration of Flipt."""
    configuration = tmp_path / "layers/config/flagcast.yaml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(example("README.md", "sources:"), encoding="utf-8")
    (tmp_path / "flipt.yml").write_text(example("README.md", "audit:"), encoding="utf-8")
    return tmp_path


@named([each for each in COMMANDS if is_run_here(each) and "FLIPT_" not in each.text])
def test_a_block_of_commands_ends_well(
    block: Block, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("FLAGCAST_CONFIG", str(folder / "layers/config"))
    for command, *words in typed(block):
        assert command == "flagcast", f"{command}: mark the block with what runs it"
        assert run(*words) == 0, capsys.readouterr()


def whole(tree: dict[str, Any]) -> dict[str, Any]:
    """Complete what a page shows of a configuration."""
    if "sources" in tree:
        return tree
    if tree.keys() <= {"destinations", "defaults", "notify"}:
        return {"sources": SOURCES, **tree}
    if any(isinstance(each, dict) and "preset" in each for each in tree.values()):
        return {"sources": SOURCES, "destinations": tree}
    return {"sources": SOURCES, "destinations": {"d": {"url": "https://example.com", **tree}}}


@named([each for each in RUN if each.language not in SHELLS and is_run_here(each)])
def test_a_block_of_yaml_is_a_configuration_without_a_problem_or_a_warning(block: Block, tmp_path: Path) -> None:
    tree = yaml.safe_load(block.text)
    if tree is None:
        # A comment for the editor: its path is from the folder of the configuration.
        [path] = re.findall(r"\$schema=(\S+)", block.text)
        assert (ROOT / "layers/config" / path).is_file()
    elif "sinks" in (tree.get("audit") or {}):
        assert ill(flipt(block.text, tmp_path, {})) == []
    else:
        path = tmp_path / "flagcast.yaml"
        path.write_text(yaml.safe_dump(whole(tree)), encoding="utf-8")
        assert list(map(str, everything_about(path))) == []


def flipt(text: str, folder: Path, environ: dict[str, str]) -> Flipt:
    path = folder / "flipt.yml"
    path.write_text(text, encoding="utf-8")
    found = from_file(path, environ, VERSION)
    assert isinstance(found, Flipt), found
    return found


def ill(of: Flipt) -> list[str]:
    checks = (check_version, check_sink, check_events, check_tracing, check_buffer)
    return [each.found for check in checks for each in check(of) if each.level == "ill"]


def test_the_variables_for_flipt_say_what_its_file_says(tmp_path: Path) -> None:
    [block] = [each for each in COMMANDS if "FLIPT_AUDIT_EVENTS" in each.text]
    environ = dict(line.split("=", 1) for line in shlex.split(block.text))
    by_variables = flipt("{}", tmp_path, environ)
    by_file = flipt(example("README.md", "audit:"), tmp_path, {})
    assert ill(by_variables) == []
    assert by_variables == by_file


# It needed three secrets and stored two.
def test_the_readme_stores_every_secret_that_its_example_names() -> None:
    names = {each.name for each in Text(example("README.md", "sources:")).references if each.store != "env"}
    stored = example("README.md", "aws secretsmanager create-secret")
    assert len(names) == 4
    for name in names - {"flipt-signing-secret"}:
        assert re.search(rf"--name /?flagcast/flagcast/{name} ", stored), name
