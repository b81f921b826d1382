"""Records of the trail as pages show them."""

from dataclasses import replace
from typing import Any

from django import template
from django.apps import apps
from django.urls import reverse

from accounts.models import TrailEntry
from bookings.audit.acts import kind_name
from bookings.audit.selectors.rules import AUDIT_RULES
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


@register.inclusion_tag("bookings/audit/trail_link.html", takes_context=True)
def trail_link(context: dict[str, Any], row: Any) -> dict[str, str]:
    """Return the link from a record to its story in the trail, for auditors of one of its regions; nothing
    for others. It asks where the record is only of auditors."""
    audited = set(context["actor"].regions_where("read-trail"))
    is_read = bool(audited) and bool(audited & set(row.places()[1]))
    return {"address": reverse("bookings:story", args=[row.pk]) if is_read else ""}


@register.filter
def changes(entry: TrailEntry) -> list[tuple[str, Any, Any]]:
    """List the fields that an entry changed, each with its value before and after; None where there was
    none."""
    before, after = entry.before, entry.after
    words = _choices(entry.object_type)

    def said(name: str, value: Any) -> Any:
        known = words.get(name, {})
        return known[value] if isinstance(value, str) and value in known else value

    return [(name, said(name, before.get(name)), said(name, after.get(name))) for name in {**before, **after}]


def _choices(kind: str) -> dict[str, dict[str, Any]]:
    """Return the words of the states and kinds of a kind of record, by field and stored value."""
    for app in ("accounts", "instruments", "bookings"):
        if (model := apps.get_app_config(app).models.get(kind)) is not None:
            fields = (field for field in model._meta.fields if field.choices)
            return {field.name: dict(field.flatchoices) for field in fields}
    return {}
