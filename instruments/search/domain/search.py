"""Parse search requests, and compute the words under which a record is found.

A record is filed under *lexemes*: Latin words and numbers in lower case and without accents; their stems,
marked with `~`, so that a diffractometer is found by "diffraction"; and single Chinese characters and pairs
of them, so that any part of a name finds it. A word with a hyphen or the like is also filed without it
("FT-ICR" as `fticr`), and letters are also filed apart from digits ("LSM880").

Each lexeme has the weight of the best field it occurs in: A name and model, B maker and
techniques with all their synonyms, C broader techniques, host and site, D kind and description.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from instruments.search.domain.relevance import Answer
from instruments.vocabulary.domain import words as word_rules
from instruments.vocabulary.domain.parameters import Requirement

SORTS = ("name", "price")
# How a text is searched: all its words are whole words of names (of instrument, model, maker, host, site,
# technique); the last one may be the beginning of a word; all are words of the record; two of them are words
# of names; a stated value meets a requirement in the text; nothing is found.
WORDS = ("names", "begun", "text", "some", "stated", "nothing")
# What the catalogue can be narrowed by, each with counts: the names of criteria and of keys.
FACETS = ("region", "technique", "host", "maker", "service_mode", "kind")
# Facets whose keys are counted together, by the name of the group.
GROUPS = {
    "branch": ("technique",),
    "home": ("region", "host"),
    "makers": ("maker",),
    "form": ("service_mode", "kind"),
}


@dataclass(frozen=True)
class Criteria:
    """A parsed search request. Fields that are None or empty do not restrict the results."""

    text: str = ""
    technique: str = ""
    region: str = ""
    host: str = ""
    facility: UUID | None = None
    maker: str = ""
    service_mode: str = ""
    kind: str = ""
    free_from: datetime | None = None
    free_until: datetime | None = None
    minutes: int | None = None
    max_price: Decimal | None = None  # per hour or sample
    max_payable: Decimal | None = None  # for `minutes`, or one sample
    currency: str = ""  # of `max_price` and `max_payable`
    sort: str = ""  # one of SORTS; empty: by match if there is a search text, else by name
    # A chosen measurand or technique; it replaces the words of the text.
    term: str = ""
    without: tuple[str, ...] = ()  # codes of measurands and techniques that the text does not mean
    # How the text is searched (one of WORDS); empty: for all its words, each of which may begin a longer one.
    words: str = ""
    # The meaning of the words, if it is known: instruments with one of these techniques match, best first.
    answers: tuple[Answer, ...] = ()
    wishes: tuple["Requirement", ...] = ()  # found in the text; an instrument that states less does not match
    specs: tuple["Requirement", ...] = ()  # an instrument meets each: what is stated reaches it

    @property
    def wants_time(self) -> bool:
        return self.free_from is not None

    @property
    def is_ranked(self) -> bool:
        """Say whether results are ordered by how well they match the text."""
        return bool(self.text or self.term or self.answers) and not self.sort

    @property
    def wants_price(self) -> bool:
        """Say whether a price limits the results."""
        return self.max_price is not None or self.max_payable is not None

    @property
    def keys(self) -> dict[str, str]:
        """Return, by facet, the keys under which a record must be filed."""
        values = {name: getattr(self, name) for name in FACETS}
        return {name: key(name, value) for name, value in values.items() if value}


def key(name: str, value: str) -> str:
    """Return the key under which a record with this value of a facet is filed."""
    return f"{name}:{' '.join(value.split())}"


def techniques_in(keys: Iterable[str]) -> list[str]:
    """Return the codes of techniques among the keys of a record, broader ones included."""
    begin = key("technique", "")
    return [each.removeprefix(begin) for each in keys if each.startswith(begin)]


_PARTS = re.compile(r"\d+|[^\W\d_]+")
# Phrases with which Chinese questions begin (including a verb) and end.
_OPENING = re.compile(
    r"^(?:请问|我们|我|想要|想|需要|要|希望|打算|如何|怎么样|怎么|怎样|能不能|能否|可以|可不可以|是否|有没有|"
    r"哪里|哪个|哪些|哪种|哪台|帮忙|帮我|找|用什么|什么)+(?:能|做|测量|测定|测试|检测|测一下|看一下|测|看)?"
)
_CLOSING = re.compile(
    r"(?:是什么|怎么办|怎么测|怎么样|有多[大高厚少深长]|多[大高厚少深长]|是多少|吗|呢|吧|了|的)+$"
)


def exactly(text: str) -> str:
    """Return a name or model in normal form, to recognise searches for the whole of it."""
    return " ".join(run for runs in word_rules.pieces(text) for run in runs)[:250]


@lru_cache(maxsize=10_000)  # names of hosts, makers and techniques recur often
def lexemes(text: str) -> frozenset[str]:
    """Return the lexemes under which a text is filed."""
    result: set[str] = set()
    for runs in word_rules.pieces(text):
        latin = [run for run in runs if not word_rules._IS_HAN.match(run)]
        if len(latin) > 1:
            result.add("".join(latin)[: word_rules.LONGEST])
        for run in runs:
            if word_rules._IS_HAN.match(run):
                result.update(run)
                result.update(run[i : i + 2] for i in range(len(run) - 1))
                continue
            result.add(run)
            if len(run) >= 4 and run.isalpha():
                result.add(word_rules.STEM + word_rules.stem(run))
            elif len(parts := _PARTS.findall(run)) > 1:
                result.update(parts)
    return frozenset(result)


def weighted(fields: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the lexemes of texts, each with the best weight of those in which it occurs. `fields`: weight (A
    is best) -> texts."""
    weights: dict[str, str] = {}
    for weight in sorted(fields):
        for text in fields[weight]:
            for lexeme in sorted(lexemes(text)):
                if len(weights) < word_rules.MOST_LEXEMES:
                    weights.setdefault(lexeme, weight)
    return weights


def vector(lexemes: Mapping[str, str], *, is_weighted: bool = False) -> str:
    """Write lexemes in PostgreSQL's syntax for a tsvector. They contain neither quotes nor backslashes."""
    if is_weighted:
        return " ".join(f"'{lexeme}':1{weight}" for lexeme, weight in lexemes.items())
    return " ".join(f"'{lexeme}'" for lexeme in lexemes)


@dataclass(frozen=True)
class Term:
    """One thing to search for, as two tsqueries: `whole` matches entire words, `begun` also words that only
    begin that way."""

    whole: str
    begun: str
    word: str = ""  # a Latin word that may have been mistyped


def terms(text: str, *, is_some: bool = False) -> list[Term]:
    """Return the terms of a search text, all of which a record must match; empty if it has none. `is_some`:
    return terms of which some suffice, without words that are common in laboratories, and with each pair of
    Chinese characters as a term."""
    result: list[Term] = []
    words = [[_telling(run) for run in runs] for runs in word_rules.pieces(text)]
    if is_some:
        words = [[part] for runs in words for run in runs for part in _pairs(run)]
        silent = word_rules.ASKING | word_rules.COMMON
        words = [runs for runs in words if not runs[0].isdigit()] or words
    else:
        silent = word_rules.ASKING
    telling = [runs for runs in words if len(runs) > 1 or runs[0] not in silent]
    for runs in (telling or words)[: word_rules.MOST_TERMS]:
        parts = [_term(run) for run in runs[: word_rules.MOST_TERMS]]
        whole, begun = (" & ".join(getattr(p, name) for p in parts) for name in ("whole", "begun"))
        latin = [run for run in runs if not word_rules._IS_HAN.match(run)]
        word = parts[0].word if len(parts) == 1 else ""
        if len(latin) > 1 and len(latin) == len(runs):
            joined = "".join(latin)[: word_rules.LONGEST]
            whole, begun = f"({whole}) | '{joined}'", f"({begun}) | '{joined}'"
            word = joined if joined.isalpha() else ""
        term = Term(f"({whole})", f"({begun})", word)
        if term not in result:
            result.append(term)
    return result


def _telling(run: str) -> str:
    """Return a run of Chinese characters without the phrases that only make it a question."""
    if not word_rules._IS_HAN.match(run):
        return run
    return _CLOSING.sub("", _OPENING.sub("", run)) or run


def _pairs(run: str) -> list[str]:
    """Return each pair of adjacent characters in a Chinese run; any other run as the only item."""
    if not word_rules._IS_HAN.match(run):
        return [run]
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _term(run: str) -> Term:
    if word_rules._IS_HAN.match(run):
        query = " & ".join(f"'{pair}'" for pair in dict.fromkeys(_pairs(run)[:20]))
        return Term(f"({query})", f"({query})")
    if run.isalpha():
        kin = f" | '{word_rules.STEM}{word_rules.stem(run)}'" if len(run) >= 4 else ""
        begun = f"'{run}':*" if len(run) >= 3 else f"'{run}'"
        return Term(f"('{run}'{kin})", f"({begun}{kin})", run)
    parts = _PARTS.findall(run)
    apart = f" | ({' & '.join(f"'{part}'" for part in parts[:6])})" if len(parts) > 1 else ""
    begun = f"'{run}':*" if len(parts) > 1 and len(run) >= 3 else f"'{run}'"
    return Term(f"('{run}'{apart})", f"({begun}{apart})")
