"""A charge as the API shows it."""

from typing import Any

from rest_framework import serializers

from accounts.api.shapes import Instant, Money
from bookings.pricing.models import Charge


class ChargeShape(serializers.Serializer[Any]):
    """A charge for a finished, cancelled or missed `reservation`, or for a course that was attended (its
    place is the `enrolment`), tax included; of `total`, a voucher pays `covered` and the payer `payable`.
    `result` explains it: the quote of the actual use or of the place, or the percent, fee and tax of the
    terms. A charge that takes another back (`reversal`, `melting`) has negative amounts. `month` is the first
    day of the month on whose statement it is, once it is final."""

    id = serializers.UUIDField()
    reservation = serializers.UUIDField(source="reservation_id", allow_null=True)
    enrolment = serializers.UUIDField(source="enrolment_id", allow_null=True)
    kind = serializers.ChoiceField(Charge.Kind.choices)
    state = serializers.ChoiceField(Charge.State.choices)
    tax = Money()
    total = Money()
    covered = Money()
    payable = Money()
    grant = serializers.CharField(
        source="grant.code", allow_null=True, help_text="Code of the voucher grant."
    )
    result = serializers.DictField()
    created_at = Instant()
    open_until = Instant(allow_null=True, help_text="The end of the time in which the payer may dispute it.")
    final_at = Instant(allow_null=True)
    month = serializers.DateField(allow_null=True)
    reverses = serializers.UUIDField(source="reverses_id", allow_null=True)
    version = serializers.IntegerField()
