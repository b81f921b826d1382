"""From a need in somebody's own words to what can be found out, and the techniques that answer it.

A measurand is described in people's words: names, lines and synonyms in both languages. A need is
compared with these descriptions by the words both have; a rare word says more than a common one
(Okapi BM25: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009). Techniques that
the need names itself stand before what was found by description.

Where somebody else says which descriptions mean about the same as the need (adapters/embedding),
both orders are joined by the sum of 1 / (10 + place) (reciprocal rank fusion: Cormack, Clarke and
Büttcher, SIGIR 2009).
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

from instruments.domain.search import ASKING, COMMON, STEM, is_han, pieces, stem
from instruments.domain.techniques import Lexicon, Term, above, lexicon

LONGEST_NEED, MOST_TERMS, FIRST = 2000, 5, 2
# How much a word of the field says; several techniques answer a measurand, the first of them best.
_NAMES, _SYNONYMS, _LINES, _FIRST, _OTHERS = 2.0, 1.5, 1.0, 1.0, 0.8
_K1, _B = 1.2, 0.4  # how soon more of a word says no more; how much a long description is held back
_FAINT = 0.4  # what scores less than so much of the best is left out
_JOINED, _PLACES = 10, 40  # what a place in an order is divided by, and how many places count
_DESCRIBED = 3  # techniques whose names belong to the description
_STOP = ASKING | COMMON  # they tell no measurand from another


@dataclass(frozen=True)
class Measurand:
    """What can be found out. `unit` is empty for a question that is no quantity; `techniques` are
    codes, the best first."""

    code: str
    name: str
    name_zh: str
    unit: str = ""
    samples: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    lines_zh: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    synonyms_zh: tuple[str, ...] = ()
    source: str = ""


# What is said of a measurand beside its code; and which of it are lists.
FIELDS = tuple(item.name for item in fields(Measurand) if item.name != "code")
LISTS = ("samples", "techniques", "lines", "lines_zh", "synonyms", "synonyms_zh")


@dataclass(frozen=True)
class NeedTerm:
    """What a need may mean: a measurand, or a technique it names (`is_named`). `words` of the need
    speak for it; `techniques` are codes, the best first."""

    code: str
    name: str
    name_zh: str
    techniques: tuple[str, ...]
    words: tuple[str, ...] = ()
    unit: str = ""
    is_named: bool = False


@dataclass(frozen=True)
class Vocabulary:
    """Measurands and techniques, made ready for comparing: the weight of each word in each
    description, and how rare it is."""

    measurands: Sequence[Measurand]
    terms: Mapping[str, Term]
    lexicon: Lexicon
    postings: Mapping[str, Sequence[tuple[int, float]]]
    lengths: Sequence[int]
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def terms_of(
        self, text: str, most: int = MOST_TERMS, *, alike: Sequence[str] = ()
    ) -> list[NeedTerm]:
        """What a need in either language may mean, the likeliest first. `alike`: codes of
        measurands that mean about the same, the most alike first, where that is known."""
        text = text[:LONGEST_NEED]
        return [*self._named(text)[:FIRST], *self._described(text, alike)][:most]

    @cached_property
    def digest(self) -> str:
        """A short name for the descriptions: another whenever one of them changes."""
        text = repr([(row.code, descriptions(row)) for row in self.measurands])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def techniques_of(self, code: str) -> tuple[str, ...]:
        """The codes of the techniques that answer a term, the best first; a technique itself, or a
        code that is not known, stands for itself."""
        rows = (row.techniques for row in self.measurands if row.code == code)
        return next(rows, (code,))

    def term(self, code: str) -> NeedTerm | None:
        """The measurand or technique with a code."""
        for row in self.measurands:
            if row.code == code:
                return NeedTerm(code, row.name, row.name_zh, row.techniques, (), row.unit)
        if technique := self.terms.get(code):
            return NeedTerm(code, technique.name, technique.name_zh, (code,), is_named=True)
        return None

    def is_name(self, text: str, things: Iterable[Iterable[str]]) -> bool:
        """Whether a text says nothing beyond the techniques it names itself, and what one of some
        things is called: then it is a name and no need."""
        left = set(keys(text))
        for code in self.lexicon.named_in(text):
            for label in self.lexicon.labels.get(code, ()):
                left -= keys(label).keys()
        return not left or any(
            left <= {key for name in names for key in keys(name)} for names in things
        )

    def _named(self, text: str) -> list[NeedTerm]:
        codes = {c for c in self.lexicon.named_in(text) if not c.startswith("PaNET00")}
        broader = {code for one in codes for code in above(one, self.parents)}
        return [
            NeedTerm(code, term.name, term.name_zh, (code,), is_named=True)
            for code in sorted(codes - broader)
            for term in [self.terms[code]]
        ]

    def _described(self, text: str, alike: Sequence[str]) -> list[NeedTerm]:
        scores: dict[int, float] = defaultdict(float)
        telling: dict[int, list[str]] = defaultdict(list)
        number = len(self.measurands)
        mean = sum(self.lengths) / max(number, 1)
        for key, word in keys(text).items():
            rows = self.postings.get(key, ())
            rare = math.log(1 + (number - len(rows) + 0.5) / (len(rows) + 0.5))
            for place, weight in rows:
                held_back = _K1 * (1 - _B + _B * self.lengths[place] / mean)
                scores[place] += rare * weight * (_K1 + 1) / (weight + held_back)
                telling[place].append(word)
        if alike:
            scores = self._joined(scores, alike)
        least = _FAINT * max(scores.values(), default=0)
        ranked = sorted(
            (place for place, score in scores.items() if score >= least),
            key=lambda place: (-scores[place], place),
        )
        return [
            NeedTerm(m.code, m.name, m.name_zh, m.techniques, tuple(telling[place]), m.unit)
            for place in ranked[:MOST_TERMS]
            for m in [self.measurands[place]]
        ]

    def _joined(self, scores: Mapping[int, float], alike: Sequence[str]) -> dict[int, float]:
        """The scores of the order by words and that by meaning together."""
        places = {row.code: place for place, row in enumerate(self.measurands)}
        by_words = sorted(scores, key=lambda place: (-scores[place], place))
        by_meaning = [places[code] for code in alike if code in places]
        joined: dict[int, float] = defaultdict(float)
        for order in (by_words, by_meaning):
            for nth, place in enumerate(order[:_PLACES]):
                joined[place] += 1 / (_JOINED + nth)
        return joined


def descriptions(row: Measurand) -> tuple[str, str]:
    """All that is said of a measurand, in either language."""
    return (
        ". ".join((row.name, *row.lines, *row.synonyms)),
        "。".join((row.name_zh, *row.lines_zh, *row.synonyms_zh)),
    )


def vocabulary(measurands: Iterable[Measurand], terms: Mapping[str, Term]) -> Vocabulary:
    """Make measurands and techniques ready for comparing."""
    rows = tuple(measurands)
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    lengths = []
    for place, row in enumerate(rows):
        weights = _weights(row, terms)
        lengths.append(len(weights))
        for key, weight in weights.items():
            postings[key].append((place, weight))
    parents = {code: term.parents for code, term in terms.items()}
    return Vocabulary(rows, terms, lexicon(tuple(terms.values())), postings, lengths, parents)


def keys(text: str) -> dict[str, str]:
    """What a text is compared by, each with the word it comes from: stems of Latin words, pairs of
    Chinese characters, and what is written in one piece ("Py-GC" as `pygc`)."""
    by_key: dict[str, str] = {}
    for runs in pieces(text):
        latin = [run for run in runs if not is_han(run)]
        if len(latin) > 1:
            by_key.setdefault("".join(latin), "-".join(latin))
        for run in runs:
            if is_han(run):
                for pair in [run[i : i + 2] for i in range(len(run) - 1)] or [run]:
                    by_key.setdefault(pair, pair)
            elif run not in _STOP and not run.isdigit():
                kin = STEM + stem(run) if len(run) >= 4 and run.isalpha() else run
                by_key.setdefault(kin, run)
    return by_key


def _weights(row: Measurand, terms: Mapping[str, Term]) -> dict[str, float]:
    """The keys of a description, each with the weight of the best field it occurs in."""
    answers = [terms[code].labels for code in row.techniques[:_DESCRIBED] if code in terms]
    first, others = answers[:1], answers[1:]
    weights: dict[str, float] = {}
    for weight, texts in (
        (_NAMES, (row.name, row.name_zh)),
        (_SYNONYMS, (*row.synonyms, *row.synonyms_zh)),
        (_LINES, (*row.lines, *row.lines_zh)),
        (_FIRST, [label for labels in first for label in labels]),
        (_OTHERS, [label for labels in others for label in labels]),
    ):
        for text in texts:
            for key in keys(text):
                weights.setdefault(key, weight)
    return weights
