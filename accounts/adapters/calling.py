"""Call web addresses that people entered, over HTTP, within limits.

At every hop the host is resolved once, the resolved addresses are checked (`domain/addresses`), and the
connection goes to a checked address, so a name that changes meanwhile has no effect. No proxy, cookie or
credential is used. A timer ends the connection when the time is over, so that nobody can occupy a worker by
sending a byte now and then.
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
    """Limits of a call to another server: seconds to connect, seconds for the whole call, bytes of the answer
    (also when unpacked), and the number of redirects that are followed."""

    connect: float = 10
    total: float = 60
    size: int = 50 * 1024 * 1024
    redirects: int = 3


@dataclass(frozen=True)
class RemoteResponse:
    """The answer of another server. Header names are in lower case. A large `body` is a file on disk,
    positioned at its start; the caller closes it."""

    status: int
    headers: Mapping[str, str]
    body: BinaryIO
    size: int
    address: str


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the network addresses that a host name resolves to; none for an unknown name."""
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
) -> RemoteResponse:
    """Call a web address and return the answer, whatever its status. `loopback`: this machine may be called,
    and without TLS.

    A request other than GET is never redirected to another host. Raise `AddressRefused` with the codes of
    `parse_address` and `callable_addresses`, or unreachable, sent-elsewhere, bad-certificate, too-slow,
    answer-too-large, too-many-redirects, answer-broken, answer-encoded.
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
        except ValueError:  # the redirect names no valid address
            raise AddressRefused("address-malformed") from None
    raise AddressRefused("too-many-redirects", most=limits.redirects)


@dataclass
class _Exchange:
    """One request and its answer, over one connection to a checked address."""

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
            # Shut down the connection itself: TLS would first send a farewell and wait for an answer.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _refusal(self, code: str) -> AddressRefused:
        if self.is_over.is_set() or time.monotonic() >= self.ends:
            return AddressRefused("too-slow", seconds=int(self.limits.total))
        return AddressRefused(code)

    def ask(self, method: str, headers: Mapping[str, str], body: bytes | None) -> http.client.HTTPResponse:
        kind = http.client.HTTPSConnection if self.target.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.target.host, self.target.port)
        connection.sock = self._socket
        connection.request(method, self.target.path, body, {**headers, "Connection": "close"})
        return connection.getresponse()

    def answer(self, response: http.client.HTTPResponse, address: str) -> RemoteResponse:
        kept = cast(BinaryIO, SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - handed on
        try:
            size = 0
            for piece in self._pieces(response):
                size += len(piece)
                if size > self.limits.size:
                    raise self._too_large()
                kept.write(piece)
            if self.is_over.is_set():  # an end caused by our timer looks like one by the server
                raise self._refusal("too-slow")
        except BaseException:
            kept.close()
            raise
        kept.seek(0)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return RemoteResponse(response.status, headers, kept, size, address)

    def _too_large(self) -> AddressRefused:
        return AddressRefused("answer-too-large", megabytes=max(1, self.limits.size // 1024**2))

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        """Yield the unpacked body in pieces, at most one byte more than the limit. Raise `AddressRefused`."""
        if (response.length or 0) > self.limits.size:
            raise self._too_large()
        packed = (response.getheader("Content-Encoding") or "identity").strip().lower()
        if packed not in ("identity", "gzip", "x-gzip"):
            raise AddressRefused("answer-encoded")
        unpack = None if packed == "identity" else zlib.decompressobj(wbits=31)
        came = 0
        while piece := response.read1(_PIECE):
            came += len(piece)
            if came > self.limits.size:  # counted also as packed: it may unpack to nothing, endlessly
                raise self._too_large()
            if unpack is None:
                yield piece
                continue
            while piece:
                if unpack.eof:  # several streams may follow one another, as parallel packers write them
                    piece = piece.lstrip(b"\0")  # padding that some packers write
                    if not piece:
                        break
                    unpack = zlib.decompressobj(wbits=31)
                yield unpack.decompress(piece, _PIECE)
                piece = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
        while unpack is not None and (rest := unpack.decompress(b"", _PIECE)):
            yield rest
        if response.length or (unpack is not None and not unpack.eof and response.status == 200):
            raise self._refusal("answer-broken")
