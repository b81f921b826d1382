"""Fields of answers about bookings."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from bookings.record.domain.money import format_number


class PlainNumber(serializers.CharField):
    """A decimal as a string without trailing zeros: "12.5"."""

    def to_representation(self, value: Any) -> str:
        return format_number(Decimal(value))
