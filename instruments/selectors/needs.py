"""What needs mean: measurands and techniques, read once and kept until they change."""

from functools import lru_cache
from uuid import uuid4

from django.core.cache import cache
from django.db.models import QuerySet

from accounts.selectors.rows import visible
from instruments.domain import needs
from instruments.domain.needs import NeedTerm, Vocabulary, vocabulary
from instruments.models import Measurand
from instruments.selectors.techniques import load_terms

VERSION = "needs.vocabulary"  # in the cache: another value whenever the vocabulary changes


def measurands() -> QuerySet[Measurand]:
    """All, by name."""
    return Measurand.objects.order_by("name", "code")


def measurand_by_code(code: str) -> Measurand:
    """One; `NotFound` if there is none."""
    return visible(measurands(), code=code.replace("\0", ""))


def load_measurands() -> list[needs.Measurand]:
    """All as the rules take them, by code."""
    return [
        needs.Measurand(
            row.code,
            row.name,
            row.name_zh,
            row.unit,
            tuple(row.samples),
            tuple(row.techniques),
            tuple(row.lines),
            tuple(row.lines_zh),
            tuple(row.synonyms),
            tuple(row.synonyms_zh),
            row.source,
        )
        for row in Measurand.objects.order_by("code")
    ]


def load_need_terms(text: str) -> list[NeedTerm]:
    """What a need in somebody's own words may mean, the likeliest first. Three statements after
    the vocabulary has changed, then none."""
    return load_vocabulary().terms_of(text)


def load_vocabulary() -> Vocabulary:
    """Measurands and techniques as they are now."""
    return _vocabulary(cache.get(VERSION, ""))


def vocabulary_changed() -> None:
    """Let every process read the vocabulary anew."""
    cache.set(VERSION, uuid4().hex, None)


@lru_cache(maxsize=1)
def _vocabulary(version: str) -> Vocabulary:
    return vocabulary(load_measurands(), load_terms())
