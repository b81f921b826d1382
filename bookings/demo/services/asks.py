"""Invent what a person enters when they book: service mode, purpose, samples."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Organisation
from bookings.demo.services.demand import Slot
from bookings.demo.services.files import load, written
from bookings.funding.domain.funding import Share
from bookings.pricing.selectors.fees import Backing, PriceRequest, Terms, terms_on
from bookings.record.domain.periods import Period
from bookings.world import Offer, Person
from instruments.rates.domain.ratecards import OFFERED

MINUTE = timedelta(minutes=1)
# How people like to work: at home, elsewhere in the country, from abroad.
MODES = {
    "near": {"self": 6, "assisted": 2, "entrusted": 1, "remote": 1},
    "away": {"self": 3, "assisted": 3, "entrusted": 3, "remote": 2},
    "abroad": {"self": 0, "assisted": 0, "entrusted": 3, "remote": 2},
}
PURPOSES = ("research",) * 14 + ("development",) * 3 + ("teaching", "other")
EACH = 0.35  # how often an extra that is counted is ordered


@dataclass(frozen=True)
class Ask:
    """A slot that a person wants, with everything that the booking form asks for."""

    slot: Slot
    person: Person
    mode: str
    purpose: str
    purpose_text: str
    samples: str
    count: int
    options: Mapping[str, Decimal] = field(default_factory=dict)
    quantity: Decimal | None = None
    is_planned: bool = False
    funding: tuple[Share, ...] = ()

    @property
    def period(self) -> Period:
        return self.slot.period

    @property
    def payer(self) -> Organisation:
        """Return the organisation that the booking is charged to; everybody who books belongs to one."""
        if self.person.organisation is None:
            raise ValueError(f"{self.person.user} belongs nowhere")
        return self.person.organisation

    @property
    def enquiry(self) -> PriceRequest:
        return PriceRequest(self.period, self.mode, self.options, self.quantity)


def terms_of(offer: Offer, backing: Backing, start: datetime) -> Terms:
    """Return the terms on which a payer books an instrument of the demonstration, computed from rows that are
    loaded already."""
    return terms_on(offer.instrument, backing, offer.cards, start)


def ask(offer: Offer, person: Person, slot: Slot, luck: random.Random) -> Ask:
    """Return what a person would enter into the form for a slot."""
    texts, language = load("texts"), person.user.language
    card = offer.cards[-1].values
    mode = "entrusted" if card.rate_unit == "sample" else _mode(offer, person, luck)
    is_counted = card.for_mode(mode).rate_unit == "sample"
    count = luck.randrange(2, 25 if is_counted else 9)
    purpose = luck.choice(PURPOSES)
    if offer.instrument.region.parent_id != _country(person) and purpose == "teaching":
        purpose = "research"
    about = texts["teaching"] if purpose == "teaching" else texts["purposes"][person.field]
    return Ask(
        slot=slot,
        person=person,
        mode=mode,
        purpose=purpose,
        purpose_text=written(about, language, luck),
        samples=written(texts["samples"], language, luck).format(n=count),
        count=count,
        options=_options(offer, mode, slot.period, luck),
        quantity=Decimal(count) if is_counted else None,
    )


def planned_ask(row: Mapping[str, Any], person: Person, slot: Slot) -> Ask:
    """Return what a person enters for a booking that planned.yaml specifies."""
    return Ask(
        slot=slot,
        person=person,
        mode=row["mode"],
        purpose="research",
        purpose_text=row["purpose"],
        samples=row["samples"],
        count=int("".join(c for c in row["samples"] if c.isdigit())[:1] or 1),
        options={code: Decimal(number) for code, number in row.get("options", {}).items()},
        is_planned=True,
        funding=tuple(Share(code, Decimal(percent)) for code, percent in row.get("funding", {}).items()),
    )


def _country(person: Person) -> Any:
    return person.organisation.region.parent_id if person.organisation else None


def _mode(offer: Offer, person: Person, luck: random.Random) -> str:
    instrument, payer = offer.instrument, person.organisation
    if payer and payer.region_id == instrument.region_id:
        likes = MODES["near"]
    elif _country(person) == instrument.region.parent_id:
        likes = MODES["away"]
    else:
        likes = MODES["abroad"]
    offered = instrument.service_modes
    return luck.choices(offered, [likes[mode] for mode in offered])[0]


def _options(offer: Offer, mode: str, period: Period, luck: random.Random) -> dict[str, Decimal]:
    chosen = {}
    for option in offer.cards[-1].values.options_for(mode, OFFERED):
        if option.unit == "hour":
            if mode == "assisted":
                hours = min(Decimal(period.minutes) / 60, Decimal(8))
                chosen[option.code] = hours.quantize(Decimal("0.1")).normalize() + 0
        elif luck.random() < EACH:
            chosen[option.code] = Decimal(luck.randrange(1, 5))
    return chosen
