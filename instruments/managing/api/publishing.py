"""The API for the publication of instruments."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.api.resource import acts
from accounts.api.shapes import ReasonBody
from instruments.managing.api.registry import InstrumentResource
from instruments.managing.services.publishing import instrument_confirm, instrument_publication


class Publication(InstrumentResource):
    def _act(self, act: str, pk: UUID, data: dict[str, Any]) -> None:
        instrument_publication(self.by, instrument_id=pk, act=act, **data)

    @acts(_("Submit for publishing"), ReasonBody, refuses=[404, 409, 422])
    def submit(self, pk: UUID, data: dict[str, Any]) -> None:
        """Submits a draft record to the managers, for members who may not publish it themselves."""
        self._act("submit", pk, data)

    @acts(_("Return for changes"), ReasonBody, refuses=[404, 409, 422], below="return")
    def give_back(self, pk: UUID, data: dict[str, Any]) -> None:
        """Returns a submitted record, which becomes a draft again; the person who submitted it is told the
        reason."""
        self._act("return", pk, data)

    @acts(_("Confirm the record"), once=False)
    def confirm(self, pk: UUID) -> None:
        """Confirms, for the host's managers, that the record is still true; it then counts as current for
        another year."""
        instrument_confirm(self.by, instrument_id=pk)

    @acts(_("Publish"), ReasonBody, refuses=[404, 409, 422])
    def publish(self, pk: UUID, data: dict[str, Any]) -> None:
        """Publishes a complete draft or submitted record, or brings back a suspended one. 422
        `record-incomplete` lists what is `missing`."""
        self._act("publish", pk, data)

    @acts(_("Suspend"), ReasonBody, refuses=[404, 409, 422])
    def suspend(self, pk: UUID, data: dict[str, Any]) -> None:
        """Suspends an instrument, which cannot be booked for the time being; existing bookings stay."""
        self._act("suspend", pk, data)

    @acts(_("Retire"), ReasonBody, refuses=[404, 409, 422])
    def retire(self, pk: UUID, data: dict[str, Any]) -> None:
        """Retires an instrument for good. 422 `still-booked` if it has bookings that are not over."""
        self._act("retire", pk, data)
