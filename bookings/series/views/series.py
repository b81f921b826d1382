"""Pages of recurring bookings: the form with its preview, one series, changing some or all of it."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.domain.errors import Invalid, Refused, WrongState
from accounts.letters.words import brief_words, listed
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, chooses, edits, is_part, reads
from bookings.catalogue.forms.periods import PeriodForm
from bookings.catalogue.views.payers import no_organisation, payer_of
from bookings.catalogue.views.refusals import refusal_text
from bookings.catalogue.views.weeks import week_of
from bookings.funding.forms.funding import initial_of
from bookings.pricing.selectors.fees import first_mode, load_terms
from bookings.questions.selectors.questions import owing_at_booking
from bookings.record.domain.refusals import RulesRefuse
from bookings.record.forms.fields import local_moment
from bookings.record.models import Reservation
from bookings.record.selectors.reservations import manages, reservation_by_id, shown
from bookings.reserving.selectors.moves import Move
from bookings.reserving.views.booking import default_offered, options_of, sources_offered
from bookings.reserving.views.moves import acts_as_host, week_to_move
from bookings.series.domain.series import ALL, FOLLOWING, THIS
from bookings.series.forms.series import SeriesCancelForm, SeriesForm, SeriesMoveForm
from bookings.series.selectors import series as series_selectors
from bookings.series.selectors.series_moves import load_series_move
from bookings.series.services.series import ON_CONFLICT, series_book, series_cancel
from bookings.series.services.series_moves import series_move
from instruments.house_rules.selectors.house_rules import load_house_rules, rules_to_accept
from instruments.register.selectors.registry import instrument_by_id

NAMED = 12  # dates that a message after booking names


@edits
@chooses("preview", *ON_CONFLICT)
def new(request: HttpRequest, instrument_id: UUID, choice: str) -> HttpResponse:
    """Show the form with a preview of each date; POST updates the preview, or books."""
    by = by_of(request)
    instrument = instrument_by_id(by.actor, instrument_id)
    data = request.POST if request.method == "POST" else request.GET
    payer, payers = payer_of(by.actor, data.get("organisation"))
    address = reverse("bookings:series-new", args=[instrument.pk])

    def week() -> dict[str, Any]:
        shown = week_of(by.actor, instrument, payer, request, by.now, page=address)
        return {"instrument": instrument, "payer": payer, **shown}

    if is_part(request, "week"):
        return render(request, "bookings/catalogue/week.html", week())
    times = PeriodForm(data)
    if not times.is_valid():
        return redirect("bookings:instrument", instrument_id=instrument.pk)
    period = times.period()
    if payer is None or not by.actor.may("book", place_of(payer)):
        return no_organisation(request, payer, instrument)
    terms = load_terms(instrument, payer, period.start)
    zone = instrument.facility.zone
    values = data.copy()
    sources = sources_offered(instrument, payer, period, by.actor)
    default = default_offered(payer, by.actor, sources)
    if "funding" not in values:
        values.update(initial_of(sources, default))
    for name, value in {
        "service_mode": first_mode(instrument, terms),
        "purpose": "research",
        "frequency": "WEEKLY",
        "every": "1",
        "monthly": "day",
        "ends": "times",
        "times": "8",
    }.items():
        values.setdefault(name, value)
    values["organisation"] = payer.code
    if request.method != "POST":
        values.setdefault("weekdays", str(period.start.astimezone(zone).weekday()))
    options = options_of(terms, str(values["service_mode"]))
    form = SeriesForm(values, instrument=instrument, options=options, sources=sources, default=default)

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        preview: series_selectors.SeriesPreview | None = None
        if form.is_valid():
            try:
                preview = series_selectors.load_series_preview(
                    by.actor,
                    instrument.pk,
                    payer.code,
                    form.enquiry(),
                    form.rule(),
                    by.now,
                    shares=form.shares(),
                )
            except Invalid as problem:
                form.refuse(problem.problems)
        refusals = refused.refusals if isinstance(refused, RulesRefuse) else ()
        lacks_rules = any(each.code == "house-rules-not-accepted" for each in refusals)
        template = "bookings/series/series_new.html"
        if request.htmx:  # type: ignore[attr-defined]
            template += "#preview"
            context: dict[str, Any] = {}
        else:
            context = week()
        context |= {
            "form": form,
            "instrument": instrument,
            "payer": payer,
            "payers": payers,
            "period": period,
            "minutes": times.cleaned_data["minutes"],
            "zone": zone.key,
            "preview": preview,
            "left_out": len(preview.occurrences) - preview.bookable if preview else 0,
            "refused": refused is not None and not lacks_rules,
            "house_rules": rules_to_accept(load_house_rules(instrument, by.actor.user_id)),
            "is_ticked": bool(form["house_rules"].value()),
            "lacks_rules": lacks_rules,
            "owes_answers": instrument.pk in owing_at_booking([instrument]),
        }
        return render(request, template, context, status=status)

    if choice == "preview":
        return page()
    return act(
        request,
        page,
        lambda by, _: series_book(by, booking=form.booking(instrument), rule=form.rule(), on_conflict=choice),
        to=lambda booked: reverse("bookings:series", args=[booked.series.pk]),
        done=lambda booked: _booked(
            booked.reservations, [each.period.start.astimezone(zone).date() for each in booked.skipped]
        ),
        form=form,
    )


def _booked(reservations: Sequence[Reservation], left_out: Sequence[date]) -> str:
    """Return sentences that say what was booked, and which dates were left out."""
    if any(row.state == "requested" for row in reservations):
        text = ngettext(
            "{n} date requested. The owner will answer you by mail.",
            "{n} dates requested. The owner will answer you by mail.",
            len(reservations),
        )
    else:
        text = ngettext(
            "{n} date booked. A confirmation is on its way to you.",
            "{n} dates booked. A confirmation is on its way to you.",
            len(reservations),
        )
    text = text.format(n=len(reservations))
    if not left_out:
        return text
    rest = ngettext("{n} date was left out: {days}.", "{n} dates were left out: {days}.", len(left_out))
    days = [brief_words(day) for day in left_out[:NAMED]] + ["…"] * (len(left_out) > NAMED)
    rest = rest.format(n=len(left_out), days=listed(days))
    return gettext("{first} {second}").format(first=text, second=rest)


@reads
def series(request: HttpRequest, series_id: UUID) -> HttpResponse:
    """Show all dates of a series, with what became of each."""
    by = by_of(request)
    actor = by.actor
    row = series_selectors.series_for(actor, series_id)
    reservations = [shown(each, by.now) for each in series_selectors.reservations_of(actor, row)]
    coming = [
        each
        for each in reservations
        if each.start_at > by.now and each.shown_state in {"requested", "confirmed"}  # type: ignore[attr-defined]
    ]
    first = min(coming, key=lambda each: each.start_at, default=None)
    may_change = first is not None and (
        first.user_id == actor.user_id
        or manages(actor, first)
        or first.organisation_id in actor.organisations_where("book-for-members")
    )
    context = {
        "series": row,
        "rows": reservations,
        "next": first if may_change else None,
        "left": len(coming),
        "zone": row.time_zone,
    }
    return render(request, "bookings/series/series.html", context)


@edits
def cancel(request: HttpRequest, reservation_id: UUID) -> HttpResponse:
    """Offer the choices of what to cancel, each with its fee; POST cancels."""
    by = by_of(request)
    reservation = reservation_by_id(by.actor, reservation_id)
    row, costs = series_selectors.load_series_cancellations(by.actor, reservation, by.now)
    form = SeriesCancelForm(request.POST or None, initial={"version": row.version})

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        scopes = [scope for scope in (THIS, FOLLOWING, ALL) if scope in costs]
        context = {
            "reservation": reservation,
            "series": row,
            "zone": row.time_zone,
            "form": form,
            "choices": [(scope, costs[scope]) for scope in scopes],
            "chosen": form.data.get("scope") or (scopes[0] if scopes else ""),
            "problem": refusal_text(refused),
            "is_host": acts_as_host(by.actor, reservation),
        }
        return render(request, "bookings/series/series_cancel.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: series_cancel(
            by, series_id=row.pk, scope=data["scope"], reservation_id=reservation.pk, reason=data["reason"]
        ),
        to=reverse("bookings:series", args=[row.pk]),
        done=gettext("Cancelled."),
        form=form,
    )


@edits
@chooses("preview", "move")
def move(request: HttpRequest, reservation_id: UUID, choice: str) -> HttpResponse:
    """Choose a new time and which bookings get it; POST shows what would happen, or does it."""
    by = by_of(request)
    reservation = reservation_by_id(by.actor, reservation_id)
    row = series_selectors.series_of(by.actor, reservation)
    zone = ZoneInfo(row.time_zone)
    address = reverse("bookings:series-move", args=[reservation.pk])
    if is_part(request, "week"):
        shown = week_to_move(request, by, reservation, address)
        return render(request, "bookings/catalogue/week.html", shown)
    initial = {
        "start": local_moment(reservation.start_at, zone),
        "end": local_moment(reservation.end_at, zone),
        "scope": FOLLOWING,
        "version": row.version,
    }
    form = SeriesMoveForm(request.POST or None, zone=zone, initial=initial)

    def page(status: int = 200, refused: Refused | None = None, **_: Any) -> HttpResponse:
        moves: list[tuple[Reservation, Move]] = []
        problem = "" if isinstance(refused, RulesRefuse) else refusal_text(refused)
        if form.is_bound and not form.errors.keys() - {"reason"}:
            scope = form.cleaned_data["scope"]
            try:
                moves = load_series_move(by.actor, row.pk, scope, reservation.pk, form.period(), by.now)
            except (WrongState, Invalid) as error:
                problem = problem or refusal_text(error)
        context = {
            "reservation": reservation,
            "series": row,
            "zone": zone.key,
            "form": form,
            "moves": moves,
            "refused_count": sum(bool(m.refusals) for _, m in moves),
            "sums": _sums(moves),
            "sticking": _sticking(moves),
            "problem": problem,
            "is_host": acts_as_host(by.actor, reservation),
            "needs_approval": any(m.needs_approval for _, m in moves),
        }
        template = "bookings/series/series_move.html"
        if request.htmx:  # type: ignore[attr-defined]
            template, status = template + "#preview", 200
        else:
            context |= week_to_move(request, by, reservation, address)
        return render(request, template, context, status=status)

    if choice != "move":
        return page(status=400 if form.is_bound and not form.is_valid() else 200)
    return act(
        request,
        page,
        lambda by, data: series_move(
            by,
            series_id=row.pk,
            scope=data["scope"],
            reservation_id=reservation.pk,
            period=form.period(),
            reason=data["reason"],
        ),
        to=lambda moved: reverse("bookings:series", args=[moved.pk]),
        done=gettext("Moved."),
        form=form,
    )


def _sticking(moves: list[tuple[Reservation, Move]]) -> dict[str, Any]:
    """Count the bookings that are moved so late that a later cancellation costs a fee, and find the highest
    percentage."""
    percents = [m.least_percent for _, m in moves if m.sticks]
    return {"number": len(percents), "percent": max(percents, default=0)}


def _sums(moves: list[tuple[Reservation, Move]]) -> dict[str, Any] | None:
    """Return the old and new price and the fees, summed up; None if a booking has no price or another
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
