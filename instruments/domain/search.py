"""What somebody searches for, and the words a record is found by.

A record is filed under *lexemes*: Latin words and numbers in lower case and without accents;
their stems, marked with `~`, so that a diffractometer is found by "diffraction"; and, of Chinese,
single characters and pairs of them, so that any part of a name finds it. What is written in one
piece is also filed in one ("FT-ICR" as `fticr`), and letters apart from digits ("LSM880").

Each lexeme has the weight of the best field it occurs in: A name and model, B maker and
techniques with all their synonyms, C broader techniques, D kind, host, site and description.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:  # which reads words by the rules of this module
    from instruments.domain.capabilities import Requirement

SORTS = ("name", "price")
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
    """A parsed search request; None or empty: not asked for."""

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
    sort: str = ""  # of SORTS; empty: by nearness where words were typed, else by name
    # What is to be found out, or a technique: with it the words say no more.
    term: str = ""
    # "some": whatever has some of the words, or answers the term, fits.
    words: str = ""
    specs: tuple["Requirement", ...] = ()  # an instrument meets each: what is stated reaches it

    @property
    def wants_time(self) -> bool:
        return self.free_from is not None

    @property
    def is_ranked(self) -> bool:
        """Whether the nearest to what was typed come first."""
        return bool(self.text or self.term) and not self.sort

    @property
    def wants_price(self) -> bool:
        """Whether only what costs no more fits."""
        return self.max_price is not None or self.max_payable is not None

    @property
    def keys(self) -> dict[str, str]:
        """The keys a record must be filed under, by what they narrow."""
        values = {name: getattr(self, name) for name in FACETS}
        return {name: key(name, value) for name, value in values.items() if value}


def key(name: str, value: str) -> str:
    """How a record is filed under a value of a facet."""
    return f"{name}:{' '.join(value.split())}"


def techniques_in(keys: Iterable[str]) -> list[str]:
    """Return the codes of the techniques, and of all broader ones, under which a record is
    filed."""
    begin = key("technique", "")
    return [each.removeprefix(begin) for each in keys if each.startswith(begin)]


_HAN = "㐀-䶿一-鿿豈-﫿"
_RUNS = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+", re.UNICODE)
_IS_HAN = re.compile(rf"[{_HAN}]")
_PARTS = re.compile(r"\d+|[^\W\d_]+")
_SPACE = re.compile(r"[\s,;，；、。（）()【】\[\]《》“”\"|:：!！?？]+")
STEM = "~"
LONGEST, MOST_LEXEMES, MOST_TERMS = 40, 1500, 12
# Words of questions: they say nothing of what is looked for.
ASKING = frozenset(
    "a an and any are as at be been by can could did do does find for from get got had has have "  # noqa: SIM905
    "how i if in into is it its know look make many me much my need no not of on one or our out "
    "per please see some than that the there this to two us use used using want was we were what "
    "when where which who why with without would you your 的".split()
)
# Words of laboratories in general, and units: they tell one thing from another only beside others.
COMMON = frozenset(
    "check determine measure measurement measuring sample samples test g k kg l m mg ml mm nm cm "  # noqa: SIM905
    "um 测量 检测 测试 测定 分析 样品 材料 仪器 设备".split()
)
# How a question begins and ends in Chinese; the verb goes with the beginning.
_OPENING = re.compile(
    r"^(?:请问|我们|我|想要|想|需要|要|希望|打算|如何|怎么样|怎么|怎样|能不能|能否|可以|可不可以|是否|有没有|"
    r"哪里|哪个|哪些|哪种|哪台|帮忙|帮我|找|用什么|什么)+(?:能|做|测量|测定|测试|检测|测一下|看一下|测|看)?"
)
_CLOSING = re.compile(
    r"(?:是什么|怎么办|怎么测|怎么样|有多[大高厚少深长]|多[大高厚少深长]|是多少|吗|呢|吧|了|的)+$"
)
# One stem for what does a thing, the doing and what comes of it.
_STEMS = (
    (re.compile(r"diffract(?:ion|ions|omet\w+|ive|ed|ing|or)?$"), "diffract"),
    (re.compile(r"spectro?(?:photo)?(?:met\w+|scop\w+|graph\w*|gram\w*)$|spectr(?:a|um|al)$"),
     "spectr"),
    (re.compile(r"met(?:er|re|ry|ric|rical)s?$"), "met"),
    (re.compile(r"scop(?:e|y|ic|ical|ist)s?$"), "scop"),
    (re.compile(r"(?:graph|gram)(?:s|y|ic|ical|er|ers)?$"), "graph"),
    (re.compile(r"anal(?:ys|yz)(?:er|ers|or|ors|is|es|e|ing|ed)$|analytical$"), "analys"),
    (re.compile(r"escen(?:ce|t)$"), "escen"),
)  # fmt: skip
_ENDINGS = re.compile(r"(?:ings?|ions?|ed|ers?|ors?|es|e|s)$")


def plain(text: str) -> str:
    """Return a text in lower case, full width as half width, without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def is_han(run: str) -> bool:
    """Whether a run is written in Chinese characters."""
    return bool(_IS_HAN.match(run))


def stem(word: str) -> str:
    """Return what a plain Latin word has in common with its kin; no word itself."""
    if len(word) < 4 or not word.isalpha():
        return word
    for pattern, replacement in _STEMS:
        stemmed, number = pattern.subn(replacement, word)
        if number:
            return stemmed
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("ss"):
        return word
    shorter = _ENDINGS.sub("", word)
    return shorter if len(shorter) >= 4 else word


def pieces(text: str) -> list[list[str]]:
    """Return the runs of each piece between spaces: `"FT-ICR 质谱"` is `[["ft", "icr"],
    ["质谱"]]`."""
    split = ([run[:LONGEST] for run in _RUNS.findall(piece)] for piece in _SPACE.split(plain(text)))
    return [runs for runs in split if runs]


def phrase(text: str) -> tuple[str, ...]:
    """Return a name as it is compared with others: stems, and each Chinese character for itself."""
    words: list[str] = []
    for run in _RUNS.findall(plain(text)):
        words += run if _IS_HAN.match(run) else [stem(run[:LONGEST])]
    return tuple(words)


def exactly(text: str) -> str:
    """Return a whole name or model, for those who type all of it."""
    return " ".join(run for runs in pieces(text) for run in runs)[:250]


@lru_cache(maxsize=10_000)  # names of hosts, makers and techniques come again and again
def lexemes(text: str) -> frozenset[str]:
    """Return what a text is filed under."""
    result: set[str] = set()
    for runs in pieces(text):
        latin = [run for run in runs if not _IS_HAN.match(run)]
        if len(latin) > 1:
            result.add("".join(latin)[:LONGEST])
        for run in runs:
            if _IS_HAN.match(run):
                result.update(run)
                result.update(run[i : i + 2] for i in range(len(run) - 1))
                continue
            result.add(run)
            if len(run) >= 4 and run.isalpha():
                result.add(STEM + stem(run))
            elif len(parts := _PARTS.findall(run)) > 1:
                result.update(parts)
    return frozenset(result)


def weighted(fields: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return lexeme -> the best weight of the texts it occurs in, by weights from A on."""
    weights: dict[str, str] = {}
    for weight in sorted(fields):
        for text in fields[weight]:
            for lexeme in sorted(lexemes(text)):
                if len(weights) < MOST_LEXEMES:
                    weights.setdefault(lexeme, weight)
    return weights


def vector(lexemes: Mapping[str, str], *, is_weighted: bool = False) -> str:
    """As PostgreSQL writes a tsvector. Lexemes have neither quotes nor backslashes."""
    if is_weighted:
        return " ".join(f"'{lexeme}':1{weight}" for lexeme, weight in lexemes.items())
    return " ".join(f"'{lexeme}'" for lexeme in lexemes)


@dataclass(frozen=True)
class Term:
    """One thing asked for: what must be there, as tsqueries. `whole` is nearer to what was
    typed than `begun`, which also takes words that only begin so."""

    whole: str
    begun: str
    word: str = ""  # a Latin word that may have been mistyped


def terms(text: str, *, is_some: bool = False) -> list[Term]:
    """Return what a question asks for, each piece for itself; all of it must be found. Empty:
    nothing that could be asked for. `is_some`: what may be found of it, without the words that
    are common in laboratories, and of Chinese each pair of characters."""
    result: list[Term] = []
    words = [[_telling(run) for run in runs] for runs in pieces(text)]
    if is_some:
        words = [[part] for runs in words for run in runs for part in _pairs(run)]
        silent = ASKING | COMMON
        words = [runs for runs in words if not runs[0].isdigit()] or words
    else:
        silent = ASKING
    telling = [runs for runs in words if len(runs) > 1 or runs[0] not in silent]
    for runs in (telling or words)[:MOST_TERMS]:
        parts = [_term(run) for run in runs[:MOST_TERMS]]
        whole, begun = (" & ".join(getattr(p, name) for p in parts) for name in ("whole", "begun"))
        latin = [run for run in runs if not _IS_HAN.match(run)]
        word = parts[0].word if len(parts) == 1 else ""
        if len(latin) > 1 and len(latin) == len(runs):
            joined = "".join(latin)[:LONGEST]
            whole, begun = f"({whole}) | '{joined}'", f"({begun}) | '{joined}'"
            word = joined if joined.isalpha() else ""
        term = Term(f"({whole})", f"({begun})", word)
        if term not in result:
            result.append(term)
    return result


def _telling(run: str) -> str:
    """Return a run without what only makes a question of it."""
    if not _IS_HAN.match(run):
        return run
    return _CLOSING.sub("", _OPENING.sub("", run)) or run


def _pairs(run: str) -> list[str]:
    """Return the pairs of neighbours in a run of Chinese characters; another run as it is."""
    if not _IS_HAN.match(run):
        return [run]
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _term(run: str) -> Term:
    if _IS_HAN.match(run):
        query = " & ".join(f"'{pair}'" for pair in dict.fromkeys(_pairs(run)[:20]))
        return Term(f"({query})", f"({query})")
    if run.isalpha():
        kin = f" | '{STEM}{stem(run)}'" if len(run) >= 4 else ""
        begun = f"'{run}':*" if len(run) >= 3 else f"'{run}'"
        return Term(f"('{run}'{kin})", f"({begun}{kin})", run)
    parts = _PARTS.findall(run)
    apart = f" | ({' & '.join(f"'{part}'" for part in parts[:6])})" if len(parts) > 1 else ""
    begun = f"'{run}':*" if len(parts) > 1 and len(run) >= 3 else f"'{run}'"
    return Term(f"('{run}'{apart})", f"({begun}{apart})")


def nearest(word: str, known: Iterable[tuple[str, int]]) -> str | None:
    """Return the known word that was most likely meant: at most one slip in a short word and two in
    a long one; of several as near the most frequent. `known`: words with how often they occur."""
    allowed = 1 if len(word) < 6 else 2
    best: tuple[int, int, str] | None = None
    for other, number in known:
        slips = _slips(word, other, allowed)
        if 0 < slips <= allowed and (best is None or (slips, -number, other) < best):
            best = (slips, -number, other)
    return best[2] if best else None


def _slips(one: str, other: str, most: int) -> int:
    """Count the letters to add, drop, exchange or swap with their neighbour; more than `most`:
    `most + 1`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if earlier and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]


def respelt(text: str, corrections: Mapping[str, str]) -> str:
    """Return a question as it was typed, with its mistyped words put right."""

    def put(match: re.Match[str]) -> str:
        return corrections.get(plain(match[0]), match[0])

    return re.sub(r"[^\W\d_]+", put, text)


def mentions(
    text: str, known: Mapping[tuple[str, ...], frozenset[str]], longest: int
) -> Iterator[str]:
    """Yield what of the known phrases, of at most so many words, is named in a text: the values of
    the longest that begins at each word."""
    words = phrase(text)
    for start in range(len(words)):
        for length in range(min(longest, len(words) - start), 0, -1):
            if codes := known.get(words[start : start + length]):
                yield from sorted(codes)
                break
