"""What a search that finds nothing may mean, and which instruments answer it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from instruments.domain.needs import NeedTerm
from instruments.domain.search import Criteria
from instruments.domain.techniques import Term
from instruments.selectors.needs import load_vocabulary
from instruments.selectors.search import Choice, facets


@dataclass(frozen=True)
class Meaning:
    """A term that the words may mean, and the techniques for it that instruments have."""

    term: NeedTerm
    techniques: tuple[Choice, ...]


def load_meanings(criteria: Criteria) -> list[Meaning]:
    """What the words of a search may mean, the likeliest first: terms for which there are
    instruments within its other criteria. One statement, and three after the vocabulary changed."""
    vocabulary = load_vocabulary()
    terms = vocabulary.terms_of(criteria.text)
    if not terms:
        return []
    counted = facets(replace(criteria, text="", technique="")).choices["technique"]
    offered = {choice.code: choice for choice in counted}
    meanings = [
        Meaning(term, tuple(_offered(term.techniques, offered, vocabulary.terms))) for term in terms
    ]
    return [meaning for meaning in meanings if meaning.techniques]


def _offered(
    codes: tuple[str, ...], offered: Mapping[str, Choice], terms: Mapping[str, Term]
) -> list[Choice]:
    """Techniques that instruments have; in place of one that none has, what is next above it."""
    choices: dict[str, Choice] = {}
    for code in codes:
        nearest = (code,) if code in offered else terms[code].parents if code in terms else ()
        for each in nearest:
            if each in offered and not each.startswith("PaNET00"):
                choices.setdefault(each, offered[each])
    return list(choices.values())
