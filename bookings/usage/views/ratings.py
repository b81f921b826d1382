"""The rating of a session, as the page of its booking shows it."""

from datetime import datetime
from typing import Any

from accounts.domain.errors import Refused
from accounts.domain.roles import Actor
from accounts.selectors.memberships import place_of
from bookings.record.domain import ratings as rules
from bookings.record.models import Reservation, SessionRating
from bookings.usage.forms.usage import RatingAnswerForm, RatingForm
from bookings.usage.messages import MARK_LABELS


def rating_of(actor: Actor, row: Reservation, now: datetime) -> dict[str, Any]:
    """Return the rating of a booking's session (loaded with it), and the forms that the reader may send. No
    statement before a session has ended, otherwise one."""
    session = getattr(row, "session", None)
    if session is None or session.checked_out_at is None:
        return {}
    marks = SessionRating.objects.filter(session=session).first() or SessionRating(session=session)
    shown: dict[str, Any] = {
        "rating": marks,
        "marks": [
            (label, mark) for name, label in MARK_LABELS.items() if (mark := getattr(marks, name)) is not None
        ],
    }
    if actor.user_id == row.user_id and _allows(
        rules.require_rateable, ended_at=session.checked_out_at, rated_at=marks.rated_at, now=now
    ):
        given = {"rating": session.rating, "remarks": session.remarks, "version": row.version}
        shown["rating_form"] = RatingForm(initial=given)
    is_said = session.rating is not None or session.remarks
    if (
        is_said
        and actor.may("operate-instruments", place_of(row.host, row.instrument))
        and _allows(rules.require_answerable, answered_at=marks.answered_at, now=now)
    ):
        given = {"answer": marks.answer, "version": row.version}
        shown["rating_answer_form"] = RatingAnswerForm(initial=given)
    return shown


def _allows(rule: Any, **facts: Any) -> bool:
    try:
        rule(**facts)
    except Refused:
        return False
    return True
