"""Records of the trail as pages show them."""

from dataclasses import replace
from typing import Any

from django import template
from django.urls import reverse

from accounts.models import TrailEntry
from bookings.audit.acts import kind_name
from bookings.audit.messages import AUDIT_RULES
from bookings.audit.selectors.trail_records import Called

register = template.Library()
# The page of a record that has one, by its kind.
PAGES = {
    "reservation": "bookings:reservation",
    "charge": "bookings:money-charges-one",
    "handoff": "bookings:result",
    "series": "bookings:series",
    "chain": "bookings:chain",
    "instrument": "bookings:instrument",
    "fundingsource": "bookings:money-funding-source",
    "agreement": "bookings:money-agreements-one",
    "voucherprogramme": "bookings:money-vouchers-programme",
    "vouchergrant": "bookings:money-vouchers-grant",
    "statement": "bookings:money-statements-one",
    "settlement": "bookings:money-settlements-one",
    "auditexception": "bookings:exception",
    "auditfinding": "bookings:finding",
    "auditsample": "bookings:sample",
}

register.filter("record_kind", kind_name)


@register.simple_tag
def record_called(names: Any, kind: str, pk: Any) -> Called | None:
    """Of names that were looked up, that of one record; None where it has none."""
    called: Called | None = (names or {}).get((kind, pk))
    if called is not None and kind == "auditexception" and called.name in AUDIT_RULES:
        return replace(called, name=str(AUDIT_RULES[called.name][0]))
    return called


@register.filter
def record_page(kind: str, pk: Any) -> str:
    """The address of a record's own page; empty for kinds without one."""
    return reverse(PAGES[kind], args=[pk]) if kind in PAGES else ""


@register.filter
def changes(entry: TrailEntry) -> list[tuple[str, Any, Any]]:
    """What an entry says of a record, field by field: before and after; None where nothing was."""
    before, after = entry.before, entry.after
    return [(name, before.get(name), after.get(name)) for name in {**before, **after}]
