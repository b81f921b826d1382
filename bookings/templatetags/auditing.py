"""The auditors' pages: their tabs, rules in words, and links to what is behind an exception."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.letters.words import listed as in_words
from bookings.audit.domain.audit import CHARGED
from bookings.audit.messages import AUDIT_FIELDS, AUDIT_NUMBERS, CHARGED_LABELS
from bookings.audit.models import AuditException
from bookings.audit.selectors.audit import EVIDENCE, bookings_of_sessions
from bookings.audit.selectors.rules import AUDIT_RULES, rule_name
from bookings.audit.selectors.trail_records import called_of
from bookings.record.models import Reservation

register = template.Library()

# The first page of each part, its name, and the pages below it.
TABS: list[tuple[str, Any, tuple[str, ...]]] = [
    ("audit", _("Overview"), ()),
    (
        "exceptions",
        _("Exceptions"),
        ("exception", "exception-decide", "exception-confirm", "exceptions-all", "risk-weights"),
    ),
    (
        "findings",
        _("Findings"),
        (
            "finding",
            "finding-reply",
            "finding-return",
            "finding-close",
            "actions",
            "action-done",
            "finding-attach",
        ),
    ),
    ("samples", pgettext_lazy("audit", "Samples"), ("sample",)),
    ("audit-report", _("Report"), ()),
    ("papers", pgettext_lazy("audit", "Papers"), ("papers-new", "paper")),
    ("trail", _("Trail"), ("story", "proof")),
    ("seals", _("Seals and bundles"), ("bundle",)),
]
# The badge for each state of the auditors' pages.
LOOKS = {
    "open": "open",
    "review": "requested",
    "explained": "completed",
    "confirmed": "refused",
    "replied": "requested",
    "closed": "completed",
}
# The name of each kind of record behind an exception, and its page.
EVIDENCE_PAGES: dict[str, tuple[Any, str]] = {
    "reservation": (_("Booking"), "bookings:reservation"),
    "session": (_("Usage session"), "bookings:reservation"),
    "charge": (_("Charge"), "bookings:money-charges-one"),
    "statement": (_("Statement"), "bookings:money-statements-one"),
    "instrument": (_("Instrument"), "bookings:instrument"),
    "grant": (_("Voucher grant"), "bookings:money-vouchers-grant"),
    "entry": (_("Entry of the trail"), "bookings:proof"),
}
WITH_STORY = {"reservation", "charge", "grant"}


@register.inclusion_tag("bookings/audit/audit_tabs.html", takes_context=True)
def audit_tabs(context: dict[str, Any]) -> dict[str, Any]:
    """Return the auditors' pages as tabs, the present one marked; none for people who do not audit."""
    match = context["request"].resolver_match
    here = match.url_name if match else ""
    return {"tabs": list(_tabs(here)) if context["actor"].has("auditor") else []}


def _tabs(here: str) -> Iterator[dict[str, Any]]:
    for name, label, below in TABS:
        yield {"url": reverse(f"bookings:{name}"), "label": label, "is_here": here == name or here in below}


register.filter(rule_name)


@register.filter
def rule_asks(code: str) -> str:
    return str(AUDIT_RULES[code][1]) if code in AUDIT_RULES else ""


@register.filter
def audit_look(state: str) -> str:
    return LOOKS.get(state, state)


@register.filter
def action_look(state: str) -> str:
    """Return the badge for the state of an agreed action."""
    return {"agreed": "open", "done": "requested", "verified": "completed"}.get(state, "cancelled")


@register.filter
def audit_numbers(numbers: Mapping[str, Any]) -> str:
    """Return the numbers behind an exception in words: `minutes 45, state not used`."""
    return in_words(
        f"{AUDIT_NUMBERS.get(name, name)} {_shown(name, value)}" for name, value in numbers.items()
    )


@register.filter
def amounts_again(numbers: Mapping[str, Any]) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """Return the amounts of a charge that differ from those computed again: what each is called, as charged,
    computed again, and by how much; none for exceptions that do not say them."""
    found = []
    for name in CHARGED:
        if f"{name}_again" in numbers:
            was, again = Decimal(numbers[name]), Decimal(numbers[f"{name}_again"])
            found.append((str(CHARGED_LABELS[name]), was, again, again - was))
    return found


def _shown(name: str, value: Any) -> str:
    if name == "state" and value in Reservation.State.values:
        return str(Reservation.State(value).label)
    if name == "why":
        return gettext("the payer") if value == "payer" else gettext("the person")
    return str(value)


@register.filter
def listed(text: str) -> list[str]:
    """Return the codes in a comma-separated text as a list."""
    return text.split(", ")


@register.filter
def fields_named(text: str) -> str:
    """Return the fields of a booking or charge in the reader's words."""
    return in_words(AUDIT_FIELDS.get(each, each) for each in listed(text))


@register.filter
def minute(text: str) -> str:
    """Return instants as the trail writes them, to the minute: `2026-11-20 00:27`."""
    return " – ".join(each[:16].replace("T", " ") for each in text.split(" – "))


@register.filter
def at(rows: Mapping[UUID, Any], pk: UUID) -> Any:
    return rows.get(pk)


@register.filter
def story_address(row: AuditException) -> str:
    """Return the address of the story of the first record behind an exception that has one."""
    for item in row.evidence:
        if item["type"] in WITH_STORY:
            return reverse("bookings:story", args=[item["id"]])
    return ""


@register.simple_tag
def evidence(items: list[dict[str, str]], amounts: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return each record that evidence names with its kind, its name, its page, its story, and its amount if
    `amounts` has it. A usage session has the page of its booking. One statement, two with sessions."""
    booked = bookings_of_sessions(UUID(item["id"]) for item in items if item["type"] == "session")
    names = called_of((EVIDENCE.get(item["type"], ""), UUID(item["id"])) for item in items)
    rows = []
    for item in items:
        pk = UUID(item["id"])
        kind = item["type"]
        label, page = EVIDENCE_PAGES.get(kind, (kind, ""))
        of = booked.get(pk) if kind == "session" else pk
        rows.append(
            {
                "id": item["id"],
                "label": label,
                "called": names.get((EVIDENCE.get(kind, ""), pk)),
                "url": reverse(page, args=[of]) if page and of else "",
                "amount": amounts.get(item["id"]) if amounts else None,
                "story": reverse("bookings:story", args=[pk]) if kind in WITH_STORY else "",
            }
        )
    return rows
