"""A charge as the API shows it."""

from typing import Any

from rest_framework import serializers

from accounts.api.shapes import Instant, Money, amount, rfc3339
from bookings.pricing.models import Charge


class ChargeShape(serializers.Serializer[Any]):
    """What a finished, cancelled or missed reservation costs, tax included; `total` is `covered`
    by a voucher, for the rest `payable`. `result` explains it: the quote of what was used, or the
    percent, fee and tax of the terms. What takes a charge back (`reversal`, `melting`) has amounts
    below zero. `month` is the first day of the one it is stated in, once it is final."""

    id = serializers.UUIDField()
    reservation = serializers.UUIDField()
    kind = serializers.ChoiceField(Charge.Kind.choices)
    state = serializers.ChoiceField(Charge.State.choices)
    tax = Money()
    total = Money()
    covered = Money()
    payable = Money()
    grant = serializers.CharField(allow_null=True, help_text="The code of the voucher grant.")
    result = serializers.DictField()
    created_at = Instant()
    open_until = Instant(allow_null=True, help_text="Until when the payer may dispute it.")
    final_at = Instant(allow_null=True)
    month = serializers.DateField(allow_null=True)
    reverses = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField()


def moment_json(moment: Any) -> str | None:
    return rfc3339(moment) if moment else None


def charge_json(charge: Charge) -> dict[str, Any]:
    """Of a charge loaded with its grant."""
    currency = charge.currency
    return {
        "id": str(charge.pk),
        "reservation": str(charge.reservation_id),
        "kind": charge.kind,
        "state": charge.state,
        "tax": amount(charge.tax, currency),
        "total": amount(charge.total, currency),
        "covered": amount(charge.covered, currency),
        "payable": amount(charge.payable, currency),
        "grant": charge.grant.code if charge.grant else None,
        "result": charge.result,
        "created_at": rfc3339(charge.created_at),
        "open_until": moment_json(charge.open_until),
        "final_at": moment_json(charge.final_at),
        "month": charge.month.isoformat() if charge.month else None,
        "reverses": str(charge.reverses_id) if charge.reverses_id else None,
        "version": charge.version,
    }
