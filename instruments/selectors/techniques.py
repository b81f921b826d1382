"""The vocabulary of techniques."""

import json
from functools import lru_cache

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

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


Links = tuple[tuple[str, str], ...]  # of a term and a broader one, in the order of these


def load_terms() -> dict[str, Term]:
    """Return the whole vocabulary, by code. Two statements."""
    parents = _parents(_load_links())
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
    links = _load_links()
    labels = Technique.objects.annotate(synonyms_json=Cast("synonyms", TextField()))
    rows = labels.values_list("code", "name", "name_zh", "synonyms_json").order_by("code")
    return _lexicon(tuple(rows), links)


def _load_links() -> Links:
    links = Technique.parents.through.objects.values_list(
        "from_technique__code", "to_technique__code"
    )
    return tuple(links.order_by("to_technique__code"))


def _parents(links: Links) -> dict[str, list[str]]:
    parents: dict[str, list[str]] = {}
    for code, parent in links:
        parents.setdefault(code, []).append(parent)
    return parents


@lru_cache(maxsize=1)
def _lexicon(labels: tuple[tuple[str, str, str, str], ...], links: Links) -> Lexicon:
    """Kept from one record to the next, as it takes longer to make than a record to file."""
    parents = _parents(links)
    return lexicon(
        Term(
            code,
            name,
            name_zh=name_zh,
            synonyms=tuple(json.loads(synonyms)),
            parents=tuple(parents.get(code, ())),
        )
        for code, name, name_zh, synonyms in labels
    )
