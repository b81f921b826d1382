"""Load the contents of a statement or a settlement: for its page, its PDF and its table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import DecimalField, Exists, OuterRef, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce

from accounts.domain.invoice_details import NEEDED
from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.pricing.models import Charge
from bookings.settlement.domain.statements import day_of
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


# The tax rate with which a charge was made: from its inputs, for a fee from the quote in them; otherwise from
# the booking's rate card.
TAX_PERCENT = Cast(
    Coalesce(
        _json("charge__inputs", "card", "tax_percent"),
        _json("charge__inputs", "quote", "card", "tax_percent"),
        _json("charge__reservation__rate_card__card", "tax_percent"),
    ),
    DecimalField(max_digits=9, decimal_places=4),
)


@dataclass(frozen=True)
class PaperLine:
    """A line with one charge. Of `minutes` billed, `samples` and `percent` of a fee, one says what was
    charged for."""

    currency: str
    position: int
    charge: UUID
    reservation: UUID
    instrument: str
    instrument_zh: str
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


@dataclass(frozen=True)
class TaxSum:
    """The sums of the lines with one tax rate."""

    currency: str
    percent: Decimal
    net: Decimal
    tax: Decimal
    total: Decimal


def paper_rows(statement: Statement) -> QuerySet[StatementLine]:
    """Return the lines of a statement in their order, each with its tax rate, to be read in pages or as a
    whole."""
    rows: QuerySet[StatementLine] = lines_of(statement).annotate(tax_percent=TAX_PERCENT)
    return rows


def paper_lines(rows: Iterable[Any]) -> list[PaperLine]:
    """Return the rows of a statement (`paper_rows`) as lines with one charge each."""
    return [_line(row) for row in rows]


_SUMS = ("kind", "currency", "tax", "total", "covered", "payable")


def _line(row: Any) -> PaperLine:
    charge: Charge = row.charge
    reservation = charge.reservation
    instrument = reservation.instrument
    result = charge.result if isinstance(charge.result, dict) else {}
    samples = next(
        (
            Decimal(line["quantity"])
            for line in result.get("lines", ())
            if line.get("kind") == "usage" and "quantity" in line
        ),
        None,
    )
    minutes = result.get("billed_minutes") if samples is None else None
    percent = result.get("percent") if "lines" not in result else None
    return PaperLine(
        **{name: getattr(charge, name) for name in _SUMS},
        position=row.position,
        charge=charge.pk,
        reservation=reservation.pk,
        instrument=instrument.name,
        instrument_zh=instrument.name_zh,
        time_zone=instrument.facility.time_zone,
        start=reservation.start_at,
        end=reservation.end_at,
        kind_label=str(charge.get_kind_display()),
        minutes=minutes,
        samples=samples,
        percent=None if percent is None else Decimal(percent),
        tax_percent=row.tax_percent or Decimal(0),
        net=charge.total - charge.tax,
    )


def tax_sums(statement: Statement) -> list[TaxSum]:
    """Add up the lines by tax rate, the lowest first. One statement."""
    rows = (
        statement.lines.order_by()
        .annotate(percent=TAX_PERCENT)
        .values("percent")
        .annotate(tax=Sum("charge__tax"), total=Sum("charge__total"))
        .order_by("percent")
    )
    return [
        TaxSum(
            statement.currency,
            row["percent"] or Decimal(0),
            row["total"] - row["tax"],
            row["tax"],
            row["total"],
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
    bank_account: str = ""
    bank_account_changed_on: date | None = None

    @property
    def missing(self) -> list[str]:
        """Return the invoice details that the payer needs and this party has not entered."""
        return _missing(self)


@dataclass(frozen=True)
class Parties:
    """The host and the payer of a statement: as they were when it was drawn up (`is_kept`), or as they are
    now."""

    host: Party
    payer: Party
    is_kept: bool


_PRINTED = ("name", "name_zh", "legal_name", "address", "tax_number", "bank_account")


def parties_json(
    host: Organisation, payer: Organisation, payable: Decimal, time_zone: str
) -> dict[str, dict[str, str]]:
    """Return the invoice details of both, to be stored with a statement. The payer's bank account is included
    only if the host pays, on a credit."""
    kept = {
        name: {key: getattr(party, key) for key in _PRINTED}
        for name, party in (("host", host), ("payer", payer))
    }
    if payable >= 0:
        kept["payer"]["bank_account"] = ""
    if host.bank_account_changed_at:
        changed = day_of(host.bank_account_changed_at, time_zone)
        kept["host"]["bank_account_changed_on"] = changed.isoformat()
    return kept


def load_invoicing(actor: Actor) -> list[tuple[Organisation, list[str]]]:
    """Return the organisations whose books the actor keeps, and for those that bill others the invoice
    details that are missing. One statement, none for people who keep no books."""
    ours = actor.organisations_where("account")
    if not ours:
        return []
    bills = Exists(Charge.objects.filter(host=OuterRef("pk")))
    rows = Organisation.objects.filter(pk__in=ours).annotate(bills=bills).order_by("name", "pk")
    return [(row, _missing(row) if row.bills else []) for row in rows]


def _missing(details: Organisation | Party) -> list[str]:
    return [name for name in NEEDED if not getattr(details, name)]


def parties_of(row: Statement) -> Parties:
    """Return both parties as they were when it was drawn up, or as they are now if that was not stored."""
    zone = row.host_region.time_zone
    kept = row.parties or parties_json(row.host, row.payer, row.payable, zone)
    return Parties(_party(kept["host"]), _party(kept["payer"]), row.parties is not None)


def _party(kept: dict[str, str]) -> Party:
    changed = kept.get("bank_account_changed_on")
    return Party(
        **{name: kept[name] for name in _PRINTED},
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


def load_statement_paper(statement: Statement) -> StatementPaper:
    """Load a statement with everything that it shows. Three statements."""
    return StatementPaper(
        statement,
        parties_of(statement),
        paper_lines(paper_rows(statement)),
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
