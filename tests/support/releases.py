"""The last release: its handlers, which are kept beside this file, and its layer, out of git.

`python -m tests.support.releases` copies the handlers when a version is released, and until 0.1.0 is, whenever a
handler imports another name. The commit that holds the copy is the release: its layer is the release's layer. No tag is
needed, and no commit is named, so it works in any clone with the whole history, and after a rebase.
"""

import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from tests.support.processes import ROOT

HANDLERS = Path(__file__).parent / "released"
NAMES = ("ingest", "deliver")
LAYER = Path("layers/flagcast/python")


def layer_of_the_last_release(folder: Path) -> Path:
    """Unpack the layer into a folder, and return where it is; raises CalledProcessError outside of a git checkout."""
    kept = str(HANDLERS.relative_to(ROOT))
    if _git("status", "--porcelain", "--", kept):
        return ROOT / LAYER  # the release is about to be committed
    commit = _git("log", "-1", "--format=%H", "--", kept).decode().strip()
    with tarfile.open(fileobj=BytesIO(_git("archive", commit, str(LAYER)))) as archive:
        archive.extractall(folder, filter="data")
    return folder / LAYER


def handler_now(name: str) -> Path:
    """Return the file of a handler."""
    return ROOT / "functions" / name / f"{name}.py"


def handler_then(name: str, folder: Path) -> Path:
    """Copy the last release's handler into a folder, by the name that Lambda knows it by."""
    made = folder / name / f"{name}.py"
    made.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(HANDLERS / f"{name}.txt", made))


def keep() -> None:
    """Take the handlers as they are for the last release's."""
    HANDLERS.mkdir(exist_ok=True)
    for name in NAMES:
        # No .py: it is not this version's code, and no tool is to look at it as such.
        shutil.copyfile(handler_now(name), HANDLERS / f"{name}.txt")


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


if __name__ == "__main__":
    keep()
