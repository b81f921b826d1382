"""Turn a need in somebody's own words into measurands, and the techniques that measure them.

A measurand is described in people's words: names, lines and synonyms in both languages. A need is compared
with these descriptions by the words they share; a rare word says more than a common one (Okapi BM25:
Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009). Techniques that the need names itself
come before measurands found by description.

If an encoder says which descriptions have a similar meaning (adapters/embedding), both rankings are combined
by the sum of 1 / (10 + place) (reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009).
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

from instruments.vocabulary.domain.asking import MARK, QUANTITIES, asked_in, sense
from instruments.vocabulary.domain.techniques import Lexicon, Term, above, is_division, lexicon
from instruments.vocabulary.domain.words import (
    COMMON,
    ELEMENTS,
    PLAIN,
    STEM,
    is_han,
    is_particle,
    nearest,
    phrase,
    pieces,
    plain,
    respelt,
    stem,
)

LONGEST_NEED, MOST_TERMS, FIRST = 2000, 5, 2
# Weights of the words of each field; of several techniques that answer a measurand the first is the best.
_NAMES, _SYNONYMS, _LINES, _FIRST, _OTHERS = 2.0, 1.5, 1.0, 1.0, 0.8
_K1, _B = 1.2, 0.4  # how soon more of a word says no more; how much a long description is held back
_PHRASE = 0.4  # how much more the words of a name or synonym say where all of it is there
# Where a text asks for a quantity, others count for so much; and for the quantity counts so much of what its
# subject says of others.
_UNASKED, _BESIDE = 0.5, 0.5
_FAINT = 0.4  # what scores less than so much of the best is left out
_JOINED, _PLACES = 10, 40  # what a place in an order is divided by, and how many places count
_SHARED = 0.3  # of the measurands of a technique: so many another one must answer as well to be like it
_DESCRIBED = 3  # techniques whose names belong to the description
_STOP = PLAIN | COMMON  # they tell no measurand from another
# A need is understood where the words of its best term weigh as much as so many words that one description
# alone has, or are so much of all its words; with likenesses of texts as well where these are known. Set on
# needs and nonsense in tests/data/needs.
_TELLING, _TELLING_BESIDE, _COVERED, _ALONE, _ALIKE, _UNLIKE = 1.66, 1.47, 0.8, 1.1, 0.35, 0.22
# By likeness a term gets half as much as by words: as much of it as is above the noise, of the likeliest.
_BY_MEANING, _NOISE = 0.5, 0.2
_FAR = 0.6  # of the best; a term below it is not what was meant
# Of the best: what is weaker may find something, but is not shown as what was meant. On half a of
# tests/data/needs the first two terms hold a right one for 85 of 100 needs at 0.75 as at 0.85, with 47 wrong
# ones beside them and with 35; at 0.9 right ones are lost. A test measures it on halves b and c.
MEANT = 0.85
_LONG, _SHORT = 4, 10  # characters of a Chinese name that may have a slip, and of a text that is one
MOST_SLIPS = 12  # words of a text that are compared with all known ones
BROAD = 40  # techniques below one that says no more than "microscopy" does


@dataclass(frozen=True)
class Measurand:
    """A quantity or question that instruments can answer. `unit` is empty if it is not a quantity;
    `techniques` are codes, the best first."""

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


# The fields of a measurand except its code; and those that are lists.
FIELDS = tuple(item.name for item in fields(Measurand) if item.name != "code")
LISTS = ("samples", "techniques", "lines", "lines_zh", "synonyms", "synonyms_zh")


@dataclass(frozen=True)
class NeedTerm:
    """A possible meaning of a need: a measurand or, with `is_named`, a technique that the need names. `words`
    of the need support it; `techniques` are codes, the best first."""

    code: str
    name: str
    name_zh: str
    techniques: tuple[str, ...]
    words: tuple[str, ...] = ()
    unit: str = ""
    is_named: bool = False


@dataclass(frozen=True)
class Understood:
    """The interpretation of a text: the terms it asks for with their strength in ]0, 1], strongest first.

    `is_named`: the text names techniques, and these are the terms; `is_whole`: it says nothing else.
    """

    terms: tuple[tuple[NeedTerm, float], ...] = ()
    is_named: bool = False
    is_whole: bool = False

    @property
    def meant(self) -> list[NeedTerm]:
        """The terms strong enough to be shown as what was meant, strongest first; of measurands two."""
        return [term for term, strength in self.terms if strength >= MEANT][
            : None if self.is_named else FIRST
        ]


@dataclass(frozen=True)
class Vocabulary:
    """Measurands and techniques, indexed for comparison. `postings`: key -> (place of the measurand, weight)
    of each description with it; `lengths`: the number of keys of each description."""

    measurands: Sequence[Measurand]
    terms: Mapping[str, Term]
    lexicon: Lexicon
    postings: Mapping[str, Sequence[tuple[int, float]]]
    lengths: Sequence[int]
    parents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def terms_of(self, text: str, most: int = MOST_TERMS, *, alike: Sequence[str] = ()) -> list[NeedTerm]:
        """Return the possible meanings of a need in either language, the likeliest first. `alike`: codes of
        measurands with a similar meaning, the most similar first, if known."""
        text = text[:LONGEST_NEED]
        return [*self._named(text)[:FIRST], *self._described(text, alike)][:most]

    def understood(
        self, text: str, *, likeness: Mapping[str, float] | None = None, without: Collection[str] = ()
    ) -> Understood:
        """Return what a text asks for: the techniques that it names, or else the measurands that its words
        describe well enough; nothing if it does neither. `likeness`: of the measurands closest in meaning, by
        code, if known; `without`: codes of terms that it does not mean."""
        text = text[:LONGEST_NEED]
        described = [
            (term, strength) for term, strength in self._strong(text, likeness) if term.code not in without
        ]
        named: dict[str, tuple[NeedTerm, float]] = {}
        for codes in self.names_in(text):
            for place, code in enumerate(codes):
                if code in without or (described and self.families[code] >= BROAD):
                    continue
                term, strength = self.terms[code], max(1.0 - 0.1 * place, 0.1)
                if code not in named or named[code][1] < strength:
                    need_term = NeedTerm(code, term.name, term.name_zh, (code,), is_named=True)
                    named[code] = (need_term, strength)
        if named:
            return Understood(tuple(named.values()), True, self.is_name(text))
        return Understood(tuple(described))

    def names_in(self, text: str) -> list[list[str]]:
        """Return the techniques that a text names, in the order of its names, each once; for each name its
        techniques, the narrowest first. Of two names that overlap the first counts, of two that begin alike
        the longer; techniques that are broader than another one that is named do not count."""
        words, start = phrase(text), 0
        found: list[list[str]] = []
        while start < len(words):
            for length in range(min(self.lexicon.longest, len(words) - start), 0, -1):
                if codes := self.lexicon.named.get(words[start : start + length]):
                    narrow = sorted(codes, key=lambda code: (-len(above(code, self.parents)), code))
                    found.append([code for code in narrow if not is_division(code, self.terms[code].name)])
                    start += length - 1
                    break
            start += 1
        found = [list(codes) for codes in dict.fromkeys(map(tuple, found))]
        broader = [{a for code in codes for a in above(code, self.parents)} for codes in found]
        return [
            kept
            for n, codes in enumerate(found)
            if (
                kept := [
                    code for code in codes if not any(code in b for m, b in enumerate(broader) if m != n)
                ]
            )
        ]

    def put_right(self, text: str) -> str:
        """Return a text with slips in names of techniques corrected: in its first unknown words, and in a
        short Chinese text one wrong character of a name; the same text if there are none."""
        unknown = [
            run
            for runs in pieces(text)
            for run in runs
            if len(run) >= 5 and run.isascii() and run.isalpha() and STEM + stem(run) not in self.postings
        ]
        near = {run: nearest(run, self._spelt.get(run[0], ())) for run in unknown[:MOST_SLIPS]}
        return self._with_characters(respelt(text, {run: best for run, best in near.items() if best}))

    def has_unknown_words(self, text: str) -> bool:
        """Say whether a text has Latin words, long enough to be slips, that no description has."""
        return any(
            len(run) >= 4 and run.isalpha() and run.isascii() and key not in self.postings
            for key, run in keys(text).items()
        )

    def above(self, code: str) -> set[str]:
        """Return the codes of all techniques that are broader than one."""
        return above(code, self.parents)

    def _with_characters(self, text: str) -> str:
        run = "".join(run for runs in pieces(text) for run in runs)
        if not (len(run) <= _SHORT and is_han(run)) or self.names_in(text):
            return text
        for name in self._written:
            for start in range(len(run) - len(name) + 1):
                part = run[start : start + len(name)]
                wrong = [a for a, b in zip(part, name, strict=True) if a != b]
                if len(wrong) == 1 and not is_particle(wrong[0]):  # "蛋白质有多少" is no slip in "蛋白质组"
                    return text.replace(part, name)
        return text

    @cached_property
    def _spelt(self) -> Mapping[str, Sequence[tuple[str, int]]]:
        """Return the words in names of techniques, each with its number of occurrences, by first letter."""
        number = Counter(
            run
            for term in self.terms.values()
            for label in term.labels
            for runs in pieces(label)
            for run in runs
            if len(run) >= 5 and run.isascii() and run.isalpha()
        )
        by_letter: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for word, often in sorted(number.items()):
            by_letter[word[0]].append((word, often))
        return by_letter

    @cached_property
    def _written(self) -> Sequence[str]:
        """Return the Chinese names of techniques of four characters and more, the longest first."""
        names = {label for term in self.terms.values() for label in term.labels if len(label) >= _LONG}
        return sorted((n for n in names if all(map(is_han, n))), key=lambda name: (-len(name), name))

    def _strong(self, text: str, likeness: Mapping[str, float] | None) -> list[tuple[NeedTerm, float]]:
        """Return the measurands that a text describes well enough, each with its strength."""
        scores, telling = self._scores(text)
        most = max(scores.values(), default=0.0)
        rare = math.log(1 + (len(self.measurands) - 0.5) / 1.5)
        covered = max(map(len, telling.values()), default=0) / max(len(keys(text)), 1)
        least = _TELLING if likeness is None else _TELLING_BESIDE
        is_told = most >= least * rare or (covered >= _COVERED and most >= _ALONE * rare)
        if likeness is not None:
            closest = max(likeness.values(), default=0.0)
            is_told = closest >= _ALIKE or (is_told and closest >= _UNLIKE)
        if not is_told:
            return []
        strengths = {place: score / most for place, score in scores.items()}
        for place, row in enumerate(self.measurands):
            if likeness and (like := likeness.get(row.code, 0)) > _NOISE:
                share = (like - _NOISE) / (closest - _NOISE)
                strengths[place] = strengths.get(place, 0) + _BY_MEANING * share
        best = max(strengths.values(), default=0.0)
        ranked = sorted(strengths, key=lambda place: (-strengths[place], place))[:MOST_TERMS]
        return [
            (self._term_at(place, telling.get(place, [])), strengths[place] / best)
            for place in ranked
            if strengths[place] >= _FAR * best
        ]

    @cached_property
    def families(self) -> Mapping[str, int]:
        """Return the number of narrower techniques of each technique that has any."""
        return Counter(broader for code in self.terms for broader in above(code, self.parents)) + Counter()

    @cached_property
    def alike(self) -> Mapping[str, Sequence[str]]:
        """The other techniques of the same measurands, by technique; those that share most come first. One
        that shares only a small part of them does other work."""
        beside: dict[str, Counter[str]] = defaultdict(Counter)
        number: Counter[str] = Counter()
        for row in self.measurands:
            number.update(row.techniques)
            for code in row.techniques:
                beside[code].update(other for other in row.techniques[:_DESCRIBED] if other != code)
        return {
            code: [other for other, shared in others.most_common() if shared >= _SHARED * number[code]]
            for code, others in beside.items()
        }

    @cached_property
    def digest(self) -> str:
        """Return a digest of all descriptions, which changes with any of them."""
        text = repr([(row.code, descriptions(row)) for row in self.measurands])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def techniques_of(self, code: str) -> tuple[str, ...]:
        """Return the codes of the techniques that answer a term, the best first; `code` itself if it is a
        technique or unknown."""
        rows = (row.techniques for row in self.measurands if row.code == code)
        return next(rows, (code,))

    def term(self, code: str) -> NeedTerm | None:
        """Return the measurand or technique with a code; None if there is neither."""
        for row in self.measurands:
            if row.code == code:
                return NeedTerm(code, row.name, row.name_zh, row.techniques, (), row.unit)
        if technique := self.terms.get(code):
            return NeedTerm(code, technique.name, technique.name_zh, (code,), is_named=True)
        return None

    def is_name(self, text: str) -> bool:
        """Say whether a text is a name and not a need: it consists only of techniques."""
        left = set(keys(text))
        for code in self.lexicon.named_in(text):
            for label in self.lexicon.labels.get(code, ()):
                left -= keys(label).keys()
        return not left

    def _named(self, text: str) -> list[NeedTerm]:
        codes = {c for c in self.lexicon.named_in(text) if not c.startswith("PaNET00")}
        broader = {code for one in codes for code in above(one, self.parents)}
        return [
            NeedTerm(code, term.name, term.name_zh, (code,), is_named=True)
            for code in sorted(codes - broader)
            for term in [self.terms[code]]
        ]

    def _described(self, text: str, alike: Sequence[str]) -> list[NeedTerm]:
        scores, telling = self._scores(text)
        if alike:
            scores = self._joined(scores, alike)
        least = _FAINT * max(scores.values(), default=0)
        ranked = sorted(
            (place for place, score in scores.items() if score >= least),
            key=lambda place: (-scores[place], place),
        )
        return [self._term_at(place, telling.get(place, [])) for place in ranked[:MOST_TERMS]]

    def _term_at(self, place: int, words: Sequence[str]) -> NeedTerm:
        m = self.measurands[place]
        return NeedTerm(m.code, m.name, m.name_zh, m.techniques, tuple(words), m.unit)

    def _scores(self, text: str) -> tuple[dict[int, float], dict[int, list[str]]]:
        """Return the scores of the measurands that have words of a text, and these words, both by the place
        of the measurand."""
        scores: dict[int, float] = defaultdict(float)
        telling: dict[int, list[str]] = defaultdict(list)
        mean = sum(self.lengths) / max(len(self.measurands), 1)
        by_key = keys(text)
        for key, word in by_key.items():
            rare = self._rarity(key)
            for place, weight in self.postings.get(key, ()):
                held_back = _K1 * (1 - _B + _B * self.lengths[place] / mean)
                scores[place] += rare * weight * (_K1 + 1) / (weight + held_back)
                telling[place].append(word)
        said = set(by_key)
        for place in scores:
            whole = (each for each in self._phrases[place] if each <= said)
            scores[place] += _PHRASE * max((sum(map(self._rarity, each)) for each in whole), default=0.0)
        asked = {place for key in said if key.startswith(MARK) for place, _ in self.postings.get(key, ())}
        if asked:
            known = max((score for place, score in scores.items() if place not in asked), default=0.0)
            for place in scores:
                if place in asked:
                    scores[place] += _BESIDE * known
                else:
                    scores[place] *= _UNASKED
        return scores, telling

    def _rarity(self, key: str) -> float:
        number, has = len(self.measurands), len(self.postings.get(key, ()))
        return math.log(1 + (number - has + 0.5) / (has + 0.5))

    @cached_property
    def _phrases(self) -> Sequence[Sequence[frozenset[str]]]:
        """Return the names and synonyms of several words of each measurand, as keys."""
        return [
            [
                each
                for text in (row.name, row.name_zh, *row.synonyms, *row.synonyms_zh)
                if len(each := frozenset(keys(text))) > 1
            ]
            for row in self.measurands
        ]

    def _joined(self, scores: Mapping[int, float], alike: Sequence[str]) -> dict[int, float]:
        """Return the combined scores of the ranking by words and that by meaning."""
        places = {row.code: place for place, row in enumerate(self.measurands)}
        by_words = sorted(scores, key=lambda place: (-scores[place], place))
        by_meaning = [places[code] for code in alike if code in places]
        joined: dict[int, float] = defaultdict(float)
        for order in (by_words, by_meaning):
            for nth, place in enumerate(order[:_PLACES]):
                joined[place] += 1 / (_JOINED + nth)
        return joined


def descriptions(row: Measurand) -> tuple[str, str]:
    """Return the description of a measurand in English and in Chinese, each as one text."""
    return (
        ". ".join((row.name, *row.lines, *row.synonyms)),
        "。".join((row.name_zh, *row.lines_zh, *row.synonyms_zh)),
    )


def vocabulary(measurands: Iterable[Measurand], terms: Mapping[str, Term]) -> Vocabulary:
    """Index measurands and techniques for comparison."""
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
    """Return the keys by which texts are compared, each with its word: stems of Latin words, pairs of Chinese
    characters, and hyphenated words in one piece ("Py-GC" as `pygc`)."""
    text, asked = asked_in(plain(text))
    by_key: dict[str, str] = dict(asked)
    split = pieces(text)
    beside = frozenset(run for runs in split for run in runs)
    for runs in split:
        latin = [run for run in runs if not is_han(run)]
        if len(latin) > 1:
            by_key.setdefault("".join(latin), "-".join(latin))
        for run in runs:
            if is_han(run):
                for pair in [run[i : i + 2] for i in range(len(run) - 1)] or [run]:
                    if not is_particle(pair):
                        by_key.setdefault(pair, pair)
                for element in ELEMENTS.intersection(run):
                    by_key.setdefault(element, element)
            elif run not in _STOP and not run.isdigit() and len(run) > 1:
                kin = STEM + stem(run) if len(run) >= 4 and run.isalpha() else run
                by_key.setdefault(sense(kin, run, beside), run)
    return by_key


def _weights(row: Measurand, terms: Mapping[str, Term]) -> dict[str, float]:
    """Return the keys of a description, each with the weight of the best field in which it occurs."""
    answers = [terms[code].labels for code in row.techniques[:_DESCRIBED] if code in terms]
    first, others = answers[:1], answers[1:]
    weights = {MARK + name: _NAMES for name, asked in QUANTITIES.items() if row.code in asked.measurands}
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
