"""Fields of answers about bookings."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from bookings.record.domain.money import format_number


class PlainNumber(serializers.CharField):
    """A decimal as a string without trailing zeros: "12.5"."""

    def to_representation(self, value: Any) -> str:
        return format_number(Decimal(value))


class TextOrNull(serializers.CharField):
    """A text; null where it is empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return super().to_representation(value) or None


class Hex(serializers.CharField):
    """Bytes in hexadecimal digits."""

    def to_representation(self, value: Any) -> str:
        return bytes(value).hex()


class IdOf(serializers.UUIDField):
    """The id of a row."""

    def to_representation(self, value: Any) -> str:
        return str(value.pk)
