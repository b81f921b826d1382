"""Suggestions: people who asked in vain are told where else they could go."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast

from accounts.notifications import Effect, enqueue
from accounts.selectors.zones import DayIn
from accounts.services.jobs import work_through
from bookings.catalogue.models import UnmetDemand
from bookings.catalogue.selectors.needs import load_meant
from bookings.needs.models import HostRecord, Suggestion
from bookings.needs.selectors.matches import JudgedInstrument, Wanted, answers, load_matches
from bookings.plans.models import WaitingWish
from bookings.pricing.models import Quote
from bookings.record.domain.money import format_amount
from bookings.record.models import Reservation
from instruments.rates.models import RateCard
from instruments.rates.selectors.ratecards import load_card
from instruments.reading.domain.clock import day_span
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH

SHOWN, MOST_AT_ONCE = 3, 500
RECENT = timedelta(days=2)  # older cases are no longer told
SETTLED = timedelta(minutes=10)  # somebody who was refused may be booking elsewhere right now
BEFORE, AFTER = timedelta(days=3), timedelta(days=21)  # around the time that was asked for
NEVER_TWICE = timedelta(days=30)
ASKED_LATELY = timedelta(days=90)  # people who asked within this time are told of an offer
_TEXT = re.compile(r"(?:^| )text=(.*?)(?= \w+=|$)")


def suggestions_tell(*, now: datetime) -> int:
    """Tell people who were refused for lack of capacity, or who searched or waited without success, which
    instruments elsewhere suit them best; and tell people who recently asked about temporary price reductions.
    Each case is told once, and each instrument at most once in thirty days. Return how many people were
    told."""
    _collect(now)
    return work_through(
        job="suggestions",
        due=Suggestion.objects.filter(looked_at=None).order_by("created_at", "pk"),
        act=partial(_tell, now=now),
        now=now,
        most=MOST_AT_ONCE,
    )


@transaction.atomic
def _collect(now: datetime) -> None:
    """Record what was asked for in vain; a constraint prevents recording anything twice."""
    demands = UnmetDemand.objects.filter(
        on_date__gte=(now - RECENT - timedelta(days=1)).date(),
        created_at__range=(now - RECENT, now - SETTLED),
        wanted_until__gt=now,
        organisation__isnull=False,
        code="",
        user__is_active=True,
    ).filter(_untold(OuterRef("kind")))
    wishes = WaitingWish.objects.filter(
        state=WaitingWish.State.EXPIRED, ended_at__range=(now - RECENT, now), user__is_active=True
    ).filter(_untold(Value("wish")))
    rows = [
        *demands.order_by("pk").values_list("user_id", "kind", "pk", "instrument_id", "created_at"),
        *_offers(now),
        *wishes.order_by("pk").values_list("user_id", Value("wish"), "pk", "instrument_id", "created_at"),
    ]
    Suggestion.objects.bulk_create(
        [
            Suggestion(user_id=user, cause=cause, about=str(pk), instrument_id=instrument, created_at=at)
            for user, cause, pk, instrument, at in rows
        ],
        ignore_conflicts=True,
    )


def _offers(now: datetime) -> Iterator[tuple[UUID, str, UUID, UUID, datetime]]:
    """Yield, for every rate card that was newly published for a limited time, those who asked in vain for its
    instrument, or one of its techniques, in the last ninety days."""
    cards = RateCard.objects.filter(
        published_at__range=(now - RECENT, now),
        valid_until__gt=DayIn(now, "instrument__facility__time_zone"),
        instrument__publication=Instrument.Publication.PUBLISHED,
    )
    for card in cards.select_related("instrument").order_by("pk"):
        people = (
            _demands_for(card.instrument_id, now)
            .filter(user__is_active=True)
            .filter(_untold(Value("offer"), Value(str(card.pk))))
            .order_by("user_id")
            .values_list("user_id", flat=True)
            .distinct()
        )
        for user in people[:MOST_AT_ONCE]:
            yield user, "offer", card.pk, card.instrument_id, now


def _demands_for(instrument_id: UUID, now: datetime) -> QuerySet[UnmetDemand]:
    techniques = list(
        Instrument.techniques.through.objects.filter(instrument_id=instrument_id).values_list(
            "technique_id", flat=True
        )
    )
    return UnmetDemand.objects.filter(
        Q(instrument_id=instrument_id) | Q(technique_id__in=techniques),
        on_date__gte=(now - ASKED_LATELY).date(),
        organisation__isnull=False,
        code="",
    )


def _untold(cause: Any, about: Any = None) -> Any:
    return ~Exists(
        Suggestion.objects.filter(
            user=OuterRef("user"), cause=cause, about=about or Cast(OuterRef("pk"), CharField())
        )
    )


def _tell(pk: UUID, now: datetime) -> int:
    """Look for instruments for a suggestion and store them; enqueue the message if there are any."""
    row = Suggestion.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if row is None or row.looked_at is not None:
        return 0
    row.looked_at = now
    if row.cause == Suggestion.Cause.OFFER:
        row.suggested = _cheaper(row, now)
        question = None
    else:
        question = (_of_wish if row.cause == Suggestion.Cause.WISH else _of_demand)(row, now)
    if question is not None and question.techniques and not _has_booked(question, row.created_at):
        earlier = Suggestion.objects.filter(user=row.user_id, looked_at__gt=now - NEVER_TWICE)
        shown = {UUID(each["instrument"]) for one in earlier for each in one.suggested}
        question = replace(question, without=question.without | shown)
        matches = [a for a in load_matches(question, now) if a.match is not None]
        row.suggested = [_kept(answer, question) for answer in matches[:SHOWN]]
    row.save(update_fields=["suggested", "looked_at"])
    if not row.suggested:
        return 0
    key = f"suggestion.told:{row.pk}"
    enqueue([Effect("suggestion.told", key, {"suggestion": str(row.pk)})], now=now)
    return 1


def _of_demand(row: Suggestion, now: datetime) -> Wanted | None:
    demand = (
        UnmetDemand.objects.select_related("organisation__region", "technique").filter(pk=row.about).first()
    )
    if demand is None or demand.organisation is None:
        return None
    return Wanted(
        techniques=_techniques_of(demand),
        earliest=max(now, demand.wanted_from - BEFORE),
        latest=demand.wanted_until + AFTER,
        minutes=demand.minutes,
        payer=demand.organisation,
        person=demand.user_id,
        without=frozenset({demand.instrument_id} if demand.instrument_id else ()),
    )


def _cheaper(row: Suggestion, now: datetime) -> list[dict[str, Any]]:
    """Return the first start at the offered price for what somebody last asked for, if the price for their
    group is below the previous one; otherwise an empty list."""
    card = RateCard.objects.filter(pk=row.about).first()
    if card is None or card.valid_until is None or card.published_at is None:
        return []
    before = (
        RateCard.objects.filter(
            instrument_id=card.instrument_id,
            published_at__lt=card.published_at,
            valid_from__lte=card.valid_from,
            currency=card.currency,
        )
        .order_by("-valid_from")
        .first()
    )
    demand = (
        _demands_for(card.instrument_id, now)
        .select_related("organisation__region")
        .filter(user=row.user_id)
        .order_by("-created_at")
        .first()
    )
    instrument = Instrument.objects.select_related(*WITH).filter(pk=card.instrument_id).first()
    if before is None or demand is None or demand.organisation is None or instrument is None:
        return []
    first, until = (day_span(instrument.facility.zone, day)[0] for day in (card.valid_from, card.valid_until))
    if until <= now:
        return []
    question = Wanted(
        techniques=_of_instrument(instrument.pk),
        earliest=max(now, first),
        latest=until,
        minutes=demand.minutes,
        payer=demand.organisation,
        person=row.user_id,
    )
    (answer,) = answers(question, [instrument], now)
    group = answer.offer.price_group
    values = [load_card(each).values.for_mode(answer.mode) for each in (card, before)]
    rates = [each.rates.get(group) or Decimal(0) for each in values]
    return [_kept(answer, question)] if answer.match and rates[0] < rates[1] else []


def _of_wish(row: Suggestion, now: datetime) -> Wanted | None:
    wish = WaitingWish.objects.select_related("organisation__region").filter(pk=row.about).first()
    if wish is None:
        return None
    return Wanted(
        techniques=_of_instrument(wish.instrument_id),
        earliest=now,
        latest=now + AFTER,
        minutes=wish.minutes,
        payer=wish.organisation,
        person=wish.user_id,
        modes=(wish.service_mode,),
        regions=tuple(wish.regions.all()),
        without=frozenset({wish.instrument_id}),
    )


def _kept(answer: JudgedInstrument, question: Wanted) -> dict[str, Any]:
    """Return a match in the form in which it is stored: what the message shows, and what its link needs to
    book it."""
    quote = answer.offer.quote
    return {
        "instrument": str(answer.instrument.pk),
        "start": answer.offer.starts[0].isoformat(),
        "minutes": question.minutes,
        "service_mode": answer.mode,
        "organisation": question.payer.code,
        "payable": format_amount(quote.payable, quote.currency) if quote else "",
        "currency": quote.currency if quote else "",
    }


def _has_booked(question: Wanted, since: datetime) -> bool:
    """Say whether the person has booked an instrument of these techniques since a moment."""
    return Reservation.objects.filter(
        user=question.person,
        requested_at__gte=since,
        state__in=("held", "requested", "confirmed", "in_use", "completed"),
        instrument__techniques__code__in=question.techniques,
    ).exists()


def _techniques_of(demand: UnmetDemand) -> tuple[str, ...]:
    if demand.instrument_id:
        return _of_instrument(demand.instrument_id)
    if demand.technique is not None:
        return (demand.technique.code,)
    text = _TEXT.search(demand.query)
    terms = load_meant(text[1]) if text else []
    return tuple(dict.fromkeys(code for term in terms for code in term.techniques))


def _of_instrument(pk: UUID) -> tuple[str, ...]:
    through = Instrument.techniques.through.objects.filter(instrument_id=pk)
    codes: Iterable[str] = through.order_by("id").values_list("technique__code", flat=True)
    return tuple(codes)


@transaction.atomic
def hosts_review(*, now: datetime) -> int:
    """Update the record of how every host kept its bookings and requests of the last year, and return the
    number of hosts. One statement reads them."""
    rows = Reservation.objects.filter(start_at__gte=now - timedelta(days=365), start_at__lte=now).values(
        "host_id"
    )
    unanswered = Q(Exists(Quote.objects.filter(reservation=OuterRef("pk"))), state="expired")
    counted = rows.annotate(
        bookings=Count("pk", filter=Q(confirmed_at__isnull=False)),
        cancelled=Count("pk", filter=Q(confirmed_at__isnull=False, is_ended_by_host=True)),
        unanswered=Count("pk", filter=unanswered),
        requests=Count("pk", filter=Q(decided_by__isnull=False) | unanswered),
    )
    names = ("bookings", "cancelled", "requests", "unanswered")
    records = [
        HostRecord(organisation_id=host, as_of=now, **dict(zip(names, numbers, strict=True)))
        for host, *numbers in counted.values_list("host_id", *names)
    ]
    HostRecord.objects.exclude(pk__in=[record.pk for record in records]).delete()
    HostRecord.objects.bulk_create(
        records, update_conflicts=True, unique_fields=["organisation"], update_fields=[*names, "as_of"]
    )
    return len(records)
