"""Giving results out: a file or the package, whole or in part, to a person or whoever has a link.

What is sent by the platform is watched: twice a second it is asked whether the link or the hand-off
still stands, and noted how far the reader got.
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
from bookings.results.domain.ranges import Part, parse_range
from bookings.results.domain.zips import Piece, cut, length
from bookings.results.models import CollectLink, HandOff, Receipt, ResultFile
from bookings.results.selectors.collecting import (
    is_readable,
    link_stands,
    load_package,
    reference_of,
)
from bookings.results.services.collecting import delivery_begin, delivery_note, delivery_send

LENT = 60  # seconds that an address of a bucket counts
WATCHED = 0.5  # seconds between two looks
COUNTED = 8 << 20  # bytes that are counted at once
INTERNAL = "/results-of-the-platform/"  # deploy/nginx
# No browser shows it, guesses what it is, or runs what is in it.
HEADERS = {
    "Content-Type": "application/octet-stream",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store, no-transform",
    "X-Robots-Tag": "noindex",
}


class Revoked(ConnectionError):
    """What was being sent may not be read any more: the connection ends before its time."""


@dataclass(frozen=True)
class Request:
    """What a reader asks for, as HTTP has it. clock: what time it is, also later on."""

    method: str
    headers: Mapping[str, str]
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class Answer:
    """What is answered: a status, headers, and the content piece by piece."""

    status: int
    headers: Mapping[str, str]
    content: Iterator[bytes] | tuple[()] = field(default=())


def file_deliver(
    by: By, *, hand_off: HandOff, file: ResultFile, link: CollectLink | None, request: Request
) -> Answer:
    """Give out a file that may be read. `NotFound` where the link has no use left."""
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
        # Whoever sends it does not say how far it came.
        start = (parse_range(request.headers.get("Range", ""), file.size) or Part(0, 0)).start
        way = Receipt.Way.HANDED_OUT
        delivery_begin(
            by, hand_off=hand_off, path=file.path, size=file.size, start=start, link=link, way=way
        )
    if settings.RESULTS_FROM == "proxy":
        inside = INTERNAL + quote(file.storage.removeprefix("results/"))
        return Answer(200, headers | {"X-Accel-Redirect": inside})
    return Answer(302, headers | {"Location": file_lend(file.storage, disposition, LENT)})


def package_deliver(
    by: By, *, hand_off: HandOff, link: CollectLink | None, request: Request
) -> Answer:
    """Give out everything as one package, which the platform always sends itself."""
    parts = load_package(hand_off)
    disposition = f'attachment; filename="{reference_of(hand_off)}.zip"'
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
    """The same for the same bytes: of what is not in the files, whose digests are in a manifest."""
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
) -> Answer:
    """Send bytes of our own, in whole or in part (RFC 9110, section 14)."""
    etag = f'"{tag}"'
    # Not kept back by the proxy: what it has taken counts as delivered.
    headers = {**headers, "ETag": etag, "Accept-Ranges": "bytes", "X-Accel-Buffering": "no"}
    asked = request.headers.get("Range", "") if request.method == "GET" else ""
    if request.headers.get("If-Range", etag) != etag:
        asked = ""  # of other bytes than these
    part = parse_range(asked, size)
    if part is None:
        return Answer(416, {**headers, "Content-Range": f"bytes */{size}", "Content-Length": "0"})
    is_whole = part.length == size
    headers["Content-Length"] = str(part.length)
    if not is_whole:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size}"
    status = 200 if is_whole else 206
    if request.method != "GET":
        return Answer(status, headers)
    receipt = delivery_begin(
        by,
        hand_off=hand_off,
        path=path,
        size=size,
        start=part.start,
        length=part.length,
        link=link,
    )
    pieces = read(part.start, part.end)
    if link is not None and link.uses_left is not None:
        pieces = _counted(pieces, part.length, receipt)
    return Answer(status, headers, _watched(pieces, part, receipt, request.clock))


def _counted(pieces: Iterator[bytes], length: int, receipt: Receipt) -> Iterator[bytes]:
    """What is sent is counted before it is, so that a connection which breaks hides nothing."""
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
    pieces: Iterator[bytes], part: Part, receipt: Receipt, clock: Callable[[], datetime]
) -> Iterator[bytes]:
    position, looked = part.start, time.monotonic()
    try:
        for piece in pieces:
            if time.monotonic() - looked >= WATCHED:
                _note(receipt, part.start, position, clock)
                if not _stands(receipt, clock()):
                    raise Revoked
                looked = time.monotonic()
            yield piece
            position += len(piece)
    finally:
        _note(receipt, part.start, position, clock)


def _note(receipt: Receipt, start: int, position: int, clock: Callable[[], datetime]) -> None:
    if position > start or receipt.size == 0:
        delivery_note(receipt_id=receipt.pk, start=start, end=position, now=clock())


def _stands(receipt: Receipt, now: datetime) -> bool:
    if receipt.link_id:
        return link_stands(receipt.link_id, now)
    return is_readable(receipt.hand_off_id)
