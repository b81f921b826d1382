"""Uploading files in pieces by the tus protocol 1.0 (https://tus.io), which resumes after a broken
connection.

Core, creation, creation-with-upload, termination, checksum and expiration are supported. Separate processes
serve it, so that uploads do not slow down pages (docs/operations.md).
"""

import base64
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import BearerAuthentication
from accounts.api.endpoint import Endpoint, body_length
from accounts.api.transfers import Transfer, transfer
from accounts.domain.errors import NotPermitted, Refused, invalid
from accounts.domain.roles import Actor, By
from accounts.models import User
from accounts.permissions import actor_of
from accounts.selectors.installation import maintenance_now
from accounts.selectors.memberships import load_actor
from bookings.results.api.tus import MEDIA_TYPE, upload_described, uploads_described
from bookings.results.models import ResultFile
from bookings.results.services import uploads

VERSION = "1.0.0"
PIECE_BYTES = 16 << 20  # what a request holds in memory; a longer body is stored in several pieces
# Of a body with a checksum, of which nothing is stored before all of it has come: sixteen at once take 4 GiB.
CHECKED_BYTES = 1 << 28
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
SLOW = timedelta(seconds=10)  # a piece that took as long is stored for who may still send it
_READ = 1 << 20
_SPOOL = "/var/tmp"  # noqa: S108 (/tmp is often in memory)
_DIGESTS: Mapping[str, Callable[[], Any]] = {
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}
# For pages of the site, which send uploads to another address (`UPLOADS_URL`).
_ELSEWHERE = {
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": "POST, HEAD, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Content-Type, Tus-Resumable, Upload-Length, Upload-Offset, "
    "Upload-Metadata, Upload-Checksum, X-CSRFToken",
    "Access-Control-Expose-Headers": "Location, Upload-Offset, Upload-Length, Upload-Expires, Tus-Resumable",
    "Access-Control-Max-Age": "3600",
}


class TooLarge(Refused):
    """A body is longer than what the file lacks, or than one with a checksum may be: `most` bytes."""

    code = "piece-too-large"


class OtherProtocol(Refused):
    """The client uses another version of the protocol."""

    code = "other-tus-version"


class ChecksumDiffers(Refused):
    """A piece does not match its checksum; nothing of it is kept."""

    code = "checksum-differs"


# The refusals for which the protocol has status codes.
STATUS: Mapping[type[Exception], int] = {
    uploads.OffsetDiffers: 409,
    uploads.UploadBusy: 423,
    TooLarge: 413,
    OtherProtocol: 412,
    ChecksumDiffers: 460,
    uploads.StorageFull: 413,
}


class _Unread(BaseParser):
    """A parser that leaves the body unread, which looking for a CSRF token would otherwise consume."""

    media_type = MEDIA_TYPE

    def parse(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {}


class _Tus(Endpoint):
    """An endpoint of the tus protocol: every answer has the header `Tus-Resumable`; refusals are answered as
    in the rest of the API."""

    http_method_names = ["options", "head", "post", "patch", "delete"]
    write_scope = read_scope = "upload"
    needs_person = True
    takes_chunks = True
    schema = None  # shapes know no headers: `described`
    parser_classes = [_Unread]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method == "OPTIONS":  # a browser's preflight request
            return
        if request.headers.get("Tus-Resumable") != VERSION:
            raise OtherProtocol(version=VERSION)
        # Before authentication, which looks for a form in the body and would read it to its end.
        if _has_body(request):
            _check_media_type(request)
        super().initial(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if status := STATUS.get(type(exc)):
            response.status_code = response.data["status"] = status
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Tus-Resumable"] = VERSION
        final["Cache-Control"] = "private, no-store"
        if settings.UPLOADS_URL:
            for name, value in _ELSEWHERE.items():
                final[name] = value
            final["Access-Control-Allow-Origin"] = settings.SITE_URL
        if final.status_code == 412:
            final["Tus-Version"] = VERSION
        return final

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Return the tus versions and extensions of this server."""
        return Response(
            status=204,
            headers={
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(settings.RESULTS_MOST_BYTES),
                "Tus-Checksum-Algorithm": ",".join(_DIGESTS),
            },
        )

    def transfer(self) -> Transfer:
        """Begin the transfer of a request, before anything else is done for it."""
        return transfer(self.request._request, self.actor.user_id)

    def write(self, row: ResultFile, at: int) -> ResultFile:
        """Store the body of the request piece by piece, or as much of it as arrived before the connection
        broke. With `Upload-Checksum` all of it is stored, or nothing."""
        body = _Body(self.request, most=row.size - at)
        if (stated := self.request.headers.get("Upload-Checksum")) is None:
            return self._store(row, at, body.pieces())
        with tempfile.SpooledTemporaryFile(_READ, dir=_SPOOL) as kept:
            digest, wanted = _checksum(stated)
            if (body.length or 0) > CHECKED_BYTES:
                raise TooLarge(most=CHECKED_BYTES)
            for piece in body.pieces():
                if kept.tell() + len(piece) > CHECKED_BYTES:
                    raise TooLarge(most=CHECKED_BYTES)
                digest.update(piece)
                kept.write(piece)
            if not body.is_whole or base64.b64encode(digest.digest()).decode() != wanted:
                raise ChecksumDiffers
            kept.seek(0)
            return self._store(row, at, iter(lambda: kept.read(PIECE_BYTES), b""))

    def _store(self, row: ResultFile, at: int, pieces: Iterator[bytes]) -> ResultFile:
        """Store pieces one after the other. A long body, and one that comes slowly, may outlast a token and a
        role, so both are asked for again; where maintenance begins meanwhile, the rest is not read."""
        by = self.by
        for n, piece in enumerate(pieces):
            now = timezone.now()
            if n or now - by.now >= SLOW:
                if maintenance_now(now):
                    break
                by = By(self._sender(), now)
            row = uploads.upload_write(by, file_id=row.pk, at=at, data=piece)
            at += len(piece)
        return row

    def _sender(self) -> Actor:
        """Return who sends, as they are now. Raise `AuthenticationFailed`, `NotPermitted`."""
        signed_in = BearerAuthentication().authenticate(self.request)
        if signed_in is None:
            return actor_of(User.objects.get(pk=self.actor.person))
        user, token = signed_in
        if self.write_scope not in token.scopes:
            raise NotPermitted("scope-missing", scope=self.write_scope)
        return load_actor(user)


class Uploads(_Tus):
    described = staticmethod(uploads_described)

    def post(self, request: Request) -> Response:
        """Begin a file: `Upload-Length`, and `Upload-Metadata` with `hand_off`, `path` and, if known,
        `sha256` (64 hex digits). A body is its first piece."""
        size = _number(request, "Upload-Length")
        named = _metadata(request)
        try:
            hand_off_id = UUID(named.get("hand_off", ""))
        except ValueError:
            raise invalid("hand_off", "not-an-id") from None
        has_body = _has_body(request)
        if (body_length(request) if has_body else 0) > size:
            raise TooLarge(most=size)
        with self.transfer() if has_body else nullcontext():
            row = uploads.upload_begin(
                self.by,
                hand_off_id=hand_off_id,
                path=named.get("path", ""),
                size=size,
                sha256=named.get("sha256", ""),
            )
            headers = {"Location": f"{request.path}{row.pk}/"}
            if has_body:
                row = self.write(row, 0)
        return Response(status=201, headers=headers | _state(row))


class Upload(_Tus):
    described = staticmethod(upload_described)

    def head(self, request: Request, file_id: UUID) -> Response:
        """Return how much of the file has arrived, which is where to continue."""
        row = uploads.upload_by_id(self.actor, file_id)
        return Response(headers=_state(row) | {"Upload-Length": str(row.size)})

    def patch(self, request: Request, file_id: UUID) -> Response:
        """Append what begins at `Upload-Offset`, at most to the end of the file. When this is answered, it is
        on disk."""
        row = uploads.upload_by_id(self.actor, file_id)
        _check_media_type(request)
        at = _number(request, "Upload-Offset")
        if at != row.received:  # before a long body is read for nothing
            raise uploads.OffsetDiffers(offset=row.received)
        with self.transfer():
            row = self.write(row, at)
        return Response(status=204, headers=_state(row))

    def delete(self, request: Request, file_id: UUID) -> Response:
        """Remove the file, complete or not, before its delivery is sealed."""
        uploads.file_remove(self.by, file_id=file_id)
        return Response(status=204)


def _state(row: ResultFile) -> dict[str, str]:
    headers = {"Upload-Offset": str(row.received)}
    if row.expires_at is not None:
        headers["Upload-Expires"] = format_datetime(row.expires_at, usegmt=True)
    return headers


def _number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise invalid(name, "not-an-integer")
    return int(text)


def _metadata(request: Request) -> Mapping[str, str]:
    """Return the `name base64,name base64` of a header as decoded texts by name."""
    named = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            named[name] = base64.b64decode(value, validate=True).decode()
        except ValueError:  # also for text that is not ASCII
            raise invalid("Upload-Metadata", "not-a-text") from None
    return named


def _check_media_type(request: Request) -> None:
    if request.content_type != MEDIA_TYPE:
        raise UnsupportedMediaType(request.content_type)


def _has_body(request: Request) -> bool:
    return body_length(request) > 0 or "Transfer-Encoding" in request.headers


class _Body:
    """The body of a request, of which the length is known, or which comes in chunks. Raise `TooLarge` for
    more than `most` bytes; unread, where the length is known."""

    def __init__(self, request: Request, most: int) -> None:
        self.length: int | None = body_length(request)
        self.is_whole, self._most = False, most
        self._stream: Any = request._request
        if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
            self.length, self._stream = None, request._request.META["wsgi.input"]
        elif self.length > most:
            raise TooLarge(most=most)

    def pieces(self) -> Iterator[bytes]:
        """Yield what arrives, in pieces that fit into memory; there is at least one, which may be empty."""
        got = 0
        while True:
            piece = self._piece(got)
            got += len(piece)
            if got > self._most:
                raise TooLarge(most=self._most)
            ends = len(piece) < PIECE_BYTES or got == self.length
            if piece or got == 0:
                yield piece
            if ends:
                return

    def _piece(self, got: int) -> bytes:
        parts, size = [], 0
        # One byte more than fits tells that there is more.
        left = min(PIECE_BYTES, (self._most + 1 if self.length is None else self.length) - got)
        try:
            while size < left and (part := self._stream.read(min(_READ, left - size))):
                parts.append(part)
                size += len(part)
            self.is_whole = got + size == self.length or (self.length is None and size < left)
        except OSError:  # the connection broke
            pass
        return b"".join(parts)


def _checksum(stated: str) -> tuple[Any, str]:
    """Return a digest to be fed, and what it must come to in base64."""
    name, _, value = stated.partition(" ")
    if name not in _DIGESTS:
        raise invalid("Upload-Checksum", "unknown-value")
    return _DIGESTS[name](), value.strip()
