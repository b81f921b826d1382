"""Raise and clear alarms each night, let owners answer them, and escalate unanswered ones to the region."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import batched
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from accounts import trail
from accounts.domain.errors import NotPermitted, invalid
from accounts.domain.roles import ADMINISTRATOR, MANAGER, PLATFORM, By, Place
from accounts.models import Region
from accounts.notifications import Effect, enqueue
from accounts.permissions import require
from accounts.selectors.memberships import holders_in_part, place_of
from accounts.selectors.rows import visible
from accounts.selectors.zones import DayIn
from accounts.trail import Change
from bookings.board.domain import alarms as rules
from bookings.board.models import AlarmThreshold, IdleAlarm
from bookings.board.selectors.alarms import FACTS, WITH, alarm_by_id, load_asked
from bookings.hours.selectors.norms import NORM_MINUTES
from instruments.reading.domain.clock import local_date

PART = 10_000  # rows read at once
# What `rules.alarms_of` says of each instrument; a property test holds the two equal.
_RAISE = """
judged AS (
    SELECT f.*,
        f.publication = 'published' AND (f.open_days >= f.idle_open_days
            OR f.is_whole_year AND f.productive * 100 < f.idle_percent * f.norm) AS is_idle,
        f.publication = 'published' AND f.is_whole_year
            AND f.productive * 100 < f.under_used_percent * f.norm AS is_below
    FROM facts f
),
due AS (
    SELECT j.*, k.kind FROM judged j CROSS JOIN LATERAL (VALUES
        ('not_in_service', j.used_on IS NULL AND j.accepted_on IS NOT NULL
            AND greatest(j.accepted_on, to_char(j.published_on, 'YYYY-MM-DD'))
                <= to_char(%(today)s - j.in_service_days, 'YYYY-MM-DD')),
        ('published_late', j.publication IN ('draft', 'submitted') AND NOT j.was_published
            AND j.accepted_on <= to_char(j.late, 'YYYY-MM-DD') AND j.entered_on <= j.late),
        ('idle', j.is_idle),
        ('under_used', j.is_below AND NOT j.is_idle),
        ('not_shared', j.publication = 'published' AND NOT j.is_idle AND j.is_whole_year
            AND j.external * 100 < j.not_shared_percent * j.productive AND j.asked > 0),
        ('demand_idle', (j.is_idle OR j.is_below) AND j.asked >= j.demand_number)
    ) AS k(kind, holds)
    WHERE k.holds
)
INSERT INTO bookings_idlealarm AS a (
    id, instrument_id, kind, state, figures, raised_at, asked_at, checked_at, reason, note, version
)
SELECT gen_random_uuid(), instrument_id, kind, 'open', jsonb_build_object(
        'accepted_on', accepted_on, 'used_on', used_on, 'productive_minutes', productive,
        'external_minutes', external, 'norm_minutes', norm, 'open_days', open_days,
        'asked', asked, 'since', %(since)s::date, 'until', %(until)s::date
    ), %(now)s, %(now)s, %(now)s, '', '', 1
FROM due
ON CONFLICT (instrument_id, kind) WHERE NOT (state = 'cleared')
DO UPDATE SET figures = excluded.figures, checked_at = excluded.checked_at
RETURNING a.id, a.raised_at = %(now)s
"""
_CLEAR = """
UPDATE bookings_idlealarm SET state = 'cleared', cleared_at = %(now)s, version = version + 1
WHERE state <> 'cleared' AND checked_at < %(now)s RETURNING id
"""


@transaction.atomic
def alarms_review(*, now: datetime) -> int:
    """Raise the alarms for which instruments give cause, clear those without cause, and escalate to the
    region those not answered in time; return how many changed. Owners and coordinators get one message per
    night about all of them. The number of statements does not depend on that of instruments."""
    asked = load_asked(now)
    if not asked.limits:
        return 0
    parameters = dict(asked.parameters) | {"limits": json.dumps(asked.parameters["limits"])}
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {NORM_MINUTES}, {FACTS}, {_RAISE}", parameters)
        raised = [pk for pk, is_new in cursor.fetchall() if is_new]
        cursor.execute(_CLEAR, parameters)
        cleared = [pk for (pk,) in cursor.fetchall()]
    by = By(PLATFORM, now)
    new = _rows(raised)
    changes = [
        *(Change(by, "alarm.raise", row, after=_recorded(row)) for row in new),
        *(Change(by, "alarm.clear", row, after=_recorded(row)) for row in _rows(cleared)),
    ]
    risen, anew = [], []
    for row in _rows_due(now, min(each["answer_days"] for each in asked.limits.values())):
        limits = asked.limits[row.instrument.region_id]
        state = rules.state_tonight(
            row.state,
            asked_at=row.asked_at,
            due_date=row.due_date,
            limits=limits,
            now=now,
            today=local_date(row.instrument.facility.zone, now),
        )
        if state == row.state:
            continue
        before = {"state": row.state}
        row.state = state
        row.version += 1
        if state == rules.RISEN:
            row.risen_at = now
            risen.append(row)
        else:
            row.asked_at = now
            anew.append(row)
        action = "alarm.rise" if state == rules.RISEN else "alarm.reopen"
        changes.append(Change(by, action, row, before=before, after=_recorded(row)))
    IdleAlarm.objects.bulk_update(
        [*risen, *anew], ["state", "risen_at", "asked_at", "version"], batch_size=1000
    )
    trail.record_all(changes)
    _tell(now, "alarm.raised", "organisation", [*new, *anew])
    _tell(now, "alarm.risen", "region", risen)
    return len(changes)


def _rows(ids: Sequence[UUID]) -> list[IdleAlarm]:
    """Return the alarms with these ids, read in parts, because a statement takes at most 65,535 values."""
    rows = IdleAlarm.objects.select_related(*WITH)
    return [row for part in batched(ids, PART) for row in rows.filter(pk__in=part)]


def _rows_due(now: datetime, days: int) -> Iterable[IdleAlarm]:
    """Return the alarms that may have to be escalated or asked about again. They are locked, so that nobody
    answers them meanwhile."""
    rows = IdleAlarm.objects.select_for_update(of=("self",)).select_related(*WITH)
    waited = now - timedelta(days=days)
    open_ones = rows.filter(state=rules.OPEN, asked_at__lte=waited).order_by("pk")
    today = DayIn(now, "instrument__facility__time_zone")
    over = rows.filter(state=rules.ANSWERED, due_date__lt=today).order_by("pk")
    return [*open_ones, *over]


def _recorded(row: IdleAlarm) -> dict[str, object]:
    return {"instrument": row.instrument_id, "kind": row.kind, "state": row.state}


def _tell(now: datetime, kind: str, whose: str, rows: Iterable[IdleAlarm]) -> None:
    """Send each organisation or region one message about its alarms, whatever their number, and each of those
    who manage only a part of an organisation one about theirs."""
    about = [row.instrument for row in rows]
    numbers = Counter(getattr(one, f"{whose}_id") for one in about)
    effects = [
        Effect(kind, f"{kind}:{pk}:{now.date()}", {whose: str(pk), "number": number})
        for pk, number in sorted(numbers.items())
    ]
    if whose == "organisation" and about:
        of = [(one.organisation_id, one.facility_id, one.pk) for one in about]
        for (host, user), theirs in holders_in_part(MANAGER, of).items():
            payload = {whose: str(host), "user": str(user), "number": len(theirs)}
            effects.append(Effect(kind, f"{kind}:{host}:{now.date()}:{user}", payload))
    enqueue(effects, now=now)


@transaction.atomic
def alarm_answer(by: By, *, alarm_id: UUID, reason: str, due_date: date, note: str = "") -> IdleAlarm:
    """Answer an alarm as a manager of the owner: the reason, and the day by which the cause will be removed.
    An answer may be replaced by another. Raise `Invalid`, `WrongState`."""
    alarm_by_id(by.actor, alarm_id)
    row = visible(IdleAlarm.objects.select_for_update(of=("self",)).select_related(*WITH), pk=alarm_id)
    require(by.actor, "manage-instruments", place_of(row.instrument.organisation, row.instrument))
    by.require_version(row.version)
    rules.require_answerable(row.state)
    note = note.strip()
    if reason not in IdleAlarm.Reason.values:
        raise invalid("reason", "unknown-value")
    if len(note) > 1000:
        raise invalid("note", "too-long", most=1000)
    today = local_date(row.instrument.facility.zone, by.now)
    rules.check_answer(reason=reason, note=note, due_date=due_date, today=today)
    before = {"state": row.state, "reason": row.reason, "due_date": row.due_date}
    row.state, row.reason, row.note, row.due_date = rules.ANSWERED, reason, note, due_date
    row.answered_by_id, row.answered_at = by.actor.person, by.now
    row.version += 1
    row.save()
    after = _recorded(row) | {"reason": reason, "due_date": due_date}
    trail.record(by, "alarm.answer", row, before=before, after=after, reason=note)
    return row


@transaction.atomic
def threshold_add(
    by: By, *, parameter: str, value: int, valid_from: date, source: str, region: Region | None
) -> AlarmThreshold:
    """Enter a threshold that holds from a day on: coordinators for their region, administrators also for all.
    Existing values are not changed, and none begins in the past. Raise `Invalid`, `NotPermitted`."""
    if region is not None:
        is_allowed = by.actor.has(ADMINISTRATOR) or by.actor.may(
            "coordinate", Place(None, frozenset(region.lineage))
        )
    else:
        is_allowed = by.actor.has(ADMINISTRATOR)
    if not is_allowed:
        raise NotPermitted
    rules.check_threshold(parameter, value, valid_from, by.now.date())
    source = source.strip()
    if not source:
        raise invalid("source", "required")
    if len(source) > 500:
        raise invalid("source", "too-long", most=500)
    try:
        with transaction.atomic():
            row = AlarmThreshold.objects.create(
                region=region,
                parameter=parameter,
                value=value,
                valid_from=valid_from,
                source=source,
                entered_by_id=by.actor.user_id,
                entered_at=by.now,
            )
    except IntegrityError:
        raise invalid("valid_from", "threshold-entered-already") from None
    after = {"parameter": parameter, "value": value, "valid_from": valid_from}
    trail.record(by, "threshold.add", row, after=after, reason=source)
    return row
