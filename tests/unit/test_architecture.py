import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import pytest

from flagcast_cli.deploy.precompile import presets_in, write_as_json

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/flagcast/python"
MODULES = {
    path.relative_to(LAYER).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path
    for path in sorted((LAYER / "flagcast").rglob("*.py"))
}
FUNCTIONS = {path.stem: path for path in sorted((ROOT / "functions").rglob("*.py"))}
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
VIA = re.compile(r"^    #(?: via|  )\s+([a-z0-9-]+)", re.MULTILINE)

# What a part may import of the layer, and of what is not Python's own. `flagcast` itself is its version.
OURS = {
    "core": ("flagcast.core", "flagcast.errors"),
    "story": ("flagcast.core", "flagcast.story", "flagcast.errors"),
    "edges": ("flagcast", "flagcast.core", "flagcast.story", "flagcast.edges", "flagcast.errors"),
}
THEIRS = {"core": {"msgspec"}, "story": {"msgspec"}, "edges": {"msgspec"}}
THEIRS_IN = {
    "flagcast.primitives.network_address": {"idna"},
    "flagcast.config.yaml_document": {"yaml"},
    "flagcast.templates.limits": {"jinja2", "msgspec"},
    "flagcast.templates.data": {"jinja2", "msgspec"},
    **{name: {"msgspec", "jinja2"} for name in MODULES if name.startswith("flagcast.templates.jinja.template")},
    **{name: {"msgspec", "gotpl"} for name in MODULES if name.startswith("flagcast.templates.go.template")},
    "flagcast.edges.http.transport": {"requests", "urllib3"},
    "flagcast.edges.http.connection": {"requests", "urllib3"},
    "flagcast.edges.aws.circuit_breaker": {"aws_lambda_powertools", "botocore"},
    **{name: {"msgspec", "boto3", "botocore"} for name in MODULES if name.startswith("flagcast.edges.aws")},
}
CLOCKS_AND_DICE = {"time", "random", "secrets", "uuid"}
ENVIRONMENT = {"environ", "getenv", "environb", "getenvb"}
NOW = {"now", "utcnow", "today"}


def imported(path: Path) -> Iterator[str]:
    """Yield the full name of everything a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module, names, level):
                assert level == 0, f"{path}: imports are absolute"
                yield from (f"{module}.{each.name}" for each in names)


def part(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in allowed if each != "flagcast") or (
        "flagcast" in allowed and name == "flagcast.__version__"
    )


def test_there_are_modules_to_judge() -> None:
    assert {part(each) for each in MODULES} == {"", "core", "story", "edges", "errors"}
    assert len(MODULES) > 30
    assert set(FUNCTIONS) == {"ingest", "deliver"}


@pytest.mark.parametrize("module", [each for each in MODULES if part(each) in OURS])
def test_imports_point_inward(module: str) -> None:
    ours = [each for each in imported(MODULES[module]) if each.partition(".")[0] == "flagcast"]
    assert [each for each in ours if not within(each, OURS[part(module)])] == []


@pytest.mark.parametrize("module", MODULES)
def test_only_the_module_whose_job_it_is_imports_what_is_not_pythons_own(module: str) -> None:
    allowed = THEIRS_IN.get(module, THEIRS.get(part(module), set()))
    packages = {each.partition(".")[0] for each in imported(MODULES[module])}
    assert packages - sys.stdlib_module_names - {"flagcast"} - allowed == set()


def test_connections_are_made_by_the_one_http_client_alone() -> None:
    users = [
        name
        for name, path in MODULES.items()
        if any("flagcast.edges.http.connection" in each for each in imported(path))
    ]
    assert users == ["flagcast.edges.http.transport"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_imports_the_layer_and_pythons_own_alone(function: str) -> None:
    packages = {each.partition(".")[0] for each in imported(FUNCTIONS[function])}
    assert packages - sys.stdlib_module_names == {"flagcast"}


@pytest.mark.parametrize("path", [*MODULES.values(), *FUNCTIONS.values()], ids=lambda path: path.stem)
def test_only_an_edge_reads_the_environment(path: Path) -> None:
    tree = ast.parse(path.read_text())
    reads = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT]
    reads += [each for each in imported(path) if each in {f"os.{name}" for name in ENVIRONMENT}]
    assert "edges" in path.parts or reads == []


@pytest.mark.parametrize("module", [each for each in MODULES if part(each) in ("core", "story")])
def test_neither_core_nor_story_has_a_clock_or_dice_of_its_own(module: str) -> None:
    assert {each.partition(".")[0] for each in imported(MODULES[module])} & CLOCKS_AND_DICE == set()
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(MODULES[module].read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
        if node.func.value.id in ("datetime", "date")
    }
    assert called & NOW == set()


def test_ingest_starts_without_what_only_others_need(tmp_path: Path) -> None:
    # What `make build` makes of a configuration and of the presets is read without PyYAML, even before the first event.
    layer, configuration = tmp_path / "python", tmp_path / "flagcast.yaml"
    shutil.copytree(LAYER, layer, ignore=shutil.ignore_patterns("__pycache__"))
    configuration.write_text("sources: {}\ndestinations: {d: {preset: slack, url: '${secret:slack}'}}\n")
    for document in (configuration, *presets_in(layer)):
        write_as_json(document)
    code = f"""
import sys; sys.path[:0] = {[str(ROOT / "functions/ingest"), str(layer)]!r}
import ingest
from pathlib import Path
from flagcast.edges.runtime.configuration_file import read_configuration
assert not read_configuration(Path({str(configuration)!r})).problems
print(*{{name.partition(".")[0] for name in sys.modules}}, sep="\\n")
"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    packages = set(loaded.stdout.split())
    assert {"ingest", "flagcast", "msgspec", "boto3"} <= packages
    assert packages & {
        "yaml", "difflib", "pydantic", "jinja2", "requests", "aws_lambda_powertools", "gotpl", "markupsafe",
        "aws_xray_sdk",
    } == set()  # fmt: skip


def pins(path: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / path).read_text()))


def test_the_layer_pins_what_the_lock_pins() -> None:
    layer, lock = pins("layers/dependencies/requirements.txt"), pins("requirements.lock")
    assert layer == {name: lock[name] for name in layer}


def test_these_tests_run_with_what_the_layer_holds() -> None:
    # boto3 came from Lambda's runtime, in a version that no test had seen.
    layer = pins("layers/dependencies/requirements.txt")
    assert {"boto3", "botocore", "requests", "urllib3"} <= layer.keys()
    assert {name: metadata.version(name) for name in layer} == layer


def test_whatever_is_in_the_layer_is_pinned_by_its_hash() -> None:
    text = (ROOT / "layers/dependencies/requirements.txt").read_text()
    assert [
        entry for entry in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:] if "--hash=sha256:" not in entry
    ] == []


def test_the_layer_holds_exactly_what_the_project_depends_on_and_what_that_requires() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    direct = {_name(each) for each in project}
    text = (ROOT / "layers/dependencies/requirements.txt").read_text()
    starts = [*(found.start() for found in PINNED.finditer(text)), len(text)]
    entries = [text[start:end] for start, end in pairwise(starts)]
    needed_by = {entry.partition("==")[0]: set(VIA.findall(entry)) - {"-c", "--override"} for entry in entries}
    assert {name for name, why in needed_by.items() if "flagcast" in why} == direct
    assert [name for name, why in needed_by.items() if not why or not why <= {"flagcast", *needed_by}] == []
    installed = {name: {_name(each) for each in metadata.requires(name) or [] if ";" not in each} for name in needed_by}
    assert set().union(direct, *installed.values()) == needed_by.keys()


def _name(requirement: str) -> str:
    return re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0].lower().replace("_", "-")
