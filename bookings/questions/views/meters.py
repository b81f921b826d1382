"""Meters of an instrument, their readings, and the maintenance they count towards."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from accounts.permissions import actor_of
from accounts.views.pages import act, edits, sent, writes
from bookings.questions.forms.meters import (
    CorrectionForm,
    CounterForm,
    DoneForm,
    MeterForm,
    ReadingForm,
)
from bookings.questions.selectors.meters import (
    counter_to_manage,
    load_due,
    meter_to_manage,
    meters_of,
    open_cycles,
    reading_to_manage,
    readings_of,
)
from bookings.questions.services.meters import (
    counter_add,
    counter_done,
    counter_retire,
    meter_add,
    meter_read,
    reading_correct,
)
from bookings.record.domain.money import format_number
from instruments.models import Instrument
from instruments.selectors.managing import instrument_to_manage

MOST_READINGS = 50


@edits
def meters(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Show the meters and counters of an instrument; POST adds a meter."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    return act(
        request,
        partial(_page, request, instrument),
        lambda by, data: meter_add(by, instrument_id=instrument_id, **data),
        to=request.path,
        done=gettext("Added."),
        form=MeterForm(sent(request)),
        name="meter_form",
    )


@writes
def counters(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Add a maintenance counter."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    return act(
        request,
        partial(_page, request, instrument),
        lambda by, data: counter_add(
            by, instrument_id=instrument_id, **data | {"meter": _id(data["meter"])}
        ),
        to=reverse("bookings:meters", args=[instrument_id]),
        done=gettext("Added."),
        form=CounterForm(request.POST, meters=meters_of(instrument)),
        name="counter_form",
    )


def _id(text: str) -> UUID | None:
    return UUID(text) if text else None


@edits
def meter(request: HttpRequest, meter_id: UUID) -> HttpResponse:
    """Show the readings of a meter; POST enters one."""
    row = meter_to_manage(actor_of(request.user), meter_id)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {
            "meter": row,
            "instrument": row.instrument,
            "readings": readings_of(row)[:MOST_READINGS],
        }
        return render(request, "bookings/questions/meter.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: meter_read(by, meter_id=meter_id, **data),
        to=request.path,
        done=gettext("Saved."),
        form=ReadingForm(sent(request)),
    )


@edits
def reading(request: HttpRequest, reading_id: UUID) -> HttpResponse:
    """Put a reading right."""
    row = reading_to_manage(actor_of(request.user), reading_id)

    def page(status: int = 200, **context: Any) -> HttpResponse:
        context |= {"reading": row, "meter": row.meter, "instrument": row.meter.instrument}
        return render(request, "bookings/questions/reading.html", context, status=status)

    return act(
        request,
        page,
        lambda by, data: reading_correct(by, reading_id=reading_id, **data),
        to=reverse("bookings:meter", args=[row.meter_id]),
        done=gettext("Corrected. A closure that it caused stays until you end it."),
        form=CorrectionForm(sent(request), initial={"value": format_number(row.value)}),
    )


@writes
def done(request: HttpRequest, counter_id: UUID) -> HttpResponse:
    """The maintenance was done: it counts anew."""
    row = counter_to_manage(actor_of(request.user), counter_id)
    return act(
        request,
        partial(_page, request, row.meter.instrument),
        lambda by, data: counter_done(by, counter_id=counter_id, note=data["note"]),
        to=reverse("bookings:meters", args=[row.meter.instrument_id]),
        done=gettext("Done: it counts anew from now on."),
        form=DoneForm(request.POST),
        name="done_form",
    )


@writes
def retire(request: HttpRequest, counter_id: UUID) -> HttpResponse:
    """Count no longer."""
    row = counter_to_manage(actor_of(request.user), counter_id)
    return act(
        request,
        partial(_page, request, row.meter.instrument),
        lambda by, _: counter_retire(by, counter_id=counter_id),
        to=reverse("bookings:meters", args=[row.meter.instrument_id]),
        done=gettext("Removed."),
    )


def _page(
    request: HttpRequest, instrument: Instrument, *, status: int = 200, **context: Any
) -> HttpResponse:
    rows = meters_of(instrument)
    context = {
        "meter_form": MeterForm(),
        "counter_form": CounterForm(meters=rows),
        "instrument": instrument,
        "meters": rows,
        "dues": load_due(list(open_cycles([instrument.pk]))),
    } | context
    return render(request, "bookings/questions/meters.html", context, status=status)
