"""Publication of instruments."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.endpoint import Endpoint
from accounts.api.schema import operation
from accounts.api.shapes import ReasonBody, checked
from accounts.api.versions import expected_version
from instruments.api.registry import InstrumentShape, one
from instruments.selectors.registry import instrument_by_id
from instruments.services.publishing import instrument_confirm, instrument_publication


class Publication(Endpoint):
    """`act` is what the address says."""

    act = ""

    def post(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        expected = expected_version(request)
        data = checked(ReasonBody, request.data)

        def step() -> Response:
            instrument_by_id(self.actor, instrument_id)
            instrument_publication(
                actor=self.actor,
                instrument_id=instrument_id,
                act=self.act,
                reason=data["reason"],
                expected_version=expected,
                now=self.now,
            )
            return one(instrument_by_id(self.actor, instrument_id), self.now)

        return self.once(step)


def _described(name: str, summary: Any) -> Callable[[Any], Any]:
    return operation(
        name,
        summary,
        tag="instruments",
        takes=ReasonBody,
        gives=InstrumentShape,
        refuses=[404, 409, 422],
        versioned=True,
        once=True,
    )


class Submit(Publication):
    act = "submit"

    @_described("instrument_submit", _("Submit for publishing"))
    def post(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        """For members who may not publish themselves."""
        return super().post(request, instrument_id)


class Return(Publication):
    act = "return"

    @_described("instrument_return", _("Return for changes"))
    def post(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        """What was submitted becomes a draft again; whoever submitted it is told the reason."""
        return super().post(request, instrument_id)


class Publish(Publication):
    act = "publish"

    @_described("instrument_publish", _("Publish"))
    def post(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        """Takes a draft or submitted record that is complete to `published`, and brings back a
        suspended one. 422 `record-incomplete` names what is `missing`."""
        return super().post(request, instrument_id)


class Suspend(Publication):
    act = "suspend"

    @_described("instrument_suspend", _("Suspend"))
    def post(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        """Not bookable for the time being; bookings there are stay."""
        return super().post(request, instrument_id)


class Retire(Publication):
    act = "retire"

    @_described("instrument_retire", _("Retire"))
    def post(self, request: Request, instrument_id: UUID) -> HttpResponseBase:
        """Out of use for good. 422 `still-booked` while bookings are not over."""
        return super().post(request, instrument_id)


class Confirm(Endpoint):
    @operation(
        "instrument_confirm",
        _("Confirm the record"),
        tag="instruments",
        gives=InstrumentShape,
        refuses=[404, 409],
        versioned=True,
    )
    def post(self, request: Request, instrument_id: UUID) -> Response:
        """It is still true: not stale for another year. For the host's managers."""
        expected = expected_version(request)
        instrument_by_id(self.actor, instrument_id)
        instrument_confirm(
            actor=self.actor, instrument_id=instrument_id, expected_version=expected, now=self.now
        )
        return one(instrument_by_id(self.actor, instrument_id), self.now)
