"""The pages about money that somebody has, and how money is written on pages."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.letters.words import BANK_LABELS, listed, named
from accounts.models import Region
from accounts.selectors.waits import kinds
from bookings.charging.models import Posting
from bookings.pricing.domain import charges
from bookings.pricing.domain.fees import cancellation_base, quote
from bookings.pricing.domain.quotes import input_from_json, least_charged, minimum_charged
from bookings.pricing.models import Charge
from bookings.pricing.selectors import sides
from bookings.pricing.selectors.agreements import recognised_regions
from bookings.pricing.selectors.vouchers import programmes_of
from bookings.record.domain.money import format_number, minor_digits
from bookings.record.models import Reservation
from bookings.settlement.adapters.papers import item_words, quantity
from bookings.settlement.domain.statements import statement_number
from bookings.settlement.models import Settlement, Statement
from bookings.settlement.selectors.ageing import BUCKET_LABELS
from bookings.settlement.selectors.papers import PaperLine
from bookings.settlement.selectors.postings import month_of
from instruments.rates.selectors.ratecards import load_card
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument

register = template.Library()


def _anybody(actor: Actor) -> bool:
    return actor.user_id is not None


def _has(*roles: str) -> Callable[[Actor], bool]:
    return lambda actor: any(actor.has(role) for role in roles)


# The first page of each part, its name, and who has it. Pages below have names that begin with it.
TABS = [
    ("money", _("Overview"), _anybody),
    ("money-charges", _("Charges"), _anybody),
    ("money-sessions", _("Sessions to complete"), _has("manager")),
    ("money-funding", _("Funding"), _anybody),
    ("money-agreements", _("Agreements"), _anybody),
    ("money-vouchers", _("Vouchers"), _anybody),
    ("money-statements", _("Statements"), _has("manager", "finance", "auditor")),
    ("money-notices", _("Reported payments"), _has("manager", "finance", "auditor")),
    ("money-payments", _("Payments"), _has("manager", "finance", "auditor")),
    ("money-bank", pgettext_lazy("accounting", "Bank"), _has("finance", "auditor")),
    ("money-ageing", _("Ageing"), _has("manager", "finance")),
    ("money-settlements", _("Settlement"), _has("coordinator", "auditor")),
    ("money-journal", pgettext_lazy("accounting", "Journal"), _has("finance", "auditor")),
    ("money-postings", _("Postings"), _has("manager", "finance", "auditor", "coordinator")),
    ("findings", _("Findings"), _has("manager", "finance")),
    ("money-rates", _("Exchange rates"), _has("manager", "finance", "auditor")),
]


@register.inclusion_tag("bookings/pricing/tabs.html", takes_context=True)
def money_tabs(context: dict[str, Any]) -> dict[str, Any]:
    """Return the pages about money as tabs, the present one marked."""
    match = context["request"].resolver_match
    here = match.url_name if match else ""
    return {
        "tabs": [
            {
                "url": reverse(f"bookings:{name}"),
                "label": label,
                "is_here": here == name or (name != "money" and here.startswith(f"{name}-")),
            }
            for name, label, is_for in TABS
            if is_for(context["actor"])
        ]
    }


# State of an agreement, programme or grant -> its words, and the badge that looks right.
STATES = {
    "proposed": (_("proposed"), "requested"),
    "coming": (_("coming"), "requested"),
    "in_force": (_("in force"), "confirmed"),
    "over": (_("over"), "completed"),
    "withdrawn": (_("withdrawn"), "cancelled"),
    "open": (pgettext_lazy("grant", "open"), "confirmed"),
    "suspended": (_("suspended"), "suspended"),
    "used_up": (_("used up"), "completed"),
    "expired": (_("expired"), "expired"),
}
# Figures of statements and settlements.
FIGURES = {
    "charges": _("Charges"),
    "total": _("Total"),
    "tax": _("Tax"),
    "covered": _("Paid by vouchers"),
    "payable": _("Payable"),
    "paid": _("Paid"),
    "net": _("Net"),
    "first_owes": _("Owed by the first region"),
    "second_owes": _("Owed by the second region"),
}


@register.filter
def bucket_label(name: str) -> str:
    return str(BUCKET_LABELS[name])


@register.filter
def state_words(state: str) -> str:
    return str(STATES[state][0])


@register.filter
def state_look(state: str) -> str:
    return STATES[state][1]


SIDES = {
    sides.OWING: _("to be paid by you"),
    sides.OWED: _("to be paid to you"),
    sides.CREDIT_OWED: _("credited to you"),
    sides.CREDIT_OWING: _("credited by you"),
    sides.INTERNAL: _("internal"),
}


@register.filter
def part_of_money(name: str) -> str:
    """Return the title of a page of money by the end of its name, such as `statements`."""
    return str(next(label for page, label, _ in TABS if page == f"money-{name}"))


@register.filter
def side_label(side: str) -> str:
    """Name the side of a sum on which the reader's organisations are; empty when on none."""
    return str(SIDES.get(side, ""))


@register.filter
def is_by_move(charge: Charge) -> bool:
    """Say whether a charge is for cancelling a booking that was moved late."""
    return charges.is_by_move(charge.kind, charge.inputs)


@register.filter
def is_reversed(priced: Any) -> bool:
    """Say whether the payer of a charge or stored quote owes the tax, of which the host charges none."""
    inputs = priced.inputs if priced else {}
    return bool(inputs.get("quote", inputs).get("reverse_charge", False))


@register.filter
def fee_base(charge: Charge) -> Decimal | None:
    """Return the price of which the fee of a charge is a percentage, before tax and vouchers; None if the
    charge is of another kind."""
    is_of_booking = charge.kind in (Charge.Kind.CANCELLATION, Charge.Kind.NO_SHOW)
    if not is_of_booking or "quote" not in charge.inputs:
        return None
    return cancellation_base(quote(input_from_json(charge.inputs["quote"])))


@register.filter
def by_hour_of(charge: Charge) -> frozenset[str]:
    """Return the codes of the options that a charge counts in hours."""
    card = charge.inputs.get("quote", charge.inputs).get("card", {})
    return frozenset(option["code"] for option in card.get("options", ()) if option["unit"] == "hour")


@register.filter
def counted(line: Mapping[str, Any], by_hour: Collection[str]) -> str:
    """Return the quantity of an option's line: `2 h` of one counted in hours (`by_hour`), else `2`."""
    number = str(line["quantity"])
    return gettext("{hours} h").format(hours=number) if line.get("code") in (by_hour or ()) else number


@register.filter
def minimum_of(charge: Charge) -> int:
    """Return the least minutes by which the use of a charge is charged; 0 if it was as long, or for a place
    in a course, which is not charged by time."""
    return 0 if charge.enrolment_id else minimum_charged(charge.inputs)


@register.filter
def least_of(reservation: Reservation) -> int:
    """Return the least minutes by which a booking (loaded with its rate card) is charged; 0 if it is as
    long."""
    card = load_card(reservation.rate_card).values.for_mode(reservation.service_mode)
    if card.rate_unit != "hour":
        return 0
    return least_charged(card.minimum_minutes, reservation.start_at, reservation.end_at)


@register.filter
def plain_number(value: Any) -> str:
    """Return a percentage without trailing zeros: `12.5`."""
    return format_number(value)


@register.simple_tag
def recognised_at(instrument: Instrument, now: datetime) -> list[Region]:
    """Return the regions whose certificates for a technique are recognised at an instrument on the day of a
    moment."""
    zone = ZoneInfo(instrument.facility.time_zone)
    return recognised_regions(instrument.region_id, local_date(zone, now))


@register.filter
def voucher_name(code: str) -> str:
    """Return the name of the programme of the voucher grant with a code, which people never see."""
    return named(programmes_of([code]).get(code))


# Why a voucher does not pay for a booking (pricing/domain/vouchers.py).
WHY_NOT = {
    "suspended": _("suspended, or not for your organisation"),
    "not-yet": _("not valid yet on that day"),
    "expired": _("no longer valid on that day"),
    "used-up": _("used up"),
    "other-currency": _("in another currency than this price"),
    "moved-away": _("your organisation belongs to another region by then"),
    "other-host": _("not for instruments of this region"),
    "not-honoured": _("no agreement with this region honours it"),
}


@register.filter
def why_not(code: str) -> str:
    return str(WHY_NOT[code])


@register.filter
def numbered(statement: Statement) -> str:
    """Return the number of a statement: `USTC-2026-0007`."""
    return statement_number(statement.host.code, statement.year, statement.number)


@register.filter
def still_to_pay(statement: Statement) -> Any:
    return statement.payable - statement.paid


DETAILS = {
    "legal_name": _("legal name"),
    "address": _("address"),
    "tax_number": _("tax number"),
    "bank_account": _("bank account"),
}


@register.filter
def details_named(names: list[str]) -> str:
    """Return invoice details in words: `address, bank account`."""
    return listed(DETAILS[name] for name in names)


@register.filter
def bank_label(name: str) -> str:
    """Name a detail of a bank account: `IBAN`."""
    return str(BANK_LABELS[name])


@register.filter
def item_of(item: Mapping[str, Any], currency: str) -> str:
    """Write a line of a statement's price in words: `2 h × 150.00 = 300.00`."""
    return item_words(item, currency)


@register.filter
def less_covered(statement: Statement) -> Any:
    """Return the amount that vouchers pay of a statement, as a deduction."""
    return -statement.covered


@register.filter
def instrument_of(line: PaperLine) -> str:
    """Return the name of a line's instrument in the reader's language, if it has one."""
    is_chinese = (translation.get_language() or "").startswith("zh")
    return (is_chinese and line.instrument_zh) or line.instrument


@register.filter
def quantity_of(line: PaperLine) -> str:
    """Return the quantity of a line in words: `2.5 h`, `12 samples`, `50 %`."""
    return quantity(line)


@register.filter
def short(number: Decimal) -> str:
    """Return a number without trailing zeros."""
    return format_number(number)


@register.filter
def plain_money(value: Decimal, currency: str) -> str:
    """Return an amount without its currency, which is stated elsewhere: `1,234.50`."""
    return f"{value:,.{minor_digits(currency)}f}"


@register.filter
def figure_label(name: str) -> str:
    return str(FIGURES.get(name, name))


@register.filter
def figure_value(value: Decimal | int, currency: str) -> str:
    """Return a number of things as it is, an amount with its decimals."""
    return f"{value:,}" if isinstance(value, int) else plain_money(value, currency)


# By figure of a statement or settlement, which of its postings it consists of.
_POSTED = {
    "total": {"account": "earned"},
    "tax": {"account": "tax"},
    "covered": {"account": "subsidy"},
    "payable": {"account": "receivable", "kind": "charge"},
    "paid": {"account": "received"},
    "net": {"account": "subsidy", "kind": "charge"},
}


@register.simple_tag
def postings_of(figure: str, statement: Statement | None, settlement: Settlement | None) -> str:
    """Return the address of the postings that a figure of a statement or settlement consists of; empty for a
    number of charges."""
    of = {"statement": statement.pk} if statement else {"settlement": settlement.pk} if settlement else {}
    only = _POSTED.get(figure)
    if settlement and figure in ("first_owes", "second_owes"):
        payer = settlement.first if figure == "first_owes" else settlement.second
        only = {"account": "subsidy", "kind": "charge", "payer_region": payer.code}
    return reverse("bookings:money-postings", query=of | only) if of and only else ""


@register.filter
def month_of_posting(row: Posting) -> Any:
    """Return the month that a posting belongs to; None for a charge that is not final."""
    return month_of(row)


@register.simple_tag
def waits_url(what: str) -> str:
    """Return the address of the list of exactly what is counted."""
    kind = kinds()[what]
    return reverse(kind.page) + kind.query


@register.filter
def waits_for(what: str, number: int) -> str:
    """Return the words for a number of pending rows: `disputes to answer`."""
    return str(kinds()[what].words % number)


@register.filter
def waits_because(what: str) -> str:
    return str(kinds()[what].because)
