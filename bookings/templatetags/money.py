"""The pages about money that somebody has."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from bookings.adapters.papers import quantity
from bookings.domain.money import format_number, minor_digits
from bookings.domain.statements import statement_number
from bookings.models import Statement
from bookings.selectors.papers import PaperLine

register = template.Library()


def _anybody(actor: Actor) -> bool:
    return actor.user_id is not None


def _has(*roles: str) -> Callable[[Actor], bool]:
    return lambda actor: any(actor.has(role) for role in roles)


# The first page of each part, its name, and who has it. Pages below one are named after it.
TABS = [
    ("money-charges", _("Charges"), _anybody),
    ("money-statements", _("Statements"), _has("manager", "finance", "auditor")),
    ("money-settlements", _("Settlement"), _has("coordinator", "auditor")),
    ("money-rates", _("Exchange rates"), _has("manager", "finance", "auditor")),
]


@register.inclusion_tag("bookings/money/tabs.html", takes_context=True)
def money_tabs(context: dict[str, Any]) -> dict[str, Any]:
    """The parts as tabs, that of the present page marked."""
    match = context["request"].resolver_match
    here = match.url_name if match else ""
    return {
        "tabs": [
            {
                "url": reverse(f"bookings:{name}"),
                "label": label,
                "is_here": here == name or here.startswith(f"{name}-"),
            }
            for name, label, is_for in TABS
            if is_for(context["actor"])
        ]
    }


# Statements and settlements

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
def numbered(statement: Statement) -> str:
    """`USTC-2026-0007`."""
    return statement_number(statement.host.code, statement.year, statement.number)


@register.filter
def still_to_pay(statement: Statement) -> Any:
    return statement.payable - statement.paid


@register.filter
def less_covered(statement: Statement) -> Any:
    """What vouchers pay, as what is taken off."""
    return -statement.covered


@register.filter
def instrument_of(line: PaperLine) -> str:
    """In the reader's language, where there is a name in it."""
    is_chinese = (translation.get_language() or "").startswith("zh")
    return (is_chinese and line.instrument_zh) or line.instrument


@register.filter
def quantity_of(line: PaperLine) -> str:
    """`2.5 h`, `12 samples`, `50 %`."""
    return quantity(line)


@register.filter
def short(number: Decimal) -> str:
    """A number without trailing zeros."""
    return format_number(number)


@register.filter
def plain_money(value: Decimal, currency: str) -> str:
    """An amount where its currency is said elsewhere: `1,234.50`."""
    return f"{value:,.{minor_digits(currency)}f}"


@register.filter
def figure_label(name: str) -> str:
    return str(FIGURES.get(name, name))


@register.filter
def figure_value(value: Decimal | int, currency: str) -> str:
    """A number of things as it is, an amount with its decimals."""
    return f"{value:,}" if isinstance(value, int) else plain_money(value, currency)
