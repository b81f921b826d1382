"""Charges, and what cancelling now would cost."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.pagination import Pages, paginated
from accounts.api.schema import operation, page
from accounts.api.shapes import Instant, Money, Text, amount, asked, rfc3339
from bookings.models import Charge
from bookings.selectors.charges import charges_for


class ChargeShape(serializers.Serializer[Any]):
    """What a finished, cancelled or missed reservation costs. `result` explains it: the quote
    of what was used, or the percent, fee and tax of the terms."""

    id = serializers.UUIDField()
    reservation = serializers.UUIDField()
    kind = serializers.ChoiceField(Charge.Kind.choices)
    total = Money()
    payable = Money()
    result = serializers.DictField()
    created_at = Instant()


class ListedChargeShape(ChargeShape):
    instrument = serializers.UUIDField()
    instrument_name = serializers.CharField()
    organisation = serializers.CharField(help_text="The payer.")
    host = serializers.CharField()


class ChargeQuery(Pages):
    organisation = Text(40, default="", help_text="The payer's code.")
    reservation = serializers.UUIDField(required=False)


def charge_json(charge: Charge) -> dict[str, Any]:
    return {
        "id": str(charge.pk),
        "reservation": str(charge.reservation_id),
        "kind": charge.kind,
        "total": amount(charge.total, charge.currency),
        "payable": amount(charge.payable, charge.currency),
        "result": charge.result,
        "created_at": rfc3339(charge.created_at),
    }


def listed_json(charge: Charge) -> dict[str, Any]:
    reservation = charge.reservation
    return {
        **charge_json(charge),
        "instrument": str(reservation.instrument_id),
        "instrument_name": reservation.instrument.name,
        "organisation": reservation.organisation.code,
        "host": reservation.host.code,
    }


class Charges(Endpoint):
    needs_person = True

    @operation(
        "charges",
        _("Charges"),
        tag="money",
        query=ChargeQuery,
        gives=page(ListedChargeShape),
    )
    def get(self, request: Request) -> Response:
        """Those of the reservations the person may see, the newest first."""
        query = asked(ChargeQuery, request.query_params)
        rows = charges_for(self.actor)
        if query["organisation"]:
            rows = rows.filter(reservation__organisation__code=query["organisation"])
        if "reservation" in query:
            rows = rows.filter(reservation_id=query["reservation"])
        return paginated(
            request,
            rows,
            query,
            ("-created_at", "-id"),
            lambda found: [listed_json(charge) for charge in found],
        )
