"""A charge as the API shows it."""

from typing import Any

from rest_framework import serializers

from accounts.api.shapes import Instant, Money
from bookings.pricing.models import Charge


class ChargeShape(serializers.Serializer[Any]):
    """What a finished, cancelled or missed reservation costs, tax included; `total` is `covered`
    by a voucher, for the rest `payable`. `result` explains it: the quote of what was used, or the
    percent, fee and tax of the terms. What takes a charge back (`reversal`, `melting`) has amounts
    below zero. `month` is the first day of the one it is stated in, once it is final."""

    id = serializers.UUIDField()
    reservation = serializers.UUIDField(source="reservation_id")
    kind = serializers.ChoiceField(Charge.Kind.choices)
    state = serializers.ChoiceField(Charge.State.choices)
    tax = Money()
    total = Money()
    covered = Money()
    payable = Money()
    grant = serializers.CharField(
        source="grant.code", allow_null=True, help_text="The code of the voucher grant."
    )
    result = serializers.DictField()
    created_at = Instant()
    open_until = Instant(allow_null=True, help_text="Until when the payer may dispute it.")
    final_at = Instant(allow_null=True)
    month = serializers.DateField(allow_null=True)
    reverses = serializers.UUIDField(source="reverses_id", allow_null=True)
    version = serializers.IntegerField()
