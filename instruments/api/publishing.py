"""Publication of instruments."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.api.resource import acts
from accounts.api.shapes import ReasonBody
from instruments.api.registry import InstrumentResource
from instruments.services.publishing import instrument_confirm, instrument_publication


class Publication(InstrumentResource):
    def _act(self, act: str, pk: UUID, data: dict[str, Any]) -> None:
        self.visible(pk)
        instrument_publication(self.by, instrument_id=pk, act=act, **data)

    @acts(_("Submit for publishing"), ReasonBody, refuses=[404, 409, 422])
    def submit(self, pk: UUID, data: dict[str, Any]) -> None:
        """For members who may not publish themselves."""
        self._act("submit", pk, data)

    @acts(_("Return for changes"), ReasonBody, refuses=[404, 409, 422], below="return")
    def give_back(self, pk: UUID, data: dict[str, Any]) -> None:
        """What was submitted becomes a draft again; whoever submitted it is told the reason."""
        self._act("return", pk, data)

    @acts(_("Confirm the record"), once=False)
    def confirm(self, pk: UUID) -> None:
        """It is still true: not stale for another year. For the host's managers."""
        self.visible(pk)
        instrument_confirm(self.by, instrument_id=pk)

    @acts(_("Publish"), ReasonBody, refuses=[404, 409, 422])
    def publish(self, pk: UUID, data: dict[str, Any]) -> None:
        """Takes a draft or submitted record that is complete to `published`, and brings back a
        suspended one. 422 `record-incomplete` names what is `missing`."""
        self._act("publish", pk, data)

    @acts(_("Suspend"), ReasonBody, refuses=[404, 409, 422])
    def suspend(self, pk: UUID, data: dict[str, Any]) -> None:
        """Not bookable for the time being; bookings there are stay."""
        self._act("suspend", pk, data)

    @acts(_("Retire"), ReasonBody, refuses=[404, 409, 422])
    def retire(self, pk: UUID, data: dict[str, Any]) -> None:
        """Out of use for good. 422 `still-booked` while bookings are not over."""
        self._act("retire", pk, data)
