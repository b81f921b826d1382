"""Instruments side by side, as one payer sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.catalogue.selectors.catalogue import Offer, load_offers
from bookings.pricing.selectors.agreements import load_recognised
from instruments.domain.opening import OpeningHours, parse_hours
from instruments.domain.policies import Policy
from instruments.models import Instrument
from instruments.selectors.attachments import Picture, load_pictures
from instruments.selectors.policies import load_policy
from instruments.selectors.qualifications import Qualifying, load_qualifyings
from instruments.selectors.quality import load_qualities
from instruments.selectors.registry import instruments_for


@dataclass(frozen=True)
class Compared:
    """One of the instruments that are compared. `horizon`: how many days ahead the payer books."""

    instrument: Instrument
    offer: Offer
    picture: Picture
    mark: str
    qualifying: Qualifying | None
    policy: Policy | None
    opening: OpeningHours | None

    @property
    def horizon(self) -> int | None:
        return self.policy.horizon_for(self.offer.price_group) if self.policy else None

    @property
    def values(self) -> dict[str, Any]:
        """What the rows of a comparison hold, to tell in which of them instruments differ."""
        row, offer, policy = self.instrument, self.offer, self.policy
        quote = offer.quote
        return {
            "host": (row.organisation_id, row.region_id),
            "techniques": {technique.pk for technique in row.techniques.all()},
            "price": (quote.payable, quote.currency, offer.minutes) if quote else offer.rate,
            "start": offer.starts[:1],
            "modes": set(row.service_modes),
            "opening": self.opening,
            "lengths": policy and (policy.min_minutes, policy.max_minutes),
            "notice": policy and policy.notice_minutes,
            "horizon": self.horizon,
            "approval": policy and policy.approval,
            "qualifying": self.qualifying and (self.qualifying.technique, self.qualifying.is_held),
            "record": self.mark,
        }


def load_compared(
    actor: Actor,
    instrument_ids: Sequence[UUID],
    payer: Organisation | None,
    now: datetime,
    *,
    minutes: int,
) -> list[Compared]:
    """Return those of the instruments that the actor may see, in their order, with the price and
    the first free starts of a booking of some length. As many statements for four as for two."""
    rows = instruments_for(actor).select_related("organisation__region")
    by_id = {
        row.pk: row for row in rows.filter(pk__in=instrument_ids).prefetch_related("techniques")
    }
    shown = [by_id[pk] for pk in instrument_ids if pk in by_id]
    offers = load_offers(shown, payer, now, user_id=actor.user_id, minutes=minutes)
    pictures = load_pictures(shown)
    priced = {pk: offer.is_priced for pk, offer in offers.items()}
    qualities = load_qualities(shown, now, priced=priced)
    qualifying = load_qualifyings(actor.user_id, shown, now, load_recognised)
    return [
        Compared(
            row,
            offers[row.pk],
            pictures[row.pk],
            qualities[row.pk].mark,
            qualifying.get(row.pk),
            load_policy(row.policy) if hasattr(row, "policy") else None,
            parse_hours(row.schedule.hours) if row.schedule else None,
        )
        for row in shown
    ]


def differing(compared: Sequence[Compared]) -> set[str]:
    """Return the names of the rows in which not all are the same."""
    first, *others = (each.values for each in compared) if compared else ({},)
    return {name for name in first if any(other[name] != first[name] for other in others)}
