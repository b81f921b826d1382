"""Uploading files in pieces by the tus protocol 1.0 (https://tus.io), which resumes after a broken
connection.

Core, creation, creation-with-upload, termination, checksum and expiration are supported. Separate processes
serve it, so that uploads do not slow down pages (docs/operations.md).
"""

import base64
import hashlib
from collections.abc import Mapping
from contextlib import nullcontext
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.transfers import Transfer, transfer
from accounts.domain.errors import Refused, invalid
from bookings.results.models import ResultFile
from bookings.results.services import uploads

VERSION = "1.0.0"
MOST_BYTES = 16 << 20  # bytes of one request: a buffering proxy may lose that much
MEDIA_TYPE = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
_PIECE = 1 << 20
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
    """A piece is longer than one request may bring: `most` bytes."""

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
    schema = None  # the protocol has a description of its own
    parser_classes = [_Unread]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method == "OPTIONS":  # a browser's preflight request
            return
        if request.headers.get("Tus-Resumable") != VERSION:
            raise OtherProtocol(version=VERSION)
        # Before authentication, which looks for a form in the body and would read it to its end.
        if _length(request) > 0:
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
                "Tus-Checksum-Algorithm": "sha256",
            },
        )

    def transfer(self) -> Transfer:
        """Begin the transfer of a request, before anything else is done for it."""
        return transfer(self.request._request, self.actor.user_id)

    def write(self, row: ResultFile, at: int) -> ResultFile:
        """Store the body of the request, or as much of it as arrived before the connection broke."""
        data, is_whole = _body(self.request)
        stated = self.request.headers.get("Upload-Checksum")
        if stated is not None:
            if not is_whole:
                raise ChecksumDiffers
            _check(stated, data)
        return uploads.upload_write(self.by, file_id=row.pk, at=at, data=data)


class Uploads(_Tus):
    def post(self, request: Request) -> Response:
        """Begin a file: `Upload-Length`, and `Upload-Metadata` with `hand_off`, `path` and, if known,
        `sha256` (64 hex digits). A body is its first piece."""
        size = _number(request, "Upload-Length")
        named = _metadata(request)
        try:
            hand_off_id = UUID(named.get("hand_off", ""))
        except ValueError:
            raise invalid("hand_off", "not-an-id") from None
        has_body = _length(request) > 0
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
    def head(self, request: Request, file_id: UUID) -> Response:
        """Return how much of the file has arrived, which is where to continue."""
        row = uploads.upload_by_id(self.actor, file_id)
        return Response(headers=_state(row) | {"Upload-Length": str(row.size)})

    def patch(self, request: Request, file_id: UUID) -> Response:
        """Append the next piece, at most 16 MiB, which begins at `Upload-Offset`. When this is answered, the
        piece is on disk."""
        row = uploads.upload_by_id(self.actor, file_id)
        _check_media_type(request)
        at, length = _number(request, "Upload-Offset"), _length(request)
        if at == row.received and at + length > row.size:
            raise TooLarge(most=row.size - at)
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


def _length(request: Request) -> int:
    """Return the length of the body; one that is too long is refused unread."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > MOST_BYTES:
        raise TooLarge(most=MOST_BYTES)
    return length


def _body(request: Request) -> tuple[bytes, bool]:
    """Return what arrived of the body, and whether it is all of it."""
    length, pieces, got = _length(request), [], 0
    stream: Any = request._request
    try:
        while got < length and (piece := stream.read(min(_PIECE, length - got))):
            pieces.append(piece)
            got += len(piece)
    except OSError:  # the connection broke
        pass
    return b"".join(pieces), got == length


def _check(stated: str, data: bytes) -> None:
    name, _, value = stated.partition(" ")
    if name != "sha256":
        raise invalid("Upload-Checksum", "unknown-value")
    if base64.b64encode(hashlib.sha256(data).digest()).decode() != value.strip():
        raise ChecksumDiffers
