"""Downloads of statements and settlements."""

from django.http import HttpResponse

MEDIA = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8", "xml": "application/xml"}


def file_answer(content: bytes, name: str, kind: str) -> HttpResponse:
    """Send a file under a name; shared caches do not store it."""
    answer = HttpResponse(content, content_type=MEDIA[kind])
    answer["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return answer
