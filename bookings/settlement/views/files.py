"""Papers to be saved."""

from django.http import HttpResponse

MEDIA = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}


def file_answer(content: bytes, name: str, kind: str) -> HttpResponse:
    """Send a file under a name, for nobody else's cache."""
    answer = HttpResponse(content, content_type=MEDIA[kind])
    answer["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return answer
