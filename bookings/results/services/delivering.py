"""Giving out results: a file or the package, whole or in part, to a person or to somebody by a link.

While the platform sends, it checks twice a second that the link or the delivery is still in force, and
records how far the reader got.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from django.conf import settings
from django.utils.http import content_disposition_header

from accounts.domain.roles import By
from bookings.results.adapters.stores import file_lend, file_read
from bookings.results.domain.ranges import ByteRange, is_scattered, parse_range
from bookings.results.domain.zips import Piece, cut, length
from bookings.results.models import CollectLink, HandOff, Receipt, ResultFile
from bookings.results.selectors import collecting
from bookings.results.services.collecting import delivery_begin, delivery_note, delivery_send

LENT = 60  # seconds for which an address at the bucket is valid
WATCHED = 0.5  # seconds between two checks
COUNTED = 8 << 20  # bytes that are counted at once
INTERNAL = "/results-of-the-platform/"  # deploy/nginx
# No browser displays it, guesses its type, or runs anything in it.
HEADERS = {
    "Content-Type": "application/octet-stream",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store, no-transform",
    "X-Robots-Tag": "noindex",
}


class Revoked(ConnectionError):
    """The reader may no longer read what is being sent, so the connection is ended early."""


@dataclass(frozen=True)
class Request:
    """The HTTP request of a reader. clock: returns the current time, also during the download."""

    method: str
    headers: Mapping[str, str]
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class DownloadResponse:
    """An answer: its status, its headers, and its content piece by piece."""

    status: int
    headers: Mapping[str, str]
    content: Iterator[bytes] | tuple[()] = field(default=())


def file_deliver(
    by: By, *, hand_off: HandOff, file: ResultFile, link: CollectLink | None, request: Request
) -> DownloadResponse:
    """Give out a file that may be read. Raises `NotFound` if the link has no uses left."""
    name = file.path.rpartition("/")[2]
    disposition = content_disposition_header(True, name) or "attachment"
    headers = HEADERS | {"Content-Disposition": disposition}
    is_counted = link is not None and link.uses_left is not None
    if settings.RESULTS_FROM == "platform" or is_counted:
        return _send(
            by,
            hand_off,
            file.path,
            link,
            request,
            size=file.size,
            tag=file.sha256[:32],
            headers=headers,
            read=lambda start, end: file_read(file.storage, start, end),
        )
    if request.method != "HEAD":
        # The file server does not report how much was sent.
        start = (parse_range(request.headers.get("Range", ""), file.size) or ByteRange(0, 0)).start
        way = Receipt.Way.HANDED_OUT
        delivery_begin(by, hand_off=hand_off, path=file.path, size=file.size, start=start, link=link, way=way)
    if settings.RESULTS_FROM == "proxy":
        inside = INTERNAL + quote(file.storage.removeprefix("results/"))
        return DownloadResponse(200, headers | {"X-Accel-Redirect": inside})
    return DownloadResponse(302, headers | {"Location": file_lend(file.storage, disposition, LENT)})


def package_deliver(
    by: By, *, hand_off: HandOff, link: CollectLink | None, request: Request
) -> DownloadResponse:
    """Give out everything as one package, which the platform always sends itself."""
    parts = collecting.load_package(hand_off)
    disposition = content_disposition_header(True, collecting.file_name_of(hand_off)) or "attachment"
    return _send(
        by,
        hand_off,
        "",
        link,
        request,
        size=length(parts),
        tag=_tag_of(parts),
        headers=HEADERS | {"Content-Disposition": disposition},
        read=lambda start, end: _package_read(parts, start, end),
    )


def _tag_of(parts: list[Piece]) -> str:
    """Return an ETag that is the same for the same bytes, for content outside the files, whose digests are in
    a manifest."""
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else part.content
        digest.update(content or b"")
    return digest.hexdigest()[:32]


def _package_read(parts: list[Piece], start: int, end: int) -> Iterator[bytes]:
    for part, first, last in cut(parts, start, end):
        content = part if isinstance(part, bytes) else part.content
        if content is not None:
            yield content[first:last]
        elif not isinstance(part, bytes):
            yield from file_read(part.key, first, last)


def _send(
    by: By,
    hand_off: HandOff,
    path: str,
    link: CollectLink | None,
    request: Request,
    *,
    size: int,
    tag: str,
    headers: Mapping[str, str],
    read: Callable[[int, int], Iterator[bytes]],
) -> DownloadResponse:
    """Return the answer that sends bytes from here, in whole or in part (RFC 9110, section 14)."""
    etag = f'"{tag}"'
    # Not buffered by the proxy: bytes that it has taken count as delivered.
    headers = {**headers, "ETag": etag, "Accept-Ranges": "bytes", "X-Accel-Buffering": "no"}
    asked = request.headers.get("Range", "") if request.method == "GET" else ""
    if request.headers.get("If-Range", etag) != etag:
        asked = ""  # the range is of other bytes than these
    part = parse_range(asked, size)
    if part is None:
        return DownloadResponse(416, {**headers, "Content-Range": f"bytes */{size}", "Content-Length": "0"})
    if part.length < size:
        taken = collecting.parts_taken(collecting.deliveries_to(by.actor, hand_off, path, size, link))
        if is_scattered(taken, part):
            part = ByteRange(0, size)  # which HTTP allows: the record of a reader stays small
    is_whole = part.length == size
    headers["Content-Length"] = str(part.length)
    if not is_whole:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size}"
    status = 200 if is_whole else 206
    if request.method != "GET":
        return DownloadResponse(status, headers)
    receipt = delivery_begin(
        by, hand_off=hand_off, path=path, size=size, start=part.start, length=part.length, link=link
    )
    pieces = read(part.start, part.end)
    if link is not None and link.uses_left is not None:
        pieces = _counted(pieces, part.length, receipt)
    return DownloadResponse(status, headers, _watched(pieces, part, receipt, request.clock))


def _counted(pieces: Iterator[bytes], length: int, receipt: Receipt) -> Iterator[bytes]:
    """Yield the pieces, each counted before it is sent, so that breaking the connection does not avoid the
    count."""
    room, left = 0, length
    for piece in pieces:
        if room < len(piece):
            count = max(min(left, COUNTED), len(piece) - room)
            if not delivery_send(receipt_id=receipt.pk, size=receipt.size, count=count):
                raise Revoked
            room, left = room + count, left - count
        yield piece
        room -= len(piece)


def _watched(
    pieces: Iterator[bytes], part: ByteRange, receipt: Receipt, clock: Callable[[], datetime]
) -> Iterator[bytes]:
    position, looked = part.start, time.monotonic()
    try:
        for piece in pieces:
            if time.monotonic() - looked >= WATCHED:
                _note(receipt, part.start, position, clock, is_last=False)
                if not _stands(receipt, clock()):
                    raise Revoked
                looked = time.monotonic()
            yield piece
            position += len(piece)
    finally:
        _note(receipt, part.start, position, clock)


def _note(
    receipt: Receipt, start: int, position: int, clock: Callable[[], datetime], *, is_last: bool = True
) -> None:
    if position > start or receipt.size == 0:
        delivery_note(receipt_id=receipt.pk, start=start, end=position, now=clock(), is_last=is_last)


def _stands(receipt: Receipt, now: datetime) -> bool:
    if receipt.link_id:
        return collecting.link_stands(receipt.link_id, now)
    assert receipt.user_id is not None
    return collecting.reader_stands(receipt.user_id, receipt.hand_off_id)
