"""Recurring bookings: the form with its preview, one series, changing some or all of it."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from accounts.domain.errors import Invalid, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import Actor, By
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from bookings.catalogue.forms.periods import PeriodForm
from bookings.catalogue.views.payers import payer_of
from bookings.catalogue.views.refusals import refusal_text
from bookings.funding.forms.funding import default_of
from bookings.pricing.selectors.fees import first_mode, load_terms
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import reservation_by_id, shown
from bookings.reserving.selectors.moves import Move
from bookings.reserving.views.booking import options_of, sources_offered
from bookings.series.domain.series import ALL, FOLLOWING, THIS
from bookings.series.forms.series import SeriesCancelForm, SeriesForm, SeriesMoveForm
from bookings.series.selectors.series import (
    SeriesPreview,
    load_series_cancellations,
    load_series_preview,
    reservations_of,
    series_for,
    series_of,
)
from bookings.series.selectors.series_moves import load_series_move
from bookings.series.services.series import series_book, series_cancel
from bookings.series.services.series_moves import series_move
from instruments.selectors.registry import instrument_by_id


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """The form with what each date would come to; POST books, unless its `act` is `preview`."""
    now, actor = timezone.now(), actor_of(request.user)
    instrument = instrument_by_id(actor, instrument_id)
    data = request.POST if request.method == "POST" else request.GET
    asked = PeriodForm(data)
    if not asked.is_valid():
        return redirect("bookings:instrument", instrument_id=instrument.pk)
    payer, payers = payer_of(actor, data.get("organisation"))
    if payer is None or not actor.may("book", place_of(payer)):
        nobody = {"instrument": instrument, "payer": payer}
        return render(request, "bookings/reserving/no_organisation.html", nobody, status=403)
    terms = load_terms(instrument, payer, asked.period().start)
    zone = ZoneInfo(instrument.facility.time_zone)
    sent = data.copy()
    sources = sources_offered(instrument, payer, asked.period(), actor)
    for name, value in {
        "funding": default_of(sources),
        "service_mode": first_mode(instrument, terms),
        "purpose": "research",
        "frequency": "WEEKLY",
        "every": "1",
        "monthly": "day",
        "ends": "times",
        "times": "8",
    }.items():
        if name not in sent:
            sent[name] = value
    sent["organisation"] = payer.code
    if request.method != "POST" and "weekdays" not in sent:
        sent["weekdays"] = str(asked.period().start.astimezone(zone).weekday())
    form = SeriesForm(sent, instrument=instrument, options=options_of(terms), sources=sources)
    act = request.POST.get("act", "preview")
    status, refused = 200, False
    preview: SeriesPreview | None = None
    if form.is_valid():
        try:
            if act != "preview":
                made = series_book(
                    By(actor, now),
                    booking=form.booking(instrument),
                    rule=form.rule(),
                    on_conflict=act,
                )
                messages.success(request, _booked(made.reservations))
                return redirect("bookings:series", series_id=made.series.pk)
        except RulesRefuse:
            status, refused = 409, True
        except Invalid as problem:
            form.refuse(problem.problems)
        if not form.errors:
            try:
                preview = load_series_preview(
                    actor,
                    instrument.pk,
                    payer.code,
                    form.asked(),
                    form.rule(),
                    now,
                    shares=form.shares(),
                )
            except Invalid as problem:
                form.refuse(problem.problems)
    if form.errors and act != "preview":
        status = 400
    context: dict[str, Any] = {
        "form": form,
        "instrument": instrument,
        "payer": payer,
        "payers": payers,
        "period": asked.period(),
        "minutes": asked.cleaned_data["minutes"],
        "zone": zone.key,
        "preview": preview,
        "left_out": len(preview.occurrences) - preview.bookable if preview else 0,
        "refused": refused,
    }
    template = "bookings/series/series_new.html"
    if request.htmx:  # type: ignore[attr-defined]
        template += "#preview"
    return render(request, template, context, status=status)


def _booked(made: Any) -> str:
    """What was done, in words."""
    if any(row.state == "requested" for row in made):
        said = ngettext(
            "{n} date requested. The owner will answer you by mail.",
            "{n} dates requested. The owner will answer you by mail.",
            len(made),
        )
    else:
        said = ngettext(
            "{n} date booked. A confirmation is on its way to you.",
            "{n} dates booked. A confirmation is on its way to you.",
            len(made),
        )
    return said.format(n=len(made))


@login_required
def series(request: HttpRequest, series_id: UUID) -> HttpResponse:
    """All dates of a series, with what became of each."""
    now, actor = timezone.now(), actor_of(request.user)
    found = series_for(actor, series_id)
    rows = [shown(row, now) for row in reservations_of(actor, found)]
    coming = [
        row
        for row in rows
        if row.start_at > now and row.shown_state in {"requested", "confirmed"}  # type: ignore[attr-defined]
    ]
    first = min(coming, key=lambda row: row.start_at, default=None)
    may_change = first is not None and (
        first.user_id == actor.user_id
        or first.host_id in actor.organisations_where("manage-instruments")
        or first.organisation_id in actor.organisations_where("book-for-members")
    )
    context = {
        "series": found,
        "rows": rows,
        "next": first if may_change else None,
        "left": len(coming),
        "zone": found.time_zone,
    }
    return render(request, "bookings/series/series.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Which to cancel, each choice with its fee; POST cancels."""
    now, actor = timezone.now(), actor_of(request.user)
    found = reservation_by_id(actor, reservation_id)
    of, costs = load_series_cancellations(actor, found, now)
    form = SeriesCancelForm(request.POST or None, initial={"version": of.version})
    status, problem = 200, ""
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            series_cancel(
                By(actor, now, data["version"]),
                series_id=of.pk,
                scope=data["scope"],
                reservation_id=found.pk,
                reason=data["reason"],
            )
        except (WrongState, WrongVersion, RulesRefuse, Invalid) as refused:
            status, problem = 409, refusal_text(refused)
        else:
            messages.success(request, gettext("Cancelled."))
            return redirect("bookings:series", series_id=of.pk)
    elif request.method == "POST":
        status = 400
    scopes = [scope for scope in (THIS, FOLLOWING, ALL) if scope in costs]
    context = {
        "reservation": found,
        "series": of,
        "zone": of.time_zone,
        "form": form,
        "choices": [(scope, costs[scope]) for scope in scopes],
        "chosen": form.data.get("scope") or (scopes[0] if scopes else ""),
        "problem": problem,
        "is_host": _is_host(actor, found),
    }
    return render(request, "bookings/series/series_cancel.html", context, status=status)


def _is_host(actor: Actor, found: Reservation) -> bool:
    """Whether the actor acts for the owner: on a booking that is not theirs. `NotPermitted` if
    they may only look at it."""
    if actor.user_id in {found.user_id, found.made_by_id}:
        return False
    is_host = actor.may("manage-instruments", place_of(found.host))
    if not is_host and not actor.may("book-for-members", place_of(found.organisation)):
        raise NotPermitted
    return is_host


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Where which should go; POST says what would happen, or with `act=move` does it."""
    now, actor = timezone.now(), actor_of(request.user)
    found = reservation_by_id(actor, reservation_id)
    of = series_of(actor, found)
    zone = ZoneInfo(of.time_zone)
    initial = {
        "start": local_moment(found.start_at, zone),
        "end": local_moment(found.end_at, zone),
        "scope": FOLLOWING,
        "version": of.version,
    }
    form = SeriesMoveForm(request.POST or None, zone=zone, initial=initial)
    status, problem = 200, ""
    moves: list[tuple[Reservation, Move]] = []
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            if request.POST.get("act") == "move":
                moved = series_move(
                    By(actor, now, data["version"]),
                    series_id=of.pk,
                    scope=data["scope"],
                    reservation_id=found.pk,
                    period=form.period(),
                    reason=data["reason"],
                )
                messages.success(request, gettext("Moved."))
                return redirect("bookings:series", series_id=moved.pk)
        except (WrongState, WrongVersion, Invalid) as refused:
            status, problem = 409, refusal_text(refused)
        except RulesRefuse:
            status = 409
        try:
            moves = load_series_move(actor, of.pk, data["scope"], found.pk, form.period(), now)
        except (WrongState, Invalid) as refused:
            problem = problem or refusal_text(refused)
    elif request.method == "POST":
        status = 400
    refused_count = sum(bool(m.refusals) for _, m in moves)
    context = {
        "reservation": found,
        "series": of,
        "zone": zone.key,
        "form": form,
        "moves": moves,
        "refused_count": refused_count,
        "sums": _sums(moves),
        "problem": problem,
        "is_host": _is_host(actor, found),
        "needs_approval": any(m.needs_approval for _, m in moves),
    }
    template = "bookings/series/series_move.html"
    if request.htmx:  # type: ignore[attr-defined]
        template, status = template + "#preview", 200
    return render(request, template, context, status=status)


def _sums(moves: list[tuple[Reservation, Move]]) -> dict[str, Any] | None:
    """Old and new price and the fees, in all; None where some has no price or another
    currency."""
    after = [m.new for _, m in moves if m.new]
    currencies = {quote.currency for quote in [*after, *(m.old for _, m in moves)]}
    if len(after) < len(moves) or len(currencies) != 1:
        return None
    return {
        "currency": after[0].currency,
        "old": sum(m.old.payable for _, m in moves),
        "new": sum(quote.payable for quote in after),
        "fee": sum(m.fee.fee + m.fee.tax for _, m in moves),
    }
