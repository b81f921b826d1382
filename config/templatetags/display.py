"""How values look on a page: moments, money, durations, names in the reader's language."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone, translation
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext

from bookings.domain.money import minor_digits
from bookings.messages import sentence as sentence_of

register = template.Library()


@register.filter
def moment(value: datetime | None) -> str:
    """Day and time in the active zone: `Fri 6 Mar 2026, 18:00`."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    pattern = "Y年n月j日 D H:i" if _is_chinese() else "D j M Y, H:i"
    return date_format(local, pattern)


@register.filter
def day(value: Any) -> str:
    """A day: `Fri 6 Mar 2026`."""
    pattern = "Y年n月j日 D" if _is_chinese() else "D j M Y"
    return date_format(timezone.localtime(value) if isinstance(value, datetime) else value, pattern)


@register.filter
def time_of_day(value: datetime) -> str:
    return timezone.localtime(value).strftime("%H:%M")


@register.filter
def money(value: Any, currency: str) -> str:
    """An amount with its currency: `CNY 1,234.50`."""
    amount = number_format(Decimal(str(value)), minor_digits(currency), force_grouping=True)
    return f"{currency} {amount}"


@register.filter
def duration(minutes: int) -> str:
    """`2 h 30 min`."""
    hours, rest = divmod(int(minutes), 60)
    parts = []
    if hours:
        parts.append(gettext("{hours} h").format(hours=hours))
    if rest or not hours:
        parts.append(gettext("{minutes} min").format(minutes=rest))
    return " ".join(parts)


@register.filter
def hours(minutes: int | None) -> str:
    """Minutes as hours with one decimal, in the reader's notation."""
    if minutes is None:
        return "–"
    return number_format(Decimal(minutes) / 60, 1, force_grouping=True)


@register.filter
def percent(ratio: str | None) -> str:
    """A ratio as a percentage with one decimal; a dash where there is none."""
    if ratio is None:
        return "–"
    return f"{number_format(Decimal(ratio) * 100, 1)} %"


@register.filter
def named(thing: Any) -> str:
    """The name of a region, organisation, facility, instrument or technique in the reader's
    language, where it has one."""
    if thing is None:
        return ""
    if _is_chinese() and getattr(thing, "name_zh", ""):
        return str(thing.name_zh)
    return str(getattr(thing, "name", None) or thing)


@register.filter
def sentence(code: str, numbers: Any = None) -> str:
    return sentence_of(code, numbers)


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """A value of a mapping by a key that is itself a variable."""
    return mapping.get(key) if mapping else None


@register.simple_tag
def count_of(number: int, one: str, many: str) -> str:
    return ngettext(one, many, number) % {"n": number}


@register.simple_tag(takes_context=True)
def query(context: Any, **changes: Any) -> str:
    """The present query string with some values changed; an empty value is left out."""
    params = context["request"].GET.copy()
    for name, value in changes.items():
        params.pop(name, None)
        if value not in (None, ""):
            params[name] = str(value)
    return f"?{params.urlencode()}" if params else "?"


def _is_chinese() -> bool:
    return (translation.get_language() or "").startswith("zh")
