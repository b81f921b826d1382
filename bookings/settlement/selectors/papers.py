"""Load the contents of a statement or a settlement: for its page, its PDF and its table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, DecimalField, Exists, OuterRef, Q, QuerySet, Sum, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce

from accounts.domain.errors import Invalid
from accounts.domain.invoice_details import BANK, BILLED_TO, NEEDED, is_paid_from_abroad, missing_of
from accounts.domain.roles import Actor
from accounts.models import Organisation, Region, User
from accounts.selectors.memberships import place_of
from accounts.selectors.rows import among, any_of
from bookings.funding.selectors.earmarks import codes_by_subject, paying
from bookings.pricing.domain.fees import cancellation_base, quote
from bookings.pricing.domain.quotes import input_from_json
from bookings.pricing.models import Charge, ClosedMonth
from bookings.pricing.selectors.taxes import country_of_region
from bookings.settlement.domain import papers as rules
from bookings.settlement.domain.statements import VOIDED, day_of
from bookings.settlement.models import Payment, Settlement, SettlementLine, Statement, StatementLine
from bookings.settlement.selectors.settlements import use_of
from bookings.settlement.selectors.statements import lines_of


def _json(path: str, *keys: str) -> KeyTextTransform:
    """Return the text under a path of keys in a JSON column behind foreign keys."""
    *outer, last = keys
    value: Any = path
    for key in outer:
        value = KeyTransform(key, value)
    return KeyTextTransform(last, value)


# The tax rate with which a charge was made: from its inputs, for a fee from the quote in them, for a reversal
# from the charge that it reverses; otherwise from the booking's rate card or the price of the place in a
# course.
TAX_PERCENT = Cast(
    Coalesce(
        _json("charge__inputs", "card", "tax_percent"),
        _json("charge__inputs", "quote", "card", "tax_percent"),
        _json("charge__reverses__inputs", "card", "tax_percent"),
        _json("charge__reverses__inputs", "quote", "card", "tax_percent"),
        _json("charge__reservation__rate_card__card", "tax_percent"),
        _json("charge__enrolment__price", "inputs", "card", "tax_percent"),
    ),
    DecimalField(max_digits=9, decimal_places=4),
)

# Whether the payer owes the tax of a charge: as was decided when it, or the one that it reverses, was made.
IS_REVERSED = Case(
    *(
        When(Q(**{f"{path}__reverse_charge": True}), then=True)
        for inputs in ("charge__inputs", "charge__reverses__inputs")
        for path in (inputs, f"{inputs}__quote")
    ),
    default=False,
)


@dataclass(frozen=True)
class PaperLine:
    """A line with one charge. Of `minutes` billed, `samples` and `percent` of a fee, one says what was
    charged for. `items` are the lines of its price, as they were stored: with quantity and unit price each.
    `sources` are the codes of the payer's funding sources, for readers on its side only."""

    currency: str
    position: int
    charge: UUID
    # A line is for a booking or for a place in a course, which then gives the names below.
    reservation: UUID | None
    enrolment: UUID | None
    course: UUID | None
    instrument: str
    instrument_zh: str
    user: User
    person: str
    time_zone: str
    start: datetime
    end: datetime
    kind: str
    kind_label: str
    minutes: int | None
    samples: Decimal | None
    percent: Decimal | None
    tax_percent: Decimal
    net: Decimal
    tax: Decimal
    total: Decimal
    covered: Decimal
    payable: Decimal
    is_reversed: bool = False
    items: tuple[Mapping[str, Any], ...] = ()
    sources: str = ""


@dataclass(frozen=True)
class TaxSum:
    """The sums of the lines with one tax rate; apart from others those on which the payer owes the tax."""

    currency: str
    percent: Decimal
    net: Decimal
    tax: Decimal
    total: Decimal
    is_reversed: bool = False


def paper_rows(statement: Statement) -> QuerySet[StatementLine]:
    """Return the lines of a statement in their order, each with its tax rate, to be read in pages or as a
    whole."""
    rows: QuerySet[StatementLine] = lines_of(statement).annotate(
        tax_percent=TAX_PERCENT, is_reversed=IS_REVERSED
    )
    return rows


def paper_lines(rows: Iterable[Any], sources: Mapping[UUID, str] | None = None) -> list[PaperLine]:
    """Return the rows of a statement (`paper_rows`) as lines with one charge each, with the `sources` of
    their bookings if these may be shown."""
    return [_line(row, sources or {}) for row in rows]


def reads_sources(actor: Actor, statement: Statement) -> bool:
    """Say whether the actor may read from which sources a statement is paid: those who read the payer's
    money. Hosts see none of their guests'."""
    return actor.may("read-money", place_of(statement.payer))


def sources_of(statement: Statement) -> dict[UUID, str]:
    """Return the codes of the funding sources of each booking and place on a statement, by its id. One
    statement."""
    lines = statement.lines.order_by()
    booked = lines.filter(charge__reservation__isnull=False).values("charge__reservation")
    attended = lines.filter(charge__enrolment__isnull=False).values("charge__enrolment")
    of_either = any_of([among("reservation", booked), among("enrolment", attended)])
    return codes_by_subject(paying().filter(of_either))


def people_of(statement: Statement) -> list[User]:
    """Return the people whose names a statement prints. One statement."""
    lines = statement.lines.order_by()
    theirs = [lines.values(f"charge__{thing}__user") for thing in ("reservation", "enrolment")]
    return list(User.objects.filter(any_of([among("pk", ids) for ids in theirs])))


def long_statements_with(user_id: UUID, least: int) -> list[UUID]:
    """Return the ids of the statements with at least so many charges on which somebody is. One statement."""
    charges = [Charge.objects.filter(**{f"{t}__user": user_id}) for t in ("reservation", "enrolment")]
    lines = StatementLine.objects.filter(any_of([among("charge", one.values("pk")) for one in charges]))
    rows = Statement.objects.filter(among("pk", lines.values("statement")), charges__gte=least)
    return list(rows.order_by().values_list("pk", flat=True))


_SUMS = ("kind", "currency", "tax", "total", "covered", "payable")


def _line(row: Any, sources: Mapping[UUID, str]) -> PaperLine:
    charge: Charge = row.charge
    thing = charge.thing
    result = charge.result if isinstance(charge.result, dict) else {}
    samples = next(
        (
            Decimal(line["quantity"])
            for line in result.get("lines", ())
            if line.get("kind") == "usage" and "quantity" in line
        ),
        None,
    )
    is_of_time = samples is None and charge.enrolment_id is None  # a place in a course has no minutes
    minutes = result.get("billed_minutes") if is_of_time else None
    percent = result.get("percent") if "lines" not in result else None
    return PaperLine(
        **{name: getattr(charge, name) for name in _SUMS},
        position=row.position,
        charge=charge.pk,
        reservation=charge.reservation_id,
        enrolment=charge.enrolment_id,
        course=charge.enrolment.session.course_id if charge.enrolment else None,
        instrument=thing.name,
        instrument_zh=thing.name_zh,
        user=charge.person,
        person=str(charge.person),
        time_zone=charge.time_zone,
        start=charge.start_at,
        end=charge.end_at,
        kind_label=str(charge.get_kind_display()),
        minutes=minutes,
        samples=samples,
        percent=None if percent is None else Decimal(percent),
        tax_percent=row.tax_percent or Decimal(0),
        net=charge.total - charge.tax,
        is_reversed=row.is_reversed,
        items=_items(charge, result),
        sources=sources.get(charge.reservation_id or charge.enrolment_id or charge.pk, ""),
    )


def _items(charge: Charge, result: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the lines of a charge's price; options that its card counts in hours say so (`unit`). Of a fee
    for not using a booking it is the share of the price that the fee is taken of."""
    inputs = charge.inputs if isinstance(charge.inputs, dict) else {}
    if "percent" in result and "fee" in result and "lines" not in result:
        return _fee(inputs, result)
    units = {one["code"]: one["unit"] for one in inputs.get("card", {}).get("options", ())}
    return tuple(
        {**line, "unit": units.get(line.get("code"), "each")} if line.get("kind") == "option" else line
        for line in result.get("lines", ())
    )


def _fee(inputs: Mapping[str, Any], result: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the line of a fee: the price that was quoted without options, and the share of it that is
    charged. Charges without a whole quote have none."""
    try:
        base = cancellation_base(quote(input_from_json(inputs["quote"])))
    except (KeyError, TypeError, ValueError, ArithmeticError, Invalid):
        return ()
    return ({"kind": "fee", "base": f"{base:f}", "percent": result["percent"], "amount": result["fee"]},)


def tax_sums(statement: Statement) -> list[TaxSum]:
    """Add up the lines by tax rate, the lowest first. One statement."""
    rows = (
        statement.lines.order_by()
        .annotate(percent=TAX_PERCENT, is_reversed=IS_REVERSED)
        .values("percent", "is_reversed")
        .annotate(tax=Sum("charge__tax"), total=Sum("charge__total"))
        .order_by("percent", "is_reversed")
    )
    return [
        TaxSum(
            statement.currency,
            row["percent"] or Decimal(0),
            row["total"] - row["tax"],
            row["tax"],
            row["total"],
            row["is_reversed"],
        )
        for row in rows
    ]


def payments_of(paper: Statement | Settlement) -> Sequence[Payment]:
    """Return the payments on a statement or settlement, in the order in which they were recorded."""
    return list(paper.payments.select_related("entered_by").order_by("entered_at", "id"))


@dataclass(frozen=True)
class Party:
    """One of the two parties on a statement, with its invoice details."""

    name: str
    name_zh: str
    legal_name: str = ""
    address: str = ""
    tax_number: str = ""
    bank_name: str = ""
    account_number: str = ""
    iban: str = ""
    bic: str = ""
    bank_account: str = ""
    country: str = ""  # ISO 3166, of its region; empty on statements drawn up before it was stored
    bank_account_changed_on: date | None = None

    @property
    def missing(self) -> list[str]:
        """Return the invoice details that the payer needs and this party has not entered."""
        return missing_of(self)

    @property
    def unnamed(self) -> list[str]:
        """Return the details that name this party on an invoice and that it has not entered."""
        return missing_of(self, BILLED_TO)

    def lacks_account_for(self, other: "Party") -> bool:
        """Say whether the other is in another country, from which no bank could pay to this account."""
        is_abroad = bool(self.country and other.country) and self.country != other.country
        return is_abroad and not is_paid_from_abroad(self)

    def account_for(self, other: "Party") -> list[tuple[str, str]]:
        """Return the details of the account of this party that the other needs, as (name, value)."""
        bank = {name: getattr(self, name) for name in BANK}
        return rules.account_of(bank, self.country, other.country)


@dataclass(frozen=True)
class Parties:
    """The host and the payer of a statement: as they were when it was drawn up (`is_kept`), or as they are
    now."""

    host: Party
    payer: Party
    is_kept: bool


_PRINTED = ("name", "name_zh", "legal_name", "address", "tax_number", *BANK)


def parties_json(
    host: Organisation, payer: Organisation, payable: Decimal, time_zone: str
) -> dict[str, dict[str, str]]:
    """Return the invoice details of both, to be stored with a statement. The payer's bank account is included
    only if the host pays, on a credit."""
    kept = {
        name: {key: getattr(party, key) for key in _PRINTED}
        for name, party in (("host", host), ("payer", payer))
    }
    for name, party in (("host", host), ("payer", payer)):
        kept[name]["country"] = country_of_region(party.region)
    if payable >= 0:
        kept["payer"] |= dict.fromkeys(BANK, "")
    if host.bank_account_changed_at:
        changed = day_of(host.bank_account_changed_at, time_zone)
        kept["host"]["bank_account_changed_on"] = changed.isoformat()
    return kept


def load_invoicing(actor: Actor) -> list[tuple[Organisation, list[str]]]:
    """Return the organisations whose books the actor keeps, and the invoice details that are missing: of
    those that bill others, and of those that others bill. One statement, none for who keeps no books."""
    ours = actor.organisations_where("account")
    if not ours:
        return []
    bills = Exists(Charge.objects.filter(host=OuterRef("pk")))
    billed = Exists(Charge.objects.filter(organisation=OuterRef("pk")).exclude(host=OuterRef("pk")))
    rows = Organisation.objects.filter(pk__in=ours).annotate(bills=bills, is_billed=billed)
    return [
        (row, missing_of(row, NEEDED if row.bills else BILLED_TO) if row.bills or row.is_billed else [])
        for row in rows.order_by("name", "pk")
    ]


def _next_charges() -> QuerySet[Charge]:
    """Return the charges that no drawn-up month of their host holds: the next statements bill them."""
    closed = ClosedMonth.objects.filter(host=OuterRef("host"), month=OuterRef("month"))
    return Charge.objects.filter(Q(month=None) | ~Exists(closed))


def load_payers_unnamed(actor: Actor) -> list[tuple[Organisation, list[str]]]:
    """Return the payers that the next statements of the actor's hosts will bill, and which of their names,
    addresses and tax numbers are missing; those without gaps are left out. One statement, none for who keeps
    no books."""
    ours = actor.organisations_where("account")
    if not ours:
        return []
    next_ones = _next_charges().filter(host__in=ours, organisation=OuterRef("pk"))
    gaps = Q(legal_name="") | Q(address="") | Q(tax_number="")
    rows = Organisation.objects.filter(gaps, Exists(next_ones)).exclude(pk__in=ours)
    return [(row, missing_of(row, BILLED_TO)) for row in rows.order_by("name", "pk")[:MOST_UNNAMED]]


def load_unpayable_from_abroad(actor: Actor) -> list[Organisation]:
    """Return the organisations whose books the actor keeps whose next statements bill payers in other
    countries, from which no bank could pay to their account. One statement, and one for each that has neither
    IBAN nor BIC."""
    ours = Organisation.objects.filter(pk__in=actor.organisations_where("account"), iban="", bic="")
    found = []
    for host in ours.select_related("region").order_by("name", "pk"):
        here = country_of_region(host.region)
        if not here or is_paid_from_abroad(host):
            continue
        payers = _next_charges().filter(host=host).order_by().values("payer_region")
        if {country_of_region(one) for one in Region.objects.filter(pk__in=payers)} - {"", here}:
            found.append(host)
    return found


def is_plain(statement: Statement) -> bool:
    """Say whether a statement is an internal note that has neither tax nor vouchers to show."""
    return statement.payer_id == statement.host_id and not statement.tax and not statement.covered


MOST_UNNAMED = 20  # payers in a warning


def tax_note_of(row: Statement, parties: Parties, taxes: Iterable[TaxSum]) -> str:
    """Return what a statement with these sums says of a tax that it does not charge
    (`domain.papers.tax_note`)."""
    if row.payer_id == row.host_id:
        return rules.NO_TAX
    return rules.tax_note(
        host_country=parties.host.country,
        payer_country=parties.payer.country,
        is_reversed=any(one.is_reversed for one in taxes),
        tax=row.tax,
    )


def e_invoice_gaps(row: Statement, parties: Parties) -> list[str] | None:
    """Return what an electronic invoice by EN 16931 of a statement still lacks; None if none is made of it:
    the payer's country does not take them, or the statement is void or an internal note."""
    if row.state == VOIDED or row.payer_id == row.host_id:
        return None
    if parties.payer.country not in rules.TAKES_E_INVOICES:
        return None
    gaps = [name for name in ("legal_name", "tax_number") if not getattr(parties.host, name)]
    return gaps + ([] if parties.host.country else ["country"])


def parties_of(row: Statement) -> Parties:
    """Return both parties as they were when it was drawn up, or as they are now if that was not stored."""
    zone = row.host_region.time_zone
    kept = row.parties or parties_json(row.host, row.payer, row.payable, zone)
    return Parties(_party(kept["host"]), _party(kept["payer"]), row.parties is not None)


def _party(kept: dict[str, str]) -> Party:
    changed = kept.get("bank_account_changed_on")
    return Party(
        **{name: kept.get(name, "") for name in (*_PRINTED, "country")},
        bank_account_changed_on=date.fromisoformat(changed) if changed else None,
    )


@dataclass(frozen=True)
class StatementPaper:
    """A statement with everything that it shows."""

    statement: Statement
    parties: Parties
    lines: list[PaperLine]
    taxes: list[TaxSum]
    payments: Sequence[Payment]

    @property
    def tax_note(self) -> str:
        return tax_note_of(self.statement, self.parties, self.taxes)


def load_statement_paper(statement: Statement, sources: Mapping[UUID, str] | None = None) -> StatementPaper:
    """Load a statement with everything that it shows; with `sources` (`sources_of`) for its payer. Three
    statements."""
    return StatementPaper(
        statement,
        parties_of(statement),
        paper_lines(paper_rows(statement), sources),
        tax_sums(statement),
        payments_of(statement),
    )


@dataclass(frozen=True)
class SettlementPaper:
    """A settlement with everything that it shows: use by organisation in both directions, first that of the
    first region's organisations."""

    settlement: Settlement
    by_first: list[SettlementLine]
    by_second: list[SettlementLine]
    payments: Sequence[Payment]


def load_settlement_paper(settlement: Settlement) -> SettlementPaper:
    """Load a settlement with everything that it shows. Two statements. The region of each payer is taken from
    the charges, since the payer may have moved."""
    charges = Charge.objects.filter(
        host=OuterRef("host"),
        organisation=OuterRef("payer"),
        month=settlement.month,
        currency=settlement.currency,
        payer_region=settlement.first_id,
        host_region=settlement.second_id,
    )
    lines: list[Any] = list(use_of(settlement).annotate(is_by_first=Exists(charges)))
    by_first = [line for line in lines if line.is_by_first]
    by_second = [line for line in lines if not line.is_by_first]
    return SettlementPaper(settlement, by_first, by_second, payments_of(settlement))
