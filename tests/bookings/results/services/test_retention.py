"""How long results are kept, with the clock moved."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import By
from accounts.models import Message, OutboxMessage, TrailEntry
from bookings.models import HandOff, HostStorage, KeepRequest, Receipt, ResultFile
from bookings.overview.services.effects import effects_carry_out
from bookings.results.services import retention
from bookings.results.services import retention as retention_services
from bookings.results.services.collecting import receipt_confirm
from tests.factories.cast import NOW
from tests.factories.results import announced, released

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def hand_off(cast):
    row = released(cast)
    HandOff.objects.update(retain_until=NOW + 90 * DAY)
    OutboxMessage.objects.all().delete()
    row.refresh_from_db()
    return row


def by(cast, who, at=NOW):
    return By(cast.actor(who), at)


def told():
    return list(
        OutboxMessage.objects.filter(kind="results.expiring")
        .order_by("created_at", "pk")
        .values_list("payload__days", flat=True)
    )


def night(day):
    """What the timetable does on a day after the release."""
    now = NOW + day * DAY
    return retention_services.results_warn(now=now), retention_services.results_purge(now=now)


def stored():
    return set(ResultFile.objects.values_list("storage", flat=True))


# The clock moved


def test_it_is_told_30_7_and_1_days_before_and_then_goes(cast, hand_off):
    names = stored()
    receipt_confirm(by(cast, "wang"), hand_off_id=hand_off.pk, manifest_digest=hand_off.manifest_digest)
    for day in range(90):
        for _ in range(2):  # as often as it runs
            assert night(day)[1] == 0
        assert all(default_storage.exists(name) for name in names)
    assert told() == [30, 7, 1]
    assert HandOff.objects.get().state == "expiring"
    assert night(90) == (0, 1) and night(91) == (0, 0)
    row = HandOff.objects.get()
    assert (row.state, row.ended_at, len(row.manifest)) == ("purged", NOW + 90 * DAY, 2)
    effects_carry_out(now=NOW + 91 * DAY)
    assert not any(default_storage.exists(name) for name in names)
    assert not ResultFile.objects.exists()
    assert HostStorage.objects.get().reserved == 0
    # Manifest and receipts stay.
    assert Receipt.objects.get().manifest_digest == row.manifest_digest == hand_off.manifest_digest
    entry = TrailEntry.objects.get(action="handoff.purge")
    assert entry.after == {"state": "purged", "manifest": hand_off.manifest_digest, "bytes": 404}


def test_people_read_of_it(cast, hand_off):
    night(83)
    effects_carry_out(now=NOW + 83 * DAY)
    subjects = set(Message.objects.filter(kind="results.expiring").values_list("user__name", flat=True))
    assert subjects == {"Wang Li"}


def test_a_clock_that_stood_still_deletes_nothing_of_which_nobody_was_told(cast, hand_off):
    assert retention_services.results_purge(now=NOW + 200 * DAY) == 0
    assert night(200) == (1, 0)
    assert night(200) == (0, 0)
    assert told() == [1] and HandOff.objects.get().retain_until == NOW + 201 * DAY
    assert night(201) == (0, 1)


def test_a_purge_killed_half_way_is_gone_on_with(cast, hand_off, monkeypatch):
    names = sorted(stored())
    night(83)
    real = retention.trail.record

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(retention.trail, "record", killed)
    with pytest.raises(KeyboardInterrupt):
        retention_services.results_purge(now=NOW + 90 * DAY)
    monkeypatch.setattr(retention.trail, "record", real)
    # Nothing of it stands: all can still be read.
    assert HandOff.objects.get().state == "expiring" and stored() == set(names)
    assert all(default_storage.exists(name) for name in names)
    assert retention_services.results_purge(now=NOW + 90 * DAY) == 1
    # One file is deleted, and the worker dies before it can say so.
    default_storage.delete(names[0])
    effects_carry_out(now=NOW + 90 * DAY)
    assert not any(default_storage.exists(name) for name in names)
    assert not OutboxMessage.objects.filter(kind="resultfile.drop", done_at=None).exists()
    assert HostStorage.objects.get().reserved == 0


# Longer


def test_the_host_keeps_them_longer_and_people_are_told_anew(cast, hand_off):
    night(83)
    retention_services.results_keep(by(cast, "zhao", NOW + 84 * DAY), hand_off_id=hand_off.pk, days=60)
    row = HandOff.objects.get()
    assert (row.state, row.retain_until, row.told_days) == ("released", NOW + 150 * DAY, None)
    assert night(100) == (0, 0)
    night(120)
    assert told() == [7, 30]


@pytest.mark.parametrize("who", ["wang", "chen", "lin", "auditor"])
def test_nobody_else_keeps_them_longer(cast, hand_off, who):
    with pytest.raises(NotPermitted):
        retention_services.results_keep(by(cast, who), hand_off_id=hand_off.pk, days=1)
    assert HandOff.objects.get().retain_until == NOW + 90 * DAY


def test_a_message_that_is_no_longer_true_is_not_told(cast, hand_off):
    night(83)
    retention_services.results_keep(by(cast, "zhao", NOW + 83 * DAY), hand_off_id=hand_off.pk, days=60)
    effects_carry_out(now=NOW + 83 * DAY)
    assert not Message.objects.filter(kind="results.expiring").exists()


def test_the_person_asks_and_the_host_decides(cast, hand_off):
    request = retention_services.keep_ask(by(cast, "wang"), hand_off_id=hand_off.pk, days=30, reason="thesis")
    with pytest.raises(WrongState):
        retention_services.keep_ask(by(cast, "chen"), hand_off_id=hand_off.pk, days=10)
    with pytest.raises(NotPermitted):
        retention_services.keep_decide(by(cast, "wang"), request_id=request.pk, grant=True)
    with pytest.raises(NotFound):
        retention_services.keep_decide(by(cast, "hu"), request_id=request.pk, grant=True)
    effects_carry_out(now=NOW)
    retention_services.keep_decide(by(cast, "zhao"), request_id=request.pk, grant=True)
    effects_carry_out(now=NOW)
    assert HandOff.objects.get().retain_until == NOW + 120 * DAY
    assert KeepRequest.objects.get().state == "granted"
    with pytest.raises(WrongState):
        retention_services.keep_decide(by(cast, "zhao"), request_id=request.pk, grant=False)
    kinds = Message.objects.filter(kind__startswith="results.keep").values_list("kind", "user__name")
    assert set(kinds) == {("results.keep-asked", "Zhao Min"), ("results.keep-granted", "Wang Li")}


def test_a_declined_request_changes_nothing_and_is_told(cast, hand_off):
    request = retention_services.keep_ask(by(cast, "wang"), hand_off_id=hand_off.pk, days=30)
    retention_services.keep_decide(by(cast, "zhao"), request_id=request.pk, grant=False)
    effects_carry_out(now=NOW)
    assert HandOff.objects.get().retain_until == NOW + 90 * DAY
    assert Message.objects.filter(kind="results.keep-declined", user=cast.wang).count() == 1


@pytest.mark.parametrize("who", ["zhao", "gao", "auditor"])
def test_only_those_whom_they_are_for_ask(cast, hand_off, who):
    with pytest.raises(NotPermitted):
        retention_services.keep_ask(by(cast, who), hand_off_id=hand_off.pk, days=30)


def test_there_is_a_longest(cast, hand_off):
    with pytest.raises(Invalid):
        retention_services.results_keep(by(cast, "zhao"), hand_off_id=hand_off.pk, days=4000)
    assert HandOff.objects.get().retain_until == NOW + 90 * DAY


def test_what_is_not_released_is_kept_anyhow(cast):
    hand_off = announced(cast)
    with pytest.raises(WrongState):
        retention_services.results_keep(by(cast, "zhao"), hand_off_id=hand_off.pk, days=1)
    with pytest.raises(WrongState):
        retention_services.hold_place(by(cast, "zhao"), hand_off_id=hand_off.pk, reason="x")


# Held


@pytest.mark.parametrize("who", ["zhao", "auditor", "admin"])
def test_what_is_held_is_not_deleted_and_not_announced(cast, hand_off, who):
    retention_services.hold_place(by(cast, who), hand_off_id=hand_off.pk, reason="dispute about the charge")
    for day in (61, 90, 400):
        assert night(day) == (0, 0)
    retention_services.hold_lift(by(cast, who, NOW + 400 * DAY), hand_off_id=hand_off.pk)
    row = HandOff.objects.get()
    assert (row.held_at, row.retain_until) == (None, NOW + 407 * DAY)
    assert night(400) == (1, 0)
    assert night(407) == (1, 1)


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("wang", NotPermitted), ("lin", NotPermitted), ("hu", NotFound), ("coordinator", NotFound)],
)
def test_others_hold_nothing(cast, hand_off, who, refusal):
    with pytest.raises(refusal):
        retention_services.hold_place(by(cast, who), hand_off_id=hand_off.pk, reason="mine")
    assert HandOff.objects.get().held_at is None


def test_the_host_does_not_lift_what_an_auditor_holds(cast, hand_off):
    retention_services.hold_place(by(cast, "auditor"), hand_off_id=hand_off.pk, reason="finding 7")
    with pytest.raises(NotPermitted):
        retention_services.hold_lift(by(cast, "zhao"), hand_off_id=hand_off.pk)
    with pytest.raises(WrongState):
        retention_services.hold_place(by(cast, "zhao"), hand_off_id=hand_off.pk, reason="ours")
    assert HandOff.objects.get().held_by == cast.auditor
    retention_services.hold_lift(by(cast, "admin"), hand_off_id=hand_off.pk)
    with pytest.raises(WrongState):
        retention_services.hold_lift(by(cast, "admin"), hand_off_id=hand_off.pk)


def test_a_hold_has_a_reason(cast, hand_off):
    with pytest.raises(Invalid):
        retention_services.hold_place(by(cast, "zhao"), hand_off_id=hand_off.pk, reason=" ")
