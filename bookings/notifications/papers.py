"""Messages about statements and settlements: to the payer's finance, to both coordinators."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, mailers
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import coordinators_of, holders_of
from bookings.domain.statements import statement_number
from bookings.models import Settlement, Statement
from bookings.selectors.settlements import net_of
from bookings.selectors.statements import WITH, overdue

# Subject and first sentence.
KINDS = {
    "issued": (
        _("Statement {number} of {host}"),
        _("The charges of {month} that became final at {host} are billed to {payer}."),
    ),
    "replaced": (
        _("Statement {number} of {host}, instead of {old}"),
        _("{host} has voided statement {old} and bills its charges anew."),
    ),
    "overdue": (
        _("Overdue: statement {number} of {host}"),
        _("This statement should have been paid by the day below. If it has been, tell {host}."),
    ),
}
DRAWN = (
    _("Settlement of {month}: {first} and {second}"),
    _(
        "What the two regions owe each other for vouchers of the month is drawn up. Both"
        " coordinators confirm it; then it can be paid."
    ),
)


def statement_mail(row: OutboxMessage, now: datetime) -> str:
    """Tell the payer's finance; `skipped` where there is nobody, or it says nothing true any
    more: a voided statement, a reminder of one that is paid."""
    kind = row.kind.partition(".")[2]
    statement = (
        Statement.objects.select_related(*WITH, "replaces")
        .filter(pk=UUID(row.payload["statement"]))
        .first()
    )
    if statement is None or statement.state == Statement.State.VOIDED:
        return "skipped"
    if kind == "overdue" and not overdue(statement, now):
        return "skipped"
    people = list(holders_of("finance", statement.payer_id))
    return _send([_statement_letter(kind, statement, person, row) for person in people])


def settlement_mail(row: OutboxMessage, now: datetime) -> str:
    """Tell the coordinators of both regions."""
    settlement = (
        Settlement.objects.select_related("first", "second")
        .filter(pk=UUID(row.payload["settlement"]))
        .first()
    )
    if settlement is None:
        return "skipped"
    lineage = [*settlement.first.lineage, *settlement.second.lineage]
    return _send(
        [_settlement_letter(settlement, person, row) for person in coordinators_of(lineage)]
    )


def _send(letters: list[EmailMultiAlternatives]) -> str:
    if letters:
        mailers.default.send_messages(letters)
    return "sent" if letters else "skipped"


def _named(thing: Any, language: str) -> str:
    return str((language.startswith("zh") and thing.name_zh) or thing.name)


def _statement_letter(
    kind: str, statement: Statement, person: User, row: OutboxMessage | None = None
) -> EmailMultiAlternatives:
    subject, lead = KINDS[kind]
    host = statement.host
    old = statement.replaces
    facts = {
        "number": statement_number(host.code, statement.year, statement.number),
        "old": statement_number(host.code, old.year, old.number) if old else "",
        "month": f"{statement.month:%Y-%m}",
        "host": _named(host, person.language),
        "payer": _named(statement.payer, person.language),
    }
    link = reverse("bookings:money-statements-one", kwargs={"statement_id": statement.pk})
    context = {
        "statement": statement,
        "number": facts["number"],
        "owed": statement.payable - statement.paid,
        "link": settings.SITE_URL + link,
    }
    return _letter(subject, lead, facts, context, person, row)


def _settlement_letter(
    settlement: Settlement, person: User, row: OutboxMessage | None = None
) -> EmailMultiAlternatives:
    subject, lead = DRAWN
    facts = {
        "month": f"{settlement.month:%Y-%m}",
        "first": _named(settlement.first, person.language),
        "second": _named(settlement.second, person.language),
    }
    link = reverse("bookings:money-settlements-one", kwargs={"settlement_id": settlement.pk})
    context = {
        "settlement": settlement,
        "owed": net_of(settlement),
        "link": settings.SITE_URL + link,
    }
    return _letter(subject, lead, facts, context, person, row)


def _letter(
    subject: Any,
    lead: Any,
    facts: dict[str, str],
    context: dict[str, Any],
    person: User,
    row: OutboxMessage | None,
) -> EmailMultiAlternatives:
    """In the person's language."""
    with translation.override(person.language):
        context = context | {"person": person, "lead": str(lead).format_map(facts)}
        letter = EmailMultiAlternatives(
            subject=" ".join(str(subject).format_map(facts).split()),
            body=render_to_string("bookings/mail/paper.txt", context),
            to=[person.email],
            headers={"Message-ID": f"<{row.pk}.{person.pk}@instrument-commons>"} if row else None,
        )
        letter.attach_alternative(
            render_to_string("bookings/mail/paper.html", context), "text/html"
        )
        return letter
