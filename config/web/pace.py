"""End connections that stand still: a client that reads nothing of what it requested, or sends half a body,
occupies a thread of the server, which would wait without end. A thread of our own watches the process's
connections, by the byte counts of the kernel, and ends those that are too slow.

This works on Linux only. On other systems, meant only for trying the platform, no connection is ended.
"""

import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)
LOOKS = 12  # in the time that a transfer has
_INFO = struct.Struct("=8x24I4Q3I")  # of tcp_info, up to tcpi_notsent_bytes
_ACKED, _RECEIVED, _UNACKED, _NOTSENT = 26, 27, 4, 30
_ESTABLISHED, _CLOSE_WAIT = 1, 8


@dataclass(frozen=True)
class Seen:
    """An observation of a connection: the bytes that its other end has taken and sent so far, and whether
    bytes wait to be taken."""

    at: float
    taken: int
    sent: int
    is_waiting: bool


def is_slow(history: list[Seen], *, seconds: float, least: int, owes_body: bool) -> bool:
    """Return whether a connection has moved fewer than `least` bytes within the last `seconds`, although we
    waited all that time for the other end to take what we sent or (`owes_body`) to send."""
    last = history[-1]
    within = [seen for seen in history if seen.at >= last.at - seconds]
    before = [seen for seen in history if seen.at <= last.at - seconds]
    if not before:
        return False
    first = before[-1]
    if all(seen.is_waiting for seen in [first, *within]):
        return last.taken - first.taken < least
    return owes_body and max(last.sent - first.sent, last.taken - first.taken) < least


class Bodies:
    """The bodies of requests that are being read at present."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waited: dict[Body, list[Seen]] = {}

    def begin(self, body: "Body") -> None:
        """Note that we wait for a piece of a request's body; its earlier observations are kept."""
        with self._lock:
            self._waited.setdefault(body, body.history)

    def end(self, body: "Body") -> None:
        """Note that we no longer wait for a piece of the body."""
        with self._lock:
            self._waited.pop(body, None)

    def owing(self, now: float, *, seconds: float, least: int) -> set[str]:
        """Return the addresses of clients that send too little of a body that we wait for."""
        with self._lock:
            waited = list(self._waited.items())
        addresses = set()
        for body, history in waited:
            history.append(Seen(now, 0, body.moved, False))
            del history[: -2 * LOOKS]
            if is_slow(history, seconds=seconds, least=least, owes_body=True):
                addresses.add(body.address)
        return addresses


class Body:
    """The body of a request; it is registered while somebody waits for a piece of it."""

    def __init__(self, stream: Any, address: str, bodies: Bodies) -> None:
        self._stream, self._bodies = stream, bodies
        self.address, self.moved = address, 0
        self.history: list[Seen] = []

    def _noted(self, name: str, *args: Any) -> Any:
        self._bodies.begin(self)
        try:
            piece = getattr(self._stream, name)(*args)
            self.moved += len(piece)
            return piece
        finally:
            self._bodies.end(self)

    def read(self, *size: int) -> Any:
        return self._noted("read", *size)

    def readline(self, *size: int) -> Any:
        return self._noted("readline", *size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line


class Pace:
    """Ends the connections of a process that are too slow."""

    def __init__(self, *, seconds: float, least: int) -> None:
        self.seconds, self.least, self.bodies = seconds, least, Bodies()
        self.ports: set[int] = set()
        self._seen: dict[tuple[Any, Any], list[Seen]] = {}
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def watch(self, environ: dict[str, Any]) -> None:
        """Register a request: the port that it came to, and its body."""
        if not (self.seconds and self.least and hasattr(socket, "TCP_INFO")):
            return
        if not environ.get("SERVER_PORT", "").isdecimal():
            return
        self.ports.add(int(environ["SERVER_PORT"]))
        address = environ.get("REMOTE_ADDR", "")
        environ["wsgi.input"] = Body(environ["wsgi.input"], address, self.bodies)
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="pace", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(self.seconds / LOOKS)
            try:
                self.look(time.monotonic())
            except Exception:  # whatever it is, the next look comes
                log.exception("Connections could not be looked at")

    def look(self, now: float) -> int:
        """Check all connections once and end those that are too slow; return how many."""
        seen: dict[tuple[Any, Any], list[Seen]] = {}
        ended, owing = 0, self.bodies.owing(now, seconds=self.seconds, least=self.least)
        for link in _connections(self.ports):
            with link:
                try:
                    ends, stands = (link.getsockname(), link.getpeername()), _stands(link, now)
                except OSError:  # gone meanwhile
                    continue
                if stands is None:
                    continue
                kept = [row for row in self._seen.get(ends, ()) if row.sent <= stands.sent]
                history = [*kept[-2 * LOOKS :], stands]
                owes = ends[1][0] in owing
                if is_slow(history, seconds=self.seconds, least=self.least, owes_body=owes):
                    log.warning("A connection from %s was ended: it stood still", ends[1][0])
                    link.shutdown(socket.SHUT_RDWR)
                    ended += 1
                    continue
                seen[ends] = history
        self._seen = seen
        return ended


def _connections(ports: set[int]) -> Iterator[socket.socket]:
    """Yield the process's connections that came to these ports, each as a duplicated descriptor, because a
    descriptor's number may belong to another connection the next moment."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            link = socket.socket(fileno=os.dup(int(name)))
        except OSError:  # closed meanwhile
            continue
        is_inet = link.family in {socket.AF_INET, socket.AF_INET6}
        try:
            if is_inet and link.type == socket.SOCK_STREAM and link.getsockname()[1] in ports:
                yield link
                continue
        except OSError:
            pass
        link.close()


def _stands(link: socket.socket, now: float) -> Seen | None:
    """Return what the kernel reports about a connection; None if it has ended."""
    told = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    if len(told) < _INFO.size or told[0] not in {_ESTABLISHED, _CLOSE_WAIT}:
        return None
    info: tuple[int, ...] = _INFO.unpack_from(told)
    is_waiting = bool(info[_UNACKED] or info[_NOTSENT])
    return Seen(now, info[_ACKED], info[_RECEIVED], is_waiting)
