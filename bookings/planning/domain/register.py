"""The public register of decisions: what is published of a case, without anything that would reveal its
applicant."""

import re
from collections.abc import Iterable
from decimal import Decimal

BANDS = tuple(Decimal(n) for n in (500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000))


def band_of(price: Decimal) -> tuple[Decimal, Decimal | None]:
    """Return the band that a price lies in: from, and up to (exclusive); None for no limit."""
    least = Decimal(0)
    for most in BANDS:
        if price < most:
            return least, most
        least = most
    return least, None


_MAIL = re.compile(r"[^\s<>@,;()]+@[^\s<>@,;()]+")
MASK = "…"
LEAST_LETTERS = 2  # letters that a name must have to be masked


def without_names(text: str, names: Iterable[str]) -> str:
    """Return a text in which these names, in any case, and all mail addresses are masked. Names that begin or
    end with an ASCII character are only masked there at a word boundary."""
    text = _MAIL.sub(MASK, text)
    lower = text.lower()
    there = {name for name in map(str.strip, names) if len(name) >= LEAST_LETTERS and name.lower() in lower}
    for name in sorted(there, key=len, reverse=True):
        start = r"(?<!\w)" if name[0].isascii() else ""
        end = r"(?!\w)" if name[-1].isascii() else ""
        text = re.sub(f"{start}{re.escape(name)}{end}", MASK, text, flags=re.IGNORECASE)
    return text
