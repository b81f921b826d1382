"""Find the known terms that the words of a file mean.

Some fields take only known terms: techniques, ways of working, kinds, currencies, and the organisation's own
facilities. A word that is no such term is left out of its row with a warning, proposed once with the nearest
term, and read as people have decided from then on.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

MOST_LISTED = 200  # unknown values of one file
MOST_OF_A_VALUE = 200  # characters
CLOSE = 0.45  # the least likeness of a term that is proposed
# Other words for the terms of fields with few terms, in the form that `plain` gives.
WORDS: dict[str, dict[str, str]] = {
    "kind": {
        "general": "general purpose|general-purpose|通用|通用仪器|通用设备",
        "dedicated": "special|special purpose|专用|专用仪器|专用设备",
    },
    "service_modes": {
        "self": "on your own|self service|self-service|user|自主|自助|自主上机|自主操作|自行操作",
        "assisted": (
            "with an operator|with operator|operator|assisted use|协助|协助操作|协助上机|专人操作|陪同操作"
        ),
        "entrusted": "samples sent in|sent in|send in|委托|送样|委托测试|委托检测|代测|送样测试",
        "remote": "remotely|remote use|远程|远程操作|远程使用",
    },
    "acquisition_currency": {
        "CNY": "rmb|人民币|元|¥|￥|人民币元",
        "USD": "$|us$|dollar|dollars|美元",
        "EUR": "€|euro|euros|欧元",
        "GBP": "£|pound|pounds|英镑",
        "JPY": "yen|日元",
    },
}
CHOSEN = tuple(WORDS)  # fields of which a row is read for known terms before it is stored
TERMS = ("techniques", "facility", *CHOSEN)


@dataclass(frozen=True)
class UnknownValue:
    """A value that is no known term of its field: in how many rows it occurs, and the term that is nearest to
    it (empty: none is near)."""

    field: str
    value: str
    rows: int
    nearest: str = ""


def plain(text: str) -> str:
    """Return a value in the form in which values are compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


_TERM_OF = {
    field: {plain(word): term for term, words in terms.items() for word in (term, *words.split("|"))}
    for field, terms in WORDS.items()
}
_ITEMS = re.compile(r"[;\n,，；、/]")
_CURRENCY = re.compile("[A-Za-z]{3}")


def parts_of(text: str, is_known: Callable[[str], bool]) -> list[str]:
    """Return the parts of a text at commas and slashes if one of them is a known term; else the text as it
    is, as names have such signs themselves: "LC-MS/MS"."""
    parts = [part for item in _ITEMS.split(text) if (part := item.strip())]
    return parts if not is_known(text) and any(map(is_known, parts)) else [text]


def split(field: str, text: str) -> tuple[str, list[str]]:
    """Return the known terms of a text of one of the fields `CHOSEN`, as text, and its other words."""
    items = _ITEMS.split(text) if field == "service_modes" else [text]
    known, unknown = [], []
    for item in (item.strip() for item in items):
        if not item:
            continue
        term = _TERM_OF[field].get(plain(item), "")
        if not term and field == "acquisition_currency" and _CURRENCY.fullmatch(item):
            term = item.upper()
        if term:
            known.append(term)
        else:
            unknown.append(item[:MOST_OF_A_VALUE])
    return "; ".join(dict.fromkeys(known)), list(dict.fromkeys(unknown))


def _pairs(text: str) -> Counter[str]:
    """Return the pairs of neighbouring characters of each word of a text; a Chinese character counts alone
    too."""
    pairs: Counter[str] = Counter()
    for word in re.findall(r"\w+", plain(text)):
        pairs.update(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        pairs.update(character for character in word if character > "\u2e80")
    return pairs


def likeness(one: str, other: str) -> float:
    """Return how alike two texts are, from 0 to 1: twice their common pairs of characters by all pairs."""
    return _likeness(_pairs(one), _pairs(other))


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    every = one.total() + other.total()
    return 2 * (one & other).total() / every if every else 0.0


class Nearest:
    """The known terms of one field, each with its names, to find the one nearest to a value."""

    def __init__(self, names: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Take each term with all its names."""
        self._pairs = [(term, _pairs(name)) for term, given in names for name in given if name]

    def to(self, value: str) -> str:
        """Return the term with the name most like a value; empty if none is alike. Of equally near ones the
        first."""
        asked = _pairs(value)
        best, term = 0.0, ""
        for known, pairs in self._pairs:
            if asked.keys().isdisjoint(pairs):
                continue
            if (alike := _likeness(asked, pairs)) > best:
                best, term = alike, known
        return term if best >= CLOSE else ""


def names_of(field: str) -> list[tuple[str, Sequence[str]]]:
    """Return the terms of one of the fields `CHOSEN`, each with all its names."""
    return [(term, (term, *words.split("|"))) for term, words in WORDS[field].items()]


def counted(values: Iterable[Mapping[str, Sequence[str]]]) -> Counter[tuple[str, str]]:
    """Count in how many rows each unknown value occurs; values that differ only in case or spaces are one,
    spelt as it came first. `values`: of each row, its unknown values by field."""
    spelt: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for unknown in values:
        seen = {(field, plain(value)): value for field, given in unknown.items() for value in given}
        for at, value in seen.items():
            field = at[0]
            counts[field, spelt.setdefault(at, value)] += 1
    return counts
