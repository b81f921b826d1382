"""Files instead of JSON: they are what they are, whatever the request accepts."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
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

    def file(self, content: bytes | Iterator[bytes], media: str, name: str) -> HttpResponseBase:
        """To be saved under a name; pieces are sent as they come."""
        charset = "; charset=utf-8" if media == CSV else ""
        kind = HttpResponse if isinstance(content, bytes) else StreamingHttpResponse
        answer = kind(content, content_type=f"{media}{charset}")
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer
