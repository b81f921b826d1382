"""Messages about statements, settlements and agreements, to the people who pay, confirm and sign."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from accounts.letters.kinds import Content, Kind, compose, in_state, row_of, table
from accounts.letters.mails import Letter, Stranger
from accounts.letters.words import dated, named
from accounts.models import OutboxMessage, User
from accounts.selectors.memberships import coordinators_of, holders_of
from bookings.pricing.models import Agreement, AgreementMember
from bookings.pricing.selectors.agreements import members_of, state_on, today_in
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.models import PaymentNotice, Settlement, Statement
from bookings.settlement.selectors.settlements import net_of
from bookings.settlement.selectors.statements import WITH, overdue

month_words = lazy(partial(dated, english="F Y", chinese="Y年n月"), str)


def of_statement(
    statement: Statement, row: OutboxMessage, now: datetime, notice: PaymentNotice | None = None
) -> Content:
    host, old = statement.host, statement.replaces
    number = statement_number(host.code, statement.year, statement.number)
    words = {
        "number": number,
        "old": statement_number(host.code, old.year, old.number) if old else "",
        "month": month_words(statement.month),
        "host": host,
        "payer": statement.payer,
    }
    context = {
        "statement": statement,
        "number": number,
        "owed": statement.payable - statement.paid,
        "notice": notice,
    }
    link = reverse("bookings:money-statements-one", kwargs={"statement_id": statement.pk})
    day = notice.paid_on if notice else statement.due_date
    is_due = notice or row.kind.endswith(".overdue")
    return Content(statement.pk, link, words, context, days=[day] if is_due else [])


def _several(row: OutboxMessage, now: datetime) -> list[Statement]:
    """Return the statements that one reminder lists, as far as they are still overdue."""
    rows = Statement.objects.filter(pk__in=row.payload.get("statements", ()))
    found = rows.exclude(state=Statement.State.VOIDED).select_related(*WITH).order_by("due_date", "pk")
    return [each for each in found if overdue(each, now)]


def _is_of_several(row: OutboxMessage, now: datetime) -> bool:
    """Say whether a reminder lists statements, and not only the one it was sent for."""
    still = _several(row, now)
    return len(still) > 1 or any(str(each.pk) != row.payload["statement"] for each in still)


def of_several(statement: Statement, row: OutboxMessage, now: datetime) -> Content:
    still = _several(row, now)
    statements = [
        {
            "row": each,
            "number": statement_number(each.host.code, each.year, each.number),
            "owed": each.payable - each.paid,
        }
        for each in still
    ]
    words = {"host": statement.host, "payer": statement.payer, "count": str(len(still))}
    link = f"{reverse('bookings:money-ageing')}?side=owing&bucket=late"
    context = {"statements": statements, "payer": statement.payer}
    return Content(statement.pk, link, words, context, days=[still[0].due_date])


def of_notice(notice: PaymentNotice, row: OutboxMessage, now: datetime) -> Content:
    return of_statement(notice.statement, row, now, notice)


def of_settlement(settlement: Settlement, row: OutboxMessage, now: datetime) -> Content:
    words = {"month": month_words(settlement.month), "first": settlement.first, "second": settlement.second}
    link = reverse("bookings:money-settlements-one", kwargs={"settlement_id": settlement.pk})
    context = {"settlement": settlement, "owed": net_of(settlement)}
    return Content(settlement.pk, link, words, context)


def _of_both_regions(settlement: Settlement) -> QuerySet[User]:
    return coordinators_of([*settlement.first.lineage, *settlement.second.lineage])


Proposal = tuple[Agreement, Sequence[AgreementMember]]


def _proposal(row: OutboxMessage, now: datetime) -> Proposal | None:
    """Return an agreement with its regions, for messages about it; None if it is no longer a proposal."""
    agreement: Agreement | None = _agreement(row, now)
    members = members_of(agreement.pk) if agreement else []
    if agreement is None or state_on(agreement, today_in(members, now)) != "proposed":
        return None
    return agreement, members


def _who_signs(proposal: Proposal) -> QuerySet[User]:
    """Return the coordinators of the regions that have not signed."""
    waiting = [member.region for member in proposal[1] if member.signed_at is None]
    return coordinators_of(sorted({pk for region in waiting for pk in region.lineage}))


def of_proposal(proposal: Proposal, row: OutboxMessage, now: datetime) -> Content:
    agreement, members = proposal
    link = reverse("bookings:money-agreements-one", kwargs={"agreement_id": agreement.pk})
    words = {"agreement": agreement, "person": str(agreement.proposed_by)}
    return Content(agreement.pk, link, words, {"agreement": agreement, "members": members})


_agreement = row_of(Agreement.objects.select_related("proposed_by"), "agreement")
_STATEMENTS = Statement.objects.exclude(state=Statement.State.VOIDED)
_paper = partial(Kind, topic="statement", template="bookings/settlement/mail/paper")
_statement = partial(
    _paper,
    load=row_of(_STATEMENTS.select_related(*WITH, "replaces"), "statement"),
    readers=lambda statement: holders_of("finance", statement.payer_id),
    content=of_statement,
)
_notice = partial(
    _paper,
    load=row_of(PaymentNotice.objects.select_related(*(f"statement__{name}" for name in WITH)), "notice"),
    readers=lambda notice: holders_of("finance", notice.statement.payer_id),
    content=of_notice,
)
_notice_to_host = partial(_notice, readers=lambda notice: holders_of("finance", notice.statement.host_id))
KINDS = table(
    _statement(
        "statement.issued",
        _("Statement {number} of {host}"),
        _("{host} bills {payer} for the charges that became final in {month}."),
    ),
    _statement(
        "statement.replaced",
        _("Statement {number} of {host}, instead of {old}"),
        _("{host} has voided statement {old} and bills its charges again."),
    ),
    _statement(
        "statement.internal",
        _("Internal note {number} of {host}"),
        _(
            "Charges for the use of your own instruments that became final in {month}, for your ledger."
            " No payment is due."
        ),
    ),
    _statement(
        "statement.overdue",
        _("Overdue: statement {number} of {host}"),
        _("Payment of this statement was due by the day below. If it has been paid, please tell {host}."),
        is_still_true=lambda statement, row, now: (
            "told_with" not in row.payload and overdue(statement, now) and not _is_of_several(row, now)
        ),
    ),
    _statement(
        "statement.overdue-several",
        _("Overdue statements of {host}: {count}"),
        _("Payment of these statements was due. If they have been paid, please tell {host}."),
        on="statement.overdue",
        is_still_true=lambda statement, row, now: _is_of_several(row, now),
        content=of_several,
    ),
    # What payers say they have paid: to the host's finance, or to the payer's.
    _notice_to_host(
        "statement.notice-reported",
        _("Payment reported by {payer}: {number}"),
        _("Check whether the payment below has arrived, then match the notice or refuse it."),
        is_still_true=in_state("reported"),
    ),
    _notice_to_host(
        "statement.notice-withdrawn",
        _("Payment notice withdrawn by {payer}: {number}"),
        _("You no longer need to look for this payment."),
        is_still_true=in_state("withdrawn"),
    ),
    _notice(
        "statement.notice-matched",
        _("Payment received: {number}"),
        _("{host} has found the payment you reported."),
        is_still_true=in_state("matched"),
    ),
    _notice(
        "statement.notice-refused",
        _("Payment not found: {number}"),
        _("{host} has not found the payment you reported. The reason is below."),
        is_still_true=in_state("refused"),
    ),
    _paper(
        "settlement.drawn",
        _("Settlement of {month}: {first} and {second}"),
        _(
            "The settlement of the month's vouchers between the two regions has been drawn up. It"
            " can be paid once both coordinators have confirmed it."
        ),
        load=row_of(Settlement.objects.select_related("first", "second"), "settlement"),
        readers=_of_both_regions,
        content=of_settlement,
    ),
    _paper(
        "agreement.to-sign",
        _("To sign: {agreement}"),
        _("{person} proposes this agreement. It is in force once every region has signed it."),
        topic="request",
        load=_proposal,
        readers=_who_signs,
        content=of_proposal,
    ),
)


def invoice_letter(row: OutboxMessage, now: datetime) -> tuple[Statement, Letter] | None:
    """Return a statement and the mail about it to the payer's invoice address, whose reader may have no
    account. None if the address belongs to one of the payer's finance people, since they are notified anyway.
    The mail is in the language of the first of them."""
    kind = KINDS[f"statement.{row.kind.partition('.')[2]}"]
    statement: Statement | None = kind.load(row, now)
    if statement is None:
        return None
    if row.kind == "invoice.overdue" and _is_of_several(row, now):
        kind = KINDS["statement.overdue-several"]
    if not kind.is_still_true(statement, row, now):
        return None
    email, finance = statement.payer.invoice_email, list(kind.readers(statement))
    if not email or email.lower() in {person.email.lower() for person in finance}:
        return None
    language = finance[0].language if finance else settings.LANGUAGE_CODE
    with translation.override(language):
        payer = named(statement.payer)
    reader = Stranger(email, language, statement.payer_region.time_zone, payer)
    return statement, compose(kind, kind.content(statement, row, now), reader)
