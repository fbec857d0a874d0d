"""How Ctrl-C ends a command: at once, or between two rounds of what goes on until then."""

import signal
import time


class Interruption:
    """What a signal does.

    A KeyboardInterrupt that is raised wherever it arrives can be lost, in a finalizer, or leave a lock of urllib3's
    locked that its own clean-up then waits for. So once `pause` was called, the first signal waits for the next one:
    https://docs.python.org/3/library/signal.html#handlers-and-exceptions.
    """

    def __init__(self) -> None:
        """Begin with no rounds."""
        self._has_rounds = False
        self._is_pausing = False
        self._is_asked = False

    def end_by_signals(self) -> None:
        """Have SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt, so that what was started is stopped.

        A shell ignores SIGINT for what it runs in the background.
        """
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, self._interrupt)

    def pause(self, seconds: float) -> None:
        """Sleep between two rounds; raises KeyboardInterrupt for a signal that came in the last one."""
        self._has_rounds = self._is_pausing = True
        if self._is_asked:
            self._has_rounds = False
            raise KeyboardInterrupt
        time.sleep(seconds)  # There is no event for a file that is saved or a line that is logged.
        self._is_pausing = False

    def _interrupt(self, *_: object) -> None:
        is_in_a_round = self._has_rounds and not self._is_pausing and not self._is_asked
        self._is_asked = True
        if not is_in_a_round:
            self._has_rounds = False
            raise KeyboardInterrupt


INTERRUPTION = Interruption()
"""A signal is one for the whole process."""
