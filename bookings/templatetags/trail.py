"""Records of the trail as pages show them."""

from dataclasses import replace
from typing import Any

from django import template
from django.urls import reverse

from accounts.models import TrailEntry
from bookings.audit.acts import kind_name
from bookings.audit.messages import AUDIT_RULES
from bookings.audit.selectors.trail_records import Called, records

register = template.Library()
register.filter("record_kind", kind_name)


@register.simple_tag
def record_called(names: Any, kind: str, pk: Any) -> Called | None:
    """Return one record's name from those that were looked up; None where it has none."""
    called: Called | None = (names or {}).get((kind, pk))
    if called is not None and kind == "auditexception" and called.name in AUDIT_RULES:
        return replace(called, name=str(AUDIT_RULES[called.name][0]))
    return called


@register.filter
def record_page(kind: str, pk: Any) -> str:
    """Return the address of a record's own page; empty for kinds without one."""
    page = records()[kind].page if kind in records() else ""
    return reverse(page, args=[pk]) if page else ""


@register.filter
def changes(entry: TrailEntry) -> list[tuple[str, Any, Any]]:
    """List the fields that an entry changed, each with its value before and after; None where there was
    none."""
    before, after = entry.before, entry.after
    return [(name, before.get(name), after.get(name)) for name in {**before, **after}]
