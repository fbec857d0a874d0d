"""A function as Lambda hosts it: AWS's own runtime client in a process, and the API that it asks for invocations.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://github.com/aws/aws-lambda-python-runtime-interface-client
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.processes import ROOT
from tests.support.time_limits import PATIENCE

TIMEOUT = 45.0
"""Seconds, as in template.yaml."""
_BOOTSTRAP = "import sys; from awslambdaric.__main__ import main; main(sys.argv)"


class Runtime(ThreadingHTTPServer):
    """The Runtime API for one function, and all that the function has said to it."""

    daemon_threads = True

    def __init__(self, output: Path) -> None:
        self._output = output
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        super().__init__(("127.0.0.1", 0), _Handler)

    def invoke(self, event: object) -> tuple[str, str]:
        """Invoke the function; returns `response` or `error`, and the headers and body that it answered with."""
        self._events.put(event)
        return self._answers.get(timeout=PATIENCE)

    def written(self) -> str:
        """Return what the function has written, to standard output and to standard error."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def next_event(self) -> bytes:
        return json.dumps(self._events.get()).encode()

    def answered(self, kind: str, text: str) -> None:
        self._answers.put((kind, text))


class _Handler(BaseHTTPRequestHandler):
    server: Runtime

    def do_GET(self) -> None:
        body = self.server.next_event()
        self.send_response(200)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": str(round((time.time() + TIMEOUT) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:flagcast",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        # Before the answer: the client ends its process when it has one to an init/error.
        self.server.answered(self.path.rsplit("/", 1)[1], f"{self.headers}\n{body}")
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
        pass


@contextmanager
def hosted(name: str, output: Path, environment: Mapping[str, str], before: str = "") -> Iterator[Runtime]:
    """Host a function; `before` is Python that its process runs first."""
    with Runtime(output) as runtime, output.open("wb") as file:
        serving = threading.Thread(target=runtime.serve_forever, args=(0.01,))
        serving.start()
        process = subprocess.Popen(
            [sys.executable, "-c", f"{before}\n{_BOOTSTRAP}", f"{name}.handler"],
            stdout=file, stderr=subprocess.STDOUT, cwd=ROOT / "functions" / name,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join([str(ROOT / "functions" / name), str(ROOT / "layers/flagcast/python")]),
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.server_address[1]}",
                **environment,
            },
        )  # fmt: skip
        try:
            yield runtime
        finally:
            process.kill()
            process.wait()
            runtime.shutdown()
            serving.join()
