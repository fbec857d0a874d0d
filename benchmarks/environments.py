"""Fresh processes that have what a function has on AWS, its layers before the runtime's boto3, and nothing else."""

import compileall
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from py_compile import PycInvalidationMode

import msgspec
from msgspec import Struct

from benchmarks.measuring import ROOT
from flagcast_cli.deploy.precompile import make_quick, presets_in

PERIOD = 20_000
"""Microseconds in which a function may use its share of a processor."""
CGROUPS = Path("/sys/fs/cgroup")


class Started(Struct, frozen=True):
    """Milliseconds from the start of the process to its first answer, of processor time too, and of later answers."""

    first: float
    processor: float
    warm: list[list[float]]


class Layout(Struct, frozen=True):
    """Folders in the order in which they are imported from."""

    paths: tuple[Path, ...]

    @classmethod
    def bare(cls, folder: Path) -> "Layout":
        """Lay out the runtime with its boto3, which comes with bytecode, and one handler beside it."""
        runtime, function = folder / "runtime", folder / "function"
        if not runtime.exists():
            for name in _closure(["boto3"]):
                _copy(name, runtime)
            _compile(runtime)
            for name in ("bare.py", "settle.py", "process.py"):
                _take(ROOT / "benchmarks/cold_start" / name, function / name)
        return cls((function, runtime))

    @classmethod
    def make(cls, folder: Path, *, compiled: bool) -> "Layout":
        """Lay out the layers and functions, before the runtime; `compiled` as `make deploy` does, else as `sam build`.

        The textbook handler has its libraries there too.
        """
        layers = folder / ("compiled" if compiled else "sources")
        names = re.findall(r"^([\w.-]+)==", (ROOT / "layers/dependencies/requirements.txt").read_text(), re.MULTILINE)
        for name in _closure([*names, "pydantic"]):
            _copy(name, layers)
        own = ["layers/flagcast/python/flagcast", "functions/ingest/ingest.py", "functions/deliver/deliver.py"]
        own += [f"benchmarks/cold_start/{name}.py" for name in ("textbook", "settle", "process")]
        for name in own:
            _take(ROOT / name, layers / Path(name).name)
        if compiled:
            make_quick(layers, presets_in(layers))
        return cls((layers, *cls.bare(folder).paths[1:]))


def run(
    layout: Layout, module: str, events: Path, environment: Mapping[str, str], warm: int = 0, share: str | None = None
) -> Started:
    """Start a process and take its times; `share` is the file that puts a process into a group with a limit."""
    python = [str(Path(sys.executable).resolve()), "-S", "-B", str(layout.paths[0] / "process.py")]
    enter = ["sh", "-c", 'echo $$ > "$0" && exec "$@"', share] if share else []
    path = os.pathsep.join(map(str, layout.paths))
    before = _processor()
    began = time.perf_counter()
    with subprocess.Popen(
        [*enter, *python, module, str(events), str(warm)],
        env={"PYTHONPATH": path, **environment},
        stdout=subprocess.PIPE,
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"answered\n"
        first = (time.perf_counter() - began) * 1e3
        later = [msgspec.json.decode(line, type=list[float]) for line in started.stdout]
    return Started(first, (_processor() - before) * 1e3, later)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def share_of_a_processor(share: float) -> Iterator[str | None]:
    """Make a group whose processes together have a share of one processor; yields None where there can be none."""
    first = CGROUPS / "cpu" if (CGROUPS / "cpu").is_dir() else CGROUPS
    group = first / f"flagcast-benchmark-{os.getpid()}"
    quota = int(share * PERIOD)
    try:
        group.mkdir()
        if first == CGROUPS:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
    except OSError:
        yield None
        return
    try:
        yield str(group / "cgroup.procs")
    finally:
        group.rmdir()


def _closure(names: Iterable[str]) -> set[str]:
    """Return the distributions that these need, extras aside."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name not in found:
            found.add(name)
            needed = metadata.distribution(name).requires or []
            waiting += [re.split(r"[^\w.-]", each)[0] for each in needed if ";" not in each]
    return found


def _copy(name: str, folder: Path) -> None:
    """Copy what a distribution brought."""
    distribution = metadata.distribution(name)
    files: Sequence[metadata.PackagePath] = distribution.files or []
    for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
        _take(Path(str(distribution.locate_file(top))), folder / top)


def _take(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    else:
        shutil.copy(source, target)


def _compile(folder: Path) -> None:
    compileall.compile_dir(folder, quiet=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
