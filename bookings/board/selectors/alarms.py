"""Read alarms as far as each person may see them, and load the parameters of the rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.domain.roles import Actor
from accounts.models import Region
from accounts.selectors.memberships import in_scope
from accounts.selectors.rows import visible
from bookings.board.domain.alarms import CLEARED, RISEN, limits_on, working_day_before
from bookings.board.models import AlarmThreshold, IdleAlarm
from bookings.hours.domain.norms import USUAL_SCHEME
from bookings.hours.selectors.norms import load_norms, steps_json
from bookings.pricing.models import Agreement, AgreementMember
from bookings.pricing.selectors.agreements import agreements_on
from bookings.record.selectors.lists import CHOICE, Column, Filter, Listing
from instruments.opening.adapters.holiday_calendars import public_holidays
from instruments.register.models import Instrument

WITH = ("instrument__organisation", "instrument__region", "instrument__facility")

# Of each instrument what the rule asks for (board/domain/alarms.Facts), after `NORM_MINUTES`. Days
# are those of UTC; the year is the last twelve whole months. Demand within reach is what
# organisations other than the owner asked for in vain or ask the board for, in its region or one
# that shares an agreement in force with it; of an instrument with several techniques the one most
# asked for counts.
FACTS = """
limits AS (SELECT * FROM jsonb_to_recordset(%(limits)s::jsonb) AS x(
    region_id uuid, late date, in_service_days int, idle_percent int, idle_open_days int,
    under_used_percent int, not_shared_percent int, demand_number int, demand_days int,
    answer_days int
)),
reach AS (SELECT * FROM unnest(%(hosts)s::uuid[], %(others)s::uuid[]) AS x(region_id, other)),
asking AS (
    SELECT region_id, technique_id, organisation_id, count(*) AS n FROM (
        SELECT r.region_id, coalesce(t.technique_id, u.technique_id) AS technique_id,
            u.organisation_id
        FROM bookings_unmetdemand u
        JOIN reach r ON r.other = u.region_id
        JOIN limits l ON l.region_id = r.region_id AND u.on_date > %(today)s - l.demand_days
        LEFT JOIN instruments_instrument_techniques t ON t.instrument_id = u.instrument_id
        WHERE u.on_date > %(today)s - 366 AND u.organisation_id IS NOT NULL AND u.code = ''
        UNION ALL
        -- One that was not met is unmet demand.
        SELECT r.region_id, t.id, e.organisation_id
        FROM bookings_enquiry e
        JOIN reach r ON r.other = e.region_id
        JOIN limits l ON l.region_id = r.region_id
            AND (e.created_at AT TIME ZONE 'UTC')::date > %(today)s - l.demand_days
        JOIN instruments_technique t ON t.code = e.techniques[1]
        WHERE e.created_at > %(now)s - make_interval(days => 367)
            AND e.state NOT IN ('unmet', 'withdrawn')
    ) every GROUP BY 1, 2, 3
),
asked AS (SELECT region_id, technique_id, sum(n) AS n FROM asking GROUP BY 1, 2),
sums AS (
    SELECT instrument_id, sum(productive_minutes) AS productive,
        sum(other_organisations_minutes) AS external
    FROM bookings_instrumentmonth WHERE month >= %(since)s AND month < %(until)s
    GROUP BY instrument_id
),
known AS (
    SELECT i.id AS instrument_id, i.region_id, i.organisation_id, i.publication,
        i.published_at IS NOT NULL AS was_published,
        (i.published_at AT TIME ZONE 'UTC')::date AS published_on,
        (i.created_at AT TIME ZONE 'UTC')::date AS entered_on,
        coalesce((
            SELECT min(d ->> 'date') FROM jsonb_array_elements(i.dates) d
            WHERE d ->> 'date_type' = 'Commissioned'
                AND d ->> 'date' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
        ), to_char(i.acquisition_date, 'YYYY-MM-DD')) AS accepted_on,
        (s.at AT TIME ZONE 'UTC')::date AS used_on,
        coalesce(h.productive, 0)::bigint AS productive,
        coalesce(h.external, 0)::bigint AS external,
        coalesce(n.minutes, 0) AS norm
    FROM instruments_instrument i
    LEFT JOIN norms n ON n.instrument_id = i.id
    LEFT JOIN sums h ON h.instrument_id = i.id
    LEFT JOIN LATERAL (
        SELECT u.checked_in_at AS at FROM bookings_usagesession u
        WHERE u.instrument_id = i.id ORDER BY u.checked_in_at DESC LIMIT 1
    ) s ON TRUE
    WHERE i.publication <> 'retired'
),
facts AS (
    SELECT k.*, l.late, l.in_service_days, l.idle_percent, l.idle_open_days,
        l.under_used_percent, l.not_shared_percent, l.demand_number,
        coalesce(k.published_on <= %(since)s, FALSE) AS is_whole_year,
        CASE
            WHEN k.publication = 'published'
                AND coalesce(k.used_on, k.published_on) < %(today)s - l.idle_open_days
            THEN (SELECT count(*) FROM (
                SELECT FROM instruments_scheduleassignment a
                JOIN instruments_scheduleday d ON d.schedule_id = a.schedule_id
                    AND d.date >= a.from_date
                    AND d.date > greatest(k.used_on, k.published_on)
                    AND d.date < least(coalesce(a.until_date, %(today)s), %(today)s)
                    AND d.open_minutes > 0
                LEFT JOIN bookings_instrumentday x
                    ON x.instrument_id = k.instrument_id AND x.date = d.date
                WHERE a.instrument_id = k.instrument_id AND coalesce(x.standby_minutes, 1) > 0
                LIMIT l.idle_open_days
            ) o)
            ELSE 0
        END AS open_days,
        coalesce((
            SELECT max(q.n - coalesce(w.n, 0)) FROM instruments_instrument_techniques t
            JOIN asked q ON q.region_id = k.region_id AND q.technique_id = t.technique_id
            LEFT JOIN asking w ON w.region_id = k.region_id
                AND w.technique_id = t.technique_id AND w.organisation_id = k.organisation_id
            WHERE t.instrument_id = k.instrument_id
        ), 0)::int AS asked
    FROM known k JOIN limits l ON l.region_id = k.region_id
)
"""


@dataclass(frozen=True)
class AlarmParameters:
    """Parameters of the SQL that raises alarms. `limits` are the thresholds by region; `late` is the day that
    `alarms_of` takes, by region."""

    limits: Mapping[UUID, Mapping[str, int]]
    late: Mapping[UUID, date]
    parameters: Mapping[str, Any]


def load_asked(now: datetime) -> AlarmParameters:
    """Load today's parameters of the SQL that raises alarms: thresholds, norms, and regions within reach. It
    takes five statements, whatever the number of instruments."""
    today = now.date()
    until = today.replace(day=1)
    since = until.replace(year=until.year - 1)
    entered = list(AlarmThreshold.objects.values_list("region_id", "parameter", "valid_from", "value"))
    regions = Region.objects.filter(
        pk__in=Instrument.objects.order_by().values("region").distinct()
    ).order_by("pk")
    limits: dict[UUID, Mapping[str, int]] = {}
    late: dict[UUID, date] = {}
    for region in regions:
        limits[region.pk] = limits_on(entered, region.pk, today)
        free = public_holidays(region.holiday_calendar, range(today.year - 2, today.year + 1))
        late[region.pk] = working_day_before(today, limits[region.pk]["publish_days"], free)
    norms = load_norms(USUAL_SCHEME)
    reach = [(pk, pk) for pk in limits] + _agreed(today)
    rows = [{"region_id": str(pk), "late": late[pk].isoformat(), **limits[pk]} for pk in limits]
    return AlarmParameters(
        limits,
        late,
        {
            "now": now,
            "today": today,
            "since": since,
            "until": until,
            "limits": rows,
            "hosts": [host for host, _ in reach],
            "others": [other for _, other in reach],
            "norm_steps": steps_json(norms, since, until),
        },
    )


def load_demand_of(alarm: IdleAlarm) -> tuple[list[str], list[str]]:
    """Return the codes of the techniques and regions whose unmet demand an alarm counts."""
    own = alarm.instrument.region_id
    reach = {own, *(other for host, other in _agreed(alarm.checked_at.date()) if host == own)}
    techniques = alarm.instrument.techniques.order_by("code").values_list("code", flat=True)
    return list(techniques), list(
        Region.objects.filter(pk__in=reach).order_by("code").values_list("code", flat=True)
    )


def _agreed(today: date) -> list[tuple[UUID, UUID]]:
    """Return the pairs of regions that share an agreement in force."""
    members = AgreementMember.objects.filter(
        agreement__in=agreements_on(Agreement.objects.all(), today).values("pk")
    ).values_list("agreement_id", "region_id")
    by_agreement: dict[UUID, set[UUID]] = {}
    for agreement, region in members:
        by_agreement.setdefault(agreement, set()).add(region)
    pairs = {
        (one, other)
        for regions in by_agreement.values()
        for one in regions
        for other in regions
        if one != other
    }
    return sorted(pairs)


def load_limits(region_id: UUID, day: date) -> Mapping[str, int]:
    """Return the thresholds in force in a region on a day. One statement."""
    entered = AlarmThreshold.objects.values_list("region_id", "parameter", "valid_from", "value")
    return limits_on(entered, region_id, day)


def alarms_for(actor: Actor) -> QuerySet[IdleAlarm]:
    """Return the alarms about instruments that the actor manages, or in regions that they coordinate or
    audit; those that have waited longest for an answer first."""
    seen = IdleAlarm.objects.none()
    managed = in_scope(actor.scope_where("manage-instruments"), "instrument__organisation")
    regions = [*actor.regions_where("coordinate"), *actor.regions_where("audit")]
    rows = IdleAlarm.objects.select_related(*WITH)
    seen = rows.filter(managed)
    if regions:
        seen |= rows.filter(instrument__region__lineage__overlap=regions)
    return seen.order_by("asked_at", "pk")


def alarm_by_id(actor: Actor, alarm_id: UUID) -> IdleAlarm:
    """Return an alarm; `NotFound` if there is none or the actor may not see it."""
    return visible(alarms_for(actor), pk=alarm_id)


def alarms_to_answer(actor: Actor, now: datetime) -> QuerySet[IdleAlarm]:
    """Return the alarms that the actor should answer or follow up: those about instruments they manage that
    await an answer, and those that were escalated to a region they coordinate."""
    managed = in_scope(actor.scope_where("manage-instruments"), "instrument__organisation")
    rows = IdleAlarm.objects.select_related(*WITH)
    seen = rows.filter(managed, state__in=[IdleAlarm.State.OPEN, IdleAlarm.State.RISEN])
    if regions := list(actor.regions_where("coordinate")):
        seen |= rows.filter(state=RISEN, instrument__region__lineage__overlap=regions)
    return seen.order_by("asked_at", "pk")


def standing(rows: QuerySet[IdleAlarm]) -> QuerySet[IdleAlarm]:
    return rows.exclude(state=CLEARED)


def entered_thresholds() -> QuerySet[AlarmThreshold]:
    """Return the thresholds that were entered, newest first."""
    rows = AlarmThreshold.objects.select_related("region", "entered_by")
    return rows.order_by("-valid_from", "-entered_at", "pk")


ALARMS = Listing(
    "alarms",
    alarms_for,
    (
        Column("alarm", "pk"),
        Column("instrument", "instrument_id", _("Instrument"), "instrument__name"),
        Column("instrument_name", "instrument.name"),
        Column("host", "instrument.organisation.code"),
        Column("region", "instrument.region.code"),
        Column("kind", "kind", _("Alarm"), "kind"),
        Column("state", "state", _("State"), "state"),
        Column("raised", "raised_at"),
        Column("asked", "asked_at", _("Since"), "asked_at"),
        Column("reason", "reason"),
        Column("due", "due_date"),
        Column("contradicted", lambda row, by: "yes" if row.is_contradicted else ""),
        Column("productive_hours", lambda row, by: row.figures["productive_minutes"] // 60),
        Column("norm_hours", lambda row, by: int(row.figures["norm_minutes"]) // 60),
        Column("open_days", lambda row, by: row.figures["open_days"]),
        Column("asked_for", lambda row, by: row.figures["asked"]),
    ),
    waits={"alarms": alarms_to_answer},
    waits_help="Only alarms that you have to answer.",
    words=(
        "instrument__name",
        "instrument__name_zh",
        "instrument__organisation__name",
        "instrument__organisation__name_zh",
        "instrument__organisation__code",
    ),
    q_help="Part of the name of the instrument or its owner.",
    day="asked_at",
    filters=(
        Filter("kind", "kind", CHOICE, choices=IdleAlarm.Kind.choices),
        Filter("state", "state", CHOICE, choices=IdleAlarm.State.choices),
    ),
)
