"""Decide how relevant an instrument is to what somebody wants to find out, by its techniques.

The reader wants terms, the likeliest first; each is answered by techniques, the best first. An instrument is
as relevant as its best technique for its best term. A neighbouring technique is no answer; instruments that
have only one are listed apart.

`selectors/search` repeats this in SQL, with keys of the same names; a property test compares the two.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from instruments.vocabulary.domain.needs import SURE, Understood
from instruments.vocabulary.domain.techniques import above

# The kinds of keys of a technique under which an instrument is filed: its record states the technique, its
# name mentions it, or it has a narrower one.
OWN, CALLED, ABOVE = "own", "called", "above"
MOST_ANSWERS, MOST_NEAR = 12, 12
# What share of an answer's worth, in thousandths, an instrument gets that has all these kinds of keys.
SHARES = ((frozenset([OWN, CALLED]), 1000), (frozenset([OWN]), 990), (frozenset([ABOVE]), 950),
          (frozenset([CALLED]), 930))  # fmt: skip
# Each technique of a term is worth this much less than the one before it, down to the least.
STEP, LEAST_STEPS = 0.12, 0.4
# What is broader than a technique and done with the same machine answers as well, for this share.
BROADER = 0.6
# An answer is worth at least this share of the best; less if nobody has anything better. These and the next
# number were set on the needs in tests/data/needs.
LEAST_WORTH, LESS_WORTH = 0.75, 0.5
# What is done with the same machine: an instrument that states the second may well do the first.
MODES = {
    "local-stem": "local-tem", "local-pfm": "PaNET01318", "local-mfm": "PaNET01318",
    "local-kpfm": "PaNET01318",
    "local-c-afm": "PaNET01318", "PaNET01198": "PaNET01197", "PaNET01199": "PaNET01197",
    "PaNET01197": "PaNET01196", "local-liquid-nmr": "local-nmr", "local-dsc": "local-thermal",
    "local-tga": "local-thermal", "local-short-read": "local-sequencing",
    "local-fatigue-testing": "local-fatigue", "PaNET01316": "PaNET01191", "PaNET01162": "PaNET01188",
    "PaNET01161": "PaNET01101", "local-hall": "local-transport",
    "local-single-cell-sequencing": "local-sequencing", "local-fib-sem-tomography": "local-fib",
    "local-proteomics": "local-lc-ms",
}  # fmt: skip
CLOSE = 0.9  # of the worth of the answer before: one that is worth less is not as good
AGREED = 0.2  # the part of a technique's worth that comes from all the terms which it answers
MOST_FAMILY = 12  # techniques below a broader one that are still neighbours of each other


@dataclass(frozen=True)
class Answer:
    """A technique that answers a term; both are codes. `worth` is 1000 for the best answer. `is_broader`: it
    is broader than the technique that answers the term itself."""

    technique: str
    term: str
    worth: int
    is_broader: bool = False


def answers(
    understood: Understood,
    parents: Mapping[str, Sequence[str]],
    required: Sequence[Collection[str]] = (),
    least: float = LEAST_WORTH,
) -> tuple[Answer, ...]:
    """Return the techniques that answer the terms of an interpretation, best first, each for the term that it
    answers best. `required` has, for each requirement, the techniques to which its parameter applies: if
    some answers are among these or below them, the other answers are dropped. `least`: the share of the best
    answer's worth that an answer must reach."""
    worths: dict[str, list[tuple[float, str]]] = {}
    named: set[str] = set()
    for term, strength in understood.terms:
        for place, code in enumerate(term.techniques):
            worths.setdefault(code, []).append((strength * max(1 - STEP * place, LEAST_STEPS), term.code))
            if term.is_named and strength >= SURE:
                named.add(code)  # it counts, however many terms agree on another
    for asked in required:
        worths = {c: each for c, each in worths.items() if {c, *above(c, parents)} & {*asked}} or worths
    agreed = {
        code: (1 - AGREED) * max(each)[0] + AGREED * sum(worth for worth, _ in each)
        for code, each in worths.items()
    }
    most = max(agreed.values(), default=0.0)
    found: list[Answer] = []
    for code, worth in agreed.items():
        term_code, share = max(worths[code])[1], worth / most
        if share < least and code not in named:
            continue
        found.append(Answer(code, term_code, round(1000 * share)))
        found += [
            Answer(broader, term_code, round(1000 * share * BROADER), is_broader=True)
            for broader in parents.get(code, ())
            if broader not in agreed and MODES.get(code) == broader
        ]
    return tuple(sorted(found, key=lambda one: (-one.worth, one.technique))[:MOST_ANSWERS])


def tiers(wanted: Sequence[Answer]) -> list[tuple[Answer, ...]]:
    """Return the answers that stand together, from the best alone to all: each of these is followed by more
    where the next one is worth clearly less. The first that any instrument gives is the list; whatever is
    weaker is only near."""
    ends = [n for n in range(1, len(wanted)) if wanted[n].worth < CLOSE * wanted[n - 1].worth]
    return [tuple(wanted[:end]) for end in (*ends, len(wanted))]


def ways(wanted: Iterable[Answer]) -> list[tuple[frozenset[str], Answer, int]]:
    """Return every way in which an instrument can answer, the best first: the kinds of keys under which it
    must be filed for a technique, the answer with that technique, and the worth of the answer in this way."""
    each = [
        (kinds, one, one.worth * share // 1000)
        for one in wanted
        for kinds, share in (SHARES[:2] if one.is_broader else SHARES)
    ]
    return sorted(each, key=lambda way: -way[2])


def techniques_of(keys: Iterable[str]) -> dict[str, set[str]]:
    """Return the techniques under which an instrument is filed, by the kind of key."""
    kinds: dict[str, set[str]] = {OWN: set(), CALLED: set(), ABOVE: set()}
    for each in keys:
        kind, _, code = each.partition(":")
        if kind in kinds:
            kinds[kind].add(code)
    return kinds


def best_answer(
    techniques: Mapping[str, Collection[str]], wanted: Sequence[Answer]
) -> tuple[int, Answer] | None:
    """Return the best answer that an instrument gives and what it is worth there; None if it gives none.
    `techniques`: those of the instrument, by kind of key."""
    for kinds, answer, worth in ways(wanted):
        if all(answer.technique in techniques.get(kind, ()) for kind in kinds):
            return worth, answer
    return None


def neighbours(
    wanted: Sequence[Answer],
    understood: Understood,
    parents: Mapping[str, Sequence[str]],
    families: Mapping[str, int],
    alike: Mapping[str, Sequence[str]],
) -> tuple[str, ...]:
    """Return the techniques next to those wanted, nearest first: the others of the terms that were meant,
    since a measurand names its own; of a technique that was named those that answer the same measurands
    (`alike`, by technique), then those directly broader, unless too many are below them (`families` has
    their numbers)."""
    of = [one.technique for one in wanted if not one.is_broader]
    close = [code for term in understood.meant for code in term.techniques]
    if understood.is_named:
        close += [other for code in of for other in alike.get(code, ())]
        close += [
            parent
            for code in of
            for parent in parents.get(code, ())
            if families.get(parent, 0) <= MOST_FAMILY and not parent.startswith("PaNET00")
        ]
    return tuple(code for code in dict.fromkeys(close) if code not in of)[:MOST_NEAR]
