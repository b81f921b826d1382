"""How pages write charts of accounts."""

from decimal import Decimal
from typing import Any

from django import template

from bookings.journal.forms.charts import ChartAccountBody
from bookings.journal.models import ChartAccount
from bookings.record.domain.money import format_number

register = template.Library()


@register.filter
def account_fields(row: ChartAccount) -> list[tuple[str, Any, str]]:
    """Return the fields of an account that can be changed: name, label and value."""
    return [
        (name, field.label, getattr(row, name)) for name, field in ChartAccountBody._declared_fields.items()
    ]


@register.filter
def normalised(value: Any) -> str:
    """Return a currency as it is, and a tax rate in percent without trailing zeros."""
    return f"{format_number(value)} %" if isinstance(value, Decimal) else str(value)
