"""How the catalogue takes what somebody typed: as words, and as what the words may mean."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from instruments.domain.needs import NeedTerm
from instruments.domain.search import FACETS, Criteria
from instruments.domain.techniques import Term
from instruments.models import Instrument
from instruments.selectors.needs import load_need_terms, load_vocabulary
from instruments.selectors.search import Choice, entries, facets, load_near_words, understood

WORDS = 3  # similar ones that are named for a word nobody has


@dataclass(frozen=True)
class Meaning:
    """A term that the words may mean, and the techniques for it that instruments have. `code`:
    what to search by; where instruments only have something broader, that technique."""

    term: NeedTerm
    techniques: tuple[Choice, ...]
    code: str


@dataclass(frozen=True)
class Way:
    """A way out of an empty page: the search without some of its choices (`names` as the page
    calls them) has so many instruments."""

    names: tuple[str, ...]
    count: int


def load_meanings(criteria: Criteria, without: Iterable[str] = ()) -> list[Meaning]:
    """What the words of a search may mean, the likeliest first, but for some codes: terms for
    which there are instruments within its other criteria; none where a technique is chosen. One
    statement, and three after the vocabulary changed."""
    removed = set(without)
    if not criteria.text or criteria.technique:
        return []
    terms = [term for term in load_need_terms(criteria.text) if term.code not in removed]
    if not terms:
        return []
    counted = facets(replace(criteria, text="", technique="", term="", words=""))
    offered = {choice.code: choice for choice in counted.choices["technique"]}
    known = load_vocabulary().terms
    meanings = []
    for term in terms:
        exact = [offered[code] for code in term.techniques if code in offered]
        if choices := exact or _broader(term.techniques, offered, known):
            code = term.code if exact else choices[0].code
            meanings.append(Meaning(term, tuple(choices), code))
    return meanings


def _broader(
    codes: tuple[str, ...], offered: Mapping[str, Choice], terms: Mapping[str, Term]
) -> list[Choice]:
    """What is next above techniques that no instrument has, where one has that."""
    parents = [parent for code in codes if code in terms for parent in terms[code].parents]
    return [
        offered[code]
        for code in dict.fromkeys(parents)
        if code in offered and not code.startswith("PaNET00")
    ]


def is_need(text: str, instruments: Iterable[Instrument]) -> bool:
    """Whether a text says more than what an instrument that it found, or a technique, is called."""
    called = ((row.name, row.name_zh, row.model) for row in instruments)
    return not load_vocabulary().is_name(text, called)


def load_widened(criteria: Criteria, meanings: Sequence[Meaning]) -> Criteria:
    """The criteria as they are searched where nothing has all the words: with mistyped words put
    right if that finds something, else whatever has some of the words, or answers what they most
    likely mean. Unchanged where nothing has even that, or a term is chosen. Two to four
    statements."""
    if not criteria.text or criteria.term:
        return criteria
    meant = understood(criteria)
    if meant != criteria and entries(meant).exists():
        return meant
    some = replace(meant, words="some", term=meanings[0].code if meanings else "")
    return some if entries(some).exists() else criteria


def load_ways_out(criteria: Criteria) -> list[Way]:
    """What an empty page can offer: the search without each of its choices, where that has
    instruments. A statement for each."""
    chosen: list[tuple[tuple[str, ...], Criteria]] = [
        ((name,), replace(criteria, **dict[str, Any]({name: ""})))
        for name in FACETS
        if getattr(criteria, name)
    ]
    if criteria.facility:
        chosen.append((("facility",), replace(criteria, facility=None)))
    if criteria.specs:
        chosen.append((("spec",), replace(criteria, specs=())))
    if criteria.term:
        chosen.append((("term",), replace(criteria, term="")))
    elif criteria.text:
        chosen.append((("q",), replace(criteria, text="")))
    if criteria.wants_time:
        chosen.append((("free_from", "free_until"), criteria))
    chosen += [
        ((name, "currency"), criteria)
        for name in ("max_price", "max_payable")
        if getattr(criteria, name) is not None
    ]
    ways = []
    for names, wider in chosen:
        if len(chosen) == 1 and names == ("q",):
            continue  # all instruments: no answer to what was typed
        if count := entries(wider).count():
            ways.append(Way(names, count))
    filters = [name for name in (*FACETS, "facility") if getattr(criteria, name)]
    filters += ["spec"] if criteria.specs else []
    if not ways and len(filters) > 1:
        alone = Criteria(text=criteria.text, term=criteria.term)
        if count := entries(alone).count():
            ways.append(Way(("filters", *filters), count))
    return ways


def load_similar_words(text: str) -> list[str]:
    """Words of the register like those that nothing has. One statement."""
    near = load_near_words(text)
    return [word for words in near.values() for word, _ in words[:WORDS]]
