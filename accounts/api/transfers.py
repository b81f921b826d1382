"""Limit how many files this process transfers at a time for one network address and for one link or person:
each transfer occupies a thread as long as it lasts."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Protocol, Self, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from accounts.api.throttling import Addresses
from accounts.domain.errors import TooOften


class Transfers:
    """Counts the running transfers by key (an address, a link or a person)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: Counter[str] = Counter()

    def take(self, limits: Mapping[str, int]) -> "Transfer":
        """Count one more transfer for each key. Raise `TooOften` (`too-many-transfers`), and count none, if a
        key has reached its limit."""
        with self._lock:
            for key, most in limits.items():
                if most and self._numbers[key] >= most:
                    raise TooOften("too-many-transfers", most=most)
            self._numbers.update(limits.keys())
        return Transfer(self, tuple(limits))

    def give_back(self, keys: tuple[str, ...]) -> None:
        """Subtract one running transfer from the number of each key."""
        with self._lock:
            self._numbers.subtract(keys)
            self._numbers += Counter()  # drops the keys whose count is zero

    def forget(self) -> None:
        """Reset all counts to nothing."""
        with self._lock:
            self._numbers.clear()


class Transfer:
    """A transfer that counts as running until it is closed."""

    def __init__(self, transfers: Transfers, keys: tuple[str, ...]) -> None:
        self._transfers, self._keys = transfers, keys

    def close(self) -> None:
        """Stop counting this transfer as running; calling it again changes nothing."""
        keys, self._keys = self._keys, ()
        self._transfers.give_back(keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


TRANSFERS = Transfers()


def transfer(request: HttpRequest, who: object) -> Transfer:
    """Begin a transfer, counted for `who` (a link or a person) and for the network address of the request.
    Raise `TooOften`."""
    address = Addresses().get_ident(cast(Any, request))
    return TRANSFERS.take(
        {f"address {address}": settings.TRANSFERS_PER_ADDRESS, f"who {who}": settings.TRANSFERS_PER_LINK}
    )


class StreamedResponse(Protocol):
    """An answer: its status, its headers, and its content piece by piece."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> Iterator[bytes] | tuple[()]: ...


class _Sent:
    """Content that is being sent. Closing it ends its transfer, even if nobody began to read it."""

    def __init__(self, content: Iterator[bytes], one: Transfer) -> None:
        self._content, self._one = content, one

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._content)

    def close(self) -> None:
        try:
            if (close := getattr(self._content, "close", None)) is not None:
                close()
        finally:
            self._one.close()


def given_out(request: HttpRequest, who: object, give: Callable[[], StreamedResponse]) -> HttpResponseBase:
    """Return the answer of `give` as a response that counts as a transfer while it is sent. Raise `TooOften`
    before `give` is called."""
    one = transfer(request, who)
    try:
        answer = give()
        if isinstance(answer.content, Iterator):
            content = _Sent(answer.content, one)
            return StreamingHttpResponse(content, status=answer.status, headers=answer.headers)
    except BaseException:
        one.close()
        raise
    one.close()
    return HttpResponse(status=answer.status, headers=answer.headers)
