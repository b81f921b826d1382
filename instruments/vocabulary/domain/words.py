"""Reduce words of any language to the forms in which they are compared."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

_HAN = "㐀-䶿一-鿿豈-﫿"
_RUNS = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+", re.UNICODE)
_IS_HAN = re.compile(rf"[{_HAN}]")
_SPACE = re.compile(r"[\s,;，；、。（）()【】\[\]《》“”\"|:：!！?？]+")
STEM = "~"
LONGEST, MOST_LEXEMES, MOST_TERMS = 40, 1500, 12
# Words of questions, which say nothing about what is searched for.
ASKING = frozenset(
    "a an and any are as at be been by can could did do does find for from get got had has have "  # noqa: SIM905
    "how i if in into is it its know look make many me much my need no not of on one or our out "
    "per please see some than that the there this to two us use used using want was we were what "
    "when where which who why with without would you your 的".split()
)
# Words of sentences: they say nothing of what is wanted, and may be part of a name.
PLAIN = ASKING | frozenset(
    "about after again all also always am another away back bad because before being best "  # noqa: SIM905
    "better both but cannot doing don done down during each else ever every few first give go "
    "going good he her here him his isn itself just keep last least less let like made may "
    "might more most must never new next nor now off often old once only other others over "
    "own put re really same say shall she should so something somewhere still such take tell "
    "their them then these they thing those too under until up ve very way well whether while "
    "whose will within yes yet".split()
)
# Characters and pairs that make Chinese sentences of words.
_PARTICLES = frozenset("的了吗呢吧啊哈怎么什哪是没我你他她它们这那很太还就都也")
_PAIRS = frozenset(
    "有没 没有 有多 多少 多大 不会 会不 是否 需要 能不 不能 能否 可以 如何 为何 "  # noqa: SIM905
    "几个 几天 一个 一下 一些 有点 想要 希望 打算 哪里 或者 以后 以前 之后 之前 大概 左右 今天 明天 "
    "现在 不好 不用 要不".split()
)
# Characters that end no word, so that a pair with one is of two words; and pairs that are words all the same.
_AFTER, _WORDS = frozenset("里在"), frozenset("居里 存在 傅里".split())  # noqa: SIM905
# Elements whose Chinese names are no parts of other words: each counts by itself, as it does in English.
ELEMENTS = frozenset("砷镉汞铬铊锑硒镍锌锰钒钴铀锂钛锆铌钨钼铈镧钡锶铯铷铍镓锗铟铋钯铂铑铱钽")
# Words of laboratories in general, and units: they tell one thing from another only beside others.
COMMON = frozenset(
    "check determine measure measurement measuring sample samples test g k kg l m mg ml mm nm cm "  # noqa: SIM905
    "um 测量 检测 测试 测定 分析 样品 材料 仪器 设备".split()
)
# One stem for a device, its activity and its result.
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
    """Return a text in lower case and half width, without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def is_han(run: str) -> bool:
    """Say whether a run is written in Chinese characters."""
    return bool(_IS_HAN.match(run))


def is_particle(pair: str) -> bool:
    """Say whether a pair of Chinese characters only makes a sentence of words."""
    return pair in _PAIRS or not _PARTICLES.isdisjoint(pair) or (pair[-1] in _AFTER and pair not in _WORDS)


def stem(word: str) -> str:
    """Return the stem that a plain Latin word shares with related words; it need not be a word itself."""
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
    """Split a text at spaces, and each of the pieces into runs of letters and digits. `"FT-ICR 质谱"` becomes
    `[["ft", "icr"], ["质谱"]]`."""
    split = ([run[:LONGEST] for run in _RUNS.findall(piece)] for piece in _SPACE.split(plain(text)))
    return [runs for runs in split if runs]


def phrase(text: str) -> tuple[str, ...]:
    """Return a name in the form in which names are compared: stems, and single Chinese characters."""
    words: list[str] = []
    for run in _RUNS.findall(plain(text)):
        words += run if _IS_HAN.match(run) else [stem(run[:LONGEST])]
    return tuple(words)


def nearest(word: str, known: Iterable[tuple[str, int]]) -> str | None:
    """Return the known word that was most likely meant, or None: at most one slip from a short word and
    two from a long one; of equally near ones the most frequent. `known`: words with their numbers of
    occurrences."""
    allowed = 1 if len(word) < 6 else 2
    best: tuple[int, int, str] | None = None
    for other, number in known:
        slips = _slips(word, other, allowed)
        if 0 < slips <= allowed and (best is None or (slips, -number, other) < best):
            best = (slips, -number, other)
    return best[2] if best else None


def _slips(one: str, other: str, most: int) -> int:
    """Count the letters to add, drop, replace or swap with their neighbour to turn one word into another;
    `most + 1` if there are more than `most`."""
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


def mentions(text: str, known: Mapping[tuple[str, ...], frozenset[str]], longest: int) -> Iterator[str]:
    """Yield the values of the known phrases in a text: at each word those of the longest phrase that begins
    there. `longest`: of all phrases, in words."""
    words = phrase(text)
    for start in range(len(words)):
        for length in range(min(longest, len(words) - start), 0, -1):
            if codes := known.get(words[start : start + length]):
                yield from sorted(codes)
                break


def respelt(text: str, corrections: Mapping[str, str]) -> str:
    """Return a question as it was typed, with its mistyped words put right."""

    def put(match: re.Match[str]) -> str:
        return corrections.get(plain(match[0]), match[0])

    return re.sub(r"[^\W\d_]+", put, text)
