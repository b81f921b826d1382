"""Pages of the vocabulary of techniques, for anybody: the tree, and a page for each technique."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.letters.words import name_order
from instruments.search.domain.search import Criteria
from instruments.search.selectors.search import facets
from instruments.vocabulary.domain.techniques import Term, is_division, tree
from instruments.vocabulary.models import Technique
from instruments.vocabulary.selectors.techniques import load_terms, technique_by_code


@dataclass(frozen=True)
class Counted:
    """A technique with the number of published instruments that have it or a narrower one."""

    code: str
    name: str
    name_zh: str
    count: int
    synonyms: tuple[str, ...] = ()


@require_safe
def techniques(request: HttpRequest) -> HttpResponse:
    """Show all techniques as a tree; by default only those that some instrument has."""
    terms, counts = load_terms(), _counts()
    everything = bool(request.GET.get("all"))
    words = request.GET.get("q", "").strip().casefold()[:100]
    shown = {
        code: Counted(code, term.name, term.name_zh, counts.get(code, 0), term.synonyms)
        for code, term in sorted(terms.items(), key=lambda item: name_order(item[1]))
        if _has(term, words) and (everything or words or code in counts)
    }
    parents = {code: terms[code].parents for code in shown}
    context = {
        "branches": tree(shown, parents),
        "number": sum(not is_division(code, term.name) for code, term in shown.items()),
        "everything": everything,
        "q": request.GET.get("q", "")[:100],
    }
    return render(request, "instruments/techniques.html", context)


@require_safe
def technique(request: HttpRequest, code: str) -> HttpResponse:
    """Show a technique with its synonyms, its broader and narrower ones, and the instruments that have it."""
    row = technique_by_code(code)
    counts = _counts()

    def counted(rows: Iterable[Technique]) -> list[Counted]:
        return [
            Counted(row.code, row.name, row.name_zh, counts.get(row.code, 0))
            for row in sorted(rows, key=name_order)
            if not is_division(row.code, row.name)
        ]

    context = {
        "technique": row,
        "count": counts.get(code, 0),
        "broader": counted(row.parents.all()),
        "narrower": counted(row.children.all()),
    }
    return render(request, "instruments/technique.html", context)


def _has(term: Term, words: str) -> bool:
    return not words or any(words in label.casefold() for label in (term.code, *term.labels))


def _counts() -> dict[str, int]:
    return {choice.code: choice.count for choice in facets(Criteria()).choices["technique"]}
