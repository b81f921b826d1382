"""Kiosks: given, enrolled, revoked; codes that are used once."""

from datetime import timedelta

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.models import CheckInCode, Kiosk, UsageSession
from bookings.record.domain.refusals import RulesRefuse
from bookings.usage.domain.kiosks import CODE_LASTS, ENROL_WITHIN, LASTS, MOST_WRONG, WRONG_WITHIN
from bookings.usage.services import kiosks
from tests.factories.cast import NOW, reserve

SECOND = timedelta(seconds=1)


def zhao(cast):
    return By(cast.actor("zhao"), NOW)


def kiosk(cast, *instruments):
    ids = [each.pk for each in instruments or (cast.microscope,)]
    return kiosks.kiosk_create(zhao(cast), name="Room 214", instrument_ids=ids)


@pytest.fixture
def token(cast):
    _, code = kiosk(cast)
    return kiosks.kiosk_enrol(code=code, now=NOW)[1]


@pytest.fixture
def booked(cast):
    return reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")


def code_of(cast, row, now=NOW, who="wang"):
    return kiosks.check_in_code(By(cast.actor(who), now), reservation_id=row.pk)[1]


def other(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_enrolled_once_within_a_day(cast):
    row, code = kiosk(cast)
    assert row.expires_at == NOW + LASTS
    assert code.encode() not in bytes(row.enrol_digest)
    for wrong, now in (("NOSUCHCODE22", NOW), (code, NOW + ENROL_WITHIN)):
        with pytest.raises(kiosks.WrongCode):
            kiosks.kiosk_enrol(code=wrong, now=now)
    typed = f"{code[:4]}-{code[4:8]} {code[8:]}".lower()
    enrolled, token = kiosks.kiosk_enrol(code=typed, now=NOW)
    assert enrolled == row
    assert len(token) > 40
    with pytest.raises(kiosks.WrongCode):
        kiosks.kiosk_enrol(code=code, now=NOW)
    actions = TrailEntry.objects.filter(object_id=row.pk).order_by("at", "id")
    assert [entry.action for entry in actions] == ["kiosk.create", "kiosk.enrol"]


def test_an_expired_kiosk_paired_again_counts_when_it_is_enrolled(cast, monkeypatch):
    row, _ = kiosk(cast)
    later = NOW + LASTS
    _, code = kiosks.kiosk_pair(By(cast.actor("zhao"), later), kiosk_id=row.pk)
    monkeypatch.setattr("bookings.usage.domain.kiosks.MOST_KIOSKS", 0)
    with pytest.raises(WrongState) as refused:
        kiosks.kiosk_enrol(code=code, now=later)
    assert refused.value.code == "too-many-kiosks"


def test_who_gives_and_what(cast):
    for who in ("wang", "chen", "gao", "auditor"):
        with pytest.raises(NotPermitted):
            kiosks.kiosk_create(By(cast.actor(who), NOW), name="x", instrument_ids=[cast.microscope.pk])
    for name, ids in (("", [cast.microscope.pk]), ("x", []), ("x", [cast.wang.pk])):
        with pytest.raises(Invalid):
            kiosks.kiosk_create(zhao(cast), name=name, instrument_ids=ids)
    assert not Kiosk.objects.exists()
    kiosks.kiosk_create(By(cast.actor("admin"), NOW), name="Foyer", instrument_ids=[cast.microscope.pk])
    assert Kiosk.objects.get().organisation == cast.ustc


def test_a_code_checks_in_once(cast, token, booked):
    code = code_of(cast, booked)
    assert len(code) == 6
    session = kiosks.kiosk_check_in(
        token=token, instrument_id=cast.microscope.pk, code=code, now=NOW + SECOND
    )
    assert session.reservation == booked
    assert not CheckInCode.objects.exists()
    entry = TrailEntry.objects.get(action="reservation.in_use")
    assert entry.actor_id == cast.wang.pk
    assert TrailEntry.objects.get(action="kiosk.check_in").actor_id == cast.wang.pk
    with pytest.raises(kiosks.WrongCode):
        kiosks.kiosk_check_in(token=token, instrument_id=cast.microscope.pk, code=code, now=NOW)
    assert UsageSession.objects.count() == 1


def test_a_code_is_for_two_minutes_and_the_last_one_counts(cast, token, booked):
    first, second = code_of(cast, booked), code_of(cast, booked)
    here = {"token": token, "instrument_id": cast.microscope.pk}
    if first != second:
        with pytest.raises(kiosks.WrongCode):
            kiosks.kiosk_check_in(**here, code=first, now=NOW)
    with pytest.raises(kiosks.WrongCode):
        kiosks.kiosk_check_in(**here, code=second, now=NOW + CODE_LASTS)
    kiosks.kiosk_check_in(**here, code=second, now=NOW + CODE_LASTS - SECOND)


def test_codes_are_made_by_the_person_when_they_may_check_in(cast, booked):
    for who in ("sun", "chen", "zhao"):
        with pytest.raises((NotFound, NotPermitted)):
            code_of(cast, booked, who=who)
    for minutes in (-16, 60):
        with pytest.raises(WrongState):
            code_of(cast, booked, now=NOW + timedelta(minutes=minutes))
    assert not CheckInCode.objects.exists()


def test_wrong_codes_are_limited_for_a_kiosk_and_for_the_code(cast, token, booked):
    code = code_of(cast, booked)
    here = {"token": token, "instrument_id": cast.microscope.pk}
    for _ in range(MOST_WRONG):
        with pytest.raises(kiosks.WrongCode):
            kiosks.kiosk_check_in(**here, code=other(code), now=NOW)
    with pytest.raises(kiosks.TooManyCodes):
        kiosks.kiosk_check_in(**here, code=code, now=NOW)
    # Nor is the code of any use at another kiosk: it may have been guessed at.
    elsewhere = kiosks.kiosk_enrol(code=kiosk(cast)[1], now=NOW)[1]
    with pytest.raises(kiosks.WrongCode):
        kiosks.kiosk_check_in(**here | {"token": elsewhere}, code=code, now=NOW)
    assert not UsageSession.objects.exists()
    later = NOW + WRONG_WITHIN
    kiosks.kiosk_check_in(**here, code=code_of(cast, booked, now=later), now=later)


def test_a_refused_check_in_leaves_the_code(cast, token):
    """Somebody is there until then: the code can be typed again when they have left."""
    reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00", who="sun")
    row = reserve(cast, "2026-03-05 13:00", "2026-03-05 14:00")
    early = NOW + timedelta(minutes=59)
    code = code_of(cast, row, now=early)
    here = {"token": token, "instrument_id": cast.microscope.pk, "code": code}
    with pytest.raises(RulesRefuse):
        kiosks.kiosk_check_in(**here, now=early)
    assert CheckInCode.objects.count() == 1
    kiosks.kiosk_check_in(**here, now=early + timedelta(minutes=1))


def test_a_token_opens_its_own_instruments_until_it_ends_or_is_revoked(cast, token, booked):
    code = code_of(cast, booked)
    another = cast.instrument(name="Another")
    row = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00", who="sun", instrument=another)
    theirs = code_of(cast, row, who="sun")
    for given, instrument, typed, now in (
        ("", cast.microscope, code, NOW),
        ("nonsense", cast.microscope, code, NOW),
        (token, another, theirs, NOW),
        (token, cast.microscope, code, NOW + LASTS),
    ):
        with pytest.raises(NotFound):
            kiosks.kiosk_check_in(token=given, instrument_id=instrument.pk, code=typed, now=now)
    made = Kiosk.objects.get()
    for who in ("wang", "chen"):
        with pytest.raises(NotFound):
            kiosks.kiosk_revoke(By(cast.actor(who), NOW), kiosk_id=made.pk)
    kiosks.kiosk_revoke(zhao(cast), kiosk_id=made.pk)
    kiosks.kiosk_revoke(zhao(cast), kiosk_id=made.pk)
    assert TrailEntry.objects.filter(action="kiosk.revoke").count() == 1
    with pytest.raises(NotFound):
        kiosks.kiosk_check_in(token=token, instrument_id=cast.microscope.pk, code=code, now=NOW)
    assert not UsageSession.objects.exists()
