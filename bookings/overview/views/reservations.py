"""The pages "My bookings" and of one booking."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.domain.errors import NotFound, NotPermitted, Refused
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.selectors.memberships import no_second, place_of
from accounts.views.pages import act, by_of, reads, writes
from bookings.board.selectors.enquiries import quote_and_bid
from bookings.catalogue.selectors.equivalents import load_nearest
from bookings.catalogue.views.refusals import refusal_text, seconds_left
from bookings.charging.forms.charges import NoShowForm
from bookings.charging.selectors.no_shows import require_removable
from bookings.charging.selectors.stories import record_story, story_of
from bookings.charging.services.no_shows import no_show_strike
from bookings.funding.models import Earmark
from bookings.funding.selectors.earmarks import paying, sees_funding
from bookings.funding.selectors.funding_sources import sources_for
from bookings.needs.selectors.batches import load_offers_to
from bookings.plans.selectors.waiting import offers_to
from bookings.pricing.domain.fees import on_use
from bookings.pricing.domain.quotes import QuoteInput, input_from_json, minimum_charged
from bookings.pricing.models import Charge
from bookings.pricing.selectors.bookings import OWN_BOOKINGS
from bookings.pricing.selectors.charges import cancellation_now, has_thought_again
from bookings.pricing.selectors.samples import with_number_of_samples
from bookings.record.domain.periods import Period
from bookings.record.domain.reservations import CHECK_IN_BEFORE, RELEASED
from bookings.record.domain.reservations import is_own as is_own_booking
from bookings.record.models import Reservation
from bookings.record.selectors import reservations
from bookings.record.views.bookings import totals_of
from bookings.record.views.lists import ListPage, wants_file
from bookings.reserving.forms.reservations import ReasonForm
from bookings.reserving.services.reservations import reservation_cancel
from bookings.results.domain.handoffs import AWAITED, HAPPENS
from bookings.results.selectors.handoffs import announced_for
from bookings.samples.selectors.receiving import receiving_of
from bookings.samples.selectors.samples import load_of_booking, may_join
from bookings.usage.selectors.closures import closure_cutting, load_cut_charge
from bookings.usage.selectors.sessions import to_complete
from bookings.usage.views.asked import load_asked
from bookings.usage.views.ratings import rating_of
from instruments.reading.domain.clock import local_date

MINE = ListPage(
    "bookings/overview/mine.html",
    OWN_BOOKINGS,
    shown=lambda row, by: reservations.shown(row, by.now),
    size=20,
    totals=lambda rows, actor: totals_of(rows),
    number=lambda totals: int(totals["number"]),
    orders={
        "start": _("Earliest first"),
        "instrument": _("Instrument"),
        "host": _("Host"),
        "state": _("State"),
    },
)


@reads
def mine(request: HttpRequest) -> HttpResponseBase:
    """Show the reader's bookings: upcoming ones by day, then past ones; all of them as a file."""
    by = by_of(request)
    now, actor = by.now, by.actor
    own = reservations.own_reservations(actor)
    if wants_file(request):
        return MINE.answer(request, by, own)
    ahead = reservations.upcoming(actor, now)
    coming = _load_ahead(MINE.narrowed(request, by, ahead)[0], now, 200)
    context: dict[str, Any] = {
        "coming": [r for r in coming if not r.is_urgent],  # type: ignore[attr-defined]
        "urgent": [r for r in coming if r.is_urgent],  # type: ignore[attr-defined]
        "today": local_date(ZoneInfo(actor.time_zone), now),
        "offers": offers_to(actor.person, now).count(),
        "kept": load_offers_to(actor, now),
        "books_own": bool(actor.organisations_where("book")),
        "brings_in": bool(actor.organisations_where("book") | actor.organisations_where("book-for-members")),
    }
    return MINE.answer(request, by, own.exclude(pk__in=ahead.values("pk")), **context)


def load_ahead(actor: Actor, now: datetime, most: int) -> list[Reservation]:
    """Return the first of the actor's bookings that are not over, by start, each with its local day and what
    can be done with it now; what must be done soon is marked urgent. One statement."""
    return _load_ahead(reservations.upcoming(actor, now), now, most)


def _load_ahead(rows: QuerySet[Reservation], now: datetime, most: int) -> list[Reservation]:
    first = with_number_of_samples(rows).order_by("start_at", "id")[:most]
    return [_ahead(reservations.shown(row, now), now) for row in first]


def _ahead(reservation: Reservation, now: datetime) -> Reservation:
    zone = ZoneInfo(reservation.instrument.facility.time_zone)
    state: str = reservation.shown_state  # type: ignore[attr-defined]
    may_check_in = state == "confirmed" and reservation.start_at - CHECK_IN_BEFORE <= now
    reservation.local_day = local_date(zone, reservation.start_at)  # type: ignore[attr-defined]
    reservation.may_check_in = may_check_in  # type: ignore[attr-defined]
    reservation.is_urgent = may_check_in or state in {"in_use", "held"}  # type: ignore[attr-defined]
    reservation.seconds = seconds_left(reservation, now)  # type: ignore[attr-defined]
    reservation.minutes = Period(  # type: ignore[attr-defined]
        reservation.start_at, reservation.end_at
    ).minutes
    return reservation


@reads
def reservation(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    return reservation_page(request, reservation_id)


def reservation_page(
    request: HttpRequest, reservation_id: UUID, status: int = 200, **forms: Any
) -> HttpResponse:
    """Show the page of one booking; `forms` are those that came back with errors."""
    now, actor = timezone.now(), actor_of(request.user)
    row, is_priced = reservations.reservation_at_work(actor, reservation_id)
    reservations.shown(row, now)
    state = row.shown_state  # type: ignore[attr-defined]
    is_own = actor.user_id in {row.user_id, row.made_by_id}
    is_host = reservations.manages(actor, row)
    works = is_host or reservations.operates(actor, row)
    may_act = is_own or works
    quoted, bid = quote_and_bid(row)
    number_of_samples = quoted.inputs.get("quantity") if quoted else None
    if not is_priced:
        quoted = bid = None
    given = input_from_json(quoted.inputs) if quoted else None
    books_for_payer = actor.may("book-for-members", place_of(row.organisation))
    may_cancel = (is_own or is_host or books_for_payer) and (
        state == "requested" or (state == "confirmed" and row.end_at > now)
    )
    charged = list(row.charges.select_related("grant__programme").order_by("created_at", "id"))
    shown_charges = charged if is_priced else []
    in_force = next((c for c in shown_charges if c.kind in Charge.ORIGINAL and c.state != "reversed"), None)
    session = getattr(row, "session", None)
    asked = load_asked(row, actor)
    hand_off = announced_for(row.pk)
    cut_at = session.cut_at if session else None
    items, own_samples = load_of_booking(actor, row, now)
    joins = may_join(actor, row, now)
    sends = bool(items) or row.service_mode == "entrusted" or (joins and row.service_mode != "self")
    cancellation = None
    if may_cancel and (is_own or not is_host):
        cancellation = cancellation_now(row, now, given, actor=actor)
    context = {
        "reservation": row,
        "by_post": receiving_of(row.instrument.facility_id) if sends and may_act else None,
        "items": items,
        "own_samples": own_samples,
        "may_join": joins,
        "sends": sends,
        "reads_trail": actor.has("auditor"),
        "rules": reservations.rules_behind(row),
        "zone": row.instrument.facility.time_zone,
        "quote": quoted.result if quoted else None,
        "bid": bid,
        # As `bids_for` and `enquiries_for` have it.
        "reads_enquiry": actor.user_id == row.user_id or books_for_payer,
        "quote_is_void": state in RELEASED,
        "by_hour": given.card.by_hour if given else (),
        "minimum": minimum_charged(quoted.inputs) if quoted else 0,
        "is_reversed": given.is_reversed if given else False,
        "tiers": _tiers(given, now, row.least_percent) if given else None,
        "on_use": on_use(given.card, given.service_mode)
        if given and state in {"requested", "confirmed", "in_use"}
        else (),
        "number_of_samples": number_of_samples,
        "session": session,
        "funding": _funding(actor, row) if is_priced else [],
        "charge": in_force,
        "is_internal": row.organisation_id == row.host_id,
        "charges_besides": [c for c in shown_charges if c is not in_force],
        "is_priced": is_priced,
        "needs_times": may_act
        and not charged
        and state == "completed"
        and to_complete().filter(pk=row.pk).exists(),
        "is_own": is_own,
        "notes_shown": reservations.booked_by(actor, row),
        "may_act": may_act,
        "is_host": is_host,
        "may_cancel": may_cancel,
        "may_move": may_cancel or ((is_own or is_host) and state == "in_use"),
        "keeps_fee": state in {"requested", "confirmed"},
        "cancellation": cancellation,
        "has_thought_again": bool(cancellation and cancellation.fee)
        and actor.user_id == row.user_id
        and has_thought_again(row, now),
        "may_check_in": may_act
        and state == "confirmed"
        and row.start_at - CHECK_IN_BEFORE <= now < row.end_at,
        "check_in_opens": row.start_at - CHECK_IN_BEFORE,
        "may_check_out": may_act and state == "in_use",
        # Who sends samples is not at the instrument.
        "here": works or row.service_mode != "entrusted",
        "may_decide": is_host and not is_own and state == "requested",
        "no_second": no_second(
            "manage-instruments",
            organisation=row.host,
            instrument=row.instrument,
            besides=[row.user_id, row.made_by_id],
        )
        if is_host and is_own and state == "requested"
        else None,
        "reason_form": ReasonForm(initial={"version": row.version}),
        "check_out_form": asked.check_out_form(),
        **rating_of(actor, row, now),
        "asked": asked,
        "story": story_of(actor, row.pk) if is_priced else record_story(actor, row.pk),
        "hand_off": hand_off,
        "is_overdue": hand_off is not None and hand_off.state in AWAITED and hand_off.due_at <= now,
        "may_announce": works and state in HAPPENS,
        "seconds_left": seconds_left(row, now),
        **_no_show(row, actor, now, is_host),
        "nearest": load_nearest(row, now) if is_own and (cut_at or _was_refused(row, state, now)) else (),
        "may_try_again": is_own and state in {"rejected", "cancelled", "displaced", "expired"},
        "is_ahead": row.start_at > now,
        "cut_by": closure_cutting(session),
        "cut_charge": in_force or load_cut_charge(row, cut_at) if cut_at and is_priced else None,
        "held_minutes": int((row.end_at - row.start_at).total_seconds()) // 60,
        **forms,
    }
    return render(request, "bookings/overview/reservation.html", context, status=status)


def _was_refused(row: Reservation, state: str, now: datetime) -> bool:
    """Say whether a booking does not take place against its person's will: displaced, or of a time to come
    and declined, not answered, or cancelled by the host."""
    by_host = state == "cancelled" and row.is_ended_by_host
    return state == "displaced" or (row.start_at > now and (state in {"rejected", "expired"} or by_host))


def _tiers(given: QuoteInput, now: datetime, least: Decimal) -> list[tuple[Decimal, datetime | None]]:
    """Return what cancelling costs from now on, in percent, the least that a late move has left, and until
    when; None for the tier without a notice."""
    steps = [
        (
            max(tier.percent, least),
            given.start - timedelta(minutes=tier.notice_minutes) if tier.notice_minutes else None,
        )
        for tier in given.card.cancellation
    ]
    ahead = [(percent, until) for percent, until in steps if until is None or until >= now]
    return ahead or ([(least, None)] if least else [])


def _funding(actor: Actor, reservation: Reservation) -> list[Earmark]:
    """Return what pays for a booking, to those who may know; each row knows whether the reader may open its
    source. Two statements at most."""
    rows = list(paying().filter(reservation=reservation)) if sees_funding(actor, reservation) else []
    if rows:
        named = sources_for(actor).filter(pk__in=[row.source_id for row in rows])
        seen = set(named.order_by().values_list("pk", flat=True))
        for row in rows:
            row.is_open_to_reader = row.source_id in seen  # type: ignore[attr-defined]
    return rows


def came_from(at: str, reservation_id: UUID) -> str:
    """Return the address of the page from which somebody acted: that of the label with this code, if there is
    one, otherwise the booking's."""
    if at.isalnum():
        return reverse("bookings:at", args=[at])
    return reverse("bookings:reservation", args=[reservation_id])


def answered(
    request: HttpRequest,
    reservation_id: UUID,
    work: Callable[[By, dict[str, Any]], Any],
    done: str | Callable[[Any], str],
    form: Form | None = None,
    name: str = "form",
    raises: tuple[type[Refused], ...] = (NotPermitted, NotFound),
) -> HttpResponse:
    """Carry out an act on a booking and go back to its page, or to the page of the instrument's label if the
    person came from there (`at`). A refusal is shown on the booking's page."""
    return act(
        request,
        partial(reservation_page, request, reservation_id),
        work,
        to=came_from(request.POST.get("at", ""), reservation_id),
        done=done,
        form=form,
        name=name,
        shows=lambda refused: messages.error(request, refusal_text(refused)),
        raises=raises,
    )


def _no_show(row: Reservation, actor: Actor, now: datetime, is_host: bool) -> dict[str, Any]:
    """Return the form by which the reader, for the host, removes the no-show of somebody else's booking, or
    the refusal that says what to do instead; nothing for other readers and bookings."""
    is_own = is_own_booking(actor.user_id, person=row.user_id, maker=row.made_by_id)
    if row.state != "no_show" or not is_host:
        return {}
    if is_own:
        return {"no_show_refused": NotPermitted("own-no-show")}
    try:
        require_removable(row, now)
    except Refused as refused:
        return {"no_show_refused": refused}
    return {"no_show_form": _no_show_form(row)}


def _no_show_form(row: Reservation, data: Any = None) -> NoShowForm:
    reserved = (row.start_at, row.end_at)
    zone = row.instrument.facility.zone
    return NoShowForm(data, zone=zone, reserved=reserved, initial={"version": row.version})


@writes
def strike_no_show(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    by = by_of(request)
    form = _no_show_form(reservations.reservation_by_id(by.actor, reservation_id), request.POST)
    return answered(
        request,
        reservation_id,
        lambda by, data: no_show_strike(
            by, reservation_id=reservation_id, cause=data["cause"], reason=data["reason"], usage=form.usage()
        ),
        gettext("The no-show is removed. The person is notified."),
        form,
        "no_show_form",
    )


@writes
def cancel(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    return answered(
        request,
        reservation_id,
        lambda by, data: reservation_cancel(by, reservation_id=reservation_id, reason=data["reason"]),
        gettext("Cancelled."),
        ReasonForm(request.POST),
        "reason_form",
    )
