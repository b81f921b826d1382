"""Read what managers' pages show about instruments: the missing items, and the settings in force."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet

from accounts.domain.roles import Actor
from instruments.managing.domain.quality import STEPS, Details, Quality, missing, quality
from instruments.managing.selectors.quality import load_details, record_of, stale_records
from instruments.opening.domain.opening import OpeningHours, parse_hours
from instruments.policy.domain.policies import Policy
from instruments.policy.selectors.policies import load_policy
from instruments.rates.domain.ratecards import card_in_force
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import CardInForce, load_card
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument
from instruments.register.selectors.registry import facilities_where, managed_instruments
from instruments.vocabulary.models import Technique

DRAFTING = (Instrument.Publication.DRAFT, Instrument.Publication.SUBMITTED)
# The items of the checklist that are fields of the record.
OF_THE_RECORD = ("name", "description", "manufacturers", "service-modes")
# The steps to publication, in order.
GUIDED = ("record", "opening-hours", "policy", "rate-card", "publication")


@dataclass(frozen=True)
class Named:
    """The code and the names of a thing in a list."""

    code: str
    name: str
    name_zh: str


@dataclass(frozen=True)
class Managed:
    """The facts by which a manager's list of thousands of instruments is filtered, without loading their
    records."""

    pk: UUID
    name: str
    name_zh: str
    model: str
    time_zone: str
    slot_minutes: int | None
    facility: Named
    techniques: tuple[Named, ...]


def load_managed(
    actor: Actor, of: Callable[[Actor], QuerySet[Instrument]] = managed_instruments
) -> list[Managed]:
    """Return the instruments that the actor manages, or those `of` another list, by name, without retired
    ones. Two statements."""
    rows = of(actor).exclude(publication=Instrument.Publication.RETIRED)
    named: dict[int, Named] = {}
    techniques: dict[UUID, list[Named]] = {}
    tagged = Instrument.techniques.through.objects.filter(instrument__in=rows.order_by().values("pk"))
    for pk, technique, *names in tagged.values_list(
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
    """An instrument's progress towards publication; `today` is its local date."""

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
        """Return the next step: `record`, or a code of the checklist; empty if nothing is missing."""
        if not self.missing:
            return ""
        return "record" if self.missing[0] in OF_THE_RECORD else self.missing[0]

    @property
    def steps(self) -> frozenset[str]:
        """Return the states of publication to which it may change."""
        return STEPS[self.instrument.publication]


@dataclass(frozen=True)
class PublicationStep:
    """A step to publication: `record`, `opening-hours`, `policy`, `rate-card` or `publication`. `is_here`:
    its page is shown."""

    code: str
    is_done: bool
    is_here: bool


@dataclass(frozen=True)
class Guide:
    """The steps towards publication of an instrument that is not public yet, and its missing items."""

    steps: tuple[PublicationStep, ...]
    missing: tuple[str, ...]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)


def guide_of(standing: Standing, here: str = "") -> Guide | None:
    """Return the guide of an instrument; None once it has been published. `here`: the step whose page is
    shown."""
    if standing.instrument.publication not in DRAFTING:
        return None
    is_done = (
        not standing.missing_of_record,
        "opening-hours" not in standing.missing,
        standing.policy is not None,
        standing.card is not None,
        False,
    )
    steps = tuple(PublicationStep(*step, step[0] == here) for step in zip(GUIDED, is_done, strict=True))
    return Guide(steps, standing.missing)


def load_guide(instrument: Instrument, now: datetime, here: str) -> Guide | None:
    """Return the guide of an instrument, like `guide_of`. Two statements; none once it has been published."""
    if instrument.publication not in DRAFTING:
        return None
    return guide_of(load_standings([instrument], now)[0], here)


def managed_counts(actor: Actor, now: datetime) -> dict[str, int]:
    """Count the instruments that the actor manages: all, drafts, submitted, those that were published once,
    and those not confirmed for a year. One statement."""
    states = Instrument.Publication
    return managed_instruments(actor).aggregate(
        total=Count("pk"),
        drafts=Count("pk", filter=Q(publication=states.DRAFT)),
        submitted=Count("pk", filter=Q(publication=states.SUBMITTED)),
        offered=Count("pk", filter=~Q(publication__in=DRAFTING)),
        stale=Count("pk", filter=Q(pk__in=stale_records(now).order_by().values("pk"))),
    )


@dataclass(frozen=True)
class FirstOffer:
    """The way to a manager's first published instrument: whether there is a facility to enter it in, the
    draft that was changed last, what it lacks, and the steps to publication."""

    has_facility: bool
    draft: Instrument | None
    missing: tuple[str, ...]
    steps: tuple[PublicationStep, ...]

    @property
    def next_step(self) -> str:
        """Return the code of the next step; empty while a facility is to be entered first."""
        return next(step.code for step in self.steps if not step.is_done) if self.has_facility else ""


def load_first_offer(actor: Actor, now: datetime) -> FirstOffer | None:
    """Return how far a manager is who has published nothing yet; None for who may enter neither a facility
    nor an instrument. Three statements with a draft, two without."""
    draft = managed_instruments(actor).filter(publication__in=DRAFTING).order_by("-updated_at", "id").first()
    if draft and (guide := guide_of(load_standings([draft], now)[0])):
        return FirstOffer(True, draft, guide.missing, guide.steps)
    has_facility = facilities_where(actor, "manage-instruments").exists()
    if not has_facility and not actor.organisations_where("manage-instruments"):
        return None
    return FirstOffer(has_facility, None, (), tuple(PublicationStep(code, False, False) for code in GUIDED))


def load_standings(instruments: Sequence[Instrument], now: datetime) -> list[Standing]:
    """Return the standings of instruments, which must be loaded with facility, schedule and policy. Two
    statements."""
    published: dict[UUID, list[RateCard]] = {}
    rows = RateCard.objects.filter(instrument_id__in=[i.pk for i in instruments], published_at__isnull=False)
    for row in rows.order_by("version"):
        published.setdefault(row.instrument_id, []).append(row)
    details = load_details(instruments, now)
    return [_standing(i, published.get(i.pk, []), details[i.pk], now) for i in instruments]


def _standing(instrument: Instrument, cards: list[RateCard], details: Details, now: datetime) -> Standing:
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


def vocabulary() -> list[Technique]:
    """Return every technique, by name. One statement."""
    return list(Technique.objects.order_by("name", "code"))
