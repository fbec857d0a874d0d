"""Fuzz one target with atheris: ``python -m tests.fuzz.run ingest -max_total_time=60``.

What follows the target's name goes to libFuzzer (https://llvm.org/docs/LibFuzzer.html#options). The corpus begins as
the target's seeds; it and what fails are kept in a folder of their own under the system's temporary folder, which is
named at the end.
"""

import hashlib
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TARGETS = ("ingest", "task")
LIMITS = ["-timeout=5", "-rss_limit_mb=2048", "-max_len=8192"]


def main(name: str, *options: str) -> None:
    """Fuzz a target until libFuzzer has enough, which ends the process."""
    if name not in TARGETS:
        sys.exit(f"expected one of {', '.join(TARGETS)}, got {name}")
    sys.path[:0] = [str(ROOT / "functions/ingest"), str(ROOT / "functions/deliver")]
    # Not among what people and tests need: `make fuzz` installs it.
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["flagcast", "ingest"]):
        target = importlib.import_module(f"tests.fuzz.fuzz_{name}")
    folder = Path(tempfile.mkdtemp(prefix=f"flagcast-fuzz-{name}-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()).write_bytes(seed)
    print(f"Corpus and findings: {folder}")
    with target.target() as one_input:
        atheris.Setup([name, *LIMITS, f"-artifact_prefix={folder}/", *options, str(corpus)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
