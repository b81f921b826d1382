"""The vocabulary of techniques."""

from django.db.models import Q, QuerySet

from instruments.models import Technique


def techniques(text: str = "") -> QuerySet[Technique]:
    """Those whose names or code have the text in them, by code, with the broader ones."""
    found = Technique.objects.prefetch_related("parents").order_by("code")
    if text:
        found = found.filter(
            Q(code__icontains=text) | Q(name__icontains=text) | Q(name_zh__icontains=text)
        )
    return found
