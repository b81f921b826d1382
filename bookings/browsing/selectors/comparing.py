"""Load instruments side by side, with the offer of each to one payer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject

from accounts.domain.roles import Actor
from accounts.models import Organisation
from bookings.availability.models import Closure
from bookings.catalogue.selectors.catalogue import Offer, load_offers
from bookings.pricing.selectors.agreements import load_recognised
from bookings.record.domain.periods import Period
from bookings.record.models import InstrumentRating
from instruments.attachments.selectors.attachments import Picture, load_pictures
from instruments.capabilities.models import Capability
from instruments.capabilities.selectors.capabilities import capabilities_in_order
from instruments.managing.selectors.quality import load_qualities
from instruments.opening.domain.opening import OpeningHours, parse_hours
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import load_policy
from instruments.register.models import Instrument
from instruments.register.selectors.registry import instruments_for
from instruments.training.selectors.qualifications import Qualifying, load_qualifyings
from instruments.vocabulary.domain.parameters import Parameter, Requirement, Stated, fit
from instruments.vocabulary.selectors.needs import load_parameters


@dataclass(frozen=True)
class Compared:
    """An instrument in a comparison. `horizon`: how many days ahead the payer may book; `stated`: what it can
    do, by code of the parameter; `rating`: what everybody may read of its ratings; `calibrated_at`: the end
    of its last closure for calibration."""

    instrument: Instrument
    offer: Offer
    picture: Picture
    mark: str
    qualifying: Qualifying | None
    policy: Policy | None
    opening: OpeningHours | None
    stated: Mapping[str, Sequence[Capability]] = field(default_factory=dict)
    rating: Mapping[str, Any] | None = None
    calibrated_at: datetime | None = None

    @property
    def horizon(self) -> int | None:
        return self.policy.horizon_for(self.offer.price_group) if self.policy else None

    @property
    def values(self) -> dict[str, Any]:
        """Return the value in each row of the comparison, to find the rows in which instruments differ."""
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
            "rating": self.rating and self.rating["mean"],
            "calibrated": self.calibrated_at,
            "record": self.mark,
        }

    def fits(self, requirement: Requirement) -> list[Capability]:
        """Return the stated capabilities of the instrument that meet a requirement."""
        return [
            each
            for each in self.stated.get(requirement.parameter, ())
            if fit(requirement, [_value(each)]) == "meets"
        ]


def _value(row: Capability) -> Stated:
    return Stated(row.parameter.code, row.minimum, row.maximum, row.condition, row.is_available)


@dataclass(frozen=True)
class SpecRow:
    """A parameter in a comparison: what each instrument states of it, and whether that meets what is
    required."""

    parameter: Parameter
    requirement: Requirement | None
    compared: Sequence[Compared]
    cells: Sequence[Sequence[tuple[Capability, bool]]]

    @property
    def cells_of(self) -> list[tuple[Sequence[tuple[Capability, bool]], Compared]]:
        """Return the cells of the row, each with its instrument."""
        return list(zip(self.cells, self.compared, strict=True))

    @property
    def differs(self) -> bool:
        """Say whether the instruments state different values."""
        values = [
            {(c.minimum, c.maximum, c.is_available, c.condition) for c, _ in cell} for cell in self.cells
        ]
        return any(value != values[0] for value in values)


def spec_rows(compared: Sequence[Compared], required: Iterable[Requirement]) -> list[SpecRow]:
    """Return the parameters that are required or that one of the instruments states: the required ones come
    first, then the others as they are stated."""
    known = load_parameters()
    wanted = {each.parameter: each for each in required}
    codes = dict.fromkeys([*wanted, *(code for each in compared for code in each.stated)])

    def cell(each: Compared, code: str) -> list[tuple[Capability, bool]]:
        fitting = each.fits(wanted[code]) if code in wanted else []
        return [(item, item in fitting) for item in each.stated.get(code, ())]

    return [
        SpecRow(known[code], wanted.get(code), compared, [cell(each, code) for each in compared])
        for code in codes
        if code in known
    ]


def load_compared(
    actor: Actor,
    instrument_ids: Sequence[UUID],
    payer: Organisation | None,
    now: datetime,
    *,
    minutes: int,
    mode: str = "",
    span: Period | None = None,
) -> list[Compared]:
    """Return those of the instruments that the actor may see, in their order, with the price and the first
    free starts of a booking of `minutes`, in a service mode where an instrument offers it. The number of
    statements does not depend on that of instruments."""
    calibrations = Closure.objects.filter(
        instrument=OuterRef("pk"), kind=Closure.Kind.CALIBRATION, end_at__lte=now
    )
    ratings = InstrumentRating.objects.filter(instrument=OuterRef("pk"))
    marks = JSONObject(**{name: name for name in ("mean", "ratings", "not_usable", "response")})
    rows = (
        instruments_for(actor)
        .select_related("organisation__region")
        .annotate(
            calibrated_at=Subquery(calibrations.order_by("-end_at").values("end_at")[:1]),
            marks=Subquery(ratings.values(shown=marks)[:1]),
        )
    )
    by_id = {row.pk: row for row in rows.filter(pk__in=instrument_ids).prefetch_related("techniques")}
    shown = [by_id[pk] for pk in instrument_ids if pk in by_id]
    offers: dict[UUID, Offer] = {}
    offering = [row for row in shown if mode in row.service_modes]
    for rows_in, mode_in in ((offering, mode), ([row for row in shown if row not in offering], None)):
        if rows_in:
            offers |= load_offers(
                rows_in, payer, now, user_id=actor.user_id, mode=mode_in, span=span, minutes=minutes
            )
    stated: dict[UUID, dict[str, list[Capability]]] = {}
    for row in capabilities_in_order().filter(instrument__in=shown):
        stated.setdefault(row.instrument_id, {}).setdefault(row.parameter.code, []).append(row)
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
            stated.get(row.pk, {}),
            row.marks,
            row.calibrated_at,
        )
        for row in shown
    ]


def differing(compared: Sequence[Compared]) -> set[str]:
    """Return the names of the rows in which the instruments differ."""
    first, *others = (each.values for each in compared) if compared else ({},)
    return {name for name in first if any(other[name] != first[name] for other in others)}
