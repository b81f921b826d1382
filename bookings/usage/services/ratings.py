"""Ratings of sessions: people give them, hosts answer them, and each night the ratings that everybody may
read are updated."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.domain.errors import NotPermitted, WrongState, invalid
from accounts.domain.roles import By
from accounts.notifications import enqueue
from accounts.permissions import require
from accounts.selectors.memberships import place_of
from bookings.record.domain import ratings as rules
from bookings.record.locks import lock_reservation
from bookings.record.models import Reservation, SessionRating, UsageSession
from bookings.reserving.services.occupancy import message, reservation_touch
from bookings.usage.services.usage import poor_rating_tell, require_user

LONGEST = 1000


@transaction.atomic
def session_rate(
    by: By,
    *,
    reservation_id: UUID,
    rating: int,
    usable: int | None = None,
    support: int | None = None,
    on_time: int | None = None,
    price_as_quoted: int | None = None,
    remarks: str | None = None,
) -> SessionRating:
    """Rate a session as its person, once, within thirty days of its end: as a whole, which replaces a rating
    given at check-out, and by marks, each from 1 to 5 or left out. Without `remarks` those made at check-out
    stay. Raises `Invalid`, `WrongState`."""
    reservation, session, row = _lock(by, reservation_id)
    if by.actor.user_id != reservation.user_id:
        raise NotPermitted
    rules.require_rateable(ended_at=session.checked_out_at or by.now, rated_at=row.rated_at, now=by.now)
    marks = {"usable": usable, "support": support, "on_time": on_time, "price_as_quoted": price_as_quoted}
    for name, value in {"rating": rating, **marks}.items():
        rules.check_mark(name, value)
        if name != "rating":
            setattr(row, name, value)
    if remarks is not None:
        session.remarks = _checked("remarks", remarks)
    session.rating, row.rated_at = rating, by.now
    session.save(update_fields=["rating", "remarks"])
    row.save()
    reservation_touch(
        by,
        reservation=reservation,
        action="reservation.rate",
        changes={},
        recorded={"rating": rating, **marks},
    )
    poor_rating_tell(by, reservation, rating)
    return row


@transaction.atomic
def rating_answer(by: By, *, reservation_id: UUID, answer: str) -> SessionRating:
    """Answer a rating, or remarks, for the host's managers, once; the answer can be edited for a day. The
    person is told. Raises `Invalid`, `WrongState`."""
    reservation, session, row = _lock(by, reservation_id)
    require(by.actor, "operate-instruments", place_of(reservation.host, reservation.instrument))
    if session.rating is None and not session.remarks:
        raise WrongState("nothing-rated")
    rules.require_answerable(answered_at=row.answered_at, now=by.now)
    answer = _checked("answer", answer)
    if not answer:
        raise invalid("answer", "required")
    row.answer, row.answered_by_id = answer, by.actor.person
    row.answered_at = row.answered_at or by.now
    row.save()
    reservation_touch(
        by,
        reservation=reservation,
        action="reservation.answer-rating",
        changes={},
        recorded={},
        reason=answer,
    )
    enqueue([message("rating-answered", reservation)], now=by.now)
    return row


def _lock(by: By, reservation_id: UUID) -> tuple[Reservation, UsageSession, SessionRating]:
    """Lock a booking, and return it with its ended session and the marks of that session, which may be a new
    row."""
    _, reservation = lock_reservation(reservation_id)
    require_user(by.actor, reservation)
    by.require_version(reservation.version)
    session = UsageSession.objects.filter(reservation=reservation, checked_out_at__isnull=False).first()
    if session is None:
        raise WrongState("not-used")
    row = SessionRating.objects.filter(session=session).first()
    return reservation, session, row or SessionRating(session=session)


def _checked(name: str, text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST:
        raise invalid(name, "too-long", most=LONGEST)
    return text


# The same as `rules.shown_rating` for each instrument; a property test holds the two equal. First the
# sessions of the last 24 months that somebody from outside the host could rate: who at no time from the
# session to its rating was a member of the organisation that hosted it, or that owns the instrument now, and
# who did not use it at the host's own cost.
_SHOWN = """
WITH rateable AS (
    SELECT s.instrument_id, r.user_id, r.organisation_id, s.rating, m.usable
    FROM bookings_usagesession s
    JOIN bookings_reservation r ON r.id = s.reservation_id
    JOIN instruments_instrument i ON i.id = s.instrument_id
    LEFT JOIN bookings_sessionrating m ON m.session_id = s.id
    WHERE s.checked_out_at > %(now)s - make_interval(months => %(months)s)
        AND s.checked_out_at <= %(now)s
        AND r.organisation_id NOT IN (r.host_id, i.organisation_id)
        AND NOT EXISTS (
            SELECT FROM accounts_membership p
            WHERE p.user_id = r.user_id AND p.organisation_id IN (r.host_id, i.organisation_id)
                AND p.started_at <= coalesce(m.rated_at, s.checked_out_at)
                AND (p.ended_at IS NULL OR p.ended_at > s.checked_in_at)
        )
),
own AS (
    SELECT instrument_id, count(rating) AS n, coalesce(sum(rating), 0) AS total,
        count(*) AS sessions,
        count(DISTINCT user_id) FILTER (WHERE rating IS NOT NULL) AS raters,
        count(DISTINCT organisation_id) FILTER (WHERE rating IS NOT NULL) AS organisations,
        count(usable) FILTER (WHERE rating IS NOT NULL) AS marks,
        count(*) FILTER (WHERE rating IS NOT NULL AND usable <= %(not_usable)s) AS unusable
    FROM rateable GROUP BY instrument_id
),
of_technique AS (
    SELECT t.technique_id, sum(o.n) AS n, sum(o.total) AS total
    FROM own o JOIN instruments_instrument_techniques t USING (instrument_id)
    GROUP BY t.technique_id
),
shown AS (
    SELECT o.*, coalesce(t.n, o.n) AS others, coalesce(t.total, o.total) AS sum_of_others
    FROM own o
    LEFT JOIN LATERAL (
        SELECT sum(f.n) AS n, sum(f.total) AS total
        FROM instruments_instrument_techniques x
        JOIN of_technique f USING (technique_id)
        WHERE x.instrument_id = o.instrument_id
    ) t ON TRUE
    WHERE o.raters >= %(raters)s AND o.organisations >= %(organisations)s
)
INSERT INTO bookings_instrumentrating (
    instrument_id, mean, ratings, raters, organisations, not_usable, response, as_of
)
SELECT instrument_id,
    round((%(prior)s * sum_of_others + total * others) / (others * (%(prior)s + n)), 2),
    n, raters, organisations, round(unusable::numeric / nullif(marks, 0), 3),
    round(n::numeric / sessions, 3), %(now)s
FROM shown
ON CONFLICT (instrument_id) DO UPDATE SET
    mean = excluded.mean, ratings = excluded.ratings, raters = excluded.raters,
    organisations = excluded.organisations, not_usable = excluded.not_usable,
    response = excluded.response, as_of = excluded.as_of
"""
_NO_LONGER = "DELETE FROM bookings_instrumentrating WHERE as_of <> %(now)s"


@transaction.atomic
def ratings_review(*, now: datetime) -> int:
    """Update the ratings that every instrument shows, and return how many instruments show any. Two
    statements, whatever the number."""
    parameters: dict[str, Any] = {
        "now": now,
        "months": rules.SHOWN_MONTHS,
        "not_usable": rules.NOT_USABLE,
        "raters": rules.LEAST_RATERS,
        "organisations": rules.LEAST_ORGANISATIONS,
        "prior": rules.PRIOR,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN, parameters)
        shown = int(cursor.rowcount)
        cursor.execute(_NO_LONGER, parameters)
    return shown
