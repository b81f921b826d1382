"""The auditors' desk: its tabs."""

from collections.abc import Iterator
from typing import Any

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

register = template.Library()

# The first page of each part, its name, and the pages below it.
TABS: list[tuple[str, Any, tuple[str, ...]]] = [
    ("trail", _("Trail"), ("story", "proof")),
    ("seals", _("Seals and bundles"), ("bundle",)),
]


@register.inclusion_tag("bookings/audit_tabs.html", takes_context=True)
def audit_tabs(context: dict[str, Any]) -> dict[str, Any]:
    """The parts as tabs, that of the present page marked; none for whoever audits nothing."""
    match = context["request"].resolver_match
    here = match.url_name if match else ""
    return {"tabs": list(_tabs(here)) if context["actor"].has("auditor") else []}


def _tabs(here: str) -> Iterator[dict[str, Any]]:
    for name, label, below in TABS:
        yield {
            "url": reverse(f"bookings:{name}"),
            "label": label,
            "is_here": here == name or here in below,
        }
