"""Runs what a guide of docs/guides says, block by block in one shell, and compares the answers it shows."""

import os
import re
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler

from django.core.servers.basehttp import ServerHandler, WSGIServer
from django.core.signals import got_request_exception, request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
MARK = "======== block "
# The guides have commands of manage.py answer; a test has these ready.
MAKE = """#!/bin/sh
for word in "$@"; do case "$word" in CMD=*) set -- ${word#CMD=}; cat "$TOKENS/$2" ;; esac; done
"""


class _Handler(WSGIRequestHandler):
    """Answers one request of a connection, and says nothing of it."""

    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if self.parse_request():
            handler = ServerHandler(self.rfile, self.wfile, self.get_stderr(), self.get_environ())
            handler.request_handler = self  # type: ignore[attr-defined]
            handler.run(self.server.get_app())  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(after: Callable[[], object]) -> Iterator[str]:
    """The address of a server that works in the transaction of the test, which waits meanwhile: it answers
    one request after the other. `after` each of them it does what workers would."""
    server = WSGIServer(("127.0.0.1", 0), _Handler)
    serve = get_wsgi_application()
    ours = connections[DEFAULT_DB_ALIAS]

    def answer(environ, start):  # type: ignore[no-untyped-def]
        body = serve(environ, start)
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            after()
        return body

    def work() -> None:
        connections[DEFAULT_DB_ALIAS] = ours
        server.serve_forever()

    def told(**given: object) -> None:
        traceback.print_exc()  # what a test that fails shows

    server.set_app(answer)
    got_request_exception.connect(told)
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    ours.inc_thread_sharing()
    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        ours.dec_thread_sharing()
        got_request_exception.disconnect(told)
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)


def blocks(guide: Path) -> list[str]:
    return BLOCK.findall(guide.read_text("utf-8"))


def run(guide: Path, base: str, tokens: Path, folder: Path) -> None:
    """Fails unless every block ends well, and each `# => words` stands in what its block printed."""
    (make := folder / "make").write_text(MAKE)
    make.chmod(0o755)
    found = blocks(guide)
    script = "set -euo pipefail\n" + "\n".join(f"echo '{MARK}{n}'\n{text}" for n, text in enumerate(found))
    env = {"BASE": base, "TOKENS": str(tokens), "PATH": f"{folder}:{os.environ['PATH']}", "no_proxy": "*"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    printed = re.split(rf"^{MARK}\d+$", done.stdout, flags=re.M)[1:]
    assert len(printed) == len(found)
    for text, answer in zip(found, printed, strict=True):
        for words in re.findall(r"^# => (.*)$", text, re.M):
            assert words in answer, (words, answer[-2000:])
