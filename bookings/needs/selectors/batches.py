"""Batches: the needs and times they choose from, and who may see the outcome."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.models import Region
from accounts.selectors.organisations import sharing_regions
from accounts.selectors.rows import visible
from bookings.availability.selectors.availability import calendar_of, load_blocks
from bookings.needs.domain.batches import Option, Room, place_state, room_minutes, thinned
from bookings.needs.models import Batch, BatchPlace, Need
from bookings.needs.selectors.matches import JudgedInstrument, load_matches, wanted_of
from bookings.needs.selectors.needs import booked_for, load_chosen
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import RELEASED
from bookings.record.models import Reservation
from bookings.record.selectors.lists import Column, Listing
from instruments.house_rules.selectors.house_rules import load_house_rules, rules_to_accept
from instruments.policy.selectors.policies import load_policy
from instruments.reading.domain.clock import local_date
from instruments.register.models import Instrument

# The size of what a batch considers. Beyond it the result hardly improves, and the work grows fast.
MOST_NEEDS = 300
INSTRUMENTS, TIMES = 6, 10  # instruments of a need, times of an instrument
STARTS_SEEN = 600


@dataclass(frozen=True)
class Market:
    """The needs of a batch, their options, and the room of each instrument. modes: the service mode, by need
    and instrument."""

    needs: Sequence[Need]
    options: Sequence[Option]
    rooms: dict[Any, Room]
    modes: dict[tuple[Any, Any], str] = field(default_factory=dict)


def load_flexible(batch: Batch, now: datetime) -> list[Need]:
    """Return the open flexible needs of a batch's region for which nothing was found yet, the oldest first.
    One statement."""
    met = BatchPlace.objects.filter(need__isnull=False).filter(
        Q(batch=batch)
        | _stands(now)
        | Q(state=BatchPlace.State.ACCEPTED) & ~Q(reservation__state__in=[*RELEASED, "no_show"])
    )
    return list(
        Need.objects.filter(
            is_flexible=True,
            state=Need.State.OPEN,
            user__is_active=True,
            organisation__region__lineage__overlap=[batch.region_id],
            latest__gt=max(now, batch.starts_at),
            earliest__lt=batch.ends_at,
        )
        .exclude(pk__in=met.values("need"))
        .exclude(Exists(booked_for()))
        .exclude(enquiries__state__in=["awarded", "fulfilled"])  # of the board
        .select_related("user", "organisation__region")
        .prefetch_related("regions")
        .order_by("created_at", "id")[:MOST_NEEDS]
    )


def load_market(batch: Batch, needs: Sequence[Need], now: datetime) -> Market:
    """Load the options of a batch: for each need the instruments of the right technique that match best, and
    times spread over its window. Some statements for each need."""
    options: list[Option] = []
    modes: dict[tuple[Any, Any], str] = {}
    instruments: dict[UUID, Instrument] = {}
    for need in needs:
        for answer in _matches(batch, need, now):
            instrument = instruments.setdefault(answer.instrument.pk, answer.instrument)
            modes[need.pk, instrument.pk] = answer.mode
            options += _options(need, answer)
    return Market(needs, options, load_rooms(instruments.values(), batch, now), modes)


def load_rooms(instruments: Iterable[Instrument], batch: Batch, now: datetime) -> dict[Any, Room]:
    """Load the room that instruments (policy, schedule, facility loaded with them) have for a batch. Two
    statements."""
    window = Period(batch.starts_at, batch.ends_at)
    wide = window.padded(1440, 1440)
    rows = {instrument.pk: instrument for instrument in instruments}
    blocks = load_blocks(rows, wide, now)
    kept: dict[UUID, list[Period]] = {}
    for pk, start, end in Reservation.objects.filter(
        instrument__in=list(rows),
        held_for=Reservation.HeldFor.BATCH,
        state=Reservation.State.HELD,
        deadline_at__gt=now,
        start_at__lt=window.end,
        end_at__gt=window.start,
    ).values_list("instrument_id", "start_at", "end_at"):
        kept.setdefault(pk, []).append(Period(start, end))
    rooms = {}
    for pk, instrument in rows.items():
        calendar = calendar_of(instrument, wide, blocks[pk])
        if calendar is not None:
            taken = {
                unit: [block.period for block in blocks[pk] if block.unit == unit] for unit in calendar.units
            }
            minutes = room_minutes(calendar.offered(window), kept.get(pk, ()))
            rooms[pk] = Room(taken, minutes)
    return rooms


def _matches(batch: Batch, need: Need, now: datetime) -> list[JudgedInstrument]:
    question = wanted_of(need)
    earliest = max(question.earliest, batch.starts_at, now)
    latest = min(question.latest, batch.ends_at)
    if latest - earliest < timedelta(minutes=need.minutes):
        return []
    question = replace(question, earliest=earliest, latest=latest)
    fitting = [
        answer
        for answer in load_matches(question, now, starts=STARTS_SEEN)
        if answer.match is not None and not answer.is_near
    ]
    return fitting[:INSTRUMENTS]


def _options(need: Need, answer: JudgedInstrument) -> list[Option]:
    instrument, policy = answer.instrument, load_policy(answer.instrument.policy)
    length = timedelta(minutes=need.minutes)
    periods = thinned([Period(start, start + length) for start in answer.offer.starts], TIMES)
    fit = answer.match.score if answer.match else 0.0
    return [
        Option(
            need.pk,
            instrument.pk,
            period,
            period.padded(policy.setup_minutes, policy.teardown_minutes),
            local_date(instrument.facility.zone, period.start),
            fit,
        )
        for period in periods
    ]


def _stands(now: datetime) -> Q:
    return Q(
        state=BatchPlace.State.OFFERED,
        reservation__state=Reservation.State.HELD,
        reservation__deadline_at__gt=now,
    )


def standing(now: datetime) -> QuerySet[BatchPlace]:
    """Return the places in batches whose time is held at this moment."""
    return BatchPlace.objects.filter(_stands(now))


def places_over(now: datetime) -> QuerySet[BatchPlace]:
    """Return places that still say they are offered, though their time is no longer held."""
    offered = BatchPlace.objects.filter(state=BatchPlace.State.OFFERED)
    return offered.exclude(pk__in=standing(now).values("pk")).order_by("pk")


def batches_for(actor: Actor) -> QuerySet[Batch]:
    """Return batches of the regions that the actor coordinates, the newest first."""
    rows = Batch.objects.select_related("region", "made_by").filter(
        region__lineage__overlap=list(actor.regions_where("coordinate"))
    )
    return rows.order_by("-created_at", "-id").annotate(
        needs=Count("batch_places"),
        times=Count("batch_places__reservation"),
        number_accepted=Count("batch_places", filter=Q(batch_places__state=BatchPlace.State.ACCEPTED)),
    )


def batch_by_id(actor: Actor, batch_id: UUID) -> Batch:
    """Return a batch that the actor may see, with its places; raise `NotFound` otherwise."""
    return visible(batches_for(actor).prefetch_related(_PLACES), pk=batch_id)


def regions_to_place(actor: Actor) -> QuerySet[Region]:
    """Return the sharing regions for which the actor may start a batch."""
    coordinated = list(actor.regions_where("coordinate"))
    return sharing_regions().filter(lineage__overlap=coordinated)


def own_places(actor: Actor) -> QuerySet[BatchPlace]:
    """Return the places that batches gave to the actor's own needs, the newest first."""
    return _all().filter(need__user_id=actor.person, reservation__isnull=False)


def own_place(actor: Actor, place_id: UUID) -> BatchPlace:
    """Return one of the actor's own places in a batch; raise `NotFound` otherwise."""
    return visible(own_places(actor), pk=place_id)


def own_offers(actor: Actor, now: datetime) -> QuerySet[BatchPlace]:
    """Return the actor's offers that can be accepted now, by deadline."""
    rows = own_places(actor).filter(_stands(now))
    return rows.order_by("reservation__deadline_at", "id")


def shown_places(rows: Iterable[BatchPlace], now: datetime) -> list[BatchPlace]:
    """Return the places with the state they have at this moment, and the terms chosen for their need."""
    result = list(rows)
    for row in result:
        hold = row.reservation
        is_held = (
            hold is not None
            and hold.state == "held"
            and hold.deadline_at is not None
            and hold.deadline_at > now
        )
        state = place_state(row.state, is_held)
        row.shown_state = state  # type: ignore[attr-defined]
        row.shown_label = BatchPlace.State(state).label  # type: ignore[attr-defined]
        row.chosen = load_chosen(row.need.terms) if row.need else []  # type: ignore[attr-defined]
    return result


def load_offers_to(actor: Actor, now: datetime) -> list[BatchPlace]:
    """Return the offers that somebody can accept now, with the house rules they would accept too."""
    rows = shown_places(own_offers(actor, now), now)
    for row in rows:
        if row.reservation is not None:
            house_rules = load_house_rules(row.reservation.instrument, actor.user_id)
            row.house_rules = rules_to_accept(house_rules)  # type: ignore[attr-defined]
    return rows


def load_scarce(batch: Batch) -> list[dict[str, Any]]:
    """Return the days that were worth most to a batch, each with its instrument. One statement."""
    rows = batch.figures.get("scarce", [])
    instruments = Instrument.objects.select_related("organisation").in_bulk(
        [UUID(row["instrument"]) for row in rows]
    )
    return [
        row
        | {
            "instrument": instruments.get(UUID(row["instrument"])),
            "day": date.fromisoformat(row["day"]) if row["day"] else None,
        }
        for row in rows
    ]


def _all() -> QuerySet[BatchPlace]:
    return BatchPlace.objects.select_related(
        "batch__region",
        "need",
        "organisation",
        "instrument__facility",
        "reservation__instrument__facility",
        "reservation__instrument__organisation",
        "reservation__instrument__region",
    ).order_by("-created_at", "-id")


_PLACES: Any = Prefetch("batch_places", _all().order_by("state", "created_at", "id"))


BATCHES = Listing(
    "batches",
    batches_for,
    (
        Column("batch", "pk"),
        Column("region", "region.code"),
        Column("person", "made_by.name"),
        Column("starts", "starts_at", _("When"), "starts_at"),
        Column("ends", "ends_at"),
        Column("state", "state", _("State"), "state"),
        Column("needs", "needs", _("Needs")),
        Column("offered", "times", _("Offered")),
        Column("accepted", "number_accepted"),
        Column("made", "created_at", _("Batch"), "created_at"),
    ),
    words=("region__name", "region__name_zh", "made_by__name"),
    q_help="Part of the name of the region, or of the person who started the batch.",
    day="created_at",
)
