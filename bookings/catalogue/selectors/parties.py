"""Plain values of a booking to be made, and of the person and organisation it is for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import Organisation
from bookings.availability.domain.availability import Hazard
from bookings.funding.domain.funding import Share
from bookings.pricing.selectors.fees import PriceRequest
from bookings.record.domain.periods import Period


@dataclass(frozen=True)
class Booking:
    """A booking that a person requests; `options` are quantities of the card's options.

    hold: the reservation in state `held` that this completes; needs_hold: refuse the booking if that hold has
    expired or does not match, instead of booking without it; on_behalf_of: the id or mail address of the
    person it is for, if another; override: codes of rules that a manager overrides, with the reason; funding:
    the payer's sources, by percent, or None for the person's default; lapsed: the codes of sources of that
    default that can pay no longer; sample_items: ids of the person's
    samples that it is for; hazards: those of the samples, once these are locked. house_rules: the version of
    the house rules that the person who books accepts. held_for: what the hold was kept for, if not for a
    form. at_most: the amount payable, and its currency, that the person has read; a higher price is refused.
    bid_discount_percent: by how much the bid that it accepts is below the card. need: the id of the need that
    it is for.
    answers: to the questions asked at booking, of which the version `questions_version` was read. reference,
    metadata: what the caller notes at it, for the payer's side.
    """

    instrument_id: UUID
    period: Period
    organisation: str | None
    service_mode: str
    purpose: str = "research"
    purpose_text: str = ""
    samples: str = ""
    options: Mapping[str, Decimal] = field(default_factory=dict)
    quantity: Decimal | None = None
    hold: UUID | None = None
    needs_hold: bool = True
    on_behalf_of: str = ""
    override: tuple[str, ...] = ()
    reason: str = ""
    funding: tuple[Share, ...] | None = ()
    lapsed: tuple[str, ...] = ()
    sample_items: tuple[UUID, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    house_rules: int | None = None
    held_for: str = ""
    at_most: tuple[Decimal, str] | None = None
    bid_discount_percent: Decimal = Decimal(0)
    need: UUID | None = None
    answers: Mapping[str, Any] | None = None
    questions_version: int | None = None
    reference: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def shares(self) -> tuple[Share, ...]:
        """Return what pays, as far as it is known: nothing before the default is looked up."""
        return self.funding or ()

    @property
    def enquiry(self) -> PriceRequest:
        """Return the part of the request that determines the price: period, service mode, options, quantity
        and a bid's discount."""
        return PriceRequest(
            self.period, self.service_mode, self.options, self.quantity, self.bid_discount_percent
        )


@dataclass(frozen=True)
class Parties:
    """The person a booking is made for, and the organisation that pays."""

    person: UUID
    payer: Organisation
