"""Read the vocabulary of techniques."""

import json
from collections.abc import Mapping
from functools import lru_cache
from operator import itemgetter
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from accounts.domain.errors import NotFound
from instruments.vocabulary.domain.techniques import Lexicon, Term, lexicon
from instruments.vocabulary.models import Technique


def techniques(text: str = "") -> QuerySet[Technique]:
    """Return the techniques whose names, synonyms or code contain the text, by code, each with its broader
    ones."""
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
    """Return a technique with its broader and narrower ones; `NotFound` if there is none."""
    row = (
        Technique.objects.prefetch_related("parents", "children").filter(code=code).first()
        if "\0" not in code
        else None
    )
    if row is None:
        raise NotFound(technique=code)
    return row


Links = tuple[tuple[str, str], ...]  # (term, broader term), ordered by the broader one


def load_terms() -> dict[str, Term]:
    """Return all techniques as values of the domain, by code. Two statements."""
    columns = ("pk", "code", "name", "scheme", "name_zh", "synonyms", "definition")
    rows = list(Technique.objects.order_by("code").values_list(*columns))
    parents = _parents(_load_links({pk: code for pk, code, *_ in rows}))
    return {
        code: Term(code, name, scheme, name_zh, tuple(synonyms), definition, tuple(parents.get(code, ())))
        for _, code, name, scheme, name_zh, synonyms, definition in rows
    }


def load_lexicon() -> Lexicon:
    """Return the lexicon of all techniques. Two statements."""
    labels = Technique.objects.annotate(synonyms_json=Cast("synonyms", TextField()))
    rows = list(labels.order_by("code").values_list("pk", "code", "name", "name_zh", "synonyms_json"))
    links = _load_links({pk: code for pk, code, *_ in rows})
    return _lexicon(tuple((code, *texts) for _, code, *texts in rows), links)


def _load_links(codes: Mapping[UUID, str]) -> Links:
    """Return the links between techniques with these codes. They are joined here: on tables without
    statistics, as after a first start, the database took seconds for it."""
    links = Technique.parents.through.objects.order_by("pk").values_list("from_technique", "to_technique")
    known = ((codes[one], codes[broader]) for one, broader in links if one in codes and broader in codes)
    return tuple(sorted(known, key=itemgetter(1)))


def _parents(links: Links) -> dict[str, list[str]]:
    parents: dict[str, list[str]] = {}
    for code, parent in links:
        parents.setdefault(code, []).append(parent)
    return parents


@lru_cache(maxsize=1)
def _lexicon(labels: tuple[tuple[str, str, str, str], ...], links: Links) -> Lexicon:
    """Return the lexicon of techniques with these labels and links, from a cache: making it takes longer than
    filing a record."""
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
