"""Create limits, shares and certificates; courses, their sessions, and the people who have a place in
them."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from accounts.domain.roles import By
from accounts.selectors.memberships import load_actor
from bookings.availability.selectors.cuts import InTheWay
from bookings.availability.services.kept_hours import kept_hours_grant
from bookings.demo.services.files import load
from bookings.questions.domain.meters import hours_of
from bookings.questions.domain.questions import MOMENTS
from bookings.questions.selectors.meters import uses_of
from bookings.questions.services.meters import counter_add, meter_add, meter_read
from bookings.questions.services.questions import questionnaire_set
from bookings.record.models import UsageSession
from bookings.world import Offer, Places
from instruments.house_rules.services.house_rules import house_rules_set
from instruments.policy.domain.policies import parse_policy, policy_to_json
from instruments.policy.services.policies import policy_set
from instruments.reading.domain.clock import local_date
from instruments.training.domain.training import CourseTerms, SessionTerms
from instruments.training.models import Course, CourseSession
from instruments.training.services.enrolments import enrolment_make
from instruments.training.services.qualifications import qualification_grant
from instruments.training.services.training import course_create, session_create

DAY = timedelta(days=1)
NOTE = "Introduction and one session under supervision"


def rules_make(places: Places, offers: Sequence[Offer], now: datetime) -> int:
    """Set the instruments' booking rules, which hold from now on: all bookings were made before, so none of
    them is refused. Return how many policies changed."""
    by_key = {offer.key: offer for offer in offers}
    rules = load("rules")
    for key, changes in rules["policies"].items():
        offer = by_key[key]
        policy_set(
            By(places.manager_of(offer.instrument.organisation).actor, now),
            instrument_id=offer.instrument.pk,
            policy=parse_policy(policy_to_json(offer.policy) | changes),
        )
    for row in rules["certificates"]:
        instrument = by_key[row["instrument"]].instrument
        today = local_date(ZoneInfo(instrument.facility.time_zone), now)
        qualification_grant(
            By(places.manager_of(instrument.organisation).actor, now + row["since"] * DAY),
            user=places.people[row["person"]].user,
            issuer=instrument.organisation,
            instrument=instrument,
            valid_from=today + row["since"] * DAY,
            valid_until=today + row["until"] * DAY,
            note=NOTE,
        )
    for row in rules["kept"]:
        instrument = by_key[row["instrument"]].instrument
        holder = places.people[row["person"]].organisation
        if holder is None:
            continue
        begins = now.replace(minute=0, second=0, microsecond=0)
        kept_hours_grant(
            By(places.manager_of(instrument.organisation).actor, now),
            instrument=instrument,
            holder=holder,
            minutes=row["hours"] * 60,
            starts_at=begins,
            ends_at=begins + row["days"] * DAY,
            price=Decimal(row["price"]),
            released_minutes=row["released_hours"] * 60,
            reason=row["reason"],
        )
    return len(rules["policies"])


def care_make(offers: Sequence[Offer], places: Places, now: datetime) -> None:
    """Create house rules, questions, a meter, and a counter near its limit for one instrument."""
    row = load("rules")["care"]
    instrument = next(o.instrument for o in offers if o.key == row["instrument"])
    by = By(places.manager_of(instrument.organisation).actor, now)
    of: dict[str, Any] = {"instrument_id": instrument.pk}
    house_rules_set(by, text=row["text"], text_zh=row["text_zh"], **of)
    about = dict(row["meter"])
    value = about.pop("value")
    meter = meter_add(by, **of, **about)
    meter_read(by, meter_id=meter.pk, value=value)
    for moment in MOMENTS:
        fields = [
            field | ({"meter": str(meter.pk)} if field["kind"] == "meter" else {})
            for field in row.get(moment, ())
        ]
        questionnaire_set(by, moment=moment, fields=fields, **of)
    since = now - 60 * DAY
    sessions = UsageSession.objects.filter(instrument=instrument, checked_out_at__gt=since)
    limit = max(10, round(hours_of(uses_of(sessions), since) / Decimal("0.93")))
    counter_add(by, meter=None, limit=Decimal(limit), since=since, **of, **row["counter"])


TERMS = ("name", "name_zh", "description", "description_zh", "months", "places")


def training_make(places: Places, offers: Sequence[Offer], now: datetime) -> int:
    """Create courses with their sessions; return the number of courses."""
    by_key = {offer.key: offer.instrument for offer in offers}
    rows = load("rules")["courses"]
    for row in rows:
        instrument = by_key[row["instrument"]]
        course = course_create(
            By(places.manager_of(instrument.organisation).actor, now),
            host=instrument.organisation,
            instrument=instrument,
            terms=CourseTerms(**{name: row[name] for name in TERMS}),
        )
        for session in row["sessions"]:
            _session_make(places, course, session, now)
    return len(rows)


def _session_make(places: Places, course: Course, row: dict[str, Any], now: datetime) -> None:
    assert course.instrument is not None
    facility = course.instrument.facility
    zone = ZoneInfo(facility.time_zone)
    day = local_date(zone, now) + timedelta(days=row["in"])
    if day.weekday() >= 5:  # nobody teaches on a weekend
        day += timedelta(days=7 - day.weekday())
    manager = places.manager_of(course.organisation)
    others = [places.people[email].user.pk for email in row.get("trainers", ())]

    def entered(day: date) -> CourseSession:
        start = datetime.combine(day, time.fromisoformat(row["opens"]), zone)
        terms = SessionTerms(
            start=start,
            end=start + timedelta(hours=row["hours"]),
            deadline=start - timedelta(days=1),
            places=row["places"],
            location=row["location"],
            instrument=course.instrument_id,
            trainers=(manager.user.pk, *others),
        )
        by = By(manager.actor, now)
        return session_create(by, course_id=course.pk, facility=facility, terms=terms)

    session = None
    while session is None:  # somebody may have booked the instrument
        try:
            session = entered(day)
        except InTheWay:
            day += timedelta(days=3 if day.weekday() == 4 else 1)
    emails = [*row["taken"], *row.get("waiting", ())]
    for number, email in enumerate(emails):
        person = places.people[email]
        enrolment_make(
            By(load_actor(person.user), now - timedelta(minutes=len(emails) - number)),
            user=person.user,
            session_id=session.pk,
            waits=True,
        )
