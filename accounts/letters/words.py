"""Write names, days and lists as parts of sentences, in the current language."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from accounts.selectors.installation import installation
from accounts.selectors.zones import city_of

# The details of a bank account, as papers and letters print them.
BANK_LABELS = {
    "bank_name": _("Bank"),
    "account_number": _("Account number"),
    "iban": _("IBAN"),
    "bic": _("BIC (SWIFT)"),
    "bank_account": _("Bank account"),
}


def is_chinese() -> bool:
    return (translation.get_language() or "").startswith("zh")


def named(thing: Any) -> str:
    """Return the name of a region, organisation, facility, instrument or technique in the current language if
    it has one; of anything else, its text."""
    if thing is None:
        return ""
    name_zh = getattr(thing, "name_zh", "")
    if is_chinese() and name_zh:
        return str(name_zh)
    return str(getattr(thing, "name", None) or thing)


def name_order(thing: Any) -> bytes:
    """Return the key that sorts things by their names in the current language: Latin letters by the alphabet,
    then Chinese by pinyin, in which GB 18030 has the common characters."""
    return named(thing).casefold().encode("gb18030")


def site_name() -> str:
    """Return the name of this installation in the current language."""
    return named(installation())


def zone_name(key: str) -> str:
    """Return a time zone's usual name in the current language, to be written beside a time: `Beijing time`,
    `北京时间`. A zone that is not named after a city keeps its key, such as UTC."""
    city = city_of(key)
    if city is None:
        return key
    return f"{city[1]}时间" if is_chinese() else f"{city[0]} time"


def dated(value: Any, english: str, chinese: str) -> str:
    """Return a date formatted by the pattern of the current language, with short Chinese weekdays."""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)  # so that formatting keeps the value's own local time
    if is_chinese():
        return _formatted(value, chinese, translation.get_language()).replace("星期", "周")
    return _formatted(value, english, translation.get_language())


@lru_cache(maxsize=8192)
def _formatted(value: date, pattern: str, language: str) -> str:
    # A page writes few moments many times.
    return date_format(value, pattern)


def day_words(value: Any) -> str:
    """Return a day in the current language: `Fri 6 Mar 2026`."""
    return dated(value, "D j M Y", "Y年n月j日 D")


def brief_words(value: Any) -> str:
    """Return a moment of the active time zone, or a day, as a title contains it: `Fri 6 Mar 18:00`,
    `Fri 6 Mar`."""
    if isinstance(value, datetime):
        return dated(timezone.localtime(value), "D j M H:i", "n月j日 D H:i")
    return dated(value, "D j M", "n月j日 D")


def span_words(days: Sequence[Any]) -> str:
    """Return one moment or day, or the first and the last day of several, as a title contains them:
    `Fri 6 Mar 18:00`, `Fri 6 Mar – Mon 9 Mar`."""
    if len(days) == 1:
        return brief_words(days[0])
    ends = [
        timezone.localtime(day).date() if isinstance(day, datetime) else day for day in (min(days), max(days))
    ]
    ends = sorted(set(ends))
    words = brief_words if ends[0].year == ends[-1].year else day_words
    return " – ".join(words(end) for end in ends)


def in_words(value: Any) -> str:
    """Return a day, a thing with a name, or a text, as a sentence contains it."""
    return day_words(value) if isinstance(value, date) else named(value)


def listed(items: Iterable[Any]) -> str:
    """Return several things as a list in the current language: `a, b`, `甲、乙`."""
    return ("、" if is_chinese() else ", ").join(str(item) for item in items)
