"""Links of the hours from a group to what lies below it."""

from datetime import date, timedelta
from typing import Any

from django import template

register = template.Library()
_PAYERS = ("price_group", "payer_region", "payer")


@register.simple_tag(takes_context=True)
def narrow(context: Any, group: str, key: str, **changes: Any) -> str:
    """The present query string, narrowed to one group (a period: to its days)."""
    params = context["request"].GET.copy()
    for name in ("after", "table", "format", "state", *_PAYERS, *changes):
        params.pop(name, None)
    since, until = context["since"], context["until"]
    if group in ("day", "week", "month", "year"):
        began, ended = _days(group, key)
        since, until = max(since, began), min(until, ended)
    elif key:
        params[group] = key
    params["since"], params["until"] = since.isoformat(), until.isoformat()
    for name, value in changes.items():
        if value:
            params[name] = value
    return f"?{params.urlencode()}"


def _days(group: str, key: str) -> tuple[date, date]:
    """The days [first, last) of a period as figures name it."""
    match group:
        case "day":
            first = date.fromisoformat(key)
            return first, first + timedelta(days=1)
        case "week":
            year, _, week = key.partition("-W")
            first = date.fromisocalendar(int(year), int(week), 1)
            return first, first + timedelta(days=7)
        case "month":
            first = date.fromisoformat(f"{key}-01")
            return first, (first + timedelta(days=32)).replace(day=1)
        case _:
            return date(int(key), 1, 1), date(int(key) + 1, 1, 1)
