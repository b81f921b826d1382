"""Messages about statements, settlements and agreements, to those who pay, confirm and sign."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.letters import Letter, Stranger, dated, framed
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import coordinators_of, holders_of
from accounts.selectors.messages import readers_of
from bookings.pricing.models import Agreement, AgreementMember
from bookings.pricing.selectors.agreements import members_of, state_on, today_in
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.models import PaymentNotice, Settlement, Statement
from bookings.settlement.selectors.settlements import net_of
from bookings.settlement.selectors.statements import WITH, overdue

# Subject and first sentence.
KINDS = {
    "issued": (
        _("Statement {number} of {host}"),
        _("The charges of {month} that became final at {host} are billed to {payer}."),
    ),
    "replaced": (
        _("Statement {number} of {host}, instead of {old}"),
        _("{host} has voided statement {old} and bills its charges again."),
    ),
    "overdue": (
        _("Overdue: statement {number} of {host}"),
        _("This statement should have been paid by the day below. If it has been, tell {host}."),
    ),
}
# What payers say they have paid: to the host's finance, or to the payer's.
NOTICES = {
    "notice-reported": (
        _("Payment reported by {payer}: {number}"),
        _("Look whether the money below has come in, and match the notice or refuse it."),
    ),
    "notice-withdrawn": (
        _("Payment notice withdrawn by {payer}: {number}"),
        _("You need not look for this money any more."),
    ),
    "notice-matched": (
        _("Payment received: {number}"),
        _("{host} has found the payment you reported."),
    ),
    "notice-refused": (
        _("Payment not found: {number}"),
        _("{host} has not found the payment you reported. The reason is below."),
    ),
}
TO_HOST = frozenset({"notice-reported", "notice-withdrawn"})
DRAWN = (
    _("Settlement of {month}: {first} and {second}"),
    _(
        "What the two regions owe each other for vouchers of the month is drawn up. Both"
        " coordinators confirm it; then it can be paid."
    ),
)


TO_SIGN = (
    _("To sign: {agreement}"),
    _("{person} proposes this agreement. It is in force once every region has signed it."),
)
TOPIC = "statement"


def statement_letters(row: OutboxMessage, now: datetime) -> list[Letter]:
    """To the payer's finance; none where it says nothing true any more: a voided statement, a
    reminder of one that is paid."""
    kind = row.kind.partition(".")[2]
    if kind in NOTICES:
        return _notice_letters(row, kind)
    statement = _statement_of(row, kind, now)
    if statement is None:
        return []
    people = readers_of(holders_of("finance", statement.payer_id), TOPIC)
    return [_statement_letter(kind, statement, person) for person in people]


def _notice_letters(row: OutboxMessage, kind: str) -> list[Letter]:
    """None where the notice has another state by now."""
    notice = (
        PaymentNotice.objects.select_related(*(f"statement__{name}" for name in WITH))
        .filter(pk=UUID(row.payload["notice"]))
        .first()
    )
    if notice is None or kind != f"notice-{notice.state}":
        return []
    statement = notice.statement
    side = statement.host_id if kind in TO_HOST else statement.payer_id
    people = readers_of(holders_of("finance", side), TOPIC)
    return [_statement_letter(kind, statement, person, notice) for person in people]


def invoice_letter(row: OutboxMessage, now: datetime) -> tuple[Statement, Letter] | None:
    """A statement and what is said of it to the payer's invoice address, where who reads it may
    have no account. None where one of the payer's finance people, who are told as well, has that
    address. In the language of the first of these."""
    kind = row.kind.partition(".")[2]
    statement = _statement_of(row, kind, now)
    if statement is None or not (email := statement.payer.invoice_email):
        return None
    finance = list(holders_of("finance", statement.payer_id))
    if email.lower() in {person.email.lower() for person in finance}:
        return None
    language = finance[0].language if finance else settings.LANGUAGE_CODE
    payer = _named(statement.payer, language)
    reader = Stranger(email, language, statement.payer_region.time_zone, payer)
    return statement, _statement_letter(kind, statement, reader)


def _statement_of(row: OutboxMessage, kind: str, now: datetime) -> Statement | None:
    """None where the message says nothing true any more."""
    statement = (
        Statement.objects.select_related(*WITH, "replaces")
        .filter(pk=UUID(row.payload["statement"]))
        .first()
    )
    if statement is None or statement.state == Statement.State.VOIDED:
        return None
    if kind == "overdue" and not overdue(statement, now):
        return None
    return statement


def settlement_letters(row: OutboxMessage) -> list[Letter]:
    """To the coordinators of both regions."""
    settlement = (
        Settlement.objects.select_related("first", "second")
        .filter(pk=UUID(row.payload["settlement"]))
        .first()
    )
    if settlement is None:
        return []
    lineage = [*settlement.first.lineage, *settlement.second.lineage]
    people = readers_of(coordinators_of(lineage), TOPIC)
    return [_settlement_letter(settlement, person) for person in people]


def agreement_letters(row: OutboxMessage, now: datetime) -> list[Letter]:
    """To the coordinators of the regions that have not signed a proposal."""
    agreement = (
        Agreement.objects.select_related("proposed_by")
        .filter(pk=UUID(row.payload["agreement"]))
        .first()
    )
    if agreement is None:
        return []
    members = members_of(agreement.pk)
    if state_on(agreement, today_in(members, now)) != "proposed":
        return []
    waiting = [member.region for member in members if member.signed_at is None]
    lineage = {pk for region in waiting for pk in region.lineage}
    people = readers_of(coordinators_of(sorted(lineage)), "request")
    return [_agreement_letter(agreement, members, person) for person in people]


def _named(thing: Any, language: str) -> str:
    return str((language.startswith("zh") and thing.name_zh) or thing.name)


def _statement_letter(
    kind: str, statement: Statement, person: User | Stranger, notice: PaymentNotice | None = None
) -> Letter:
    subject, lead = (KINDS | NOTICES)[kind]
    host = statement.host
    old = statement.replaces
    facts = {
        "number": statement_number(host.code, statement.year, statement.number),
        "old": statement_number(host.code, old.year, old.number) if old else "",
        "month": statement.month,
        "host": _named(host, person.language),
        "payer": _named(statement.payer, person.language),
    }
    link = reverse("bookings:money-statements-one", kwargs={"statement_id": statement.pk})
    context = {
        "statement": statement,
        "number": facts["number"],
        "owed": statement.payable - statement.paid,
        "notice": notice,
        "link": link,
    }
    return _letter(f"statement.{kind}", (subject, lead), facts, context, person)


def _settlement_letter(settlement: Settlement, person: User) -> Letter:
    subject, lead = DRAWN
    facts = {
        "month": settlement.month,
        "first": _named(settlement.first, person.language),
        "second": _named(settlement.second, person.language),
    }
    link = reverse("bookings:money-settlements-one", kwargs={"settlement_id": settlement.pk})
    context = {
        "settlement": settlement,
        "owed": net_of(settlement),
        "link": link,
    }
    return _letter("settlement.drawn", (subject, lead), facts, context, person)


def _agreement_letter(
    agreement: Agreement, members: Sequence[AgreementMember], person: User
) -> Letter:
    facts = {
        "agreement": _named(agreement, person.language),
        "person": str(agreement.proposed_by),
    }
    link = reverse("bookings:money-agreements-one", kwargs={"agreement_id": agreement.pk})
    context = {"agreement": agreement, "members": members, "link": link}
    return _letter("agreement.to-sign", TO_SIGN, facts, context, person, topic="request")


def _letter(
    kind: str,
    words: tuple[Any, Any],
    facts: dict[str, Any],
    context: dict[str, Any],
    person: User | Stranger,
    *,
    topic: str = TOPIC,
) -> Letter:
    """In the reader's language. `context` holds the statement, settlement or agreement."""
    subject, lead = words
    (about,) = (
        context[name] for name in ("statement", "settlement", "agreement") if name in context
    )
    with translation.override(person.language):
        if "month" in facts:
            facts = facts | {"month": dated(facts["month"], "F Y", "Y年n月")}
        content = context | {
            "lead": str(lead).format_map(facts),
            "link": settings.SITE_URL + context["link"],
        }
        text, html = framed("bookings/settlement/mail/paper", topic, person, content)
        return Letter(
            person=person,
            topic=topic,
            kind=kind,
            subject=" ".join(str(subject).format_map(facts).split()),
            text=text,
            html=html,
            link=context["link"],
            about=about.pk,
        )
