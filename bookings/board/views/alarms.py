"""Pages of alarms: those that the reader may see, one with its answer, and the thresholds."""

from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import ADMINISTRATOR, AUDITOR, COORDINATOR, Actor
from accounts.letters.words import day_words
from accounts.models import Region
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, reads, sent, shown
from bookings.board.domain.alarms import CLEARED, PARAMETERS
from bookings.board.forms.alarms import AlarmAnswerForm, AlarmFilterForm, ThresholdForm
from bookings.board.models import AlarmThreshold
from bookings.board.selectors.alarms import (
    ALARMS,
    alarm_by_id,
    entered_thresholds,
    load_demand_of,
    load_limits,
    standing,
)
from bookings.board.services.alarms import threshold_add
from bookings.record.views.lists import ListPage

LIST = ListPage("bookings/board/alarms.html", ALARMS)


def require_sees_alarms(actor: Actor) -> None:
    """Raise `NotPermitted` for anybody who is neither manager, coordinator, auditor nor administrator."""
    manages = bool(actor.scope_where("manage-instruments"))
    if not manages and not any(actor.has(role) for role in (COORDINATOR, AUDITOR, ADMINISTRATOR)):
        raise NotPermitted


@reads
def alarms(request: HttpRequest) -> HttpResponseBase:
    """List the alarms about instruments that the reader manages, or in the reader's regions, oldest first."""
    by = by_of(request)
    require_sees_alarms(by.actor)
    form = AlarmFilterForm(request.GET)
    waits, rows = LIST.chosen(request, by)
    if not (form.is_valid() and form.cleaned_data["state"]):
        rows = standing(rows)
    is_filtered = bool(waits) or LIST.narrows(request, form)
    return LIST.answer(request, by, rows, form=form, waits=waits, is_filtered=is_filtered)


@reads
def alarm(request: HttpRequest, alarm_id: UUID, status: int = 200, **more: Any) -> HttpResponse:
    """Show an alarm with its figures, and the form for the answer."""
    by = by_of(request)
    row = alarm_by_id(by.actor, alarm_id)
    may_answer = by.actor.may("manage-instruments", place_of(row.instrument.organisation, row.instrument))
    limits = load_limits(row.instrument.region_id, row.checked_at.date())
    until = row.checked_at.date().replace(day=1)
    since = until.replace(year=until.year - 1)
    techniques, regions = load_demand_of(row)
    initial = {"reason": row.reason, "note": row.note, "due_date": row.due_date, "version": row.version}
    context = {
        "alarm": row,
        "accepted_on": _day(row.figures["accepted_on"]),
        "used_on": _day(row.figures["used_on"]),
        "may_answer": may_answer and row.state != CLEARED,
        "limits": limits,
        # The twelve whole months of which the figures are, and the days of the demand.
        "since": since,
        "until": until,
        "demand_since": row.checked_at.date() - timedelta(days=limits["demand_days"]),
        "checked_on": row.checked_at.date(),
        "techniques": ",".join(techniques),
        "regions": ",".join(regions),
        "form": AlarmAnswerForm(initial=initial),
    }
    return shown(request, "bookings/board/alarm.html", status=status, **context | more)


def _day(text: str | None) -> str:
    return day_words(date.fromisoformat(text)) if text else "–"


def _regions(actor: Actor) -> list[Region]:
    rows = Region.objects.filter(shares=True).order_by("code")
    if not actor.has(ADMINISTRATOR):
        rows = rows.filter(lineage__overlap=list(actor.regions_where("coordinate")))
    return list(rows)


@edits
def thresholds(request: HttpRequest) -> HttpResponse:
    """Show the thresholds that were entered, and the defaults; POST enters one."""
    by = by_of(request)
    require_sees_alarms(by.actor)
    regions, for_all = _regions(by.actor), by.actor.has(ADMINISTRATOR)
    form = ThresholdForm(sent(request), regions=regions, for_all=for_all)
    if request.method == "POST" and not (regions or for_all):
        raise NotPermitted
    by_code = {region.code: region for region in regions}
    labels = dict(AlarmThreshold.Parameter.choices)
    context: dict[str, Any] = {
        "entered": entered_thresholds(),
        "first": [(labels[name], each.first) for name, each in PARAMETERS.items()],
        "may_enter": bool(regions or for_all),
    }
    return act(
        request,
        partial(shown, request, "bookings/board/thresholds.html", **context),
        lambda by, data: threshold_add(
            by,
            parameter=data["parameter"],
            value=data["value"],
            valid_from=data["valid_from"],
            source=data["source"],
            region=by_code.get(data["region"]),
        ),
        to=reverse("bookings:alarm-thresholds"),
        done=gettext("Entered."),
        form=form,
    )
