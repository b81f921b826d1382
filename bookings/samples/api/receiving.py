"""How facilities receive samples by post."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.resource import Resource, acts, reads
from accounts.domain.errors import NotFound
from bookings.samples.forms.receiving import ReceivingBody
from bookings.samples.models import SampleReceiving
from bookings.samples.selectors.receiving import receiving_of
from bookings.samples.services.receiving import receiving_set
from instruments.register.selectors.registry import facility_by_id


class SampleReceivingShape(serializers.ModelSerializer[SampleReceiving]):
    """How a facility receives samples by post."""

    class Meta:
        model = SampleReceiving
        fields = ("recipient", "address", "phone", "hours", "not_accepted", "packing", "lead_days", "version")


class SampleReceivings(Resource):
    at, key, tag = "facilities/", "facility_id", "samples"
    name, many, shape = "sample_receiving", "sample_receivings", SampleReceivingShape
    needs_person = True

    def visible(self, pk: UUID) -> SampleReceiving:
        if row := receiving_of(facility_by_id(pk).pk):
            return row
        raise NotFound

    @reads(_("How a facility receives samples"), below="sample-receiving", address="api-sample-receiving")
    def detail(self, pk: UUID) -> None:
        """Return to whom and where samples are sent, when they are accepted, and how to pack them. 404 if the
        facility's managers have not said."""

    @acts(
        _("Set how a facility receives samples"),
        ReceivingBody,
        method="put",
        below="sample-receiving",
        address="api-sample-receiving",
        named="_set",
        once=False,
    )
    def set_receiving(self, pk: UUID, data: dict[str, Any]) -> SampleReceiving:
        """Set how a facility receives samples by post. Only the managers of its organisation may do this.
        `If-Match: "0"` if it was not set before."""
        return receiving_set(self.by, facility_id=pk, **data)
