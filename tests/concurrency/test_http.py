"""The same through the door: whatever many programs ask at one moment, each gets an answer that
says what became of it, and never a 500."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.services.tokens import SCOPES, token_issue
from bookings.models import Reservation
from tests.concurrency.races import ALWAYS, HOUR, consistent, overlaps, time_of
from tests.factories.api import Program

pytestmark = pytest.mark.concurrency
YEAR = timedelta(days=366)


@pytest.fixture
def clock(monkeypatch):
    """`clock(moment)`: what every request reads until the next."""

    def set_to(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return set_to


@pytest.fixture
def unthrottled(monkeypatch):
    """Many rounds are more than one person may ask in a minute."""
    monkeypatch.setattr(
        "rest_framework.throttling.SimpleRateThrottle.THROTTLE_RATES", {"anon": None, "user": None}
    )


@pytest.fixture
def programs(real_cast, clock, unthrottled):
    _, now = time_of(0)
    clock(now)
    made = []
    for name in ("wang", "sun", "hu"):
        _, token = token_issue(
            user=real_cast.people[name], label="race", lifetime=YEAR, now=now, scopes=SCOPES
        )
        made.append(Program(token))
    return made


def wish(instrument, start, hours=1):
    return {
        "instrument": str(instrument.pk),
        "start": start.isoformat(),
        "end": (start + hours * HOUR).isoformat(),
        "service_mode": "self",
        "purpose": {"code": "research", "text": ""},
    }


def test_twenty_programs_ask_for_one_slot(programs, instrument, race, rounds, clock):
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        clock(now)
        answers = race(
            [
                lambda who=programs[i % 3], s=start + (i % 2) * HOUR / 2: who.post(
                    "reservations/", wish(instrument, s)
                )
                for i in range(20)
            ]
        )
        assert sorted(a.status for a in answers) == [201] + [409] * 19
        assert {a.code for a in answers if a.status == 409} == {"slot-taken"}
    consistent()


def test_one_request_sent_many_times_at_once(programs, instrument, race, rounds, clock):
    """With one key it is carried out once: whoever comes while it runs is told so, whoever comes
    later gets the first answer."""
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        clock(now)
        answers = race(
            [
                lambda s=start, key=f"round {round_}": programs[0].post(
                    "reservations/", wish(instrument, s), Idempotency_Key=key
                )
            ]
            * 8
        )
        assert {a.status for a in answers} <= {201, 409}
        assert {a.code for a in answers if a.status == 409} <= {"still-running"}
        assert len({a.body["id"] for a in answers if a.status == 201}) == 1
        again = programs[0].post("reservations/", wish(instrument, start), Idempotency_Key=f"round {round_}")
        assert again.status == 201
        assert Reservation.objects.count() == round_ + 1
    consistent()


def test_two_programs_change_one_version(programs, real_cast, race, rounds, clock):
    """Both read version 1: one moves or cancels it, the other is told that it read an old one."""
    always = real_cast.instrument(name="Always", hours=ALWAYS)
    wang = programs[0]
    for round_ in range(rounds(5)):
        start, now = time_of(round_)
        clock(now)
        made = wang.post("reservations/", wish(always, start))
        tag = made.headers["ETag"]
        path = f"reservations/{made.body['id']}/"
        moved = {"start": (start + HOUR).isoformat(), "end": (start + 2 * HOUR).isoformat()}
        answers = race(
            [
                lambda p=path, t=tag, m=moved: wang.post(f"{p}move/", m, If_Match=t),
                lambda p=path, t=tag: wang.post(f"{p}cancel/", {}, If_Match=t),
            ]
        )
        assert sorted(a.status for a in answers) == [200, 412]
    assert overlaps() == 0
