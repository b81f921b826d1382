"""API addresses that answer with files, whatever format the request accepts."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.renderers import JSONRenderer

from accounts.api.endpoint import Endpoint

PDF, CSV, XML = "application/pdf", "text/csv", "application/xml"


class FileEndpoint(Endpoint):
    """An endpoint that answers with a file; problems are still JSON."""

    only_reads = True
    needs_person = True
    http_method_names = ["get", "head"]

    def perform_content_negotiation(self, request: Any, force: bool = False) -> tuple[Any, str]:
        return JSONRenderer(), "application/json"

    def file(self, content: bytes, media: str, name: str) -> HttpResponse:
        """Return content that a browser saves under a name."""
        return HttpResponse(content, headers=headers_of(media, name))

    def stream(self, pieces: Iterator[bytes], media: str, name: str) -> StreamingHttpResponse:
        """Return content that a browser saves under a name, sent piece by piece."""
        return StreamingHttpResponse(pieces, headers=headers_of(media, name))


def headers_of(media: str, name: str) -> dict[str, str]:
    """Return the headers of a file that a browser saves under a name."""
    return {
        "Content-Type": f"{media}; charset=utf-8" if media == CSV else media,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
