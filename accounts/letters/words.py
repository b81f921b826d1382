"""Names, days and lists as sentences have them, in the language in force."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.utils import translation
from django.utils.formats import date_format

from accounts.selectors.installation import installation


def is_chinese() -> bool:
    return (translation.get_language() or "").startswith("zh")


def named(thing: Any) -> str:
    """The name of a region, organisation, facility, instrument or technique in the language in
    force, where it has one; of anything else, what it is as text."""
    if thing is None:
        return ""
    name_zh = getattr(thing, "name_zh", "")
    if is_chinese() and name_zh:
        return str(name_zh)
    return str(getattr(thing, "name", None) or thing)


def site_name() -> str:
    """What this installation is called in the language in force."""
    return named(installation())


def dated(value: Any, english: str, chinese: str) -> str:
    """A date by the pattern of the language; Chinese weekdays in their short form."""
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)  # what is written is its own clock
    if is_chinese():
        return _formatted(value, chinese, translation.get_language()).replace("星期", "周")
    return _formatted(value, english, translation.get_language())


@lru_cache(maxsize=8192)
def _formatted(value: date, pattern: str, language: str) -> str:
    # A page writes few moments many times.
    return date_format(value, pattern)


def day_words(value: Any) -> str:
    """A day in the language in force: `Fri 6 Mar 2026`."""
    return dated(value, "D j M Y", "Y年n月j日 D")


def in_words(value: Any) -> str:
    """A day, a thing with a name or a text, as a sentence has it."""
    return day_words(value) if isinstance(value, date) else named(value)


def listed(items: Iterable[Any]) -> str:
    """Several things, as a sentence in the language in force lists them: `a, b`, `甲、乙`."""
    return ("、" if is_chinese() else ", ").join(str(item) for item in items)
