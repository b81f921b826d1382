"""Requirements in words, differences of money, and the reasons why bookings are not compared."""

from decimal import Decimal

from django import template
from django.utils.translation import gettext

from bookings.pricing.messages import left_out
from bookings.record.domain.money import minor_digits
from instruments.vocabulary.domain.parameters import Requirement
from instruments.vocabulary.messages import required_text
from instruments.vocabulary.selectors.needs import load_parameters

register = template.Library()
register.filter("left_out", left_out)


@register.filter
def required_words(requirement: Requirement) -> str:
    """Return the required values of a parameter in words."""
    return required_text(requirement, load_parameters()) or gettext("any")


@register.filter
def signed(value: Decimal, currency: str) -> str:
    """Return a difference with its sign: `+CNY 12.50`."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{currency} {abs(value):,.{minor_digits(currency)}f}"


@register.filter
def signed_percent(value: Decimal) -> str:
    """Return a percentage with its sign: `+4.2 %`."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{abs(value):.1f} %"
