"""What a booking asks for, and who stands on each side of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from accounts.models import Organisation
from bookings.availability.domain.availability import Hazard
from bookings.funding.domain.funding import Share
from bookings.pricing.selectors.fees import Asked
from bookings.record.domain.periods import Period


@dataclass(frozen=True)
class Booking:
    """What somebody asks to reserve; `options` are quantities of the card's options.

    hold: the reservation in state `held` that this completes; needs_hold: whether it is refused
    where that hold has run out or is of another booking, instead of asked for anew; on_behalf_of:
    the id or mail address of the person it is for, if not the one who asks; override: rules a
    manager sets aside, with the reason; funding: the payer's sources that pay, by percent;
    sample_items: ids of own samples that it is for; hazards: theirs, once they are locked.
    house_rules: the version of the house rules that the one who asks accepts. held_for: what the
    hold was kept for, where it is no form's.
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
    funding: tuple[Share, ...] = ()
    sample_items: tuple[UUID, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    house_rules: int | None = None
    held_for: str = ""

    @property
    def enquiry(self) -> Asked:
        """The part that has a price."""
        return Asked(self.period, self.service_mode, self.options, self.quantity)


@dataclass(frozen=True)
class Parties:
    """For whom a booking is made, and who pays."""

    person: UUID
    payer: Organisation
