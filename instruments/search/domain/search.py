"""Parse search requests, and compute the words under which a record is found.

A record is filed under *lexemes*: Latin words and numbers in lower case and without accents; their stems,
marked with `~`, so that a diffractometer is found by "diffraction"; and single Chinese characters and pairs
of them, so that any part of a name finds it. A word with a hyphen or the like is also filed without it
("FT-ICR" as `fticr`), and letters are also filed apart from digits ("LSM880").

Each lexeme has the weight of the best field it occurs in: A name and model, B maker and
techniques with all their synonyms, C broader techniques, host and site, D kind and description.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from instruments.search.domain.relevance import Answer
from instruments.vocabulary.domain import words as word_rules
from instruments.vocabulary.domain.parameters import Requirement

SORTS = ("name", "price")
# How a text is searched: all its words are whole words of names (of instrument, model, maker, host, site,
# technique); the last one may be the beginning of a word; all are words of the record; two of them are words
# of names; a stated value meets a requirement in the text, whose words name nothing else (`stated`) or do
# (`met`); nothing is found.
WORDS = ("names", "begun", "text", "some", "stated", "met", "nothing")
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
class Beside:
    """A word beside a technique. `weights`: those of the names in which it may be; `is_place`: nothing but a
    name has it, so that it means this host, site, region or maker."""

    word: str
    weights: str
    is_place: bool = False

    @property
    def query(self) -> str:
        """Return a tsquery for names that have the word, or that it shortens: 临江医院 is 临江教学医院."""
        if not word_rules.is_han(self.word):
            begun = f"'{self.word}':{'*' if len(self.word) >= 4 else ''}{self.weights}"
            kin = (
                f" | '{word_rules.STEM}{word_rules.stem(self.word)}':{self.weights}"
                if len(self.word) >= 4
                else ""
            )
            return f"({begun}{kin})"
        pairs = [f"'{pair}':{self.weights}" for pair in _pairs(self.word)[:20]]
        short = f" | ({pairs[0]} & {pairs[-1]})" if len(pairs) > 2 else ""
        return f"(({' & '.join(pairs)}){short})"


@dataclass(frozen=True)
class Criteria:
    """A parsed search request. Fields that are None or empty do not restrict the results."""

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
    sort: str = ""  # one of SORTS; empty: by match if there is a search text, else by name
    # A chosen measurand or technique; it replaces the words of the text.
    term: str = ""
    without: tuple[str, ...] = ()  # codes of measurands and techniques that the text does not mean
    # How the text is searched (one of WORDS); empty: for all its words, each of which may begin a longer one.
    words: str = ""
    # The meaning of the words, if it is known: instruments with one of these techniques match, best first.
    answers: tuple[Answer, ...] = ()
    # Words beside a technique in the text, which names must have: of instrument, model and maker; those of
    # places may be in names of host, site and region.
    beside: tuple["Beside", ...] = ()
    wishes: tuple["Requirement", ...] = ()  # found in the text; an instrument that states less does not match
    # Whether instruments are left out that are for something else, as their names say.
    is_general: bool = False
    specs: tuple["Requirement", ...] = ()  # an instrument meets each: what is stated reaches it

    @property
    def wants_time(self) -> bool:
        return self.free_from is not None

    @property
    def is_ranked(self) -> bool:
        """Say whether results are ordered by how well they match the text."""
        return bool(self.text or self.term or self.answers) and not self.sort

    @property
    def wants_price(self) -> bool:
        """Say whether a price limits the results."""
        return self.max_price is not None or self.max_payable is not None

    @property
    def keys(self) -> dict[str, str]:
        """Return, by facet, the keys under which a record must be filed."""
        values = {name: getattr(self, name) for name in FACETS}
        return {name: key(name, value) for name, value in values.items() if value}


def key(name: str, value: str) -> str:
    """Return the key under which a record with this value of a facet is filed."""
    return f"{name}:{' '.join(value.split())}"


FOR = "for"
FOR_ONE = key(FOR, "")  # of an instrument whose name says what it is for
_FOR = re.compile(r"\bfor (.+)$", re.IGNORECASE)


def purpose(name: str) -> list[str]:
    """Return the keys of what an instrument is for, if its name says so; nothing if it does not."""
    found = _FOR.search(name)
    words = [run for runs in word_rules.pieces(found[1]) for run in runs] if found else []
    return [FOR_ONE, *_for(words)] if words else []


def _for(words: Iterable[str]) -> list[str]:
    return [key(FOR, word_rules.stem(word)) for word in words if word not in word_rules.PLAIN]


def wished_for(text: str) -> tuple[list[str], list[str]]:
    """Return the keys of instruments that are for what a text says, and a tsquery for each pair of its
    Chinese characters."""
    runs = [run for runs in word_rules.pieces(text) for run in runs]
    han = dict.fromkeys(pair for run in runs if word_rules.is_han(run) for pair in _pairs(run))
    pairs = [f"'{pair}':A" for pair in han if len(pair) > 1 and not word_rules.is_particle(pair)]
    return _for(run for run in runs if not word_rules.is_han(run)), pairs[: 2 * word_rules.MOST_TERMS]


def techniques_in(keys: Iterable[str]) -> list[str]:
    """Return the codes of techniques among the keys of a record, broader ones included."""
    begin = key("technique", "")
    return [each.removeprefix(begin) for each in keys if each.startswith(begin)]


# Makers' names in Chinese, by a word of their names in records.
MAKERS = {
    "thermo fisher": "赛默飞 赛默飞世尔", "zeiss": "蔡司", "bruker": "布鲁克", "agilent": "安捷伦",
    "shimadzu": "岛津", "hitachi": "日立", "jeol": "日本电子", "leica": "徕卡 莱卡",
    "nikon": "尼康", "olympus": "奥林巴斯", "evident": "奥林巴斯", "waters": "沃特世",
    "perkinelmer": "珀金埃尔默", "rigaku": "理学", "malvern": "马尔文", "panalytical": "帕纳科",
    "netzsch": "耐驰", "horiba": "堀场", "oxford instruments": "牛津仪器", "illumina": "因美纳",
    "bd biosciences": "碧迪", "becton": "碧迪", "mettler": "梅特勒", "instron": "英斯特朗",
    "mts systems": "美特斯", "beckman": "贝克曼", "roche": "罗氏", "sciex": "爱博才思",
    "keysight": "是德", "anton paar": "安东帕", "micromeritics": "麦克", "quantachrome": "康塔",
    "quantum design": "量子设计", "renishaw": "雷尼绍", "tescan": "泰思肯", "raith": "瑞思",
    "kratos": "岛津", "ta instruments": "沃特世 TA仪器", "edinburgh": "爱丁堡",
    "park systems": "帕克", "heidelberg": "海德堡", "siemens": "西门子", "philips": "飞利浦",
    "ge healthcare": "通用电气", "united imaging": "联影", "mgi": "华大智造", "bgi": "华大",
    "eppendorf": "艾本德", "bio-rad": "伯乐", "cytiva": "思拓凡", "sartorius": "赛多利斯",
    "molecular devices": "美谷分子", "kla": "科磊",
}  # fmt: skip
_PARTS = re.compile(r"\d+|[^\W\d_]+")
_NUMBERED = re.compile(r"\S*\d\S*")
# Phrases with which Chinese questions begin (including a verb) and end.
_OPENING = re.compile(
    r"^(?:请问|我们|我|想要|想|需要|要|希望|打算|如何|怎么样|怎么|怎样|能不能|能否|可以|可不可以|是否|有没有|"
    r"哪里|哪个|哪些|哪种|哪台|帮忙|帮我|找|用什么|什么)+(?:能|做|测量|测定|测试|检测|测一下|看一下|测|看)?"
)
_CLOSING = re.compile(
    r"(?:是什么|怎么办|怎么测|怎么样|有多[大高厚少深长]|多[大高厚少深长]|是多少|吗|呢|吧|了|的)+$"
)


# Words of many names, which tell no host, place or maker from others.
_KINDS = frozenset(
    "university college institute institutes school academy hospital laboratory laboratories lab labs "  # noqa: SIM905
    "centre center facility city county province district town region company corporation corp co ltd "
    "limited inc gmbh ag llc plc group instruments of the for at".split()
)
_KINDS_ZH = re.compile(
    r"(?:大学|学院|医院|研究所|研究院|实验室|中心|平台|有限公司|股份|公司|集团|自治区|教学|附属|省|市|区|县|镇)+$"
)
_PARTS_OF_PLACES = re.compile(r"[,，;；/()（）\n]|(?<=[省市区县])")


def is_whole_name(word: str, names: Iterable[str]) -> bool:
    """Say whether a word is all that tells one of some names from others: Hefei is the whole of "Hefei,
    Anhui" and of 合肥市, and Fudan of Fudan University; Optics is but a part of "Hefei Optics"."""
    wanted = _telling_parts(word)
    return any(wanted & _telling_parts(name) for name in names)


def _telling_parts(name: str) -> set[str]:
    result = set()
    for part in _PARTS_OF_PLACES.split(name):
        runs = [run for runs in word_rules.pieces(_NUMBERED.sub(" ", part)) for run in runs]
        han = [_KINDS_ZH.sub("", run) for run in runs if word_rules.is_han(run)]
        latin = [run for run in runs if not word_rules.is_han(run) and run not in _KINDS]
        result |= {*han, " ".join(latin)}
    return result - {""}


def names_of_maker(maker: str) -> list[str]:
    """Return the names by which a maker is known: its own, the usual one of a well-known maker, and those in
    Chinese."""
    plain = f" {exactly(maker)} "
    usual = [word for word in MAKERS if f" {exactly(word)} " in plain]
    return [maker, *usual, *" ".join(chinese_names(maker)).split()]


def chinese_names(maker: str) -> list[str]:
    """Return the Chinese names of a maker, if it has any."""
    plain = f" {exactly(maker)} "
    return [names for word, names in MAKERS.items() if f" {exactly(word)} " in plain]


def town_of(address: str) -> str:
    """Return the end of an address, where towns and regions stand, without house numbers and postcodes; of a
    Chinese address its beginning."""
    if word_rules.is_han(address.strip()):
        return re.split(r"\d", address.strip(), maxsplit=1)[0]
    return " ".join(_NUMBERED.sub(" ", part) for part in address.replace("\n", ",").split(",")[-2:])


def exactly(text: str) -> str:
    """Return a name or model in normal form, to recognise searches for the whole of it."""
    return " ".join(run for runs in word_rules.pieces(text) for run in runs)[:250]


@lru_cache(maxsize=10_000)  # names of hosts, makers and techniques recur often
def lexemes(text: str) -> frozenset[str]:
    """Return the lexemes under which a text is filed."""
    result: set[str] = set()
    for runs in word_rules.pieces(text):
        latin = [run for run in runs if not word_rules._IS_HAN.match(run)]
        if len(latin) > 1:
            result.add("".join(latin)[: word_rules.LONGEST])
        for run in runs:
            if word_rules._IS_HAN.match(run):
                result.update(run)
                result.update(run[i : i + 2] for i in range(len(run) - 1))
                continue
            result.add(run)
            if len(run) >= 4 and run.isalpha():
                result.add(word_rules.STEM + word_rules.stem(run))
            elif len(parts := _PARTS.findall(run)) > 1:
                result.update(parts)
    return frozenset(result)


def weighted(fields: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the lexemes of texts, each with the best weight of those in which it occurs. `fields`: weight (A
    is best) -> texts."""
    weights: dict[str, str] = {}
    for weight in sorted(fields):
        for text in fields[weight]:
            for lexeme in sorted(lexemes(text)):
                if len(weights) < word_rules.MOST_LEXEMES:
                    weights.setdefault(lexeme, weight)
    return weights


def vector(lexemes: Mapping[str, str], *, is_weighted: bool = False) -> str:
    """Write lexemes in PostgreSQL's syntax for a tsvector. They contain neither quotes nor backslashes."""
    if is_weighted:
        return " ".join(f"'{lexeme}':1{weight}" for lexeme, weight in lexemes.items())
    return " ".join(f"'{lexeme}'" for lexeme in lexemes)


@dataclass(frozen=True)
class Term:
    """One thing to search for, as two tsqueries: `whole` matches entire words, `begun` also words that only
    begin that way."""

    whole: str
    begun: str
    word: str = ""  # a Latin word that may have been mistyped


def terms(text: str, *, is_some: bool = False) -> list[Term]:
    """Return the terms of a search text, all of which a record must match; empty if it has none. `is_some`:
    return terms of which some suffice, without words that are common in laboratories, and with each pair of
    Chinese characters as a term."""
    result: list[Term] = []
    words = [[_telling(run) for run in runs] for runs in word_rules.pieces(text)]
    if is_some:
        words = [[part] for runs in words for run in runs for part in _pairs(run)]
        silent = word_rules.ASKING | word_rules.COMMON
        words = [runs for runs in words if not runs[0].isdigit()] or words
    else:
        silent = word_rules.ASKING
    telling = [runs for runs in words if len(runs) > 1 or runs[0] not in silent]
    for runs in (telling or words)[: word_rules.MOST_TERMS]:
        parts = [_term(run) for run in runs[: word_rules.MOST_TERMS]]
        whole, begun = (" & ".join(getattr(p, name) for p in parts) for name in ("whole", "begun"))
        latin = [run for run in runs if not word_rules._IS_HAN.match(run)]
        word = parts[0].word if len(parts) == 1 else ""
        if len(latin) > 1 and len(latin) == len(runs):
            joined = "".join(latin)[: word_rules.LONGEST]
            whole, begun = f"({whole}) | '{joined}'", f"({begun}) | '{joined}'"
            word = joined if joined.isalpha() else ""
        term = Term(f"({whole})", f"({begun})", word)
        if term not in result:
            result.append(term)
    return result


def _telling(run: str) -> str:
    """Return a run of Chinese characters without the phrases that only make it a question."""
    if not word_rules._IS_HAN.match(run):
        return run
    return _CLOSING.sub("", _OPENING.sub("", run)) or run


def _pairs(run: str) -> list[str]:
    """Return each pair of adjacent characters in a Chinese run; any other run as the only item."""
    if not word_rules._IS_HAN.match(run):
        return [run]
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _term(run: str) -> Term:
    if word_rules._IS_HAN.match(run):
        query = " & ".join(f"'{pair}'" for pair in dict.fromkeys(_pairs(run)[:20]))
        return Term(f"({query})", f"({query})")
    if run.isalpha():
        kin = f" | '{word_rules.STEM}{word_rules.stem(run)}'" if len(run) >= 4 else ""
        begun = f"'{run}':*" if len(run) >= 3 else f"'{run}'"
        return Term(f"('{run}'{kin})", f"({begun}{kin})", run)
    parts = _PARTS.findall(run)
    apart = f" | ({' & '.join(f"'{part}'" for part in parts[:6])})" if len(parts) > 1 else ""
    begun = f"'{run}':*" if len(parts) > 1 and len(run) >= 3 else f"'{run}'"
    return Term(f"('{run}'{apart})", f"({begun}{apart})")
