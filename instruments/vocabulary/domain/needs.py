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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

from instruments.vocabulary.domain.asking import (
    COMPOUND,
    KEPT,
    MARK,
    OF_COMPOUND,
    QUANTITIES,
    asked_in,
    is_compound,
    noun_asked,
    sense,
)
from instruments.vocabulary.domain.techniques import Lexicon, Term, above, is_division, lexicon
from instruments.vocabulary.domain.words import (
    COMMON,
    ELEMENTS,
    EVERYDAY,
    PLAIN,
    STEM,
    is_han,
    is_particle,
    nearest,
    one_spelling,
    pieces,
    plain,
    respelt,
    spoken,
    stem,
    telling,
)

LONGEST_NEED, MOST_TERMS, FIRST = 2000, 5, 2
# Weights of the words of each field; of several techniques that answer a measurand the first is the best.
_NAMES, _SYNONYMS, _LINES, _FIRST, _OTHERS = 2.0, 1.5, 1.0, 1.0, 0.8
_LATER = 0.05  # less for each measurand of a quantity than for the one before
_K1, _B = 1.2, 0.4  # how soon more of a word says no more; how much a long description is held back
# How much more the words of a name or synonym say where all of it is there, and where it is all there is.
_PHRASE, _ALL, _NEARLY = 0.4, 1.5, 0.8
# Where a text asks for a quantity, others count for so much; and for the quantity counts so much of what its
# subject says of others.
_UNASKED, _BESIDE = 0.5, 0.5
_ASKED_FOR = 1.6  # times as much as others say the words after "what" and "which"
_FAINT = 0.4  # what scores less than so much of the best is left out
_JOINED, _PLACES = 10, 40  # what a place in an order is divided by, and how many places count
_SHARED = 0.3  # of the measurands of a technique: so many another one must answer as well to be like it
_DESCRIBED = 3  # techniques whose names belong to the description
_STOP = PLAIN | COMMON  # they tell no measurand from another
# A need is understood where the words of its best term weigh as much as so many words that one description
# alone has (words of everyday life do not count), or are so much of all its words; with likenesses of texts
# as well where these are known. Set on needs and nonsense in tests/data/needs and tests/data/oracle.
_TELLING, _COVERED, _ALONE, _UNLIKE = 1.49, 0.8, 1.1, 0.22
_OF_LIFE = 0.08  # so much less for each word of everyday life
_CERTAIN = 2.0  # words that weigh so much count whatever the likeness: names are like nothing
# Or where one is as like as this, and the words weigh at least so much.
_ALIKE = ((0.5, -1.0), (0.37, 0.85))
# By likeness a term gets half as much as by words: as much of it as is above the noise, of the likeliest.
_BY_MEANING, _NOISE = 0.5, 0.2
_FAR = 0.6  # of the best; a term below it is not what was meant
# Of the best: what is weaker may find something, but is not shown as what was meant. On half a of
# tests/data/needs the first two terms hold a right one for 85 of 100 needs at 0.75 as at 0.85, with 47 wrong
# ones beside them and with 35; at 0.9 right ones are lost. A test measures it on halves b and c.
MEANT = 0.85
SURE = 0.9  # of the strongest term: what is weaker is looked for where nobody has what is as strong
# Words of sentences that are also abbreviations of techniques, which they are in capitals or alone.
_ALSO_WORDS = frozenset(
    "stem cars fish pet cat sans chip mass spin sem tem cosy hall rose fret gas maps".split()  # noqa: SIM905
)
_LEFT_OUT = 8  # characters before a name with which it may be a shortened longer one
_BY_CHANCE = 2  # descriptions that have two characters which are parts of two words
_MOST_PUT = 4  # ways to put a text right
_BARE = frozenset(
    "一二三四五六七八九十几两只每各和与或有多少大小高低长短在里中上下不会能要可用来去对到为从后前"
)  # characters that are no slips
_LONG, _SHORT = 4, 12  # characters of a Chinese name that may have a slip, and of a text that is one
MOST_SLIPS = 12  # words of a text that are compared with all known ones
# Ways of making things, whose names are also those of what was made so.
MAKING = frozenset(
    f"local-{name}"
    for name in (
        *(
            "additive",
            "annealing",
            "bonding",
            "crystal-growth",
            "cvd",
            "deposition",
            "dry-etching",
            "etching",
        ),
        *("ion-implantation", "machining", "mbe", "polymer-processing", "sintering", "sputtering"),
    )
)
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
                is_broad = self.families[code] >= BROAD
                if code in without or (is_broad and (described or self._is_foreign(text))):
                    continue
                if described and code in MAKING and code not in described[0][0].techniques:
                    continue  # voids in a packaged chip, cracks in a printed part: the thing was made so
                term, strength = self.terms[code], max(1.0 - 0.1 * place, 0.1)
                if code not in named or named[code][1] < strength:
                    need_term = NeedTerm(code, term.name, term.name_zh, (code,), is_named=True)
                    named[code] = (need_term, strength)
        if named and not self._is_aside(text):
            return Understood(tuple(named.values()), True, self.is_name(text))
        return Understood(tuple(described))

    def names_in(self, text: str) -> list[list[str]]:
        """Return the techniques that a text names, in the order of its names, each once; for each name its
        techniques, the narrowest first. Of two names that overlap the first counts, of two that begin alike
        the longer; techniques that are broader than another one that is named do not count."""
        runs = spoken(text)
        words = [word for word, _ in runs]
        found: list[list[str]] = []
        for start, end, codes in self._spans(words):
            if end < len(runs) and runs[end - 1][1].endswith("ed"):
                continue  # a printed or sputtered thing was made so; nobody asks for it to be done
            if end - start == 1 < len(runs) and runs[start][1] in _ALSO_WORDS and runs[start][1] in text:
                continue  # stem cells
            codes = self._shortened(words, start, end, codes) or codes
            narrow = sorted(codes, key=lambda code: (-len(above(code, self.parents)), code))
            found.append([code for code in narrow if not is_division(code, self.terms[code].name)])
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

    def _spans(self, words: Sequence[str]) -> Iterator[tuple[int, int, Collection[str]]]:
        """Yield where the names of techniques begin and end among words, with their techniques."""
        start = 0
        while start < len(words):
            for length in range(min(self.lexicon.longest, len(words) - start), 0, -1):
                if codes := self.lexicon.named.get(tuple(words[start : start + length])):
                    yield start, start + length, codes
                    start += length - 1
                    break
            start += 1

    def _shortened(
        self, words: Sequence[str], start: int, end: int, codes: Collection[str]
    ) -> frozenset[str]:
        """Return narrower techniques whose Chinese name the characters up to the end of a name shorten, as
        同位素质谱 shortens 同位素比值质谱: the same first and last ones, with some left out between."""
        if not is_han(words[start]):
            return frozenset()
        first = start
        while first and is_han(words[first - 1]) and start - first < _LEFT_OUT:
            first -= 1
        if first == start:
            return frozenset()
        for begin in range(first, start):
            short = "".join(words[begin:end])
            if len(short) < _LONG:
                break
            labels = (each for code in codes for each in self._below.get((code, short[0], short[-1]), ()))
            if found := frozenset(code for label, code in labels if is_short_for(short, label)):
                return found
        return frozenset()

    def beside(self, text: str) -> list[str]:
        """Return the words beside the names of techniques in a text that may tell one instrument from
        another."""
        words = spoken(text[:LONGEST_NEED])
        named = [word for word, _ in words]
        left = [run for _, run in words]
        for start, end, _ in self._spans(named):
            left[start:end] = [" "] + [""] * (end - start - 1)
        between = [
            run if is_han(run) and before[-1:] and is_han(before[-1:]) else f" {run}"
            for before, run in zip(["", *left], left, strict=False)
        ]
        return telling("".join(between))

    def _is_foreign(self, text: str) -> bool:
        """Say whether most words beside the names in a text are of everyday life, or in no description."""
        words = self.beside(text)
        foreign = [word for word in words if word in EVERYDAY or not self.is_known(word)]
        return len(foreign) > len(words) / 2

    def _is_aside(self, text: str) -> bool:
        """Say whether a text of everyday life has a name by chance: one word that is no abbreviation, beside
        two everyday words and none of a description."""
        words = spoken(text)
        spans = list(self._spans([word for word, _ in words]))
        if any(end - start > (2 if is_han(words[start][0]) else 1) for start, end, _ in spans):
            return False
        if any(words[start][1].upper() in text for start, _, _ in spans if not is_han(words[start][0])):
            return False
        beside = keys(" ".join(self.beside(text)))
        everyday = [key for key, word in beside.items() if word in EVERYDAY]
        return len(everyday) >= 2 and not any(k in self.postings for k in beside if k not in everyday)

    def is_known(self, word: str) -> bool:
        """Say whether a description has a word. Of a Chinese one the first two characters are looked up,
        which a description or two may have by chance: 合肥 is a town, and within 复合肥."""
        if is_han(word):
            return len(self.postings.get(word[:2], ())) > _BY_CHANCE
        return any(key in self.postings for key in keys(word))

    def put_right(self, text: str) -> list[str]:
        """Return a text with slips in names of techniques corrected, in each way that is likely: in its first
        unknown words, and in a short Chinese text one character of a name; nothing if there are none."""
        unknown = [
            run
            for runs in pieces(text)
            for run in runs
            if len(run) >= 5
            and run.isascii()
            and run.isalpha()
            and STEM + stem(one_spelling(run)) not in self.postings
        ]
        near = {run: nearest(run, self._spelt.get(run[0], ())) for run in unknown[:MOST_SLIPS]}
        spelt = respelt(text, {run: best for run, best in near.items() if best})
        return self._with_characters(spelt) or ([spelt] if spelt != text else [])

    def has_unknown_words(self, text: str) -> bool:
        """Say whether a text has Latin words, long enough to be slips, that no description has."""
        return any(
            len(run) >= 4 and run.isalpha() and run.isascii() and key not in self.postings
            for key, run in keys(text).items()
        )

    def above(self, code: str) -> set[str]:
        """Return the codes of all techniques that are broader than one."""
        return above(code, self.parents)

    def _with_characters(self, text: str) -> list[str]:
        """Return a short Chinese text with each name of a technique in it put right of which one character is
        wrong, missing or too many. Where the text names a technique, only narrower ones are put in."""
        run, said = "".join(run for runs in pieces(text) for run in runs), plain(text)
        if not (len(run) <= _SHORT and any(map(is_han, run))):
            return []
        named = {code for codes in self.names_in(text) for code in codes}
        found: dict[str, tuple[int, int, str]] = {}
        for name, codes in self._written.items():
            if named and not any(named & self._broader[code] for code in codes):
                continue
            for part in _parts(run, len(name)):
                if (
                    part in said
                    and is_slip(part, name, is_all=part == run)
                    and not self._is_said(part, name, run)
                ):
                    put = said.replace(part, name)
                    found.setdefault(put, (abs(len(part) - len(name)), -len(name), name))
        return sorted(found, key=found.__getitem__)[:_MOST_PUT]

    def _is_said(self, part: str, name: str, run: str) -> bool:
        """Say whether the character by which a part of a text differs from a name belongs to a known word of
        the text, so that it is no slip: 结 in 蛋白质结构 is of 结构, and nobody meant 蛋白质组."""
        if len(part) != len(name) or part == run:
            return False
        at = run.index(part) + next(n for n, (a, b) in enumerate(zip(part, name, strict=True)) if a != b)
        pairs = (run[max(at - 1, 0) : at + 1], run[at : at + 2])
        return any(len(self.postings.get(pair, ())) > _BY_CHANCE for pair in pairs if len(pair) == 2)

    @cached_property
    def _spelt(self) -> Mapping[str, Sequence[tuple[str, int]]]:
        """Return the words in names of techniques, each with its number of occurrences, by first letter."""
        number = Counter(
            run
            for term in self.terms.values()
            for label in term.labels
            for runs in pieces(label)
            for run in (*runs, *(["".join(runs)] if len(runs) > 1 else []))
            if len(run) >= 5 and run.isascii() and run.isalpha()
        )
        by_letter: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for word, often in sorted(number.items()):
            by_letter[word[0]].append((word, often))
        return by_letter

    @cached_property
    def _written(self) -> Mapping[str, frozenset[str]]:
        """Return the Chinese names of techniques of three characters and more, with their techniques."""
        names: dict[str, set[str]] = defaultdict(set)
        for term in self.terms.values():
            for label in term.labels:
                name = plain(label)
                if len(name) >= _LONG - 1 and name.isalnum() and sum(map(is_han, name)) >= _LONG - 1:
                    names[name].add(term.code)
        return {name: frozenset(codes) for name, codes in names.items()}

    def _strong(self, text: str, likeness: Mapping[str, float] | None) -> list[tuple[NeedTerm, float]]:
        """Return the measurands that a text describes well enough, each with its strength."""
        scores, telling = self._scores(text)
        most = max(scores.values(), default=0.0)
        rare = math.log(1 + (len(self.measurands) - 0.5) / 1.5)
        covered = max(map(len, telling.values()), default=0) / max(len(keys(text)), 1)
        everyday = sum(word in EVERYDAY for word in keys(text).values())
        told = self._evidence(text, scores) / rare - _OF_LIFE * everyday
        is_told = told >= _TELLING or (covered >= _COVERED and told >= _ALONE)
        by_words = self._named_best(text, scores) if is_told else None
        closest = max((likeness or {}).values(), default=0.0)
        if likeness is not None:
            is_alike = any(closest >= alike and told >= least for alike, least in _ALIKE)
            is_sure = by_words is not None or told >= _CERTAIN or closest >= _UNLIKE
            is_told = is_alike or (is_told and is_sure)
        if not is_told:
            return []
        strengths = {place: score / most for place, score in scores.items()}
        for place, row in enumerate(self.measurands):
            if likeness and (like := likeness.get(row.code, 0)) > _NOISE:
                share = (like - _NOISE) / (closest - _NOISE)
                strengths[place] = strengths.get(place, 0) + _BY_MEANING * share
        best = max(strengths.values(), default=0.0)
        if (
            by_words is not None
        ):  # meanings add and order; what words are certain of stays among what is meant
            strengths[by_words] = max(strengths[by_words], MEANT * best)
        ranked = sorted(strengths, key=lambda place: (-strengths[place], place))[:MOST_TERMS]
        return [
            (self._term_at(place, telling.get(place, [])), strengths[place] / best)
            for place in ranked
            if strengths[place] >= _FAR * best
        ]

    @cached_property
    def _broader(self) -> Mapping[str, frozenset[str]]:
        """Return all techniques that are broader than each."""
        return {code: frozenset(above(code, self.parents)) for code in self.terms}

    @cached_property
    def _below(self) -> Mapping[tuple[str, str, str], Sequence[tuple[str, str]]]:
        """Return the long Chinese names of the techniques below each, with their techniques, by their first
        and last characters."""
        names: dict[tuple[str, str, str], list[tuple[str, str]]] = defaultdict(list)
        for code, broader in self._broader.items():
            for label in self.terms[code].labels:
                if len(label) > _LONG and all(map(is_han, label)):
                    for each in broader:
                        names[each, label[0], label[-1]].append((label, code))
        return names

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
        nouns = {key for key, word in keys(noun_asked(plain(text))).items() if word not in EVERYDAY}
        for key, word in by_key.items():
            rare = self._rarity(key) * (_ASKED_FOR if key in nouns else 1.0)
            for place, weight in self.postings.get(key, ()):
                held_back = _K1 * (1 - _B + _B * self.lengths[place] / mean)
                scores[place] += rare * weight * (_K1 + 1) / (weight + held_back)
                telling[place].append(word)
        said = frozenset(by_key)
        for place in scores:
            scores[place] += max(
                (
                    self._of_phrase(each, said) * sum(map(self._rarity, each & said))
                    for each in self._phrases[place]
                ),
                default=0.0,
            )
        asked = {place for key in said if key.startswith(MARK) for place, _ in self.postings.get(key, ())}
        if asked:
            known = max((score for place, score in scores.items() if place not in asked), default=0.0)
            for place in scores:
                if place in asked:
                    scores[place] += _BESIDE * known
                else:
                    scores[place] *= _UNASKED
        return scores, telling

    def _named_best(self, text: str, scores: Mapping[int, float]) -> int | None:
        """Return the place of the measurand with the best score if all words of one of its names are in the
        text; None if they are not."""
        best, said = max(scores, key=lambda place: (scores[place], -place)), frozenset(keys(text))
        return best if any(each <= said for each in self._phrases[best]) else None

    @staticmethod
    def _of_phrase(phrase: frozenset[str], said: frozenset[str]) -> float:
        """Return how much more the words of a name or synonym say in a text: all that it says, some, none."""
        if phrase == said:
            return _ALL
        if phrase <= said:
            return _PHRASE
        # "Thermal conductivity" is nearly all of "thermal conductivity and diffusivity".
        return _NEARLY if len(said) > 1 and said < phrase and len(phrase) - len(said) == 1 else 0.0

    def _evidence(self, text: str, scores: Mapping[int, float]) -> float:
        """Return the best score that a measurand has by words that are not of everyday life."""
        if not scores:
            return 0.0
        everyday = {key: word for key, word in keys(text).items() if word in EVERYDAY}
        mean = sum(self.lengths) / max(len(self.measurands), 1)
        less: dict[int, float] = defaultdict(float)
        for key in everyday:
            rare = self._rarity(key)
            for place, weight in self.postings.get(key, ()):
                held_back = _K1 * (1 - _B + _B * self.lengths[place] / mean)
                less[place] += (1 + _PHRASE) * rare * weight * (_K1 + 1) / (weight + held_back)
        return max(score - less[place] for place, score in scores.items())

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


def _parts(run: str, length: int) -> Iterator[str]:
    """Yield the parts of a run that may be a name of some length with a slip; of a name of three characters
    the whole run alone, since too much resembles it."""
    if length < _LONG:
        if len(run) == length:
            yield run
        return
    for size in (length, length - 1, length + 1) if length > _LONG else (length,):
        yield from (run[start : start + size] for start in range(len(run) - size + 1))


def is_slip(part: str, name: str, *, is_all: bool = False) -> bool:
    """Say whether a part of a Chinese text, or all of it, is a name with one wrong character, or one missing
    or too many within; in a part, characters that make sentences are no slips: "蛋白质有多少" is none of
    "蛋白质组"."""
    if len(part) == len(name):
        wrong = [a for a, b in zip(part, name, strict=True) if a != b]
        return len(wrong) == 1 and (is_all or not (is_particle(wrong[0]) or wrong[0] in _BARE))
    if part[0] != name[0] or part[-1] != name[-1]:
        return False
    longer, shorter = (part, name) if len(part) > len(name) else (name, part)
    return any(longer[:n] + longer[n + 1 :] == shorter for n in range(len(longer)))


def is_short_for(short: str, name: str) -> bool:
    """Say whether a Chinese name is shortened by leaving out characters, and not most of them."""
    if (short[0], short[-1]) != (name[0], name[-1]) or not len(short) < len(name) <= 2 * len(short):
        return False
    rest = iter(name)
    return all(character in rest for character in short)


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
    formula = {COMPOUND: text.strip()} if is_compound(text) else {}
    text, asked = asked_in(plain(text))
    by_key: dict[str, str] = asked | formula
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
                kin = STEM + stem(one_spelling(run)) if len(run) >= 4 and run.isalpha() else run
                by_key.setdefault(sense(kin, run, beside), run)
    return by_key


def _weights(row: Measurand, terms: Mapping[str, Term]) -> dict[str, float]:
    """Return the keys of a description, each with the weight of the best field in which it occurs."""
    answers = [terms[code].labels for code in row.techniques[:_DESCRIBED] if code in terms]
    first, others = answers[:1], answers[1:]
    # Of the measurands of a quantity the first is the likeliest, whatever it is of.
    weights = {
        MARK + name: max(_NAMES - _LATER * asked.measurands.index(row.code), _LINES)
        for name, asked in QUANTITIES.items()
        if row.code in asked.measurands
    }
    if row.code in OF_COMPOUND:
        weights[COMPOUND] = _NAMES
    for weight, texts in (
        (_NAMES, (row.name, row.name_zh)),
        (_SYNONYMS, (*row.synonyms, *row.synonyms_zh)),
        (_LINES, (*row.lines, *row.lines_zh)),
        (_FIRST, [label for labels in first for label in labels]),
        (_OTHERS, [label for labels in others for label in labels]),
    ):
        for text in texts:
            for key in keys(text):
                if key not in KEPT:
                    weights.setdefault(key, weight)
    return weights
