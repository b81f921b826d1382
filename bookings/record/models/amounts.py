"""The database field for amounts of money."""

from typing import Any

from django.db import models


def amount_field(**options: Any) -> Any:
    """Return a field for amounts below 10^15, with three decimals, the most that any currency has. Amounts
    are rounded to the minor unit of their own currency before they are stored."""
    return models.DecimalField(max_digits=18, decimal_places=3, **options)
