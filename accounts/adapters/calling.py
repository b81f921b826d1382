"""Calling web addresses that people gave, over HTTP, within limits.

Every hop is resolved once, what it resolves to is checked (`domain/addresses`), and the connection
goes to the address that was checked: a name that changes in between changes nothing. No proxy, no
cookie, no credential. A watch ends the connection when the time is over, so that nobody holds a
worker by sending a byte now and then.
"""

import http.client
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from urllib.parse import urljoin

from accounts.domain.addresses import AddressRefused, Target, callable_addresses, parse_address

type Resolve = Callable[[str, int], Sequence[str]]

AGENT = "InstrumentCommons"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_IN_MEMORY = 1 << 20
_PIECE = 1 << 16
_MOST_TRIED = 3


@dataclass(frozen=True)
class Limits:
    """Seconds to connect and for everything together, bytes of the answer (unpacked, too), and
    how often it may send us elsewhere."""

    connect: float = 10
    total: float = 60
    size: int = 50 * 1024 * 1024
    redirects: int = 3


@dataclass(frozen=True)
class Answer:
    """What came back; header names in lower case. `body` is on disk if it is large, at its
    start; whoever asked closes it."""

    status: int
    headers: Mapping[str, str]
    body: BinaryIO
    size: int
    address: str


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of the network that a name has now; none for an unknown one."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(address[0]) for *_kind, address in addresses]


def call(
    address: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    limits: Limits = Limits(),
    loopback: bool = False,
    resolve: Resolve = resolve,
) -> Answer:
    """Return the answer of an address, whatever its status. `loopback`: this machine may be called,
    and without TLS.

    What tells something (not GET) is told to the host it is meant for, and not sent on to another.
    `AddressRefused`: as `parse_address` and `callable_addresses`, and unreachable, sent-elsewhere,
    bad-certificate, too-slow, answer-too-large, too-many-redirects, answer-broken, answer-encoded.
    """
    ends = time.monotonic() + limits.total
    sent = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **(headers or {})}
    meant = parse_address(address, loopback=loopback)
    for _hop in range(limits.redirects + 1):
        target = parse_address(address, loopback=loopback)
        addresses = callable_addresses(resolve(target.host, target.port), loopback=loopback)
        if method != "GET" and (target.host, target.port) != (meant.host, meant.port):
            raise AddressRefused("sent-elsewhere")
        with _Exchange(target, addresses, limits, ends).opened() as exchange:
            response = exchange.ask(method, sent, body)
            elsewhere = response.getheader("Location")
            if response.status not in _REDIRECTS or not elsewhere:
                return exchange.answer(response, address)
        try:
            address = urljoin(address, elsewhere)
        except ValueError:  # it sends us to what is no address
            raise AddressRefused("address-malformed") from None
    raise AddressRefused("too-many-redirects", most=limits.redirects)


@dataclass
class _Exchange:
    """One question and its answer over one connection to an address that was checked."""

    target: Target
    addresses: Sequence[str]
    limits: Limits
    ends: float
    is_over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def opened(self) -> Iterator["_Exchange"]:
        plain = self._connect()
        self._socket = plain
        watch = threading.Timer(max(0.0, self.ends - time.monotonic()), self._end)
        watch.daemon = True
        watch.start()
        try:
            if self.target.scheme == "https":
                self._socket = ssl.create_default_context().wrap_socket(
                    plain, server_hostname=self.target.host, do_handshake_on_connect=False
                )
                self._socket.do_handshake()
            yield self
        except ssl.SSLCertVerificationError:
            raise AddressRefused("bad-certificate") from None
        except (OSError, http.client.HTTPException, zlib.error):
            raise self._refusal("answer-broken") from None
        finally:
            watch.cancel()
            self._socket.close()

    def _connect(self) -> socket.socket:
        for address in self.addresses[:_MOST_TRIED]:
            left = min(self.limits.connect, self.ends - time.monotonic())
            if left <= 0:
                raise AddressRefused("too-slow", seconds=int(self.limits.total))
            try:
                connection = socket.create_connection((address, self.target.port), timeout=left)
            except OSError:
                continue
            connection.settimeout(self.limits.total)
            return connection
        raise AddressRefused("unreachable")

    def _end(self) -> None:
        self.is_over.set()
        with suppress(OSError):  # it may have ended already
            # Of the connection itself: TLS would first say good-bye, and wait for an answer.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _refusal(self, code: str) -> AddressRefused:
        if self.is_over.is_set() or time.monotonic() >= self.ends:
            return AddressRefused("too-slow", seconds=int(self.limits.total))
        return AddressRefused(code)

    def ask(
        self, method: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        kind = (
            http.client.HTTPSConnection
            if self.target.scheme == "https"
            else http.client.HTTPConnection
        )
        connection = kind(self.target.host, self.target.port)
        connection.sock = self._socket
        connection.request(method, self.target.path, body, {**headers, "Connection": "close"})
        return connection.getresponse()

    def answer(self, response: http.client.HTTPResponse, address: str) -> Answer:
        kept = cast(BinaryIO, SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - handed on
        try:
            size = 0
            for piece in self._pieces(response):
                size += len(piece)
                if size > self.limits.size:
                    raise self._too_large()
                kept.write(piece)
            if self.is_over.is_set():  # an end that the watch made looks like one of theirs
                raise self._refusal("too-slow")
        except BaseException:
            kept.close()
            raise
        kept.seek(0)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, kept, size, address)

    def _too_large(self) -> AddressRefused:
        return AddressRefused("answer-too-large", megabytes=max(1, self.limits.size // 1024**2))

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        """Return the body, unpacked, never more than one byte over the limit from one piece."""
        if (response.length or 0) > self.limits.size:
            raise self._too_large()
        packed = (response.getheader("Content-Encoding") or "identity").strip().lower()
        if packed not in ("identity", "gzip", "x-gzip"):
            raise AddressRefused("answer-encoded")
        unpack = None if packed == "identity" else zlib.decompressobj(wbits=31)
        while piece := response.read1(_PIECE):
            if unpack is None:
                yield piece
                continue
            while piece:
                if unpack.eof:  # one may follow the other, as of what packs in parallel
                    piece = piece.lstrip(b"\0")  # which some fill up with
                    if not piece:
                        break
                    unpack = zlib.decompressobj(wbits=31)
                yield unpack.decompress(piece, _PIECE)
                piece = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
        while unpack is not None and (rest := unpack.decompress(b"", _PIECE)):
            yield rest
        if response.length or (unpack is not None and not unpack.eof and response.status == 200):
            raise self._refusal("answer-broken")
