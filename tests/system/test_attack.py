"""What one who means harm sends to the whole, behind nginx in production settings: it is refused in
a few words, costs next to nothing, and holds up nobody else."""

import json
import os
import socket
import ssl
from contextlib import ExitStack, closing
from http.client import HTTPResponse
from pathlib import Path

import pytest

from config.local.ports import any_free
from tests.flows.installation import HOST, until
from tests.system.conftest import Site, nginx

MOST_SECONDS = 1.0  # of a processor: a hundred times what it takes
MOST_ANSWER = 100_000  # bytes
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def spent() -> float:
    """Seconds of processor that the processes of this machine's web have taken, by what the kernel
    counts of each whose command is granian's."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"granian" in (folder / "cmdline").read_bytes():
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        except OSError:  # gone meanwhile
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def nested(deep: int) -> bytes:
    return b'{"funding":' + b"[" * deep + b"]" * deep + b"}"


LARGE = {
    "entries of a list": (json.dumps({"funding": ["a1b2c"] * 90_000}).encode(), JSON, 413),
    "entries in 64 KB": (json.dumps({"funding": [{}] * 15_000}).encode(), JSON, 400),
    "bookings": (json.dumps({"bookings": [{}] * 100_000}).encode(), JSON, 413),
    "keys": (json.dumps({f"key-{n}": 0 for n in range(4_000)}).encode(), JSON, 400),
    "nesting": (nested(30_000), JSON, 400),
    "digits": (b'{"budget":' + b"9" * 60_000 + b"}", JSON, 400),
    "fields of a form": ("&".join(f"a{n}=" for n in range(8_000)).encode(), FORM, 400),
    "fields beyond 64 KB": ("&".join(f"a{n}=" for n in range(80_000)).encode(), FORM, 413),
}


@pytest.mark.parametrize("case", LARGE)
def test_what_is_far_too_large_costs_nothing(site: Site, case: str) -> None:
    body, headers, status = LARGE[case]
    path = "/api/v1/quotes/" if headers is JSON else "/accounts/login/"
    stranger = site.person("large")
    stranger.ask("GET", "/accounts/login/")
    before = spent()
    answer = stranger.ask("POST", path, status, data=body, headers=headers)
    assert spent() - before < MOST_SECONDS
    assert len(answer.content) < MOST_ANSWER


def test_too_many_transfers_are_refused_in_words(tmp_path: Path) -> None:
    """nginx is the second to refuse: the platform, which allows an address eight and a link four,
    says it in the reader's language. What nginx says itself is a sentence, too, and when to ask
    again; and another address is let through meanwhile."""
    https = any_free()
    with ExitStack() as stack:
        behind = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=64)))
        port = behind.getsockname()[1]
        stack.enter_context(nginx(tmp_path, tmp_path, https, port, port))
        context = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))

        def is_up() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", https)) == 0

        until(is_up, "nginx")

        def ask(path: str, origin: str = "127.0.0.1") -> ssl.SSLSocket:
            """A request which is on its way for as long as nobody answers it."""
            plain = socket.create_connection(("127.0.0.1", https), 20, (origin, 0))
            wire = stack.enter_context(context.wrap_socket(plain, server_hostname=HOST))
            wire.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            return wire

        def is_let_through(path: str, origin: str) -> bool:
            ask(path, origin)
            behind.settimeout(20)
            stack.enter_context(closing(behind.accept()[0]))
            return True

        for n in range(12):  # three links of four each, or as many people
            assert is_let_through(f"/collect/{n % 3}{'0' * 31}/a.raw", "127.0.0.1")
        for path in ("/collect/9/a.raw", "/api/v1/uploads/"):
            answer = HTTPResponse(ask(path))
            answer.begin()
            assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
            assert b"Try again" in answer.read()
        assert is_let_through("/collect/9/a.raw", "127.0.0.2")
