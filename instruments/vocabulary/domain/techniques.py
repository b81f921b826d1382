"""Define the terms of a vocabulary, and which of them are broader than which."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from accounts.domain.errors import FieldProblem, Invalid
from instruments.vocabulary.domain.words import mentions, phrase

# Abbreviations that are also words or mean something else, so that they do not identify a technique.
AMBIGUOUS = frozenset(["pdf", "phd", "mad", "sad", "sas", "pcs", "pes", "ede", "mcd", "ncd"])

SHORTEST_JOINED = 4  # letters of a name of several words that may be written as one
_ABBREVIATION = re.compile(r"(?<![A-Za-z-])[A-Z]{3,}(?![A-Za-z-])")


@dataclass(frozen=True)
class Term:
    """A technique or class of techniques. `synonyms` are in any language; `parents` are codes of broader
    terms."""

    code: str
    name: str
    scheme: str = "PaNET"
    name_zh: str = ""
    synonyms: tuple[str, ...] = ()
    definition: str = ""
    parents: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(label for label in (self.name, self.name_zh, *self.synonyms) if label)


def with_broader(terms: Sequence[Term]) -> list[Term]:
    """Add to terms the broader ones that follow from their names: "x-ray powder diffraction" is a kind of
    "powder diffraction" and of "x-ray diffraction". If one of these is broader than another, only the
    narrower is added. PaNET states most of its hierarchy by rules that its table leaves out."""
    by_head: dict[str, list[tuple[frozenset[str], str]]] = {}
    for term in terms:
        for label in (term.name, *term.synonyms):
            spoken = phrase(label)
            if spoken:
                by_head.setdefault(spoken[-1], []).append((frozenset(spoken), term.code))
    result = []
    for term in terms:
        broader: dict[str, frozenset[str]] = {}
        for label in (term.name, *term.synonyms):
            mine = frozenset(phrase(label))
            for words, code in by_head.get((phrase(label) or ("",))[-1], []):
                if words < mine and code != term.code:
                    broader[code] = max(broader.get(code, frozenset()), words, key=len)
        nearest = [code for code, words in broader.items() if not any(words < w for w in broader.values())]
        parents = tuple(dict.fromkeys([*term.parents, *sorted(nearest)]))
        result.append(replace(term, parents=parents))
    return result


def merged(terms: Iterable[Term], additions: Iterable[Term]) -> list[Term]:
    """Return terms with additions to them (a Chinese name, synonyms, broader terms) and with new terms."""
    by_code = {term.code: term for term in terms}
    for more in additions:
        if term := by_code.get(more.code):
            by_code[more.code] = replace(
                term,
                name_zh=more.name_zh or term.name_zh,
                synonyms=tuple(dict.fromkeys([*term.synonyms, *more.synonyms])),
                parents=tuple(dict.fromkeys([*term.parents, *more.parents])),
            )
        else:
            by_code[more.code] = more
    return list(by_code.values())


def check_hierarchy(parents: Mapping[str, Iterable[str]], changed: Iterable[str]) -> None:
    """Raise `Invalid` if a term of `changed` has a broader term that does not exist (`unknown-technique`) or
    that is below it (`broader-than-itself`). `parents` are those of the whole vocabulary."""
    for code in changed:
        for parent in parents[code]:
            if parent not in parents:
                raise Invalid([FieldProblem("parents", "unknown-technique", {"technique": parent})])
        if code in above(code, parents):
            raise Invalid([FieldProblem("parents", "broader-than-itself", {"technique": code})])


def above(code: str, parents: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the codes of all terms that are broader than one, near and far."""
    reached: set[str] = set()
    ahead = list(parents.get(code, ()))
    while ahead:
        one = ahead.pop()
        if one not in reached:
            reached.add(one)
            ahead += parents.get(one, ())
    return reached


@dataclass(frozen=True)
class Lexicon:
    """The vocabulary in the form by which records are filed. labels, parents: by code; named: phrase -> the
    codes of the terms with that name. `for_others` are the labels with another technique's abbreviation
    in them, as milling is "TEM sample preparation"."""

    labels: Mapping[str, tuple[str, ...]]
    for_others: Mapping[str, tuple[str, ...]]
    parents: Mapping[str, tuple[str, ...]]
    named: Mapping[tuple[str, ...], frozenset[str]]
    longest: int  # of the phrases, in words

    def named_in(self, *texts: str) -> set[str]:
        """Return the codes of the terms that texts name."""
        return {code for text in texts for code in mentions(text, self.named, self.longest)}

    def above(self, codes: Iterable[str]) -> set[str]:
        return {broader for code in codes for broader in above(code, self.parents)}


def lexicon(terms: Iterable[Term]) -> Lexicon:
    terms = list(terms)
    named: dict[tuple[str, ...], set[str]] = {}
    for term in terms:
        for label in term.labels:
            words = phrase(label)
            telling = len(words) > 1 or (len("".join(words)) >= 3 and words[0] not in AMBIGUOUS)
            if telling:
                named.setdefault(words, set()).add(term.code)
            if len(words) > 1 and all(word.isascii() for word in words):
                # "GC-MS" and "nano-indentation" are also written in one piece.
                joined = "".join(words)
                if len(joined) >= SHORTEST_JOINED:
                    named.setdefault((joined,), set()).add(term.code)
    parents = {term.code: term.parents for term in terms}

    def names_another(code: str, label: str) -> bool:
        short = [word for word in _ABBREVIATION.findall(label) if word != label]
        others = {other for word in short for other in named.get((word.casefold(),), ())}
        return any(code not in (other, *above(other, parents)) for other in others - {*above(code, parents)})

    for_others = {
        term.code: tuple(label for label in term.labels[1:] if names_another(term.code, label))
        for term in terms
    }
    return Lexicon(
        {term.code: tuple(x for x in term.labels if x not in for_others[term.code]) for term in terms},
        for_others,
        parents,
        {words: frozenset(codes) for words, codes in named.items()},
        max(map(len, named), default=0),
    )


class Titled(Protocol):
    """Anything with an English name."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Branch[T: Titled]:
    """A term in a tree, with the terms below it. `is_open`: it or a term below it was chosen."""

    item: T
    below: tuple["Branch[T]", ...]
    is_open: bool


DEEPEST = 8


def tree[T: Titled](
    items: Mapping[str, T], parents: Mapping[str, Sequence[str]], chosen: str = ""
) -> tuple[Branch[T], ...]:
    """Return items by code as a tree, in their order; one with several broader terms appears below each.
    PaNET's top terms, which only say by what it is divided, are left out."""
    shown = {c: item for c, item in items.items() if not is_division(c, item.name)}
    below: dict[str, list[str]] = {}
    for code in shown:
        for parent in parents.get(code, ()):
            below.setdefault(parent, []).append(code)
    opened = {chosen, *above(chosen, parents)}

    def branch(code: str, depth: int) -> Branch[T]:
        children = below.get(code, []) if depth < DEEPEST else []
        return Branch(shown[code], tuple(branch(child, depth + 1) for child in children), code in opened)

    tops = [c for c in shown if not any(parent in shown for parent in parents.get(c, ()))]
    return tuple(branch(code, 0) for code in tops)


def is_division(code: str, name: str) -> bool:
    """Say whether a term of PaNET only groups techniques ("defined by purpose", "obtain spatial map") and is
    not one itself."""
    if not code.startswith("PaNET"):
        return False
    return code.startswith("PaNET00") or name.startswith(("obtain ", "versus ", "characterize "))
