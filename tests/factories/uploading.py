"""A process of uploads as people run it, which a test may kill; and a sender whose link breaks
at any byte."""

import base64
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from config.local.ports import any_free
from tests.conftest import DEEP

ROOT = Path(__file__).parents[2]
SERVE = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--no-ws", "--workers", "1"]
SERVE += ["--blocking-threads", "4", "--backpressure", "16"]
# A thousand starts without the warm-up of config.uploads, which takes two seconds of each.
BARE = ["--factory", "django.core.wsgi:get_wsgi_application"]
APPLICATION = BARE if DEEP else ["config.uploads:application"]


class Uploads:
    """The process, on the tests' database and with this folder for uploads."""

    def __init__(self, folder: Path, log: Path, application: Sequence[str] = APPLICATION, **env: str) -> None:
        self.port, self.log, self.application = any_free(), log, application
        address = urlsplit(os.environ["DATABASE_URL"])
        name = connection.settings_dict["NAME"]
        self.env = os.environ | {
            "DATABASE_URL": urlunsplit(address._replace(path=f"/{name}")),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MEDIA_ROOT": str(folder),
            "THROTTLE_USER": "10000000/min",
            "THROTTLE_WRITES": "10000000/min",
            "THROTTLE_ADDRESS": "10000000/min",
            **env,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", *SERVE, "--port", str(self.port), *self.application]
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=sink, stderr=sink, start_new_session=True
            )
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with suppress(OSError):
                if self.ask("GET", "/healthz").status == 200:
                    return
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.1)
        raise AssertionError(self.log.read_text()[-3000:])

    def kill(self) -> None:
        """With -9, all of it."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def peak(self) -> int:
        """The most memory that one of its processes has had, in MB."""
        assert self.process is not None
        peaks = [0]
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, StopIteration):
                group = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[2])
                lines = (entry / "status").read_text().splitlines()
                if group == self.process.pid:
                    peaks.append(next(int(x.split()[1]) for x in lines if x.startswith("VmHWM")))
        return max(peaks) // 1024

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HTTPResponse:
        link = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            host = {"Host": urlsplit(settings.SITE_URL).netloc}
            link.request(method, path, body or None, host | dict(headers or {}))
            answer = link.getresponse()
            answer.read()
            return answer
        finally:
            link.close()


@dataclass
class Sender:
    """Sends a file by the protocol; `acknowledged` is what the server has promised to have."""

    server: Uploads
    token: str
    content: bytes
    luck: random.Random
    where: str = ""
    acknowledged: int = 0
    broken: int = 0
    sent: int = field(default=0)

    def headers(self, **more: str) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self.token}", "Tus-Resumable": "1.0.0"} | named

    def begin(self, hand_off: str, path: str) -> None:
        values = {"hand_off": hand_off, "path": path, "sha256": hashlib.sha256(self.content).hexdigest()}
        named = ",".join(
            f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items()
        )
        size = str(len(self.content))
        answer = self.server.ask(
            "POST",
            "/api/v1/uploads/",
            self.headers(Upload_Length=size, Upload_Metadata=named, Content_Length="0"),
        )
        assert answer.status == 201, answer.status
        self.where = answer.headers["Location"]

    def offset(self) -> int:
        """Where the server says it goes on: never before what it acknowledged, never beyond what
        was sent."""
        answer = self.server.ask("HEAD", self.where, self.headers())
        assert answer.status == 200, answer.status
        at = int(answer.headers["Upload-Offset"])
        assert self.acknowledged <= at <= max(self.sent, self.acknowledged)
        self.acknowledged = at
        return at

    def _head_of(self, at: int, length: int) -> bytes:
        lines = self.headers(
            Host=urlsplit(settings.SITE_URL).netloc,
            Content_Type="application/offset+octet-stream",
            Content_Length=str(length),
            Upload_Offset=str(at),
        )
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"PATCH {self.where} HTTP/1.1\r\n{text}\r\n".encode()

    def break_off(self, most: int) -> None:
        """A piece of which only a part is sent, or of which the answer is not awaited."""
        at = self.offset()
        piece = self.content[at : at + self.luck.randint(1, most)]
        part = piece[: self.luck.randint(0, len(piece))]
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as link:
            if self.luck.random() < 0.5:  # gone without a farewell
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            with suppress(OSError):
                link.sendall(self._head_of(at, len(piece)) + part)
                self.sent = max(self.sent, at + len(part))
                if self.luck.random() < 0.3:
                    time.sleep(self.luck.random() / 200)
        self.sent = max(self.sent, at + len(part))
        self.broken += 1

    def piece(self, most: int) -> None:
        """A piece that is answered; another may still be at work on what broke off before."""
        at = self.offset()
        piece = self.content[at : at + self.luck.randint(1, most)]
        self.sent = max(self.sent, at + len(piece))
        headers = self.headers(Content_Type="application/offset+octet-stream", Upload_Offset=str(at))
        answer = self.server.ask("PATCH", self.where, headers, piece)
        assert answer.status in {204, 409, 423}, answer.status
        if answer.status == 204:
            self.acknowledged = int(answer.headers["Upload-Offset"])
            assert self.acknowledged == at + len(piece)
