"""The journal of an organisation on one side: of closed months what was kept, of others what the ledger and
the chart of accounts say now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import batched, groupby
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce
from django.utils import translation

from accounts.models import Organisation
from bookings.bank.models import BankCredit
from bookings.charging.models import LedgerEntry, Posting
from bookings.funding.selectors.earmarks import paying
from bookings.journal.domain import journal as rules
from bookings.journal.domain.charts import About, Chart, Placed
from bookings.journal.domain.journal import CHARGE, CREDIT, HOST, PAYMENT, Event
from bookings.journal.models import JournalLine, JournalMonth
from bookings.journal.selectors.charts import load_chart, months_closed
from bookings.journal.selectors.kinds import KIND_LABELS
from bookings.pricing.models import Charge
from bookings.record.domain.months import month_before, months_between, months_span
from bookings.settlement.models import StatementLine
from bookings.settlement.selectors.papers import TAX_PERCENT
from bookings.settlement.selectors.statements import number_of
from instruments.reading.domain.clock import day_span, local_date

# Fields of an entry and of its lines, in the order in which the digest of a closed month has them.
OF_ENTRY = (
    "kind", "row", "thing", "document", "statement", "text", "text_zh", "partner", "partner_name",
    "partner_name_zh", "currency",
)  # fmt: skip
OF_LINE = (
    "role", "account", "account_name", "account_name_zh", "debit", "credit", "cost_centre", "tax_code",
    "tax_percent",
)  # fmt: skip
READ_AT_ONCE = 1000  # entries
NOUGHT = Decimal(0)


@dataclass(frozen=True)
class EntryLine:
    """A line of an entry as people read it; `account` is empty if no rule gives one."""

    role: str
    account: str
    account_name: str
    account_name_zh: str
    debit: Decimal
    credit: Decimal
    cost_centre: str
    tax_code: str
    tax_percent: Decimal | None


@dataclass(frozen=True)
class Entry:
    """An entry of the journal. `number` counts the entries of a closed month; it is 0 while that is open.
    `row` is the row that it comes from, `thing` the charge or the statement to which it links."""

    number: int
    kind: str
    row: UUID
    thing: UUID | None
    day: date
    document_day: date
    document: str
    statement: str
    text: str
    text_zh: str
    partner: str
    partner_name: str
    partner_name_zh: str
    currency: str
    lines: tuple[EntryLine, ...]

    @property
    def amount(self) -> Decimal:
        """Return the sum of the debits, which is that of the credits."""
        return sum((line.debit for line in self.lines), NOUGHT)


class Key(NamedTuple):
    """The place of an event in the order of a journal that is open."""

    at: datetime
    kind: str
    row: UUID


@dataclass
class Sums:
    """Sums of lines: debit and credit by account (number, names) and currency; amounts by role, tax rate, tax
    code and currency; how many lines of a role have no account; the number of entries."""

    accounts: dict[tuple[str, str, str, str], list[Decimal]] = field(default_factory=dict)
    roles: dict[tuple[str, str, str, str], Decimal] = field(default_factory=dict)
    unassigned: dict[str, int] = field(default_factory=dict)
    entries: int = 0

    def add(self, entry: Entry) -> None:
        self.entries += 1
        for line in entry.lines:
            key = (line.account, line.account_name, line.account_name_zh, entry.currency)
            sums = self.accounts.setdefault(key, [NOUGHT, NOUGHT])
            sums[0] += line.debit
            sums[1] += line.credit
            percent = "" if line.tax_percent is None else f"{line.tax_percent.normalize():f}"
            place = (line.role, percent, line.tax_code, entry.currency)
            self.roles[place] = self.roles.get(place, NOUGHT) + line.debit - line.credit
            if not line.account:
                self.unassigned[line.role] = self.unassigned.get(line.role, 0) + 1

    def __iadd__(self, other: "Sums") -> "Sums":
        self.entries += other.entries
        for key, (debit, credit) in other.accounts.items():
            sums = self.accounts.setdefault(key, [NOUGHT, NOUGHT])
            sums[0] += debit
            sums[1] += credit
        for place, amount in other.roles.items():
            self.roles[place] = self.roles.get(place, NOUGHT) + amount
        for role, count in other.unassigned.items():
            self.unassigned[role] = self.unassigned.get(role, 0) + count
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the sums as a closed month stores them."""
        return {
            "accounts": [[*key, f"{d:f}", f"{c:f}"] for key, (d, c) in sorted(self.accounts.items())],
            "roles": [[*key, f"{amount:f}"] for key, amount in sorted(self.roles.items())],
        }

    @classmethod
    def of_month(cls, row: JournalMonth) -> "Sums":
        """Return the stored sums of a closed month."""
        return cls(
            {tuple(key): [Decimal(d), Decimal(c)] for *key, d, c in row.sums["accounts"]},
            {tuple(key): Decimal(amount) for *key, amount in row.sums["roles"]},
            entries=row.entries,
        )

    def totals(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Return the sums of all debits and credits by currency."""
        found: dict[str, tuple[Decimal, Decimal]] = {}
        for (*_, currency), (debit, credit) in self.accounts.items():
            before = found.get(currency, (NOUGHT, NOUGHT))
            found[currency] = (before[0] + debit, before[1] + credit)
        return dict(sorted(found.items()))

    def of_role(self, *roles: str) -> dict[str, Decimal]:
        """Return the sum of roles by currency."""
        found: dict[str, Decimal] = {}
        for (role, _, _, currency), amount in self.roles.items():
            if role in roles:
                found[currency] = found.get(currency, NOUGHT) + amount
        return found


@dataclass(frozen=True)
class Segment:
    """A stretch of a journal: a closed month, or the events of months that are open."""

    closed: JournalMonth | None
    keys: Sequence[Key] = ()
    since: date | None = None  # what came too late for a closed month is of this day

    @property
    def count(self) -> int:
        return self.closed.entries if self.closed else len(self.keys)


@dataclass(frozen=True)
class Journal:
    """The journal of an organisation on one side, of the months from `first` to `last`."""

    organisation: Organisation
    side: str
    first: date
    last: date
    chart: Chart
    closed: Mapping[date, JournalMonth]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.organisation.region.time_zone)

    @property
    def is_provisional(self) -> bool:
        """Say whether a month of it is not closed."""
        return any(month not in self.closed for month in months_between(self.first, self.last))

    @cached_property
    def segments(self) -> list[Segment]:
        """Return the stretches of the journal, in their order. One or two statements for each run of open
        months."""
        found = []
        months = months_between(self.first, self.last)
        for is_closed, group in groupby(months, key=lambda month: month in self.closed):
            run = list(group)
            if is_closed:
                found += [Segment(self.closed[month]) for month in run]
            else:
                found.append(self._open(run[0], run[-1]))
        return found

    def _open(self, first: date, last: date) -> Segment:
        since, until = months_span(self.zone, first, last)
        if month_before(first) in self.closed:  # the first that is open takes what came too late
            since = day_span(self.zone, min(self.closed))[0]
        keys = load_keys(self.organisation.pk, self.side, since, until, is_any_closed=bool(self.closed))
        return Segment(None, keys, first)

    @property
    def count(self) -> int:
        return sum(segment.count for segment in self.segments)

    def page(self, offset: int, limit: int) -> list[Entry]:
        """Return the entries from an offset on, at most `limit`."""
        found: list[Entry] = []
        for segment in self.segments:
            if offset >= segment.count:
                offset -= segment.count
                continue
            wanted = limit - len(found)
            if segment.closed:
                found += kept_entries(segment.closed, offset, wanted)
            else:
                found += self.entries(segment.keys[offset : offset + wanted], segment.since)
            offset = 0
            if len(found) >= limit:
                break
        return found

    def stream(self) -> Iterator[Entry]:
        """Yield all entries; so many are read at a time that a year fits into memory."""
        for segment in self.segments:
            yield from self.of_segment(segment)

    def of_segment(self, segment: Segment) -> Iterator[Entry]:
        """Yield the entries of a stretch."""
        if segment.closed:
            for offset in range(0, segment.closed.entries, READ_AT_ONCE):
                yield from kept_entries(segment.closed, offset, READ_AT_ONCE)
        else:
            for keys in batched(segment.keys, READ_AT_ONCE):
                yield from self.entries(keys, segment.since)

    def sums(self) -> Sums:
        """Return the sums of all entries: of closed months those that are stored."""
        sums = Sums()
        for segment in self.segments:
            if segment.closed:
                sums += Sums.of_month(segment.closed)
            else:
                for entry in self.of_segment(segment):
                    sums.add(entry)
        return sums

    def entries(self, keys: Sequence[Key], since: date | None) -> list[Entry]:
        """Return the entries of events. Seven statements at most, however many."""
        events = load_events(self.organisation, self.side, keys)
        found = []
        for key in keys:
            about = events[key.row]
            day = local_date(self.zone, key.at)
            found.append(self._entry(about, max(day, since) if since else day))
        return found

    def _entry(self, about: "Told", day: date) -> Entry:
        event = about.event
        of = About(about.currency, about.instrument, about.facility, tax_percent=event.tax_percent)
        event = replace(event, deducts_tax=self.side != HOST and self.chart.deducts_tax(of, day))
        placed = []
        for line in rules.lines_of(event, self.side):
            with_source = About(of.currency, of.instrument, of.facility, line.source, line.tax_percent)
            if self.side != HOST:  # the instrument is another's
                with_source = About(of.currency, None, None, line.source, line.tax_percent)
            placed.append(self.chart.placed(line, with_source, day))
        named = {name: getattr(about, name) for name in OF_ENTRY}
        lines = tuple(map(_line, placed))
        return Entry(number=0, day=day, document_day=about.document_day or day, lines=lines, **named)


def _line(placed: Placed) -> EntryLine:
    amount, account = placed.line.amount, placed.account
    return EntryLine(
        role=placed.line.role,
        account=account.number if account else "",
        account_name=account.name if account else "",
        account_name_zh=account.name_zh if account else "",
        debit=max(amount, NOUGHT),
        credit=max(-amount, NOUGHT),
        cost_centre=placed.cost_centre,
        tax_code=placed.tax_code,
        tax_percent=placed.line.tax_percent,
    )


def load_journal(organisation: Organisation, side: str, first: date, last: date) -> Journal:
    """Return the journal of months; its entries are read when they are needed. Two statements."""
    closed = months_closed(organisation.pk, side)
    return Journal(organisation, side, first, last, load_chart(organisation.pk), closed)


def kept_entries(row: JournalMonth, offset: int, limit: int) -> list[Entry]:
    """Return entries of a closed month as they were kept. One statement."""
    lines = JournalLine.objects.filter(journal=row, number__gt=offset, number__lte=offset + limit)
    found = []
    for number, group in groupby(lines.order_by("number", "position"), key=lambda line: line.number):
        of_entry = list(group)
        one = of_entry[0]
        named = {name: getattr(one, name) for name in OF_ENTRY}
        parts = tuple(EntryLine(**{name: getattr(line, name) for name in OF_LINE}) for line in of_entry)
        found.append(Entry(number=number, day=one.date, document_day=one.document_date, lines=parts, **named))
    return found


# Events


@dataclass(frozen=True)
class Told:
    """An event of the ledger in words: what it is about, with whom, and its amounts for the rules."""

    kind: str
    row: UUID
    thing: UUID | None
    document_day: date | None
    document: str
    statement: str
    text: str
    text_zh: str
    partner: str
    partner_name: str
    partner_name_zh: str
    currency: str
    event: Event
    instrument: UUID | None = None
    facility: UUID | None = None


def load_keys(
    organisation_id: UUID, side: str, since: datetime, until: datetime, *, is_any_closed: bool
) -> list[Key]:
    """Return the events of a span of time that no closed month has kept, in the order of the journal: where
    the organisation is may change after a month was closed, and with it the instant at which months end. Two
    statements."""
    entries, credits = _ledger(organisation_id, side), _credits(organisation_id, side)
    if is_any_closed:
        of_side = {"journal__organisation": organisation_id, "journal__side": side}
        kept = Exists(JournalLine.objects.filter(row=OuterRef("pk"), **of_side))
        entries, credits = entries.filter(~kept), credits.filter(~kept)
    return _keys(
        entries.filter(at__gte=since, at__lt=until),
        credits.filter(entered_at__gte=since, entered_at__lt=until),
    )


def _keys(entries: QuerySet[LedgerEntry], credits: QuerySet[BankCredit]) -> list[Key]:
    found = [Key(*row) for row in entries.values_list("at", "kind", "pk")]
    found += [Key(at, CREDIT, pk) for at, pk in credits.values_list("entered_at", "pk")]
    return sorted(found)


def _credits(organisation_id: UUID, side: str) -> QuerySet[BankCredit]:
    """Return what bank transactions added to or took from credits; a payment that uses one is in the
    ledger."""
    of_side = {"host" if side == HOST else "payer": organisation_id}
    return BankCredit.objects.filter(transaction__isnull=False, **of_side)


def _ledger(organisation_id: UUID, side: str) -> QuerySet[LedgerEntry]:
    if side == HOST:
        mine = Q(charge__host=organisation_id) | Q(payment__statement__host=organisation_id)
        return LedgerEntry.objects.filter(mine)
    of_charge = Q(charge__organisation=organisation_id) & ~Q(charge__host=organisation_id)
    of_statement = Q(payment__statement__payer=organisation_id) & ~Q(payment__statement__host=organisation_id)
    return LedgerEntry.objects.filter(of_charge | of_statement)


_OPTIONS = KeyTransform("options", KeyTransform("card", "charge__inputs"))
_OPTIONS_BEFORE = KeyTransform("options", KeyTransform("card", "charge__reverses__inputs"))


def load_events(organisation: Organisation, side: str, keys: Sequence[Key]) -> dict[UUID, Told]:
    """Return what events say, by row. Seven statements at most, however many."""
    ids = [key.row for key in keys]
    rows = list(
        LedgerEntry.objects.filter(pk__in=ids)
        .select_related(
            "charge__organisation",
            "charge__host",
            "charge__reverses",
            "charge__reservation__instrument__facility",
            "charge__enrolment__session__course",
            "charge__enrolment__session__facility",
            "payment__statement__host",
            "payment__statement__payer",
        )
        .defer("charge__inputs", "charge__reverses__inputs")
        .annotate(tax_percent=TAX_PERCENT, options=_OPTIONS, options_before=_OPTIONS_BEFORE)
    )
    charges = [row.charge for row in rows if row.charge]
    shares, numbers = _shares(charges), _numbers(charges)
    words = {code: _words(code) for code in ("en", "zh-hans")}
    payments = [row.payment_id for row in rows if row.payment_id]
    by_credit = set(
        BankCredit.objects.filter(payment__in=payments).values_list("payment_id", flat=True)
        if payments
        else ()
    )
    found = {
        row.pk: _of_charge(row, row.charge, side, shares, numbers, words)
        if row.charge
        else _of_payment(row, side, words, is_of_credit=row.payment_id in by_credit)
        for row in rows
    }
    if credits := [key.row for key in keys if key.kind == CREDIT]:
        related = BankCredit.objects.select_related("host", "payer", "transaction")
        found |= {row.pk: _of_credit(row, side, words) for row in related.filter(pk__in=credits)}
    return found


def _words(language: str) -> dict[str, str]:
    with translation.override(language):
        return {kind: str(label) for kind, label in KIND_LABELS.items()}


def _of_charge(
    row: Any,
    charge: Charge,
    side: str,
    shares: Mapping[UUID, tuple[tuple[UUID, Decimal], ...]],
    numbers: Mapping[UUID, str],
    words: Mapping[str, Mapping[str, str]],
) -> Told:
    priced, options = (charge.reverses, row.options_before) if charge.reverses else (charge, row.options)
    if charge.kind == Charge.Kind.MELTING:
        priced = charge
    units = {option["code"]: option.get("unit", "") for option in options or ()}
    net = charge.total - charge.tax
    other = charge.organisation if side == HOST else charge.host
    thing = charge.thing
    booked = charge.reservation
    zone = ZoneInfo(charge.time_zone)
    return Told(
        kind=CHARGE,
        row=row.pk,
        thing=charge.pk,
        document_day=local_date(zone, charge.start_at),
        document=str(charge.pk)[-12:],
        statement=numbers.get(charge.pk, ""),
        text=f"{words['en'][charge.kind]}: {thing.name}"[:300],
        text_zh=f"{words['zh-hans'][charge.kind]}：{thing.name_zh or thing.name}"[:300],
        partner=other.code,
        partner_name=other.name,
        partner_name_zh=other.name_zh,
        currency=charge.currency,
        event=Event(
            CHARGE,
            charge.currency,
            charge.payable,
            net=net,
            tax=charge.tax,
            covered=charge.covered,
            parts=rules.parts_of(priced.kind, priced.result, net, charge.currency, units),
            tax_percent=row.tax_percent,
            shares=shares.get(charge.reservation_id or charge.enrolment_id or charge.pk, ()),
            is_internal=charge.host_id == charge.organisation_id,
        ),
        instrument=booked.instrument_id if booked else None,
        facility=booked.instrument.facility_id if booked else charge.place.session.facility_id,
    )


def _of_payment(
    row: LedgerEntry, side: str, words: Mapping[str, Mapping[str, str]], *, is_of_credit: bool
) -> Told:
    payment = row.payment
    assert payment is not None and payment.statement is not None
    statement = payment.statement
    number = number_of(statement)
    other = statement.payer if side == HOST else statement.host
    after = f" {payment.reference}" if payment.reference else ""
    return Told(
        kind=PAYMENT,
        row=row.pk,
        thing=statement.pk,
        document_day=payment.paid_on,
        document=number,
        statement=number,
        text=f"{words['en'][PAYMENT]}: {number}{after}"[:300],
        text_zh=f"{words['zh-hans'][PAYMENT]}：{number}{after}"[:300],
        partner=other.code,
        partner_name=other.name,
        partner_name_zh=other.name_zh,
        currency=payment.currency,
        event=Event(
            PAYMENT,
            payment.currency,
            payment.amount,
            is_internal=statement.host_id == statement.payer_id,
            is_of_credit=is_of_credit,
        ),
    )


def _of_credit(row: BankCredit, side: str, words: Mapping[str, Mapping[str, str]]) -> Told:
    other, transaction = (row.payer if side == HOST else row.host), row.transaction
    assert transaction is not None
    said = transaction.reference or transaction.bank_reference
    after = f" {said}" if said else ""
    return Told(
        kind=CREDIT,
        row=row.pk,
        thing=transaction.pk,
        document_day=transaction.booked_on,
        document=transaction.bank_reference or str(transaction.pk)[-12:],
        statement="",
        text=f"{words['en'][CREDIT]}{after}"[:300],
        text_zh=f"{words['zh-hans'][CREDIT]}{after}"[:300],
        partner=other.code,
        partner_name=other.name,
        partner_name_zh=other.name_zh,
        currency=row.currency,
        event=Event(CREDIT, row.currency, row.amount),
    )


def _shares(charges: Iterable[Charge]) -> dict[UUID, tuple[tuple[UUID, Decimal], ...]]:
    """Return the funding sources of bookings and places in courses with their percents, by the id of either:
    the newest row of each source."""
    ids = {charge.reservation_id for charge in charges if charge.reservation_id}
    places = {charge.enrolment_id for charge in charges if charge.enrolment_id}
    found: dict[UUID, dict[UUID, Decimal]] = {}
    of_either = Q(reservation__in=ids) | Q(enrolment__in=places)
    rows = paying().select_related(None).filter(of_either)
    subject = Coalesce("reservation_id", "enrolment_id")
    for pk, source, percent in rows.values_list(subject, "source_id", "percent"):
        of_subject = found.setdefault(pk, {})
        of_subject.pop(source, None)
        of_subject[source] = percent or NOUGHT
    return {pk: tuple(shares.items()) for pk, shares in found.items()}


def _numbers(charges: Iterable[Charge]) -> dict[UUID, str]:
    """Return the numbers of the statements on which charges are, by charge."""
    rows = StatementLine.objects.filter(charge__in=[charge.pk for charge in charges], is_void=False)
    return {row.charge_id: number_of(row.statement) for row in rows.select_related("statement__host")}


# The ledger


def load_ledger(
    organisation: Organisation, side: str, first: date, last: date
) -> dict[tuple[str, str], Decimal]:
    """Return the sums of the ledger's postings of months, by account and currency; as payer without what the
    organisation charges itself. One statement."""
    zone = ZoneInfo(organisation.region.time_zone)
    since, until = months_span(zone, first, last)
    rows = Posting.objects.filter(entry__at__gte=since, entry__at__lt=until)
    if side == HOST:
        rows = rows.filter(host=organisation)
    else:
        rows = rows.filter(payer=organisation).exclude(host=F("payer"))
    sums = rows.order_by().values_list("account", "currency").annotate(amount=Sum("amount"))
    return {(account, currency): amount for account, currency, amount in sums if amount}


def ledger_of(sums: Sums, side: str) -> dict[tuple[str, str], Decimal]:
    """Return the sums of a journal by account of the ledger and currency, to be compared with `load_ledger`;
    as payer the tax is part of what is spent."""
    found: dict[tuple[str, str], Decimal] = {}
    currencies = {currency for *_, currency in sums.roles}
    for currency in currencies:
        lines = [(role, amount) for (role, _, _, unit), amount in sums.roles.items() if unit == currency]
        for account, amount in rules.ledger_sums(lines, side).items():
            found[account, currency] = amount
    return found


def differences(sums: Sums, ledger: Mapping[tuple[str, str], Decimal], side: str) -> list[tuple[Any, ...]]:
    """Return where the journal and the ledger differ: account, currency, the sum in each."""
    ours, theirs = ledger_of(sums, side), dict(ledger)
    if side != HOST:  # what is spent is compared with revenue and tax together
        for (account, currency), amount in ledger.items():
            if account == "tax":
                del theirs[account, currency]
                theirs["revenue", currency] = theirs.get(("revenue", currency), NOUGHT) + amount
    keys = sorted({*ours, *theirs})
    pairs = [(*key, ours.get(key, NOUGHT), theirs.get(key, NOUGHT)) for key in keys]
    return [pair for pair in pairs if pair[2] != pair[3]]
