"""How amounts of money are kept."""

from typing import Any

from django.db import models


def amount_field(**options: Any) -> Any:
    """Amounts below 10^15, with the three decimals that the finest currencies have; they are
    rounded to the minor unit of their own currency before they come here."""
    return models.DecimalField(max_digits=18, decimal_places=3, **options)
