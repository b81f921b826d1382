"""Links on the pages of hours from a group to what lies below it."""

from datetime import date, timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html

register = template.Library()
PERIODS = ("day", "week", "month", "year")
_PAYERS = ("price_group", "payer_region", "payer")


@register.simple_tag(takes_context=True)
def narrow(context: Any, group: str, key: str, **changes: Any) -> str:
    """Return the present query string, narrowed to one group (for a period: to its days), or to a group
    within a period given in `changes`."""
    params = context["request"].GET.copy()
    for name in ("after", "table", "format", "state", "of", *_PAYERS, *changes):
        params.pop(name, None)
    since, until = context["since"], context["until"]
    if group not in PERIODS and key:
        params[group] = key
        if group in ("region", "technique"):
            exact = {group, *params.get("exact", "").split(",")} - {""}
            params["exact"] = ",".join(sorted(exact))
    periods = {name: changes.pop(name) for name in PERIODS if name in changes}
    if group in PERIODS:
        periods[group] = key
    for period, named in periods.items():
        began, ended = _days(period, named)
        since, until = max(since, began), min(until, ended)
    params["since"], params["until"] = since.isoformat(), until.isoformat()
    for name, value in changes.items():
        if value:
            params[name] = value
    return f"?{params.urlencode()}"


@register.simple_tag(takes_context=True)
def number(context: Any, text: str, page: str, group: str = "", key: str = "", **changes: Any) -> str:
    """Return a number linked to a page of the hours that shows what it counts, narrowed as by `narrow`. It is
    not linked in public figures, for a group without a key, and if it is unknown."""
    if context["is_public"] or (group and not key) or text == "–":
        return text
    address = reverse(f"bookings:{page}") + narrow(context, group, key, **changes)
    return format_html('<a class="number" href="{}">{}</a>', address, text)


def _days(group: str, key: str) -> tuple[date, date]:
    """Return the days [first, last) of a period named by its key in the figures."""
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
