"""Files instead of JSON: they are what they are, whatever the request accepts."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.renderers import JSONRenderer

from accounts.api.endpoint import Endpoint

PDF, CSV = "application/pdf", "text/csv"


class FileEndpoint(Endpoint):
    """An address that answers with a file; problems are JSON all the same."""

    only_reads = True
    needs_person = True
    http_method_names = ["get", "head"]

    def perform_content_negotiation(self, request: Any, force: bool = False) -> tuple[Any, str]:
        return JSONRenderer(), "application/json"

    def file(self, content: bytes, media: str, name: str) -> HttpResponse:
        """To be saved under a name."""
        return HttpResponse(content, headers=_headers(media, name))

    def stream(self, pieces: Iterator[bytes], media: str, name: str) -> StreamingHttpResponse:
        """The same, sent piece by piece as they come."""
        return StreamingHttpResponse(pieces, headers=_headers(media, name))


def _headers(media: str, name: str) -> dict[str, str]:
    return {
        "Content-Type": f"{media}; charset=utf-8" if media == CSV else media,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
