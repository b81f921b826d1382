"""The vocabulary of techniques."""

from django.db.models import Q, QuerySet

from accounts.domain.errors import NotFound
from instruments.domain.techniques import Lexicon, Term, lexicon
from instruments.models import Technique


def techniques(text: str = "") -> QuerySet[Technique]:
    """Return the techniques whose names, synonyms or code have the text in them, by code, with the
    broader ones."""
    rows = Technique.objects.prefetch_related("parents").order_by("code")
    if text:
        rows = rows.filter(
            Q(code__icontains=text)
            | Q(name__icontains=text)
            | Q(name_zh__icontains=text)
            | Q(synonyms__icontains=text)
        )
    return rows


def technique_by_code(code: str) -> Technique:
    """Return a technique with the broader and the narrower ones; `NotFound` if there is none."""
    row = (
        Technique.objects.prefetch_related("parents", "children").filter(code=code).first()
        if "\0" not in code
        else None
    )
    if row is None:
        raise NotFound(technique=code)
    return row


def load_terms() -> dict[str, Term]:
    """Return the whole vocabulary, by code. Two statements."""
    links = Technique.parents.through.objects.values_list(
        "from_technique__code", "to_technique__code"
    )
    parents: dict[str, list[str]] = {}
    for code, parent in links.order_by("to_technique__code"):
        parents.setdefault(code, []).append(parent)
    rows = Technique.objects.values_list(
        "code", "name", "scheme", "name_zh", "synonyms", "definition"
    )
    return {
        code: Term(
            code, name, scheme, name_zh, tuple(synonyms), definition, tuple(parents.get(code, ()))
        )
        for code, name, scheme, name_zh, synonyms, definition in rows.order_by("code")
    }


def load_lexicon() -> Lexicon:
    """Return the lexicon of the vocabulary. Two statements."""
    return lexicon(tuple(load_terms().values()))
