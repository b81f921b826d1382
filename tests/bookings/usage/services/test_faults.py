"""Faults that people report, and what becomes of them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState
from accounts.domain.roles import PLATFORM, By
from accounts.models import Message, TrailEntry
from accounts.selectors.waits import kinds, load_counts
from accounts.services.memberships import role_grant
from bookings.availability.selectors.cuts import InTheWay
from bookings.charging.services.charges import charge_make
from bookings.models import Closure, FaultNote, FaultReport, Occupancy, Reservation
from bookings.overview.services.effects import effects_carry_out
from bookings.privacy.selectors.persons import load_person
from bookings.privacy.services.persons import person_close
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.selectors.faults import hours_down, standing_faults
from bookings.usage.services import faults
from bookings.usage.services.closures import Outage
from tests.factories.attachments import picture
from tests.factories.cast import NOW, at, reserve


def report(cast, who="wang", severity="usable", text="The stage drifts.", now=NOW, **more):
    return faults.fault_report(
        By(cast.actor(who), now),
        instrument_id=(more.pop("instrument", None) or cast.microscope).pk,
        severity=severity,
        text=text,
        **more,
    )


def zhao(cast, now=NOW):
    return By(cast.actor("zhao"), now)


def told(cast, name, now=NOW):
    """The kinds of messages that somebody has, after a worker has given them."""
    effects_carry_out(now=now)
    rows = Message.objects.filter(user=cast.people[name], kind__startswith="fault.")
    return sorted(rows.values_list("kind", flat=True))


def test_a_report_closes_nothing_and_tells_the_managers(cast):
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    fault = report(cast, severity="unusable")
    assert (fault.state, fault.severity) == ("open", "unusable")
    booked.refresh_from_db()
    assert booked.state == "confirmed"
    assert not Closure.objects.exists()
    assert told(cast, "zhao") == ["fault.reported"]
    assert told(cast, "wang") == []
    entry = TrailEntry.objects.get(action="fault.report")
    assert entry.after == {"instrument": str(cast.microscope.pk), "severity": "unusable"}
    assert load_counts(cast.actor("zhao"), NOW, anew=kinds())["faults"] == 1
    assert "faults" not in load_counts(cast.actor("chen"), NOW, anew=kinds())


def test_who_reports_meanwhile_joins_and_can_only_make_it_worse(cast):
    fault = report(cast)
    assert report(cast, "sun", "usable", "") == fault
    fault.refresh_from_db()
    assert (fault.severity, fault.notes.count()) == ("usable", 2)
    assert told(cast, "zhao") == ["fault.reported"]
    assert report(cast, "hu", "unusable", "No vacuum.") == fault
    assert report(cast, "chen", "usable", "") == fault
    fault.refresh_from_db()
    assert (fault.severity, fault.notes.count()) == ("unusable", 4)
    assert told(cast, "zhao") == ["fault.reported", "fault.worse"]
    assert FaultReport.objects.count() == 1


def test_something_must_be_said_that_is_new(cast):
    with pytest.raises(Invalid):
        report(cast, text="  ")
    fault = report(cast)
    with pytest.raises(Invalid):  # they have said so already
        report(cast, text="")
    with pytest.raises(Invalid):
        report(cast, text="x" * 1001)
    with pytest.raises(Invalid):
        report(cast, severity="terrible")
    with pytest.raises(Invalid):
        report(cast, photo=b"<svg/>")
    assert fault.notes.count() == FaultNote.objects.count() == 1


def test_who_may(cast):
    for who in ("alice", "lin", "coordinator", "admin"):
        with pytest.raises(NotPermitted):
            report(cast, who)
    for who in ("auditor",):
        with pytest.raises(NotPermitted):
            report(cast, who)
    assert not FaultReport.objects.exists()
    fault = report(cast)
    for who in ("wang", "chen", "sun", "admin"):
        refusal = NotPermitted if who == "wang" else NotFound  # it is theirs
        with pytest.raises(refusal):
            faults.fault_confirm(By(cast.actor(who), NOW), fault_id=fault.pk)
        with pytest.raises(refusal):
            faults.fault_dismiss(By(cast.actor(who), NOW), fault_id=fault.pk, reason="no")
    fault.refresh_from_db()
    assert fault.state == "open"


def test_so_many_a_day(cast):
    for number in range(faults.MOST_NOTES):
        report(cast, text=f"Another thing {number}")
    with pytest.raises(faults.TooManyFaults):
        report(cast, instrument=cast.instrument(name="Another"))
    assert FaultNote.objects.count() == faults.MOST_NOTES
    report(cast, "sun", text="")
    report(cast, text="The next day", now=NOW + timedelta(days=1))
    assert FaultNote.objects.count() == faults.MOST_NOTES + 2


def test_nobodys_own_report_frees_their_late_fee(cast):
    """Cancelling after one's own report, which nobody has confirmed, costs what it did before."""
    asked = NOW - timedelta(days=1)
    plain = reserve(cast, "2026-03-05 14:00", "2026-03-05 15:00", now=asked)
    after = reserve(cast, "2026-03-05 16:00", "2026-03-05 17:00", now=asked)
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=plain.pk, reason="")
    report(cast, severity="unusable")
    reservation_cancel(By(cast.actor("wang"), NOW), reservation_id=after.pk, reason="broken")
    first, second = (charge_make(reservation_id=pk, now=NOW) for pk in (plain.pk, after.pk))
    assert first.payable > 0
    assert second.payable == first.payable


def test_a_confirmed_breakdown_is_what_any_is(cast):
    """It displaces at no charge, and whoever reported it and whoever comes next are told."""
    asked = NOW - timedelta(days=1)
    booked = reserve(cast, "2026-03-05 14:00", "2026-03-05 15:00", now=asked)
    theirs = reserve(cast, "2026-03-05 16:00", "2026-03-05 17:00", who="sun", now=asked)
    fault = report(cast, severity="unusable")
    outage = Outage("breakdown", NOW, None, reason="no vacuum")
    with pytest.raises(InTheWay):
        faults.fault_confirm(zhao(cast), fault_id=fault.pk, outage=outage)
    fault.refresh_from_db()
    assert (fault.state, Closure.objects.count()) == ("open", 0)
    faults.fault_confirm(zhao(cast), fault_id=fault.pk, outage=outage, displace=True)
    fault.refresh_from_db()
    closure = Closure.objects.get()
    assert (fault.state, fault.closure, fault.reason) == ("confirmed", closure, "no vacuum")
    assert (closure.kind, closure.end_at) == ("breakdown", None)
    assert Occupancy.objects.filter(closure=closure).exists()
    for row in (booked, theirs):
        row.refresh_from_db()
        assert row.state == "displaced"
        assert charge_make(reservation_id=row.pk, now=NOW) is None
    assert told(cast, "wang") == ["fault.confirmed"]
    displaced = Message.objects.filter(kind="mail.displaced").values_list("user", flat=True)
    assert set(displaced) == {cast.wang.pk, cast.sun.pk}
    entry = TrailEntry.objects.get(action="fault.confirm")
    assert entry.after == {"instrument": str(cast.microscope.pk), "closure": str(closure.pk)}
    with pytest.raises(WrongState):
        faults.fault_dismiss(zhao(cast), fault_id=fault.pk, reason="no")


def test_noted_without_a_closure_and_reported_again(cast):
    fault = report(cast)
    report(cast, "sun", text="")
    faults.fault_confirm(zhao(cast), fault_id=fault.pk, reason="It does; measure for ten minutes.")
    fault.refresh_from_db()
    assert (fault.state, fault.closure) == ("confirmed", None)
    assert not Closure.objects.exists()
    assert told(cast, "wang") == told(cast, "sun") == ["fault.confirmed"]
    assert report(cast, text="It is worse") != fault


def repair(cast, fault, now=NOW, **more):
    return faults.fault_repair(zhao(cast, now), fault_id=fault.pk, **{"repair": "New gasket."} | more)


def test_a_known_issue_until_it_is_repaired(cast):
    """What was closed for it opens, and the reporter is told."""
    fault = report(cast, severity="unusable")
    with pytest.raises(WrongState):  # nobody has confirmed it
        repair(cast, fault)
    assert standing_faults(cast.microscope.pk, NOW) == (fault, [])
    outage = Outage("breakdown", NOW, None, reason="no vacuum")
    faults.fault_confirm(zhao(cast), fault_id=fault.pk, outage=outage)
    assert standing_faults(cast.microscope.pk, NOW) == (None, [fault])
    for wrong in ({"repair": " "}, {"repair": "x" * 1001}, {"cost": Decimal(-1)}, {"cost": Decimal("0.001")}):
        with pytest.raises(Invalid):
            repair(cast, fault, **wrong)
    later = NOW + timedelta(hours=5, minutes=30)
    fault = repair(cast, fault, later, cost=Decimal("860.00"))
    assert standing_faults(cast.microscope.pk, NOW) == (None, [])
    assert (fault.closure.end_at, hours_down(fault, later + timedelta(days=9))) == (later, Decimal("5.5"))
    assert not Occupancy.objects.filter(span__endswith__gt=later).exists()
    assert told(cast, "wang", later) == ["fault.confirmed", "fault.repaired"]
    assert "New gasket." in Message.objects.get(kind="fault.repaired").text
    entry = TrailEntry.objects.get(action="fault.repair")
    assert entry.after["cost"] == "860.00"
    with pytest.raises(WrongState):
        repair(cast, fault, later)


def test_repaired_before_its_closure_begins_or_after_it_ended(cast):
    tomorrow = NOW + timedelta(days=1)
    fault = report(cast)
    outage = Outage("breakdown", tomorrow, tomorrow + timedelta(days=1))
    faults.fault_confirm(zhao(cast), fault_id=fault.pk, outage=outage)
    assert repair(cast, fault).closure is None
    assert not Closure.objects.exists()
    fault = report(cast)
    outage = Outage("breakdown", NOW, tomorrow)
    faults.fault_confirm(zhao(cast), fault_id=fault.pk, outage=outage)
    assert repair(cast, fault, tomorrow + timedelta(days=1)).closure.end_at == tomorrow


def test_assigned_to_a_manager_who_is_told(cast):
    fault = report(cast)
    for who in ("sun", "chen"):  # of the host, but no manager; a manager elsewhere
        with pytest.raises(Invalid):
            faults.fault_assign(zhao(cast), fault_id=fault.pk, person=cast.people[who].pk)
    with pytest.raises(NotPermitted):
        faults.fault_assign(By(cast.actor("wang"), NOW), fault_id=fault.pk, person=None)
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc)
    for _ in range(2):
        faults.fault_assign(zhao(cast), fault_id=fault.pk, person=cast.sun.pk)
    assert told(cast, "sun").count("fault.assigned") == 1
    faults.fault_assign(zhao(cast), fault_id=fault.pk, person=cast.zhao.pk)
    assert "fault.assigned" not in told(cast, "zhao")
    fault.refresh_from_db()
    assert fault.assignee == cast.zhao
    faults.fault_dismiss(zhao(cast), fault_id=fault.pk, reason="no")
    with pytest.raises(WrongState):
        faults.fault_assign(zhao(cast), fault_id=fault.pk, person=None)


def test_dismissed_with_a_reason_that_the_reporter_is_told(cast):
    fault = report(cast)
    with pytest.raises(Invalid):
        faults.fault_dismiss(zhao(cast), fault_id=fault.pk, reason=" ")
    faults.fault_dismiss(zhao(cast), fault_id=fault.pk, reason="The shutter was closed.")
    fault.refresh_from_db()
    assert (fault.state, fault.reason) == ("dismissed", "The shutter was closed.")
    assert told(cast, "wang") == ["fault.dismissed"]
    assert "The shutter was closed." in Message.objects.get(kind="fault.dismissed").text
    assert Reservation.objects.count() == 0


def test_a_person_takes_their_reports_along(cast):
    report(cast, text="镜筒漏气")
    (row,) = load_person(cast.wang)["fault_reports"]
    assert (row["text"], row["state"]) == ("镜筒漏气", "open")
    assert row["instrument"] == "Transmission electron microscope"
    assert at("2026-03-05 12:00") == row["created_at"]


def test_who_leaves_takes_their_photos_away(cast, settings, tmp_path, django_capture_on_commit_callbacks):
    settings.MEDIA_ROOT = tmp_path
    report(cast, photo=picture())
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
    with django_capture_on_commit_callbacks(execute=True):
        person_close(user=cast.wang, now=NOW)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    note = FaultNote.objects.get()
    assert (note.has_photo, note.text) == (False, "The stage drifts.")
