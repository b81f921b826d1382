"""Interpret what somebody typed into the catalogue: as words, and as what the words may mean."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, takewhile
from typing import Any

from django.core.cache import cache

from instruments.register.models import Instrument
from instruments.search.domain import relevance
from instruments.search.domain.relevance import Answer
from instruments.search.domain.search import FACETS, Beside, Criteria, is_whole_name, terms
from instruments.search.selectors import search as searches
from instruments.vocabulary.domain.asking import is_asking
from instruments.vocabulary.domain.needs import BROAD, SURE, NeedTerm, Understood, Vocabulary
from instruments.vocabulary.domain.parameters import MOST_REQUIREMENTS, Requirement, fitted, requirements_in
from instruments.vocabulary.domain.techniques import is_division
from instruments.vocabulary.domain.words import telling
from instruments.vocabulary.selectors.needs import load_parameters, load_understood, load_vocabulary

WORDS = 3  # similar ones that are named for a word nobody has
MOST_NEAR = 6
LEAST_STATED = 0.6  # of the best answer: what is worth less does not count though it states the figures
MOST_BESIDE = 4  # words beside a technique that are looked for in names
# Of any technique: they say nothing of which one is asked for.
GENERAL = frozenset(["sample_temperature", "sample_size", "sample_height", "sample_mass", "sample_volume"])
TYPED_ON, LEAST_BEGUN = 3, 4  # words of a name that may still be typed, letters of its last one


@dataclass(frozen=True)
class Interpretation:
    """The interpretation of a search. `criteria`: what is searched; `terms`: what the reader wants to find
    out, likeliest first; `is_answered`: whether any published instrument is an answer, whatever else is
    chosen; `near`: codes of neighbouring techniques, nearest first; `sign`: where it finds anything, this
    interpretation counts, though it finds nothing itself; `is_strict`: it counts only if something that it
    finds meets the figures asked for."""

    criteria: Criteria
    terms: tuple[NeedTerm, ...] = ()
    is_answered: bool = True
    near: tuple[str, ...] = ()
    sign: Criteria | None = None
    is_strict: bool = False

    @property
    def lacking(self) -> NeedTerm | None:
        """Return the term that was understood and that no published instrument measures; None if there is
        none."""
        return self.terms[0] if self.terms and not self.is_answered else None

    @property
    def elsewhere(self) -> str:
        """Return the place or maker that the text names and that has nothing of what was understood; empty if
        it names none."""
        places = [beside.word for beside in self.criteria.beside if beside.is_place]
        return places[0] if places and not self.is_answered else ""

    @property
    def is_unknown(self) -> bool:
        """Say whether the words of the search mean nothing to the platform: no technique answers them, and
        they have no possible meaning."""
        return not (self.is_answered or self.terms)


@dataclass(frozen=True)
class ReasonShown:
    """Why an instrument is shown: the technique that answers, and the term that it answers. `term` is None if
    the instrument is only near; then `technique` is None if it does not meet a requirement."""

    technique: NeedTerm | None
    term: NeedTerm | None = None


@dataclass(frozen=True)
class Way:
    """A way out of an empty page: without the criteria `names` (as the page calls them), the search finds
    `count` instruments."""

    names: tuple[str, ...]
    count: int


def load_reading(criteria: Criteria) -> Interpretation:
    """Return the interpretation of a search: its words as names; else with slips corrected; else as what they
    mean; else as words of records. A chosen term replaces them. One statement; three at most if no name has
    the words; more after the vocabulary has changed."""
    if criteria.term:
        return _of_term(criteria)
    if not criteria.text.strip():
        return Interpretation(criteria)
    ways = _ways(criteria, criteria.text)
    reading = _first(ways)
    if not reading or reading.criteria.words not in ("names", "begun"):  # no name: it may be mistyped
        better = _first([way for meant in _put_right(criteria.text) for way in _named(criteria, meant)])
        if better and (not reading or better.terms != reading.terms):
            return better
    return reading or _nothing(ways, criteria)


def is_name(text: str) -> bool:
    """Say whether a text says no more than the names of techniques."""
    return load_vocabulary().is_name(text)


def load_reason(instrument: Instrument, reading: Interpretation) -> ReasonShown | None:
    """Return why an instrument is among the results; None if its name has the words. It takes no
    statement."""
    wanted = searches.answers_of(reading.criteria)
    filed, understood = relevance.techniques_of(_filed(instrument)), {term.code for term in reading.terms}
    # The reader is told of the terms beside the search; others that the words may mean come last.
    named = [one for one in wanted if one.term in understood]
    found = relevance.best_answer(filed, named) or relevance.best_answer(filed, wanted)
    if found is None:
        return None
    (_, answer), known = found, load_vocabulary()
    shown = [t for t in reading.terms if t.code == answer.term or answer.technique in t.techniques]
    shown.sort(key=lambda t: t.code != answer.term)
    term = shown[0] if shown else None if reading.terms else known.term(answer.term)
    technique = known.term(_narrowest(instrument, answer.technique, known))
    is_same = term and technique and term.code == technique.code
    return ReasonShown(technique, None if is_same else term)


def load_near(reading: Interpretation) -> list[tuple[Instrument, ReasonShown]]:
    """Return instruments that nearly meet a search, nearest first, each with the reason why it is shown. Two
    statements; none if nothing is near."""
    criteria, known = reading.criteria, load_vocabulary()
    if reading.is_unknown:
        some = replace(criteria, words="some", sort="")
        found = searches.page(some, searches.entries(some), 0, MOST_NEAR)
        return [(row, ReasonShown(None)) for row in found]
    result = []
    for row in searches.nearby(criteria, reading.near, MOST_NEAR):
        filed = relevance.techniques_of(_filed(row))
        every = set().union(*filed.values())
        answer = relevance.best_answer(filed, searches.answers_of(criteria))
        misses = answer is not None
        if answer and criteria.beside:  # elsewhere, or of another make
            result.append((row, ReasonShown(known.term(_narrowest(row, answer[1].technique, known)))))
            continue
        close = None if misses else next((code for code in reading.near if code in every), None)
        result.append((row, ReasonShown(known.term(_narrowest(row, close, known)) if close else None)))
    if not (result or reading.is_answered):
        wider = tuple(_broader(reading, known))
        result = [
            (row, ReasonShown(known.term(code)))
            for row in searches.nearby(replace(criteria, answers=(), term="", wishes=()), wider, MOST_NEAR)
            if (
                code := next(
                    (
                        c
                        for c in wider
                        if any(c in own for own in relevance.techniques_of(_filed(row)).values())
                    ),
                    "",
                )
            )
        ]
    return result


def _broader(reading: Interpretation, known: Vocabulary) -> Iterator[str]:
    """Yield the techniques that are directly broader than the best one of each meaning, unless they say next
    to nothing."""
    for term in reading.terms:
        for code in known.parents.get(term.techniques[0] if term.techniques else "", ()):
            if known.families[code] < BROAD and not is_division(code, known.terms[code].name):
                yield code


def _filed(instrument: Instrument) -> Sequence[str]:
    """Return the search keys that were loaded with an instrument found by its techniques; none for others."""
    return getattr(instrument, "filed", ())


def _narrowest(instrument: Instrument, technique: str, known: Vocabulary) -> str:
    """Return the technique of an instrument that is the one asked for, or below it."""
    filed = relevance.techniques_of(_filed(instrument))
    for kind in (relevance.OWN, relevance.CALLED):
        if technique in filed[kind]:
            return technique
        below = [code for code in sorted(filed[kind]) if technique in known.above(code)]
        if below:
            return below[0]
    return technique


def _of_term(criteria: Criteria) -> Interpretation:
    """Return the interpretation of a search for a chosen term."""
    known = load_vocabulary()
    term = known.term(criteria.term)
    wanted = searches.answers_of(criteria)
    is_answered = searches.first_found([Criteria(term=criteria.term)]) is not None
    meant = Understood(((term, 1.0),)) if term else Understood()
    near = relevance.neighbours(wanted, meant, known.parents, known.families, known.alike)
    return Interpretation(criteria, (term,) if term else (), is_answered, near)


def _ways(criteria: Criteria, text: str) -> list[Interpretation]:
    """Return the possible interpretations of a text; the first that finds anything counts."""
    known, parameters = load_vocabulary(), load_parameters()
    understood = load_understood(text, criteria.without)
    codes = {code for term, _ in understood.terms for code in term.techniques}
    every = codes.union(*map(known.above, codes))
    read = [fitted(each, every, parameters) for each in requirements_in(text, parameters)]
    wishes = tuple(each.requirement for each in read)[:MOST_REQUIREMENTS]
    wants = _wants(replace(criteria, text=text, wishes=wishes), understood)
    names = [Interpretation(replace(criteria, text=text, words="names"))]
    words = terms(text)
    if len(words) <= TYPED_ON and words and len(words[-1].word) >= LEAST_BEGUN:
        names.append(Interpretation(replace(criteria, text=text, words="begun")))
    rest = [Interpretation(replace(criteria, text=text, words="text"))]
    if wishes:
        # Nothing but figures: whatever is asked for them.
        row = parameters[wishes[0].parameter]
        term = NeedTerm(row.code, row.name, row.name_zh, row.techniques)
        figures = Understood(tuple((replace(term, techniques=(one,)), 1.0) for one in row.techniques))
        asked = [parameters[wish.parameter].techniques for wish in wishes]
        wanted = relevance.answers(figures, known.parents, asked)
        stated = replace(criteria, text=text, words="stated", wishes=wishes, answers=wanted)
        rest.insert(0, Interpretation(stated, (term,)))
    if wishes and understood.is_named:
        return [*wants, *names, *rest[: 0 if wants else None]]  # figures count where they are stated
    if understood.is_whole or (understood.terms and is_asking(text)):
        return [*wants, *names]  # "how thick is a film" asks for no instrument that makes films
    # Of a technique and a place both must be right, whatever names have both words.
    first = list(takewhile(lambda way: way.criteria.beside and understood.is_named, wants))
    wants = wants[len(first) :]
    return [*first, *names, *wants, *rest[: 0 if first or wants else None]]


def _wants(criteria: Criteria, understood: Understood) -> list[Interpretation]:
    """Return the interpretations of what was understood: by the techniques that answer it; with broader ones,
    where nobody states what is wanted itself; by the less suitable ones of what was meant."""
    known, parameters = load_vocabulary(), load_parameters()
    asked = [
        parameters[wish.parameter].techniques for wish in criteria.wishes if wish.parameter not in GENERAL
    ]
    wanted = relevance.answers(understood, known.parents, asked)
    near = relevance.neighbours(wanted, understood, known.parents, known.families, known.alike)
    likeliest = Understood(
        tuple(each for each in understood.terms if each[0] in understood.meant), understood.is_named
    )
    if not understood.is_named:  # what is not shown as meant finds nothing where nobody has what is
        wanted = relevance.answers(likeliest, known.parents, asked)
    exact = tuple(one for one in wanted if not one.is_broader)
    others = relevance.answers(likeliest, known.parents, asked, least=relevance.LESS_WORTH)
    sure: tuple[Answer, ...] = ()
    if not understood.is_named:
        strongest = Understood(tuple(each for each in likeliest.terms if each[1] >= SURE))
        best = relevance.answers(strongest, known.parents, asked)
        sure = tuple(one for one in best if not one.is_broader)
    meant = [
        Interpretation(replace(criteria, answers=some), tuple(understood.meant), near=near)
        for some in dict.fromkeys((*relevance.tiers(sure), *relevance.tiers(exact), wanted, others))
        if some
    ]
    if not understood.is_named:
        general = [replace(way, criteria=replace(way.criteria, is_general=True)) for way in meant]
        meant = [*general, *meant]
    meant += _so_called(criteria, understood)
    if criteria.wishes and meant:  # where anything states that it meets them, what does not say is only near
        meant = [
            way
            for each in meant
            for way in (replace(each, criteria=replace(each.criteria, words="met")), each)
        ]
    if criteria.wishes and meant and not understood.is_named:
        # What states the figures may be meant less strongly.
        every = relevance.answers(understood, known.parents, asked, least=LEAST_STATED)
        stated = replace(criteria, answers=every, words="stated")
        strict = [replace(way, is_strict=True) for way in meant]
        meant = [*strict, Interpretation(stated, tuple(term for term, _ in understood.terms)), *meant]
    if not meant:
        return meant
    narrower = [
        replace(
            meant[0],
            criteria=replace(meant[0].criteria, beside=beside),
            sign=Criteria(beside=beside) if is_alone else None,
        )
        for beside, is_alone in _beside(criteria, understood)
    ]
    return [*narrower, *meant]


def _so_called(criteria: Criteria, understood: Understood) -> list[Interpretation]:
    """Return an interpretation of a technique that is named: instruments of a directly broader technique
    whose own names have all its words, as a high-resolution liquid chromatograph with mass spectrometer does
    high-resolution mass spectrometry."""
    known = load_vocabulary()
    found = []
    for term in understood.meant if understood.is_named else ():
        words = telling(term.name)
        broader = tuple(Answer(code, term.code, 1000) for code in known.parents.get(term.code, ()))
        if len(words) > 2 and broader:
            beside = tuple(Beside(word, "A") for word in words)
            found.append(Interpretation(replace(criteria, answers=broader, beside=beside), (term,)))
    return found


def load_meant(text: str) -> list[NeedTerm]:
    """Return what the catalogue's search takes a text to mean. Where it takes the text for a name, the terms
    that it would otherwise have. Statements as `load_reading`."""
    reading, known = load_reading(Criteria(text=text)), load_vocabulary()
    terms = [term for term in reading.terms if known.term(term.code)]  # figures alone name a parameter
    return terms or load_understood(reading.criteria.text).meant


def load_needed(text: str, codes: Sequence[str], requirements: Sequence[Requirement] = ()) -> Interpretation:
    """Return the interpretation of a need that means the terms of some codes, each as strongly as the text
    says it; one that its author chose besides, most strongly. One statement, or none if the same was asked a
    minute ago."""
    known, chosen = load_vocabulary(), load_understood(text)
    if [term.code for term in chosen.meant] != [*codes]:
        strengths = {term.code: strength for term, strength in chosen.terms}
        terms = [term for code in codes if (term := known.term(code))]
        is_named = all(term.is_named for term in terms)
        chosen = Understood(tuple((term, strengths.get(term.code, 1.0)) for term in terms), is_named)
    ways = _wants(Criteria(text=text, wishes=tuple(requirements)), chosen)
    return _first(ways) or (ways[0] if ways else Interpretation(Criteria()))


def _named(criteria: Criteria, text: str) -> list[Interpretation]:
    """Return those interpretations of a search text by which its words are names: of instruments or of
    techniques."""
    return [
        way
        for way in _ways(criteria, text)
        if way.criteria.words == "names" or (way.terms and way.terms[0].is_named)
    ]


def _first(ways: Sequence[Interpretation]) -> Interpretation | None:
    """Return the first interpretation that finds anything; otherwise the first that names a technique. One
    statement, and two for each word that may be the name of a place or maker alone."""
    bare = [way.sign or _bare(way.criteria, is_strict=way.is_strict) for way in ways]
    at = f"reading:{hashlib.sha256(repr(bare).encode()).hexdigest()[:32]}"
    found: int | None = cache.get(at)  # what was found a minute ago spares the statement
    if found is None:
        found = searches.first_found(bare)
        while found is not None and not _counts(ways[found]):
            later = searches.first_found(bare[found + 1 :])
            found = None if later is None else found + 1 + later
        if found is not None:
            cache.set(at, found, searches.KEPT_SECONDS)
    if found is not None:
        return replace(ways[found], is_answered=ways[found].sign is None)
    named = [way for way in ways if way.terms and way.terms[0].is_named]
    named.sort(key=lambda way: bool(way.criteria.beside))  # a word beside is no name where nobody has it
    return next((replace(way, is_answered=False) for way in named), None)


def _counts(way: Interpretation) -> bool:
    """Say whether an interpretation whose sign finds something counts: its word must be a name, not a part of
    one that it is found in by chance. One statement, of a sign."""
    if way.sign is None:
        return True
    return is_whole_name(way.sign.beside[0].word, searches.load_names(way.sign))


def _bare(criteria: Criteria, *, is_strict: bool = False) -> Criteria:
    """Return the part of some criteria that says what is searched, whatever else is chosen; the figures only
    if they decide what is found."""
    return Criteria(
        text=criteria.text,
        words=criteria.words,
        answers=criteria.answers,
        beside=criteria.beside,
        is_general=criteria.is_general,
        wishes=criteria.wishes if is_strict or criteria.words in ("stated", "met") else (),
    )


def _beside(criteria: Criteria, understood: Understood) -> list[tuple[tuple[Beside, ...], bool]]:
    """Return the sets of words beside what was understood that an instrument's names may have, most words
    first, and last each name of a place or maker by itself, which must be right if there is one of that
    name."""
    known = load_vocabulary()
    words = [
        Beside(word, "AB" if known.is_known(word) else "ABC" if understood.is_named else "C",
               not known.is_known(word))
        for word in known.beside(_without_figures(criteria.text))
        if understood.is_named or not known.is_known(word)
    ][:MOST_BESIDE]  # fmt: skip
    sets = [each for size in range(len(words), 0, -1) for each in combinations(words, size)]
    # Of an instrument's own name before those of its techniques, which others of the technique share.
    own = tuple(replace(word, weights="A") if word.weights == "AB" else word for word in words)
    sets = [own, *sets] if own != tuple(words) else sets
    places = [replace(word, weights="BC") for word in words if word.is_place]
    return [*((each, False) for each in sets), *(((word,), True) for word in places if understood.is_named)]


def _without_figures(text: str) -> str:
    """Return a text without the words that state requirements."""
    for each in requirements_in(text, load_parameters()):
        text = text.replace(each.words, " ")
    return text


def _put_right(text: str) -> list[str]:
    """Return a text with its slips corrected, in each way that is likely. One statement if it has words that
    the vocabulary lacks."""
    known = load_vocabulary()
    if known.is_name(text):
        return []
    meant = known.put_right(text)
    if not meant and known.has_unknown_words(text):
        meant = [searches.corrected(text) or text]
    return [each for each in meant if each != text]


def _nothing(ways: Sequence[Interpretation], criteria: Criteria) -> Interpretation:
    """Return the interpretation of a text that finds nothing: a term that nobody measures, or none."""
    wanted = min((way for way in ways if way.terms), key=lambda way: bool(way.criteria.beside), default=None)
    if wanted:
        return replace(wanted, is_answered=False)
    return Interpretation(replace(criteria, words="nothing"), is_answered=False)


def load_ways_out(criteria: Criteria) -> list[Way]:
    """Return ways out of an empty page: the search without each of its criteria in turn, if that finds
    instruments. It takes one statement for each."""
    wordless: dict[str, Any] = {
        "text": "",
        "term": "",
        "without": (),
        "words": "",
        "answers": (),
        "wishes": (),
    }
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
        chosen.append((("term",), load_reading(replace(criteria, term="")).criteria))
    elif criteria.text:
        chosen.append((("q",), replace(criteria, **wordless)))
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
        if count := searches.entries(wider).count():
            ways.append(Way(names, count))
    filters = [name for name in (*FACETS, "facility") if getattr(criteria, name)]
    filters += ["spec"] if criteria.specs else []
    if not ways and len(filters) > 1:
        alone = Criteria(**{name: getattr(criteria, name) for name in wordless})
        if count := searches.entries(alone).count():
            ways.append(Way(("filters", *filters), count))
    return ways


def load_similar_words(text: str) -> list[str]:
    """Return words of the register that are similar to words that no instrument has. It takes one
    statement."""
    near = searches.load_near_words(text)
    return [word for words in near.values() for word, _ in words[:WORDS]]
