"""One simulated time for the accountant and the functions' processes."""

import mmap
from pathlib import Path

BEGIN = 1_790_000_000.0


class SharedClock:
    """Epoch seconds in eight bytes of a file that every process maps; stands still until it is advanced."""

    def __init__(self, file: Path) -> None:
        is_new = not file.exists()
        if is_new:
            file.write_bytes(bytes(8))
        with file.open("r+b") as opened:
            self._seconds = memoryview(mmap.mmap(opened.fileno(), 8)).cast("d")
        if is_new:
            self._seconds[0] = BEGIN

    def now(self) -> float:
        return self._seconds[0]

    def advance(self, seconds: float) -> None:
        self._seconds[0] += seconds
