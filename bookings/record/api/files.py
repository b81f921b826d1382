"""Files instead of JSON: they are what they are, whatever the request accepts."""

from typing import Any

from django.http import HttpResponse
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
        charset = "; charset=utf-8" if media == CSV else ""
        answer = HttpResponse(content, content_type=f"{media}{charset}")
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer
