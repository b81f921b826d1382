"""Courses, their sessions, and places in them."""

from datetime import date, timedelta
from functools import partial
from uuid import uuid4

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted, Refused, WrongState, WrongVersion
from accounts.domain.roles import PLATFORM, By
from accounts.models import OutboxMessage, TrailEntry
from accounts.services.memberships import membership_end, role_grant
from instruments.training.domain.training import CourseTerms, SessionTerms
from instruments.training.models import Course, CourseSession, Enrolment, Qualification
from instruments.training.selectors.qualifications import load_replacing, shown_states
from instruments.training.selectors.training import courses_giving, enrolments_for, places_in_line
from instruments.training.services import training
from instruments.training.services.enrolments import (
    enrolment_result,
    enrolment_undo,
    enrolment_withdraw,
    enrolments_drop,
)
from instruments.training.services.qualifications import qualification_grant, qualification_revoke
from tests.factories.blocks import block
from tests.factories.cast import NOW, at
from tests.factories.qualifications import certify
from tests.factories.training import course, enrol, session

pytestmark = pytest.mark.django_db
BEGUN = at("2026-03-10 10:00")


@pytest.fixture
def cast(shared_cast):
    return shared_cast


def rows():
    return [
        list(model.objects.order_by("pk").values())
        for model in (Course, CourseSession, Enrolment, Qualification)
    ] + [TrailEntry.objects.count(), OutboxMessage.objects.count()]


def refused(act, code, kind=Refused):
    """The refusal's code, and that nothing was written."""
    before = rows()
    with pytest.raises(kind) as error:
        act()
    found = error.value
    codes = [p.code for p in found.problems] if isinstance(found, Invalid) else [found.code]
    assert codes == [code]
    assert rows() == before


def told(kind):
    found = OutboxMessage.objects.filter(kind=f"training.{kind}")
    return [message.payload["enrolment"] for message in found.order_by("created_at", "id")]


def result(cast, row, how="passed", by="zhao", now=BEGUN):
    return enrolment_result(By(cast.actor(by), now), enrolment_id=row.pk, result=how)


def test_courses_are_their_hosts(cast):
    terms = CourseTerms(name="x", places=1)

    def make(by="zhao", host=cast.ustc, **things):
        return lambda: training.course_create(By(cast.actor(by), NOW), host=host, terms=terms, **things)

    refused(make("wang", instrument=cast.microscope), "not-permitted", NotPermitted)
    refused(make("chen", cast.fudan, instrument=cast.microscope), "not-for-course", Invalid)
    refused(make(), "instrument-or-technique", Invalid)
    other = course(cast, cast.technique)
    for prerequisite, code in ((uuid4(), "unknown-value"), (other.pk, "not-itself")):
        refused(
            lambda wanted=prerequisite: training.course_change(
                By(cast.actor("zhao"), NOW),
                course_id=other.pk,
                terms=CourseTerms(name="x", places=1, prerequisites=(wanted,)),
            ),
            code,
            Invalid,
        )
    refused(
        lambda: training.course_retire(By(cast.actor("zhao"), NOW, 7), course_id=other.pk),
        "wrong-version",
        WrongVersion,
    )
    one = session(cast, other)
    retire = partial(training.course_retire, By(cast.actor("zhao"), NOW), course_id=other.pk)
    refused(retire, "sessions-ahead", WrongState)
    training.session_cancel(By(cast.actor("zhao"), NOW), session_id=one.pk, reason="Ill")
    retire()
    refused(lambda: session(cast, other), "course-retired", WrongState)


def test_sessions_are_at_the_hosts_by_its_people(cast):
    of = course(cast)
    refused(lambda: session(cast, of, "2026-03-05 09:00"), "in-the-past", Invalid)
    refused(lambda: session(cast, of, trainers=(cast.wang.pk,)), "not-of-the-host", Invalid)
    one = session(cast, of, trainers=(cast.sun.pk,))
    assert list(one.trainers.all()) == [cast.sun]
    refused(lambda: enrol(cast, one, "sun"), "gives-it", WrongState)
    refused(
        lambda: training.session_create(
            By(cast.actor("sun"), NOW),
            course_id=of.pk,
            facility=cast.facility,
            terms=SessionTerms(BEGUN, BEGUN + timedelta(hours=1), BEGUN, 1),
        ),
        "not-permitted",
        NotPermitted,
    )


def test_places_are_given_in_the_order_of_asking(cast):
    one = session(cast, course(cast), places=1)
    first = enrol(cast, one)
    assert first.state == "enrolled"
    refused(lambda: enrol(cast, one, waits=True), "already-enrolled", WrongState)
    refused(lambda: enrol(cast, one, "hu"), "session-full", WrongState)
    minute = timedelta(minutes=1)
    second = enrol(cast, one, "hu", waits=True, now=NOW + minute)
    third = enrol(cast, one, "chen", by="zhao", waits=True, now=NOW + 2 * minute)
    assert [second.state, third.state] == ["waiting", "waiting"]
    assert places_in_line([second, third]) == {second.pk: 1, third.pk: 2}
    refused(
        lambda: enrolment_withdraw(By(cast.actor("hu"), NOW), enrolment_id=first.pk), "not-found", NotFound
    )
    enrolment_withdraw(By(cast.actor("wang"), NOW), enrolment_id=first.pk)
    second.refresh_from_db()
    third.refresh_from_db()
    assert [second.state, third.state] == ["enrolled", "waiting"]
    assert told("moved-up") == [str(second.pk)]
    again = enrol(cast, one, waits=True, now=NOW + 3 * minute)  # behind those who waited
    assert places_in_line([again])[again.pk] == 2
    enrolments_drop(By(cast.actor("hu"), NOW), user=cast.hu)
    third.refresh_from_db()
    assert third.state == "enrolled"


def test_who_is_blocked_does_not_move_up(cast):
    one = session(cast, course(cast), places=1)
    first, second, third = (
        enrol(cast, one, who, waits=True, now=NOW + timedelta(minutes=n))
        for n, who in enumerate(("wang", "hu", "chen"))
    )
    block(cast, "hu")
    enrolment_withdraw(By(cast.actor("wang"), NOW), enrolment_id=first.pk)
    second.refresh_from_db()
    third.refresh_from_db()
    assert [second.state, third.state] == ["waiting", "enrolled"]


@pytest.mark.parametrize(
    ("who", "by", "now", "code"),
    [
        ("alice", "alice", NOW, "join-first"),
        ("hu", "wang", NOW, "not-permitted"),
        ("hu", "chen", NOW, "not-permitted"),
        ("wang", "wang", at("2026-03-09 09:00"), "enrolment-closed"),
        ("wang", "wang", at("2026-03-10 09:00"), "session-begun"),
        ("wang", "zhao", at("2026-03-10 12:00"), "session-begun"),
    ],
)
def test_no_place(cast, who, by, now, code):
    one = session(cast, course(cast))
    refused(lambda: enrol(cast, one, who, by=by, now=now), code)


def test_called_off(cast):
    one = session(cast, course(cast), places=1)
    kept = [enrol(cast, one), enrol(cast, one, "hu", waits=True)]
    cancel = partial(training.session_cancel, By(cast.actor("zhao"), NOW), session_id=one.pk)
    refused(lambda: cancel(reason=" "), "required", Invalid)
    cancel(reason="The trainer is ill")
    assert sorted(told("cancelled")) == sorted(str(row.pk) for row in kept)
    refused(lambda: cancel(reason="x"), "session-cancelled", WrongState)
    refused(lambda: enrol(cast, one, "chen"), "session-cancelled", WrongState)
    refused(lambda: result(cast, kept[0]), "session-cancelled", WrongState)


def test_more_places_and_another_time(cast):
    one = session(cast, course(cast), places=1)
    rows_ = [enrol(cast, one), enrol(cast, one, "hu", waits=True)]
    terms = {"start": one.start_at, "end": one.end_at, "deadline": one.deadline_at, "places": 2}
    change = partial(training.session_change, By(cast.actor("zhao"), NOW), session_id=one.pk)
    change(terms=SessionTerms(**terms, location="Room 301"))
    assert told("moved-up") == [str(rows_[1].pk)] and told("changed") == []
    change(terms=SessionTerms(**terms, location="Room 302"))
    assert sorted(told("changed")) == sorted(str(row.pk) for row in rows_)
    fewer = SessionTerms(**terms | {"places": 1})
    refused(lambda: change(terms=fewer), "fewer-than-enrolled", Invalid)


def test_who_passes_is_certified(cast):
    one = session(cast, course(cast), places=3)
    rows_ = {who: enrol(cast, one, who) for who in ("wang", "hu", "zhao")}
    refused(lambda: result(cast, rows_["wang"], now=NOW), "session-not-begun", WrongState)
    refused(lambda: result(cast, rows_["wang"], by="sun"), "not-found", NotFound)
    refused(lambda: result(cast, rows_["wang"], by="auditor"), "not-permitted", NotPermitted)
    refused(lambda: result(cast, rows_["wang"], "praised"), "unknown-value", Invalid)
    for how in ("passed", "failed", "absent"):
        refused(lambda how=how: result(cast, rows_["zhao"], how), "own-qualification", WrongState)
    row = result(cast, rows_["wang"])
    given = Qualification.objects.get()
    assert row.qualification == given
    assert (given.user, given.instrument, given.issuer) == (cast.wang, cast.microscope, cast.ustc)
    assert (given.valid_from, given.valid_until) == (date(2026, 3, 10), date(2028, 3, 9))
    assert TrailEntry.objects.filter(action="qualification.grant").count() == 1
    refused(lambda: result(cast, rows_["wang"], "failed"), "wrong-state", WrongState)
    # One who was thought absent came late.
    assert result(cast, rows_["hu"], "absent").qualification is None
    assert result(cast, rows_["hu"]).qualification.user == cast.hu


def test_a_trainer_says_how_it_went_in_their_own_sessions(cast):
    one = session(cast, course(cast), trainers=(cast.sun.pk,))
    row = enrol(cast, one)
    other = enrol(cast, session(cast, course(cast, name="Another")))
    refused(lambda: result(cast, other, by="sun"), "not-found", NotFound)
    refused(lambda: result(cast, row, by="wang"), "not-permitted", NotPermitted)
    assert list(enrolments_for(cast.actor("sun"))) == [row]
    given = result(cast, row, by="sun").qualification
    assert (given.user, given.granted_by, given.issuer) == (cast.wang, cast.sun, cast.ustc)
    # Leading a session is no right to certify whom one likes.
    refused(
        lambda: qualification_grant(
            By(cast.actor("sun"), BEGUN),
            user=cast.hu,
            issuer=cast.ustc,
            instrument=cast.microscope,
            valid_from=date(2026, 3, 10),
        ),
        "not-permitted",
        NotPermitted,
    )
    late = enrol(cast, one, "hu")
    membership_end(By(cast.actor("sun"), NOW), membership_id=cast.sun.memberships.get().pk, reason="")
    refused(lambda: result(cast, late, by="sun"), "not-found", NotFound)
    assert not enrolments_for(cast.actor("sun")).exists()


def test_prerequisite(cast):
    before = course(cast, cast.technique, name="Vacuum")
    one = session(cast, course(cast, prerequisites=(before.pk,)))
    certify(cast, cast.technique, until="2026-03-09")  # the day before
    refused(lambda: enrol(cast, one), "prerequisite-missing", WrongState)
    certify(cast, cast.technique, until="2026-03-10")
    assert enrol(cast, one).state == "enrolled"


def test_offers(cast, django_assert_num_queries):
    asks = cast.instrument(name="Asks", policy={"qualification": cast.technique.code})
    course(cast, cast.microscope, name="Of another")
    later, sooner = course(cast, cast.technique, name="A"), course(cast, asks, name="B")
    session(cast, later, "2026-03-12 09:00")
    full = session(cast, sooner, places=1)
    enrol(cast, full)
    free = session(cast, sooner, "2026-03-11 09:00")
    session(cast, sooner, "2026-03-13 09:00", deadline=NOW)
    with django_assert_num_queries(2):
        found = courses_giving(asks, NOW)
    assert [offer.course.name for offer in found] == ["B", "A"]
    assert found[0].sessions == (free,)
    assert courses_giving(cast.microscope, NOW) == ()  # its policy asks for nothing


def test_reminded_once_each_step(cast):
    ends = certify(cast, cast.microscope, until="2026-04-04")  # in 30 days
    certify(cast, cast.technique, until="2026-03-20")
    certify(cast, cast.technique, since="2026-03-21", until="2027-01-01")  # it is followed
    certify(cast, cast.microscope, "hu", until="2026-04-05")
    for _ in range(2):
        assert training.certificates_remind(now=NOW) == 1
    assert training.certificates_remind(now=at("2026-03-28 10:00")) == 2
    found = OutboxMessage.objects.filter(kind="training.expiring").order_by("created_at", "key")
    wang = [m.payload["days"] for m in found if m.payload["qualification"] == str(ends.pk)]
    assert wang == [30, 7]
    assert len(found) == 3


def test_a_result_passed_by_mistake_is_undone(cast):
    one = session(cast, course(cast), trainers=(cast.sun.pk,))
    row, own = enrol(cast, one), enrol(cast, one, "zhao", by="zhao")

    def undo(by="zhao", of=row, how="failed", reason="Mixed up"):
        return lambda: enrolment_undo(
            By(cast.actor(by), BEGUN), enrolment_id=of.pk, result=how, reason=reason
        )

    refused(undo(), "wrong-state", WrongState)
    given = result(cast, row).qualification
    refused(undo("sun"), "not-permitted", NotPermitted)  # its trainer may record, the host takes back
    refused(undo("wang"), "not-permitted", NotPermitted)
    refused(undo("hu"), "not-found", NotFound)
    refused(undo(of=own), "own-qualification", WrongState)
    refused(undo(how="passed"), "unknown-value", Invalid)
    refused(undo(reason=" "), "required", Invalid)
    undone = undo()()
    given.refresh_from_db()
    assert (undone.state, undone.qualification, given.reason) == ("failed", None, "Mixed up")
    assert given.revoked_by == cast.zhao and told("undone") == [str(row.pk)]
    refused(undo(), "wrong-state", WrongState)
    # The way back is open, with a certificate of its own, which may have been revoked before.
    again = result(cast, row).qualification
    assert again != given and len(told("passed")) == 2
    revoke = partial(qualification_revoke, By(cast.actor("zhao"), BEGUN), qualification_id=again.pk)
    revoke(reason="Lost")
    assert undo(how="absent")().state == "absent"
    again.refresh_from_db()
    assert again.reason == "Lost"


def test_a_renewed_certificate_is_replaced(cast):
    old = certify(cast, cast.microscope, since="2025-01-01", until="2026-04-01")
    other = certify(cast, cast.technique, since="2025-01-01", until="2026-04-01")
    new = certify(cast, cast.microscope, since="2026-03-01", until="2028-02-29")
    states = dict(shown_states([old, other, new], NOW))
    assert [states[row] for row in (old, other, new)] == ["replaced", "valid", "valid"]
    assert load_replacing([old], NOW) == {old.pk: new.pk}
    assert load_replacing([old], at("2026-02-01 09:00")) == {}  # the new one has not begun
    qualification_revoke(By(cast.actor("zhao"), NOW), qualification_id=new.pk, reason="Lost")
    assert load_replacing([old], NOW) == {}


def test_who_manages_the_instrument_alone_undoes_results_of_its_courses(cast):
    row = enrol(cast, session(cast, course(cast)))
    result(cast, row)
    give = partial(role_grant, By(PLATFORM, NOW), user=cast.hu, role="manager", organisation=cast.ustc)
    give(instrument=cast.microscope.pk)
    by = By(cast.actor("hu"), BEGUN)
    assert enrolment_undo(by, enrolment_id=row.pk, result="failed", reason="Mixed up").state == "failed"
