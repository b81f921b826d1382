"""Pages at the instrument, which its label leads to."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import Actor
from accounts.permissions import actor_of
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, sent
from bookings.catalogue.views.events import form_of
from bookings.catalogue.views.payers import payer_of, standing_of
from bookings.questions.domain.questions import AFTER
from bookings.questions.selectors.questions import questions_version
from bookings.record.domain.periods import Period
from bookings.record.selectors.reservations import own_reservations, reservation_at_work
from bookings.usage.forms.faults import FaultForm
from bookings.usage.forms.usage import CheckOutForm
from bookings.usage.selectors.at import Own, instrument_at, load_now
from bookings.usage.selectors.faults import may_report, standing_faults
from bookings.usage.services.faults import fault_report
from bookings.usage.views.asked import load_asked
from instruments.register.models import Instrument

SOON = timedelta(hours=1)  # a booking that can begin within this time is offered as one for now


@require_safe
def at(request: HttpRequest, code: str) -> HttpResponse:
    """Show who uses the instrument now and next, and what the reader may do: check in and out, report a
    fault, book free time. People who are not signed in only see times."""
    by = by_of(request)
    instrument = instrument_at(by.actor, code)
    if instrument.short_code != code:
        return redirect("bookings:at", code=instrument.short_code)
    payer, _ = payer_of(by.actor, None)
    shown = load_now(by.actor, instrument, payer, by.now)
    standing = standing_of(by.actor, payer, instrument)
    reports = may_report(by.actor, instrument)
    open_fault, issues = standing_faults(instrument.pk, by.now)
    context: dict[str, Any] = {
        "now_next": shown,
        **moments(by.now),
        "instrument": instrument,
        "zone": instrument.facility.time_zone,
        "reports": reports,
        "is_manager": by.actor.may("operate-instruments", place_of(instrument.organisation, instrument)),
        "fault": open_fault if reports else None,
        "issues": issues,
        "own": [(each, _check_out_form(by.actor, instrument, each)) for each in shown.own],
    }
    if payer and shown.start and shown.start <= by.now + SOON:
        period = Period(shown.start, shown.start + timedelta(minutes=shown.minutes))
        if standing.may_book or standing.for_others:
            context |= {"book_url": form_of(instrument.pk, period, payer.code), "book_from": shown.start}
    return render(request, "bookings/usage/at.html", context)


def _check_out_form(actor: Actor, instrument: Instrument, own: Own) -> CheckOutForm:
    """Return the form for checking out, with the questions after use, if there are any."""
    manages = actor.may("operate-instruments", place_of(instrument.organisation, instrument))
    if not own.is_in_use or (questions_version(instrument, AFTER) is None and not manages):
        return CheckOutForm(rates=own.is_person)
    row, _ = reservation_at_work(actor, own.id)
    return load_asked(row, actor).check_out_form()


def moments(now: datetime) -> dict[str, datetime]:
    """Return further context for the template of now and next: the present moment, and the time from which an
    end is not shown."""
    return {"at": now, "far": now + timedelta(days=366)}


@edits
def fault(request: HttpRequest, code: str) -> HttpResponse:
    """Report a fault of the instrument, or join the report that is open."""
    by = by_of(request)
    instrument = instrument_at(by.actor, code)
    if not may_report(by.actor, instrument):
        raise NotPermitted
    return act(
        request,
        partial(_fault_page, request, instrument),
        lambda by, data: fault_report(
            by,
            instrument_id=instrument.pk,
            severity=data["severity"],
            text=data["text"],
            photo=data["file"].read() if data["file"] else None,
        ),
        to=reverse("bookings:at", args=[instrument.short_code]),
        done=gettext("Reported. The owner is notified, and you will be notified of the answer."),
        form=FaultForm(sent(request), request.FILES or None),
    )


def _fault_page(
    request: HttpRequest, instrument: Instrument, *, status: int = 200, **context: Any
) -> HttpResponse:
    open_fault, issues = standing_faults(instrument.pk, timezone.now())
    actor = actor_of(request.user)
    is_in_use = own_reservations(actor).filter(instrument=instrument, state="in_use").exists()
    context |= {"instrument": instrument, "fault": open_fault, "issues": issues, "is_in_use": is_in_use}
    return render(request, "bookings/usage/fault_new.html", context, status=status)
