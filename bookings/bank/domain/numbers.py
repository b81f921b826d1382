"""The numbers of statements that a payer wrote into a transfer, however they are written."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# Between the parts of a number, and between numbers: "USTC-2026-0012, 0013 and 14".
_APART = r"[\s\-_./:#\u2010-\u2015\uff0d]{0,3}"
_AND = re.compile(
    r"\s*(?:,|;|\+|&|/|\u3001|\uff0c|\uff1b|\bAND\b|\bUND\b|\bET\b|\u548c|\u4e0e|\u53ca)+\s*(?:NO\.?|NR\.?|#)?\s*"
)
_TO = re.compile(r"\s*(?:-|\u2010|\u2011|\u2012|\u2013|\u2014|~|\bTO\b|\bBIS\b|\u81f3|\u5230)\s*")
_DIGITS = re.compile(r"\d{1,9}(?![\dA-Z])")
_BARE = re.compile(rf"(?<![\dA-Z])(20\d\d){_APART}(\d{{4}})(?![\dA-Z]|[.,]\d)")
# Figures that stand for themselves: no part of a longer word or number, nor of an amount or a day.
_SHORT = re.compile(
    r"(?:(?<![\dA-Z])|(?<=\bNO)|(?<=\bNR))(?<!\d[.,])(?<!20\d\d[-/])(\d{3,9})(?![\dA-Z]|[.,]\d)"
)
# A word before the code, joined to it: "WUSONG-TECH" is no "TECH".
_LONGER = re.compile(r"[A-Z]{2,}[-_]\Z")
_MOST = 50  # numbers of one text
_WIDTHS = (27, 35, 54, 70, 140)  # signs of the fields in which banks hand on what a payer wrote


@dataclass(frozen=True)
class Mentioned:
    """Numbers that a text mentions as (year, number), in order. `ranges` are the first and last of "0012 to
    0014"; `begun` are a year and the figures of a number that a bank has cut off: "USTC-2026-01" may be 0181.
    `is_unclear`: the end of a range may be something else, or the code may be the end of a longer one."""

    numbers: tuple[tuple[int, int], ...] = ()
    is_unclear: bool = False
    ranges: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    begun: tuple[tuple[int, str], ...] = ()

    @property
    def is_any(self) -> bool:
        return bool(self.numbers or self.begun)


def plain(text: str) -> str:
    """Return a text as numbers are looked for in it: full-width signs as plain ones, in capitals."""
    return unicodedata.normalize("NFKC", text).upper()


@lru_cache(256)
def _head(code: str) -> re.Pattern[str]:
    """Return the pattern of a host's code and a year, also broken by a bank's line, or without dashes."""
    signs = [re.escape(sign) for sign in code.upper() if sign.isalnum()]
    parts = [part for part in re.split(r"[^A-Z0-9]+", code.upper()) if part]
    broken = r"\s?".join(signs)
    dashed = _APART.join(r"\s?".join(map(re.escape, part)) for part in parts) or broken
    return re.compile(rf"(?<![A-Z0-9])(?:{dashed}){_APART}(2\s?0\s?\d\s?\d)")


def mentioned(text: str, code: str) -> Mentioned:
    """Return the numbers of a host's statements in a text: with or without dashes and blanks, in any case,
    broken by a line, several after one code, and ranges. A text of several lines has what the payer wrote in
    several fields, each of which may be cut off."""
    text = plain(text)
    numbers: list[tuple[int, int]] = []
    ranges: list[tuple[tuple[int, int], tuple[int, int]]] = []
    begun: list[tuple[int, str]] = []
    is_unclear = False
    for head in _head(code).finditer(text):
        found = _after(text, head)
        if found is None:
            continue
        year, number, at = found
        is_unclear |= bool(_LONGER.search(text[max(0, head.start() - 40) : head.start()]))
        if (cut := _cut_off(text, head.end(), at)) is not None:
            begun.append((year, cut))
            continue
        numbers.append((year, number))
        for further, number, end in _more(text, year, at):
            numbers.append((further, number))
            at, year = end, further
        if to := _TO.match(text, at):
            again = _head(code).match(text, to.end())
            last = _after(text, again) if again else None
            if last is not None and last[0] == year and last[1] > number:
                ranges.append(((year, number), (year, last[1])))
            elif again is None and (end_number := _last(text, to.end(), number)):
                ranges.append(((year, number), (year, end_number)))
                is_unclear = True
    unique = list(dict.fromkeys(each for each in numbers if each[1]))
    return Mentioned(
        tuple(unique[:_MOST]),
        is_unclear or len(unique) > _MOST,
        tuple(dict.fromkeys(ranges))[:_MOST],
        tuple(dict.fromkeys(begun))[:_MOST],
    )


def _after(text: str, head: re.Match[str]) -> tuple[int, int, int] | None:
    """Return the year of a head, the number behind it, and where it ends."""
    apart = re.compile(_APART).match(text, head.end())
    first = _number(text, apart.end() if apart else head.end())
    return (int(re.sub(r"\s", "", head[1])), *first) if first else None


def _cut_off(text: str, start: int, end: int) -> str | None:
    """Return the figures of a number that the end of its field may have cut off: fewer than four, and either
    with a zero before them, or in a field that is as long as banks make it."""
    line_end = text.find("\n", end)
    line = text[text.rfind("\n", 0, start) + 1 : line_end if line_end >= 0 else len(text)]
    if text[end : line_end if line_end >= 0 else len(text)].strip():
        return None
    figures = "".join(sign for sign in text[start:end] if sign.isdigit())
    if len(figures) >= 4 or not (figures.startswith("0") or len(line.strip()) in _WIDTHS):
        return None
    return figures


def _last(text: str, at: int, first: int) -> int | None:
    """Return the number at which a range ends; "0395-98" ends at 398."""
    found = _number(text, at)
    if found is None:
        return None
    number, end = found
    if number <= first and end - at < 4:
        size: int = 10 ** (end - at)
        number += first - first % size
    return number if number > first else None


def _number(text: str, at: int) -> tuple[int, int] | None:
    """Return the number that stands at a place and where it ends; the four digits of one may be broken."""
    whole = re.compile(r"(\d{4,9})(?!\d|[.,]\d)").match(text, at)
    if whole:
        return int(whole[1]), whole.end()
    broken = re.compile(r"(0\d{0,2})\s(\d{1,3})(?!\d|[.,]\d)").match(text, at)
    if broken and len(broken[1] + broken[2]) == 4:
        return int(broken[1] + broken[2]), broken.end()
    short = re.compile(r"(\d{1,3})(?!\d|[.,]\d|[A-Z])").match(text, at)
    return (int(short[1]), short.end()) if short else None


def _more(text: str, year: int, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield the further numbers of a list, such as ", 0013 and 14", with their year and where they end. Those
    that a code begins are found for themselves."""
    while joined := _AND.match(text, at):
        digits = _DIGITS.match(text, joined.end())
        if digits is None or re.compile(r"[.,]\d").match(text, digits.end()):
            return
        if re.compile(rf"20\d\d{_APART}\d").match(text, joined.end()) and len(digits[0]) == 4:
            # "USTC-2026-0012, 2026-0013": another year with its number.
            again = re.compile(rf"(20\d\d){_APART}").match(text, joined.end())
            following = _number(text, again.end()) if again else None
            if again is not None and following is not None:
                year, at = int(again[1]), following[1]
                yield year, *following
                continue
        yield year, int(digits[0]), digits.end()
        at = digits.end()


def bare(text: str) -> tuple[tuple[int, int], ...]:
    """Return what looks like numbers without a host's code: "Invoice 2026-0012"."""
    found = ((int(each[1]), int(each[2])) for each in _BARE.finditer(plain(text)))
    return tuple(dict.fromkeys(found))


def short(text: str, said: Mentioned) -> tuple[tuple[str, int], ...]:
    """Return the figures that may be the number of a statement without code and year, as in "balance 0041",
    each with its number: four figures or more, or three of which the first is 0. Those that belong to a
    number `said` with the host's code are left out."""
    known = {number for _, number in said.numbers}
    known |= {number for pair in said.ranges for _, number in pair}
    known |= {int(figures) for _, figures in said.begun}
    found = [
        (each[1], int(each[1]))
        for each in _SHORT.finditer(plain(text))
        if len(each[1]) >= 4 or each[1].startswith("0")
    ]
    return tuple(dict.fromkeys(each for each in found if each[1] and each[1] not in known))[:_MOST]
