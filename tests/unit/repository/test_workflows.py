import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text()
WORKFLOWS = {path.name: path.read_text() for path in sorted((ROOT / ".github/workflows").glob("*.y*ml"))}

PINNED = re.compile(r"uses: ([\w.-]+/[\w./-]+@[0-9a-f]{40}) # v\d+\.\d+\.\d+$", re.MULTILINE)
LONG_LIVED = re.compile(r"(?i)secrets\W+AWS_|aws[-_](?:access[-_]key[-_]id|secret[-_]access[-_]key)|AKIA[A-Z0-9]{16}")


def unpinned(text: str) -> list[str]:
    """A tag can be moved to other code, a commit cannot; what is in this repository is of this commit already."""
    used = [each["uses"] for each in (*yaml.safe_load(text)["jobs"].values(), *steps(text)) if "uses" in each]
    return [each for each in used if each not in PINNED.findall(text) and not each.startswith("./")]


def long_lived_keys(text: str) -> list[str]:
    return LONG_LIVED.findall(text)


def too_permitted(text: str) -> list[str]:
    """Reading the code is all that a workflow may; a job may ask for an OIDC token besides, and for nothing else."""
    workflow = yaml.safe_load(text)
    allowed = {"contents": "read"}
    top = [] if workflow.get("permissions") == allowed else ["the workflow"]
    granted = {name: job.get("permissions", allowed) for name, job in workflow["jobs"].items()}
    return top + [name for name, each in granted.items() if each not in (allowed, allowed | {"id-token": "write"})]


def unknown_to_make(text: str, makefile: str = MAKEFILE) -> list[str]:
    """Targets that the Makefile does not have, and variables that it would not read."""
    words = [word for run in runs(text) for line in re.findall(r"\bmake +([^;&|\n]*)", run) for word in line.split()]
    known = {
        *re.findall(r"^([\w./-]+):(?!=)", makefile, re.MULTILINE),
        *re.findall(r"\$\((?:call \w+,)?(\w+)[),]", makefile),
    }
    return [word for word in words if word.partition("=")[0] not in known]


def injectable(text: str) -> list[str]:
    """An expression is pasted into a script before the shell reads it, no matter who wrote its value."""
    return [run for run in runs(text) if "${{" in run]


def without_a_limit(text: str) -> list[str]:
    jobs = yaml.safe_load(text)["jobs"].items()
    return [name for name, job in jobs if "uses" not in job and "timeout-minutes" not in job]


def keeping_the_token(text: str) -> list[Any]:
    checkouts = [step for step in steps(text) if step.get("uses", "").startswith("actions/checkout@")]
    return [step for step in checkouts if step.get("with", {}).get("persist-credentials") is not False]


def steps(text: str) -> list[dict[str, Any]]:
    return [step for job in yaml.safe_load(text)["jobs"].values() for step in job.get("steps", [])]


def runs(text: str) -> list[str]:
    return [step["run"] for step in steps(text) if "run" in step]


CHECKS = [unpinned, long_lived_keys, too_permitted, unknown_to_make, injectable, without_a_limit, keeping_the_token]
Check = Callable[[str], list[Any]]


def workflow(step: str = "run: make test", top: str = "contents: read", job: str = "timeout-minutes: 1") -> str:
    return f"permissions: {{{top}}}\njobs:\n  a:\n    {job}\n    steps:\n      - {step}\n"


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_workflows_are_free_of_it(name: str, check: Check) -> None:
    assert check(WORKFLOWS[name]) == []


SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (unpinned, workflow("uses: actions/checkout@v6")),
        (unpinned, workflow(f"uses: actions/checkout@{SHA[:7]} # v6.0.2")),
        (unpinned, workflow(f"uses: actions/checkout@{SHA}")),
        (unpinned, workflow(f"name: x\n        uses: actions/checkout@{SHA} # main")),
        (unpinned, workflow("uses: docker://alpine:3")),
        (unpinned, workflow("{uses: actions/checkout@v6}")),
        (unpinned, workflow(job="uses: a/b/.github/workflows/c.yml@main")),
        (long_lived_keys, workflow("run: x\n        env: {K: '${{ secrets.AWS_KEY }}'}")),
        (long_lived_keys, workflow("run: x\n        env: {K: \"${{ secrets['AWS_KEY'] }}\"}")),
        (long_lived_keys, workflow("uses: a/b@c\n        with: {aws-secret-access-key: '${{ secrets.KEY }}'}")),
        (long_lived_keys, workflow("run: AWS_ACCESS_KEY_ID=x sam deploy")),
        (long_lived_keys, workflow("run: x " + "AKIA" + "ABCDEFGHIJKLMNOP")),
        (too_permitted, workflow().partition("\n")[2]),
        (too_permitted, workflow(top="contents: write")),
        (too_permitted, workflow(top="contents: read, id-token: write")),
        (too_permitted, workflow(job="permissions: write-all")),
        (too_permitted, workflow(job="permissions: {contents: write}")),
        (unknown_to_make, workflow("run: make tset")),
        (unknown_to_make, workflow("run: make test && make lnit")),
        (unknown_to_make, workflow("run: make deploy ENVIRONMENT=staging")),
        (injectable, workflow("run: make deploy ENV=${{ inputs.environment }}")),
        (without_a_limit, workflow(job="runs-on: ubuntu-24.04")),
        (keeping_the_token, workflow("uses: actions/checkout@v6")),
        (keeping_the_token, workflow("uses: actions/checkout@v6\n        with: {persist-credentials: true}")),
    ],
)
def test_each_check_finds_what_it_is_for(check: Check, text: str) -> None:
    assert check(text) != []


def test_every_job_of_ci_and_the_deployment_is_there() -> None:
    ci, deploy = (yaml.safe_load(WORKFLOWS[name]) for name in ("ci.yml", "deploy.yml"))
    assert ci["jobs"].keys() == {"lint", "test", "test-long", "build"}
    assert deploy["jobs"]["deploy"]["needs"] == "ci"
    assert deploy["jobs"]["deploy"]["environment"] == deploy["jobs"]["deploy"]["env"]["TARGET"]


def test_the_acceptance_run_deletes_what_it_made_whatever_happens_and_is_skipped_with_a_notice_without_a_role() -> None:
    jobs = yaml.safe_load(WORKFLOWS["acceptance.yml"])["jobs"]
    assert jobs["acceptance"]["if"] == "vars.AWS_ACCEPTANCE_ROLE != ''"
    assert jobs["skipped"]["if"] == "vars.AWS_ACCEPTANCE_ROLE == ''"
    assert "::notice::" in jobs["skipped"]["steps"][0]["run"]
    *_, run, signing_in, cleaning = jobs["acceptance"]["steps"]
    assert run["run"] == "make acceptance STACK=flagcast-acceptance ARGS=--yes"
    assert cleaning == {"if": "always()", "run": "make acceptance STACK=flagcast-acceptance ARGS=--clean"}
    assert signing_in["if"] == "always()"


def test_only_the_deployment_and_the_acceptance_run_may_ask_for_an_oidc_token() -> None:
    asking = [
        (name, job)
        for name, text in WORKFLOWS.items()
        for job, its in yaml.safe_load(text)["jobs"].items()
        if "id-token" in its.get("permissions", {})
    ]
    assert asking == [("acceptance.yml", "acceptance"), ("deploy.yml", "deploy")]


def test_every_directory_that_dependabot_watches_holds_what_it_reads() -> None:
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    reads = {"github-actions": [".github/workflows/*.yml"], "pip": ["pyproject.toml", "requirements.txt"]}
    watched = [(each["package-ecosystem"], path) for each in updates for path in _directories(each)]
    assert {ecosystem for ecosystem, _ in watched} == reads.keys()
    for ecosystem, path in watched:
        assert any(any((ROOT / path.lstrip("/")).glob(pattern)) for pattern in reads[ecosystem]), path


def _directories(update: dict[str, Any]) -> list[str]:
    return update["directories"] if "directories" in update else [update["directory"]]
