"""Alarms: the list of those one may see, one of them with its answer, and the thresholds."""

from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext

from accounts.domain.errors import NotPermitted
from accounts.domain.roles import ADMINISTRATOR, AUDITOR, COORDINATOR, MANAGER, Actor, By
from accounts.letters.words import day_words
from accounts.models import Region
from accounts.selectors.memberships import place_of
from accounts.views.pages import act, by_of, edits, reads, sent, shown
from bookings.board.domain.alarms import CLEARED, PARAMETERS
from bookings.board.forms.alarms import AlarmAnswerForm, AlarmFilterForm, ThresholdForm
from bookings.board.models import AlarmThreshold, IdleAlarm
from bookings.board.selectors.alarms import (
    alarm_by_id,
    alarms_for,
    alarms_to_answer,
    entered_thresholds,
    standing,
)
from bookings.board.services.alarms import alarm_answer, threshold_add
from bookings.record.adapters.figures import Cell
from bookings.record.views.lists import ListPage

HEADS = (
    "alarm", "instrument", "instrument_name", "host", "region", "kind", "state", "raised", "asked",
    "reason", "due", "contradicted", "productive_hours", "norm_hours", "open_days", "asked_for",
)  # fmt: skip


def _cells(row: IdleAlarm, by: By) -> tuple[Cell, ...]:
    return (
        str(row.pk),
        str(row.instrument_id),
        row.instrument.name,
        row.instrument.organisation.code,
        row.instrument.region.code,
        row.kind,
        row.state,
        row.raised_at.isoformat(),
        row.asked_at.isoformat(),
        row.reason,
        row.due_date.isoformat() if row.due_date else "",
        "yes" if row.is_contradicted else "",
        row.figures["productive_minutes"] // 60,
        int(row.figures["norm_minutes"]) // 60,
        row.figures["open_days"],
        row.figures["asked"],
    )


LIST = ListPage(
    "bookings/board/alarms.html",
    alarms_for,
    waits={"alarms": alarms_to_answer},
    sheet=("alarms", HEADS, _cells),
    words=("instrument__name", "instrument__name_zh", "instrument__organisation__name"),
    day="asked_at",
    sorts={0: "instrument__name", 1: "kind", 2: "state", 3: "asked_at"},
)


def require_sees_alarms(actor: Actor) -> None:
    """`NotPermitted` for who is neither a manager, a coordinator, an auditor nor administrator."""
    if not any(actor.has(role) for role in (MANAGER, COORDINATOR, AUDITOR, ADMINISTRATOR)):
        raise NotPermitted


@reads
def alarms(request: HttpRequest) -> HttpResponseBase:
    """List the alarms of instruments one manages, or of one's regions, the oldest first."""
    by = by_of(request)
    require_sees_alarms(by.actor)
    form = AlarmFilterForm(request.GET)
    waits, rows = LIST.chosen(request, by)
    data = form.cleaned_data if form.is_valid() else {}
    if data.get("kind"):
        rows = rows.filter(kind=data["kind"])
    rows = rows.filter(state=data["state"]) if data.get("state") else standing(rows)
    is_filtered = bool(waits) or LIST.narrows(request) or any(data.values())
    return LIST.answer(request, by, rows, form=form, waits=waits, is_filtered=is_filtered)


@edits
def alarm(request: HttpRequest, alarm_id: UUID) -> HttpResponse:
    """One alarm with its figures; POST answers it."""
    by = by_of(request)
    row = alarm_by_id(by.actor, alarm_id)
    initial = {
        "reason": row.reason,
        "note": row.note,
        "due_date": row.due_date,
        "version": row.version,
    }
    form = AlarmAnswerForm(sent(request), initial=initial)
    may_answer = by.actor.may("manage-instruments", place_of(row.instrument.organisation))
    return act(
        request,
        partial(
            shown,
            request,
            "bookings/board/alarm.html",
            alarm=row,
            accepted_on=_day(row.figures["accepted_on"]),
            used_on=_day(row.figures["used_on"]),
            may_answer=may_answer and row.state != CLEARED,
        ),
        lambda by, data: alarm_answer(
            by,
            alarm_id=alarm_id,
            reason=data["reason"],
            due_date=data["due_date"],
            note=data["note"],
        ),
        to=reverse("bookings:alarm", args=[alarm_id]),
        done=gettext("Answered."),
        form=form,
    )


def _day(text: str | None) -> str:
    return day_words(date.fromisoformat(text)) if text else "–"


def _regions(actor: Actor) -> list[Region]:
    rows = Region.objects.filter(shares=True).order_by("code")
    if not actor.has(ADMINISTRATOR):
        rows = rows.filter(lineage__overlap=list(actor.regions_where("coordinate")))
    return list(rows)


@edits
def thresholds(request: HttpRequest) -> HttpResponse:
    """The thresholds that were entered and those before; POST enters one."""
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
