"""Files in pieces: the tus protocol 1.0 (https://tus.io), which goes on where a connection broke.

Core, creation, creation-with-upload, termination, checksum and expiration. Served by processes of
their own, so that who uploads keeps no page waiting (docs/operations.md).
"""

import base64
import hashlib
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.domain.errors import Refused, invalid
from bookings.results.models import ResultFile
from bookings.results.services.uploads import (
    OffsetDiffers,
    StorageFull,
    UploadBusy,
    file_remove,
    upload_begin,
    upload_by_id,
    upload_write,
)

VERSION = "1.0.0"
MOST_BYTES = 16 << 20  # of one request: what a proxy that buffers may lose
MEDIA_TYPE = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
_PIECE = 1 << 20
# For pages of the site, where uploads have another address (`UPLOADS_URL`).
_ELSEWHERE = {
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": "POST, HEAD, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Content-Type, Tus-Resumable, Upload-Length, Upload-Offset, "
    "Upload-Metadata, Upload-Checksum, X-CSRFToken",
    "Access-Control-Expose-Headers": "Location, Upload-Offset, Upload-Length, Upload-Expires, "
    "Tus-Resumable",
    "Access-Control-Max-Age": "3600",
}


class TooLarge(Refused):
    """A piece that is longer than one request may bring: `most` bytes."""

    code = "piece-too-large"


class OtherProtocol(Refused):
    """A client of another version of the protocol."""

    code = "other-tus-version"


class ChecksumDiffers(Refused):
    """A piece came otherwise than it was sent: nothing of it is kept."""

    code = "checksum-differs"


# What the protocol has numbers for.
STATUS: Mapping[type[Exception], int] = {
    OffsetDiffers: 409,
    UploadBusy: 423,
    TooLarge: 413,
    OtherProtocol: 412,
    ChecksumDiffers: 460,
    StorageFull: 413,
}


class _Unread(BaseParser):
    """Leaves the body where it is: looking for a browser's secret would read it."""

    media_type = MEDIA_TYPE

    def parse(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {}


class _Tus(Endpoint):
    """`Tus-Resumable` goes both ways; what is refused is refused as everywhere."""

    http_method_names = ["options", "head", "post", "patch", "delete"]
    write_scope = read_scope = "upload"
    needs_person = True
    schema = None  # the protocol has a description of its own
    parser_classes = [_Unread]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method == "OPTIONS":  # of a browser that asks before it sends
            return
        super().initial(request, *args, **kwargs)
        if request.headers.get("Tus-Resumable") != VERSION:
            raise OtherProtocol(version=VERSION)

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
        """What this server can do."""
        return Response(
            status=204,
            headers={
                "Tus-Version": VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(settings.RESULTS_MOST_BYTES),
                "Tus-Checksum-Algorithm": "sha256",
            },
        )

    def write(self, row: ResultFile, at: int) -> ResultFile:
        """Store the body of the request, or what came of it before the connection broke."""
        data, is_whole = _body(self.request)
        stated = self.request.headers.get("Upload-Checksum")
        if stated is not None:
            if not is_whole:
                raise ChecksumDiffers
            _check(stated, data)
        return upload_write(self.by, file_id=row.pk, at=at, data=data)


class Uploads(_Tus):
    def post(self, request: Request) -> Response:
        """Begin a file: `Upload-Length`, and `Upload-Metadata` with `hand_off`, `path` and, where
        it is known, `sha256` (64 hex digits). A body is its first piece."""
        size = _number(request, "Upload-Length")
        named = _metadata(request)
        try:
            hand_off_id = UUID(named.get("hand_off", ""))
        except ValueError:
            raise invalid("hand_off", "not-an-id") from None
        has_body = _length(request) > 0
        if has_body:
            _check_media_type(request)
        row = upload_begin(
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
        """How much of the file there is: where to go on."""
        row = upload_by_id(self.actor, file_id)
        return Response(headers=_state(row) | {"Upload-Length": str(row.size)})

    def patch(self, request: Request, file_id: UUID) -> Response:
        """The next piece, which begins at `Upload-Offset`: 16 MiB at most. When this is answered it
        is on the disk."""
        row = upload_by_id(self.actor, file_id)
        _check_media_type(request)
        at, length = _number(request, "Upload-Offset"), _length(request)
        if at == row.received and at + length > row.size:
            raise TooLarge(most=row.size - at)
        return Response(status=204, headers=_state(self.write(row, at)))

    def delete(self, request: Request, file_id: UUID) -> Response:
        """Take the file away again, complete or not, before its hand-off is sealed."""
        file_remove(self.by, file_id=file_id)
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
    """`name base64,name base64`, as text."""
    named = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            named[name] = base64.b64decode(value, validate=True).decode()
        except ValueError:  # also what is not ASCII
            raise invalid("Upload-Metadata", "not-a-text") from None
    return named


def _check_media_type(request: Request) -> None:
    if request.content_type != MEDIA_TYPE:
        raise UnsupportedMediaType(request.content_type)


def _length(request: Request) -> int:
    """The length of the body, which is refused unread where it is too long."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if length > MOST_BYTES:
        raise TooLarge(most=MOST_BYTES)
    return length


def _body(request: Request) -> tuple[bytes, bool]:
    """What came of the body, and whether it is the whole."""
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
