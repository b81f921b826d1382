"""Differences of money, and why bookings are not compared."""

from decimal import Decimal

from django import template

from bookings.record.domain.money import minor_digits
from bookings.record.messages import left_out

register = template.Library()
register.filter("left_out", left_out)


@register.filter
def signed(value: Decimal, currency: str) -> str:
    """A difference with its sign: `+CNY 12.50`."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{currency} {abs(value):,.{minor_digits(currency)}f}"


@register.filter
def signed_percent(value: Decimal) -> str:
    """`+4.2 %`."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{abs(value):.1f} %"
