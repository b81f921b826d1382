"""Meters of an instrument, their readings, and the maintenance they count towards."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from accounts.permissions import actor_of
from accounts.views.pages import act, bare, reads, shown, writes
from bookings.questions.forms.meters import CorrectionForm, CounterForm, MeterForm, ReadingForm
from bookings.questions.selectors import meters as meter_selectors
from bookings.questions.services.meters import counter_add
from bookings.record.domain.money import format_number
from instruments.register.selectors.registry import instrument_to_manage

MOST_READINGS = 50


@reads
def meters(request: HttpRequest, instrument_id: UUID, status: int = 200, **more: Any) -> HttpResponse:
    """Show the meters and counters of an instrument."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    rows = meter_selectors.meters_of(instrument)
    context = {
        "meter_form": MeterForm(),
        "counter_form": CounterForm(meters=rows),
        "instrument": instrument,
        "meters": rows,
        "dues": meter_selectors.load_due(list(meter_selectors.open_cycles([instrument.pk]))),
    }
    return shown(request, "bookings/questions/meters.html", status=status, **context | more)


@writes
def counters(request: HttpRequest, instrument_id: UUID) -> HttpResponse:
    """Add a maintenance counter."""
    instrument = instrument_to_manage(actor_of(request.user), instrument_id)
    return act(
        request,
        partial(bare(meters), request, instrument_id),
        lambda by, data: counter_add(by, instrument_id=instrument_id, **data | {"meter": _id(data["meter"])}),
        to=reverse("bookings:meters", args=[instrument_id]),
        done=gettext("Added."),
        form=CounterForm(request.POST, meters=meter_selectors.meters_of(instrument)),
        name="counter_form",
    )


def _id(text: str) -> UUID | None:
    return UUID(text) if text else None


@reads
def meter(request: HttpRequest, meter_id: UUID, status: int = 200, **more: Any) -> HttpResponse:
    """Show the readings of a meter."""
    row = meter_selectors.meter_to_manage(actor_of(request.user), meter_id)
    context = {
        "meter": row,
        "instrument": row.instrument,
        "readings": meter_selectors.readings_of(row)[:MOST_READINGS],
        "form": ReadingForm(),
    }
    return shown(request, "bookings/questions/meter.html", status=status, **context | more)


@reads
def reading(request: HttpRequest, reading_id: UUID, status: int = 200, **more: Any) -> HttpResponse:
    """Show a reading, to correct it."""
    row = meter_selectors.reading_to_manage(actor_of(request.user), reading_id)
    context = {
        "reading": row,
        "meter": row.meter,
        "instrument": row.meter.instrument,
        "form": CorrectionForm(initial={"value": format_number(row.value)}),
    }
    return shown(request, "bookings/questions/reading.html", status=status, **context | more)
