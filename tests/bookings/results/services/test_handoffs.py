"""Results: expected after a booking, sealed, released, pointed to, withdrawn, overdue."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import Message, TrailEntry
from bookings.models import HandOff, HostStorage, Reservation, ResultFile
from bookings.overview.services.effects import effects_carry_out
from bookings.results.services import handoffs
from bookings.usage.services.usage import reservation_check_in, reservation_check_out, usage_settle
from tests.factories.cast import NOW, Cast, at, reserve
from tests.factories.results import announced, released, uploaded

pytestmark = pytest.mark.django_db


@pytest.fixture
def by(cast: Cast, settings: Any, tmp_path: Any) -> By:
    settings.MEDIA_ROOT = tmp_path / "media"
    return By(cast.actor("zhao"), NOW)


def told(name: str, kind: str) -> int:
    return Message.objects.filter(user__email__startswith=f"{name}@", kind=kind).count()


def test_expected_when_samples_that_were_sent_in_are_done(cast: Cast, by: By) -> None:
    sent_in = cast.instrument(name="SEM", service_modes=["self", "entrusted"])
    booking = reserve(
        cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=sent_in, service_mode="entrusted"
    )
    alone = reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", instrument=sent_in)
    for one, start in ((booking, "10:00"), (alone, "14:00")):
        begin = at(f"2026-03-06 {start}")
        reservation_check_in(By(cast.actor("zhao"), begin), reservation_id=one.pk)
        end = begin + timedelta(hours=1)
        reservation_check_out(By(cast.actor("zhao"), end), reservation_id=one.pk)
        effects_carry_out(now=end)
    row = HandOff.objects.get()
    assert (row.reservation_id, row.state) == (booking.pk, "expected")
    assert row.due_at == at("2026-03-13 12:00")
    assert row.host == cast.ustc
    (entry,) = TrailEntry.objects.filter(action="handoff.expect")
    assert entry.actor_id is None and entry.after == {"due_at": "2026-03-13T04:00:00.000000Z"}


def test_nobody_need_have_checked_in(cast: Cast, by: By) -> None:
    handoffs.result_terms_set(by, instrument_id=cast.microscope.pk, due_days=3, keep_days=30, modes=["self"])
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    end = at("2026-03-06 12:00")
    usage_settle(now=end)
    for _ in range(2):
        effects_carry_out(now=end)
    row = HandOff.objects.get()
    assert (row.reservation_id, row.due_at) == (booking.pk, at("2026-03-09 12:00"))


def test_a_cancelled_or_missed_booking_has_none(cast: Cast, by: By) -> None:
    strict = cast.instrument(name="TEM", policy={"check_in_minutes": 30})
    handoffs.result_terms_set(by, instrument_id=strict.pk, due_days=3, keep_days=30, modes=["self"])
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=strict)
    end = at("2026-03-06 12:00")
    usage_settle(now=end)
    effects_carry_out(now=end)
    booking.refresh_from_db()
    assert booking.state == "no_show" and not HandOff.objects.exists()


def test_announced_before_once(cast: Cast, by: By) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    first = announced(cast, booking)
    assert announced(cast, booking) == first
    assert TrailEntry.objects.filter(action="handoff.expect").count() == 1
    for name, refusal in {"wang": NotPermitted, "gao": NotPermitted, "sun": NotFound}.items():
        with pytest.raises(refusal):
            handoffs.hand_off_make(By(cast.actor(name), NOW), reservation_id=booking.pk)


def test_sealed_with_its_digest_in_the_trail_then_released(cast: Cast, by: By) -> None:
    row = released(cast)
    rows = [
        {"path": "spectrum.csv", "sha256": hashlib.sha256(b"1,2\n").hexdigest(), "size": 4},
        {"path": "图像/样品 1.tif", "sha256": hashlib.sha256(b"II*\0" * 100).hexdigest(), "size": 400},
    ]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    row.refresh_from_db()
    assert (row.state, row.manifest, row.manifest_digest) == ("released", rows, digest)
    assert row.retain_until == NOW + timedelta(days=365)
    (sealed,) = TrailEntry.objects.filter(action="handoff.seal")
    assert sealed.after["manifest_digest"] == digest
    assert (sealed.after["files"], sealed.after["bytes"]) == (2, 404)
    effects_carry_out(now=NOW)
    assert told("wang", "results.ready") == 1
    with pytest.raises(WrongState):
        handoffs.hand_off_release(by, hand_off_id=row.pk)


def test_nothing_to_seal_or_release(cast: Cast, by: By) -> None:
    row = announced(cast)
    for act in (handoffs.hand_off_seal, handoffs.hand_off_release):
        with pytest.raises(WrongState):
            act(by, hand_off_id=row.pk)
    uploaded(cast, row)
    with pytest.raises(WrongState):
        handoffs.hand_off_release(by, hand_off_id=row.pk)
    with pytest.raises(WrongVersion):
        handoffs.hand_off_seal(By(by.actor, NOW, 7), hand_off_id=row.pk)
    assert HandOff.objects.get().state == "uploading"


def test_who_may_seal(cast: Cast, by: By) -> None:
    row = announced(cast)
    uploaded(cast, row)
    for name, refusal in {"wang": NotPermitted, "chen": NotPermitted, "sun": NotFound}.items():
        other = By(cast.actor(name), NOW)
        for act in (handoffs.hand_off_seal, handoffs.hand_off_release):
            with pytest.raises(refusal):
                act(other, hand_off_id=row.pk)
        with pytest.raises(refusal):
            handoffs.hand_off_withdraw(other, hand_off_id=row.pk, reason="x")
        with pytest.raises(refusal):
            handoffs.hand_off_point(other, hand_off_id=row.pk, protocol="sftp", host="h", path="/")
    assert HandOff.objects.get().state == "uploading"


def test_pointed_to(cast: Cast, by: By) -> None:
    row = announced(cast)
    line = f"{hashlib.sha256(b'x').hexdigest()}  run 1/raw.h5"
    handoffs.hand_off_point(
        by,
        hand_off_id=row.pk,
        protocol="sftp",
        host="data.ustc.example:2222",
        path="/runs/2026/1",
        checksums=f"{line}\n\n",
    )
    row.refresh_from_db()
    assert (row.state, row.pointer_checksums) == ("pointed", line)
    effects_carry_out(now=NOW)
    assert told("wang", "results.ready") == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"protocol": "file"}, "protocol"),
        ({"host": "a b"}, "host"),
        ({"host": "<script>"}, "host"),
        ({"path": "/a\n"}, "path"),
        ({"path": "  "}, "path"),
        ({"checksums": "no checksum at all"}, "checksums"),
    ],
)
def test_pointed_nowhere(cast: Cast, by: By, values: dict[str, str], field: str) -> None:
    row = announced(cast)
    usual = {"protocol": "sftp", "host": "data.example", "path": "/a"}
    with pytest.raises(Invalid) as refused:
        handoffs.hand_off_point(by, hand_off_id=row.pk, **usual | values)
    assert [p.field for p in refused.value.problems] == [field]
    assert HandOff.objects.get().state == "expected"


def test_withdrawn_files_go_the_manifest_stays_and_another_follows(cast: Cast, by: By) -> None:
    row = released(cast)
    with pytest.raises(Invalid):
        handoffs.hand_off_withdraw(by, hand_off_id=row.pk, reason=" ")
    handoffs.hand_off_withdraw(by, hand_off_id=row.pk, reason="of another sample")
    row.refresh_from_db()
    assert (row.state, len(row.manifest), row.ended_at) == ("withdrawn", 2, NOW)
    assert not ResultFile.objects.exists() and HostStorage.objects.get().reserved == 0
    effects_carry_out(now=NOW)
    assert told("wang", "results.withdrawn") == 1
    assert told("wang", "results.ready") == 0  # no longer true
    other = announced(cast, Reservation.objects.get(pk=row.reservation_id))
    assert other.pk != row.pk and other.state == "expected"


def test_a_legal_hold_keeps_them(cast: Cast, by: By) -> None:
    row = released(cast)
    held = {"held_at": NOW, "held_by": cast.admin, "hold_reason": "a dispute"}
    HandOff.objects.filter(pk=row.pk).update(**held)
    with pytest.raises(WrongState) as refused:
        handoffs.hand_off_withdraw(by, hand_off_id=row.pk, reason="x")
    assert refused.value.code == "on-hold"
    assert ResultFile.objects.count() == 2


def test_hosts_are_told_once_of_what_is_overdue(cast: Cast, by: By) -> None:
    late, ready = announced(cast), reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    released(cast, announced(cast, ready))
    assert handoffs.overdue_tell(now=late.due_at - timedelta(seconds=1)) == 0
    assert handoffs.overdue_tell(now=late.due_at) == 1
    assert handoffs.overdue_tell(now=late.due_at + timedelta(days=9)) == 0
    effects_carry_out(now=late.due_at)
    assert told("zhao", "results.overdue") == 1
    assert told("wang", "results.overdue") == 0


def test_terms_are_the_managers(cast: Cast, by: By) -> None:
    values = {"due_days": 14, "keep_days": 90, "modes": ["self", "assisted"]}
    for name in ("wang", "gao", "admin"):
        with pytest.raises(NotPermitted):
            handoffs.result_terms_set(By(cast.actor(name), NOW), instrument_id=cast.microscope.pk, **values)
    for wrong in ({"due_days": 0}, {"keep_days": 3651}, {"modes": ["x"]}):
        with pytest.raises(Invalid):
            handoffs.result_terms_set(by, instrument_id=cast.microscope.pk, **values | wrong)
    handoffs.result_terms_set(by, instrument_id=cast.microscope.pk, **values)
    row = released(cast)
    assert row.retain_until == NOW + timedelta(days=90)
    (entry,) = TrailEntry.objects.filter(action="instrument.result-terms")
    assert entry.before == {"due_days": 7, "keep_days": 365, "modes": ["entrusted", "remote"]}


def test_storage_is_the_administrators(cast: Cast, by: By) -> None:
    for name in ("zhao", "coordinator", "wang"):
        with pytest.raises(NotPermitted):
            handoffs.storage_set(By(cast.actor(name), NOW), organisation_id=cast.ustc.pk, quota=5)
    assert not HostStorage.objects.exists()
    admin = By(cast.actor("admin"), NOW)
    with pytest.raises(Invalid):
        handoffs.storage_set(admin, organisation_id=cast.ustc.pk, quota=-1)
    handoffs.storage_set(admin, organisation_id=cast.ustc.pk, quota=5)
    handoffs.storage_set(admin, organisation_id=cast.ustc.pk, quota=None)
    assert [
        (e.before, e.after)
        for e in TrailEntry.objects.filter(action="organisation.result-storage").order_by("id")
    ] == [({"quota": None}, {"quota": 5}), ({"quota": 5}, {"quota": None})]
