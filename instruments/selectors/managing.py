"""What a manager's pages say of instruments: what each lacks, and what is in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.selectors.memberships import place_of
from instruments.domain.opening import OpeningHours, local_date, parse_hours
from instruments.domain.policies import Policy
from instruments.domain.quality import STEPS, Details, Quality, missing, quality
from instruments.domain.ratecards import card_in_force
from instruments.models import Instrument, RateCard, Technique
from instruments.selectors.policies import load_policy
from instruments.selectors.quality import load_details, record_of, stale_records
from instruments.selectors.ratecards import CardInForce, load_card
from instruments.selectors.registry import instrument_by_id, managed_instruments

DRAFTING = (Instrument.Publication.DRAFT, Instrument.Publication.SUBMITTED)
# What of the checklist is the record itself.
OF_THE_RECORD = ("name", "description", "manufacturers", "service-modes")


@dataclass(frozen=True)
class Named:
    """What a list names by: a code and its names."""

    code: str
    name: str
    name_zh: str


@dataclass(frozen=True)
class Managed:
    """What decides which instruments a manager looks at: of thousands, without their records."""

    pk: UUID
    name: str
    name_zh: str
    model: str
    time_zone: str
    slot_minutes: int | None
    facility: Named
    techniques: tuple[Named, ...]


def load_managed(actor: Actor) -> list[Managed]:
    """Return the instruments of organisations the actor manages that are not retired, by name. Two
    statements."""
    rows = managed_instruments(actor).exclude(publication=Instrument.Publication.RETIRED)
    named: dict[int, Named] = {}
    techniques: dict[UUID, list[Named]] = {}
    of = Instrument.techniques.through.objects.filter(instrument__in=rows.order_by().values("pk"))
    for pk, technique, *names in of.values_list(
        "instrument_id", "technique_id", *(f"technique__{name}" for name in Named.__annotations__)
    ):
        if technique not in named:
            named[technique] = Named(*names)
        techniques.setdefault(pk, []).append(named[technique])
    facilities: dict[UUID, Named] = {}
    managed = []
    for pk, own, own_zh, model, zone, slot, facility, name, name_zh in rows.values_list(
        "pk",
        "name",
        "name_zh",
        "model",
        "facility__time_zone",
        "policy__slot_minutes",
        "facility_id",
        "facility__name",
        "facility__name_zh",
    ):
        if facility not in facilities:
            facilities[facility] = Named(str(facility), name, name_zh)
        there, able = facilities[facility], tuple(techniques.get(pk, ()))
        managed.append(Managed(pk, own, own_zh, model, zone, slot, there, able))
    return managed


@dataclass(frozen=True)
class Standing:
    """Where an instrument stands on the way to being published; `today` is its local date."""

    instrument: Instrument
    today: date
    missing: tuple[str, ...]
    quality: Quality
    is_stale: bool
    hours: OpeningHours | None
    policy: Policy | None
    card: CardInForce | None

    @property
    def missing_of_record(self) -> tuple[str, ...]:
        return tuple(code for code in self.missing if code in OF_THE_RECORD)

    @property
    def next_step(self) -> str:
        """What to do next: `record`, or a code of the checklist; empty if all is there."""
        if not self.missing:
            return ""
        return "record" if self.missing[0] in OF_THE_RECORD else self.missing[0]

    @property
    def steps(self) -> frozenset[str]:
        """The states it may become."""
        return STEPS[self.instrument.publication]


@dataclass(frozen=True)
class Step:
    """One of the steps to publication: `record`, `opening-hours`, `policy`, `rate-card` or
    `publication`."""

    code: str
    is_done: bool
    is_here: bool


@dataclass(frozen=True)
class Guide:
    """The steps of an instrument that is not public yet, and what is missing of them."""

    steps: tuple[Step, ...]
    missing: tuple[str, ...]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)


def guide_of(standing: Standing, here: str = "") -> Guide | None:
    """Return the steps of an instrument; None for one that has been published."""
    if standing.instrument.publication not in DRAFTING:
        return None
    is_done = {
        "record": not standing.missing_of_record,
        "opening-hours": "opening-hours" not in standing.missing,
        "policy": standing.policy is not None,
        "rate-card": standing.card is not None,
        "publication": False,
    }
    steps = tuple(Step(code, done, code == here) for code, done in is_done.items())
    return Guide(steps, standing.missing)


def load_guide(instrument: Instrument, now: datetime, here: str) -> Guide | None:
    """Return the steps of an instrument. Two statements; none for one that has been published."""
    if instrument.publication not in DRAFTING:
        return None
    return guide_of(load_standings([instrument], now)[0], here)


def managed_counts(actor: Actor, now: datetime) -> dict[str, int]:
    """How many instruments the actor manages, and how many of them are drafts, submitted, and not
    confirmed for a year. One statement."""
    states = Instrument.Publication
    return managed_instruments(actor).aggregate(
        total=Count("pk"),
        drafts=Count("pk", filter=Q(publication=states.DRAFT)),
        submitted=Count("pk", filter=Q(publication=states.SUBMITTED)),
        stale=Count("pk", filter=Q(pk__in=stale_records(now).order_by().values("pk"))),
    )


def load_standings(instruments: Sequence[Instrument], now: datetime) -> list[Standing]:
    """Return the standings of instruments loaded with facility, schedule and policy. Two
    statements."""
    published: dict[UUID, list[RateCard]] = {}
    rows = RateCard.objects.filter(
        instrument_id__in=[i.pk for i in instruments], published_at__isnull=False
    )
    for row in rows.order_by("version"):
        published.setdefault(row.instrument_id, []).append(row)
    details = load_details(instruments, now)
    return [_standing(i, published.get(i.pk, []), details[i.pk], now) for i in instruments]


def _standing(
    instrument: Instrument, cards: list[RateCard], details: Details, now: datetime
) -> Standing:
    today = local_date(ZoneInfo(instrument.facility.time_zone), now)
    row = card_in_force(cards, today)
    hours = parse_hours(instrument.schedule.hours) if instrument.schedule else None
    record = record_of(instrument, has_rate_card_in_force=row is not None)
    return Standing(
        instrument=instrument,
        today=today,
        missing=tuple(missing(record)),
        quality=quality(record, details),
        is_stale=details.is_stale,
        hours=hours,
        policy=load_policy(instrument.policy) if hasattr(instrument, "policy") else None,
        card=load_card(row) if row else None,
    )


def instrument_to_manage(
    actor: Actor, instrument_id: UUID, capability: str = "manage-instruments"
) -> Instrument:
    """Return an instrument. `NotFound` if the actor may not even see it, `NotPermitted` without the
    capability."""
    instrument = instrument_by_id(actor, instrument_id)
    if not actor.may(capability, place_of(instrument.organisation)):
        raise NotPermitted(capability=capability)
    return instrument


def vocabulary() -> list[Technique]:
    """Return every technique, by name. One statement."""
    return list(Technique.objects.order_by("name", "code"))
