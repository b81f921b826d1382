"""Render free starts and values of facets, which the catalogue repeats a hundred times on a page; templates
for them would take ten times as long."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from accounts.letters.words import brief_words
from accounts.views.pages import address_of
from config.templatetags.display import facet as facet_name
from config.templatetags.display import parameters, rfc3339, time_of_day

register = template.Library()


@register.simple_tag(takes_context=True)
def slots(
    context: Any, starts: Iterable[datetime], *, zone: str = "", short: bool = False, **given: Any
) -> SafeString:
    """Render the free starts of the instrument as links to the booking form or, for readers who may not book,
    to the page that says what to do; `slot_page` is the address of another page to link to. `minutes`,
    `service_mode` and `quantity` default to those of the page. `zone` is the time zone of the labels, if not
    the active one; `short` labels give the time of the day only."""
    payer = context.get("payer")
    view = "bookings:book" if context.get("may_book") else "bookings:instrument"
    address = context.get("slot_page") or address_of(view, context["instrument"].pk)
    names = ("minutes", "service_mode", "quantity")
    values = {name: given.get(name, context.get(name, "")) for name in names}
    rest = parameters(
        minutes=values["minutes"],
        organisation=payer.code if payer else "",
        service_mode=values["service_mode"],
        quantity=values["quantity"],
    ).replace("?", "&", 1)
    more = escape(rest)
    labelled = time_of_day if short else brief_words
    links = []
    with timezone.override(ZoneInfo(zone) if zone else timezone.get_current_timezone()):
        for start in starts:
            at = rfc3339(start)
            links.append(
                f'<a class="slot" data-start="{at}" href="{address}?start={quote_plus(at)}{more}">'
                f"{escape(labelled(start))}</a>"
            )
    return mark_safe("\n".join(links))  # noqa: S308  # escaped above


@register.simple_tag(takes_context=True)
def branches(context: Any, facet: dict[str, Any]) -> SafeString:
    """Render the values of a facet as a tree of links, each to the first page of the present search with that
    value."""
    params = context["request"].GET.copy()
    for name in (facet["name"], "page"):
        params.pop(name, None)
    rest = f"{params.urlencode()}&" if params else ""

    def link(item: Any) -> str:
        query = f"?{rest}{facet['name']}={quote_plus(item.code)}"
        here = ' aria-current="true"' if item.code == facet["chosen"] else ""
        return (
            f'<a href="{escape(query)}"{here}>{escape(facet_name(item))}</a>'
            f' <span class="text-secondary">{item.count}</span>'
        )

    def listed(tree: Iterable[Any]) -> str:
        lines = []
        for branch in tree:
            line = link(branch.item)
            if branch.below:
                opened = " open" if branch.is_open else ""
                line = f"<details{opened}><summary>{line}</summary>{listed(branch.below)}</details>"
            lines.append(f"<li>{line}</li>")
        return f'<ul class="branches">{"".join(lines)}</ul>'

    return mark_safe(listed(facet["branches"]))  # noqa: S308  # escaped above
