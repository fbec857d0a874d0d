"""Which room may import which, and that no import runs in a circle."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from flagcast_cli.deploy.precompile import presets_in, write_as_json

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/flagcast/python"
FUNCTIONS = {path.stem: path for path in sorted((ROOT / "functions").rglob("*.py"))}


def modules(folder: Path, top: str) -> dict[str, Path]:
    """Return the modules of a package by their full names."""
    found = sorted((folder / top).rglob("*.py"))
    return {".".join(each.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): each for each in found}


MODULES = modules(LAYER, "flagcast")
COMMAND = modules(ROOT / "cli", "flagcast_cli")
EVERYTHING = {
    **MODULES,
    **COMMAND,
    **FUNCTIONS,
    **modules(ROOT, "tests"),
    **modules(ROOT, "benchmarks"),
    **modules(ROOT, "scripts"),
}

# Each room of the layer in the order of an event, and the rooms that it may import; docs/architecture.md shows them.
ROOMS: Mapping[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "primitives": set(),
    "events": {"primitives"},
    "flipt_state": {"errors", "primitives", "events"},
    "templates": {"primitives"},
    "templates.jinja": {"errors", "primitives", "templates"},
    "templates.go": {"primitives", "events", "templates"},
    "config": {"errors", "primitives", "events"},
    "tasks": {"primitives", "events", "config"},
    "archive": {"primitives", "events", "config", "tasks"},
    "ingest": {"errors", "primitives", "events", "flipt_state", "config", "tasks"},
    "summaries": {"primitives", "events", "flipt_state", "tasks"},
    "exchange": {"primitives", "events"},
    "rendering": {
        "errors", "primitives", "events", "templates", "templates.jinja", "templates.go", "config", "tasks",
        "summaries", "exchange",
    },
    "delivery": {"errors", "clock", "primitives", "events", "config", "tasks", "archive", "exchange", "rendering"},
    "notices": {"errors", "clock", "primitives", "events", "config", "tasks", "delivery"},
    "preflight": {
        "primitives", "events", "flipt_state", "templates", "templates.jinja", "config", "tasks", "summaries",
        "exchange", "rendering", "notices",
    },
    "edges.runtime": {"errors", "primitives", "events", "config", "tasks", "summaries"},
    "edges.aws": {
        "errors", "primitives", "flipt_state", "config", "tasks", "delivery", "notices", "edges.runtime",
    },
    "edges.aws.targets": {"primitives", "tasks", "exchange", "edges.runtime", "edges.aws"},
    "edges.http": {"flagcast", "primitives", "tasks", "exchange", "edges.runtime"},
    "edges.wiring": {
        "errors", "primitives", "events", "flipt_state", "config", "tasks", "ingest", "exchange", "delivery",
        "notices", "edges.runtime", "edges.aws", "edges.aws.targets", "edges.http",
    },
}  # fmt: skip
# The rooms of the command line, and which others of its rooms each may import; `shared` is what lies beside main.
COMMAND_ROOMS: Mapping[str, set[str]] = {
    "shared": set(),
    "credentials": {"shared"},
    "stack": {"shared"},
    "check": {"shared", "credentials"},
    "deploy": {"shared", "stack", "check"},
    "init": {"shared", "deploy"},
    "flipt_import": {"shared", "credentials", "check", "deploy", "init"},
    "doctor": {"shared", "credentials", "stack", "flipt_import", "deploy"},
    "flipt_state": {"shared", "stack", "doctor"},
    "ledger": {"shared", "stack"},
    "dlq": {"shared", "stack", "ledger"},
    "history": {"shared", "stack", "doctor", "dlq", "ledger"},
    "archive": {"shared", "stack", "ledger", "history"},
    "replay": {"shared", "stack", "archive", "ledger", "dlq", "history"},
    "local": {"shared", "stack", "check", "deploy", "ledger", "history"},
    "preview": {"shared", "stack"},
    "main": {
        "shared", "stack", "deploy", "init", "flipt_import", "doctor", "flipt_state", "dlq", "history", "archive",
        "replay",
        "local", "preview",
    },
}  # fmt: skip
LARGEST_ROOM = 15
"""Modules of a room that a reader still takes in at a glance."""

# What a cold start of ingest waits for: no other room is loaded, and of AWS no module that only deliver needs. Its log
# line has the event's title, which is why it loads summaries.
ROOMS_OF_INGEST = {
    "errors", "primitives", "events", "flipt_state", "config", "tasks", "ingest", "summaries", "edges.runtime",
    "edges.aws", "edges.wiring",
}  # fmt: skip
ONLY_DELIVERS = {
    "flagcast.config.target_validation",
    "flagcast.primitives.aws_target",
    "flagcast.edges.aws.circuit_breaker",
    "flagcast.edges.aws.trouble_table",
    "flagcast.edges.wiring.deliver_batch",
}

# What a room may import that is not Python's own: by module where it is the job of one.
THEIRS = {
    "templates.jinja": {"msgspec", "jinja2"},
    "templates.go": {"msgspec", "gotpl"},
    "edges.aws": {"msgspec", "boto3", "botocore"},
    "edges.aws.targets": {"msgspec", "botocore"},
}
THEIRS_IN = {
    "flagcast.config.yaml_document": {"msgspec", "yaml"},
    "flagcast.primitives.network_address": {"idna"},
    "flagcast.templates.limits": {"jinja2", "msgspec"},
    "flagcast.templates.data": {"jinja2", "msgspec"},
    "flagcast.edges.http.transport": {"requests", "urllib3"},
    "flagcast.edges.http.connection": {"requests", "urllib3"},
    "flagcast.edges.aws.circuit_breaker": {"aws_lambda_powertools", "botocore"},
}
CLOCKS_AND_DICE = {"time", "random", "secrets", "uuid"}
ENVIRONMENT = {"environ", "getenv", "environb", "getenvb"}
NOW = {"now", "utcnow", "today"}


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Return the full name of everything a module imports, wherever in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names):
                found += [each.name for each in names]
            case ast.ImportFrom(module, names, level):
                assert level == 0, f"{path}: imports are absolute"
                found += [f"{module}.{each.name}" for each in names]
    return tuple(found)


def module_of(name: str, among: Mapping[str, Path]) -> str | None:
    """Return the module that a name is, or is in."""
    while name and name not in among:
        name = name.rpartition(".")[0]
    return name or None


def room(module: str) -> str:
    """Return the room of a module of the layer, or of the command line."""
    package, _, rest = module.partition(".")
    if package == "flagcast":
        is_room = MODULES[module].name == "__init__.py" or rest in ("errors", "clock")
        return (rest if is_room else rest.rpartition(".")[0]) or package
    return rest.partition(".")[0] if rest.count(".") or rest == "main" else "shared"


def uses(module: str, among: Mapping[str, Path]) -> Iterator[str]:
    """Yield the other modules that a module imports."""
    for name in imported(among[module]):
        if (other := module_of(name, among)) is not None and other != module:
            yield other


def inhabitants(among: Mapping[str, Path]) -> dict[str, list[str]]:
    """Return the modules of each room."""
    found: dict[str, list[str]] = {}
    for module, path in among.items():
        if path.name != "__init__.py":
            found.setdefault(room(module), []).append(module)
    return found


def test_every_module_of_the_layer_and_of_the_command_line_has_a_room() -> None:
    assert inhabitants(MODULES).keys() == ROOMS.keys()
    assert inhabitants(COMMAND).keys() == COMMAND_ROOMS.keys()
    assert set(FUNCTIONS) == {"ingest", "deliver"}


@pytest.mark.parametrize("rooms", [ROOMS, COMMAND_ROOMS], ids=["layer", "command line"])
def test_the_table_itself_runs_one_way(rooms: Mapping[str, set[str]]) -> None:
    above: set[str] = {"flagcast"}
    for name, may in rooms.items():
        assert may <= above, name
        above.add(name)


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_rooms_that_come_before_it(module: str) -> None:
    others = {room(each) for each in uses(module, MODULES)} - {room(module)}
    assert others - ROOMS.get(room(module), set()) == set()


@pytest.mark.parametrize("module", COMMAND)
def test_the_rooms_of_the_command_line_import_one_way_too(module: str) -> None:
    others = {room(each) for each in uses(module, COMMAND)} - {room(module)}
    assert others - COMMAND_ROOMS[room(module)] == set()


def test_no_import_runs_in_a_circle() -> None:
    graph = {module: set(uses(module, EVERYTHING)) for module in EVERYTHING}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("among", [MODULES, COMMAND], ids=["layer", "command line"])
def test_no_room_is_larger_than_one_takes_in_at_a_glance(among: Mapping[str, Path]) -> None:
    assert {name: len(there) for name, there in inhabitants(among).items() if len(there) > LARGEST_ROOM} == {}


@pytest.mark.parametrize(
    "path", [path for path in (*MODULES.values(), *COMMAND.values()) if path.name == "__init__.py"],
    ids=lambda path: path.parent.name,
)  # fmt: skip
def test_each_room_says_what_it_is_for_and_what_it_never_does(path: Path) -> None:
    said = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")
    assert len(said) >= 2


def test_the_map_shows_every_room() -> None:
    tables = (MODULES["flagcast"], ROOT / "docs/architecture.md")
    for path in tables:
        rows = [line.split("|")[1] for line in path.read_text().splitlines() if line.startswith("|")]
        shown = [name for row in rows for name in re.findall(r"[a-z_.]+", row.replace("`", ""))]
        names = [name for name in shown if name in ROOMS]
        assert list(dict.fromkeys(names)) == list(ROOMS), path


def test_the_unit_tests_follow_the_rooms() -> None:
    folders = {each.name for each in Path(__file__).parent.iterdir() if (each / "__init__.py").exists()}
    rooms = {name.partition(".")[0] for name in ROOMS}
    assert folders - rooms == {"cli", "iam", "repository", "template"}


@pytest.mark.parametrize("module", MODULES)
def test_only_the_module_whose_job_it_is_imports_what_is_not_pythons_own(module: str) -> None:
    allowed = THEIRS_IN.get(module, THEIRS.get(room(module), {"msgspec"}))
    packages = {each.partition(".")[0] for each in imported(MODULES[module])}
    assert packages - sys.stdlib_module_names - {"flagcast"} - allowed == set()


def test_connections_are_made_by_the_one_http_client_alone() -> None:
    users = [module for module in MODULES if "flagcast.edges.http.connection" in uses(module, MODULES)]
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


@pytest.mark.parametrize("module", [each for each in MODULES if not room(each).startswith("edges")])
def test_no_room_but_an_edge_has_a_clock_or_dice_of_its_own(module: str) -> None:
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
print(*sys.modules, sep="\\n")
"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    names = set(loaded.stdout.split())
    packages = {each.partition(".")[0] for each in names}
    assert {"ingest", "flagcast", "msgspec", "boto3"} <= packages
    assert packages & {
        "yaml", "difflib", "pydantic", "jinja2", "requests", "aws_lambda_powertools", "gotpl", "markupsafe",
        "aws_xray_sdk",
    } == set()  # fmt: skip
    ours = names & MODULES.keys()
    assert {room(each) for each in ours} - {"flagcast", "edges"} == ROOMS_OF_INGEST
    assert ours & ONLY_DELIVERS == set()
    assert MODULES.keys() >= ONLY_DELIVERS


def test_deliver_loads_what_sends_to_aws_services_when_a_destination_is_one() -> None:
    code = f"""
import sys; sys.path[:0] = {[str(ROOT / "functions/deliver"), str(LAYER)]!r}
import deliver
from flagcast.edges.wiring import deliver_batch
from flagcast.rendering import render
print(*sys.modules, sep="\\n")
"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    names = set(loaded.stdout.split())
    assert "flagcast.edges.http.transport" in names
    assert {each for each in names if each.startswith("flagcast.edges.aws.targets")} == set()
