"""Courses on the pages: of those who take part, and of those who give them."""

import pytest
from django.urls import reverse

from accounts.domain.roles import By
from instruments.training.models import Course, CourseSession, Enrolment, Qualification
from instruments.training.services.enrolments import enrolment_result
from tests.accounts.pages import page_of
from tests.factories.blocks import block
from tests.factories.cast import NOW, at, reserve
from tests.factories.qualifications import certify
from tests.factories.training import course, enrol, session
from tests.instruments.conftest import signed_in, typed


def url(name, row):
    return reverse(f"instruments:{name}", args=[row.pk])


def test_places_taken_and_given_up(cast, noon):
    of = course(cast)
    one = session(cast, of, places=1)
    enrol(cast, one, "hu")
    certify(cast, cast.microscope, until="2026-04-01")
    wang = signed_in(cast.wang)
    page = page_of(wang.get(reverse("instruments:training")))
    assert "full" in page and "valid until" in page
    assert "Join the waiting list" in page_of(wang.get(url("course", of)))
    refused = wang.post(url("enrol", one))  # the page was read before the last place went
    assert "The only place is taken" in page_of(refused, 409)
    page = page_of(wang.post(url("enrol", one), {"waits": "on"}, follow=True))
    assert "You are on the waiting list" in page and "no. 1 in line" in page
    row = Enrolment.objects.get(user=cast.wang)
    assert "given up" in page_of(wang.post(url("enrol-withdraw", row), follow=True))
    row.refresh_from_db()
    assert row.state == "withdrawn"


def test_given_from_the_offer_to_the_certificate(cast, zhao, monkeypatch):
    new = reverse("instruments:course-new")
    form = zhao.get(new).context["form"]
    sent = typed(form, thing=str(cast.microscope.pk), name="", months="12")
    answer = zhao.post(new, sent)
    assert answer.status_code == 400 and not Course.objects.exists()
    zhao.post(new, sent | {"name": "Introduction"})
    of = Course.objects.get()
    assert (of.instrument, of.months, of.organisation) == (cast.microscope, 12, cast.ustc)
    times = {"start": "2026-03-06T09:00", "end": "2026-03-06T12:00", "places": "4"}
    form = zhao.get(url("session-new", of)).context["form"]
    sent = typed(form, **times, trainers="sun@ustc.example, wang@fudan.example")
    answer = zhao.post(url("session-new", of), sent)
    assert "Trainers must be members" in page_of(answer, 400)
    zhao.post(url("session-new", of), sent | {"trainers": "sun@ustc.example"})
    one = CourseSession.objects.get()
    assert (one.start_at, one.deadline_at) == (at("2026-03-06 09:00"), at("2026-03-06 09:00"))
    form = zhao.get(url("session-manage", one)).context["form"]
    assert form["trainers"].value() == ["Sun Tao (sun@ustc.example)"]
    assert zhao.post(url("session-manage", one), typed(form, version="9")).status_code == 412
    for email, status in (("nobody@x.example", 400), ("sun@ustc.example", 409)):
        assert zhao.post(url("session-enrol", one), {"user": email}).status_code == status
    zhao.post(url("session-enrol", one), {"user": "wang@fudan.example"})
    row = Enrolment.objects.get()
    assert zhao.post(url("enrolment-result", row), {"result": "passed"}).status_code == 409
    monkeypatch.setattr("django.utils.timezone.now", lambda: at("2026-03-06 11:00"))
    page = page_of(zhao.post(url("enrolment-result", row), {"result": "passed"}, follow=True))
    assert "Wang Li has passed and is certified." in page
    assert str(Qualification.objects.get().valid_until) == "2027-03-05"
    assert zhao.post(url("session-cancel", one), {"reason": "late"}).status_code == 409


def test_many_are_enrolled_at_once_or_nobody(cast, noon):
    one = session(cast, course(cast), places=2)
    enrol(cast, one, "sun")
    zhao = signed_in(cast.zhao)
    names = "wang@fudan.example\nhu@optics.example"
    refused = page_of(zhao.post(url("session-enrol", one), {"user": f"{names}\nsun@ustc.example"}), 409)
    assert "These people cannot be: Sun Tao" in refused and "already has a place" in refused
    assert Enrolment.objects.count() == 1
    done = page_of(zhao.post(url("session-enrol", one), {"user": names}, follow=True))
    assert "2 people are enrolled, 1 of them on the waiting list; all are told." in done
    states = Enrolment.objects.order_by("asked_at", "id").values_list("user__name", "state")
    assert list(states) == [("Sun Tao", "enrolled"), ("Wang Li", "enrolled"), ("Hu Bo", "waiting")]


def test_a_trainer_who_is_no_manager_says_who_passed(cast, noon, monkeypatch):
    of = course(cast)
    one = session(cast, of, trainers=(cast.sun.pk,))
    row = enrol(cast, one)
    sun = signed_in(cast.sun)
    page = page_of(sun.get(reverse("instruments:training")))
    assert "Sessions I teach" in page and url("session-manage", one) in page
    page = page_of(sun.get(url("session-manage", one)))
    # Their own page of it leads nowhere where a trainer may not go.
    assert "Wang Li" in page
    for name in ("course-manage", "session-cancel", "session-enrol", "enrol-withdraw"):
        thing = {"course-manage": of, "enrol-withdraw": row}.get(name, one)
        assert url(name, thing) not in page
    assert sun.post(url("session-manage", one), {"places": "9"}).status_code == 403
    monkeypatch.setattr("django.utils.timezone.now", lambda: at("2026-03-10 11:00"))
    page = page_of(sun.post(url("enrolment-result", row), {"result": "passed"}, follow=True))
    assert "Wang Li has passed and is certified." in page
    assert Qualification.objects.get().granted_by == cast.sun


@pytest.mark.parametrize("sessions", [1, 3])
def test_statements_do_not_grow(cast, noon, django_assert_max_num_queries, sessions):
    for number in range(sessions):
        of = course(cast, name=f"Course {number}")
        enrol(cast, session(cast, of, f"2026-03-1{number} 09:00"))
    wang = signed_in(cast.wang)
    wang.get(reverse("instruments:training"))
    with django_assert_max_num_queries(12):
        wang.get(reverse("instruments:training"))
    assert NOW


def test_whoever_booked_the_instrument_is_named_before_a_session_takes_it_up(cast, zhao):
    of = course(cast)
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00")
    times = {"start": "2026-03-06T09:00", "end": "2026-03-06T12:00", "places": "4"}
    form = zhao.get(url("session-new", of)).context["form"]
    assert form["instrument"].value() == str(cast.microscope.pk)
    sent = typed(form, **times)
    page = page_of(zhao.post(url("session-new", of), sent), 409)
    assert "There is 1 booking during this time." in page and "Wang Li, Fudan University" in page
    assert f'href="{reverse("bookings:reservation", args=[booked.pk])}"' in page
    assert not CourseSession.objects.exists()
    # A room will do.
    assert zhao.post(url("session-new", of), sent | {"instrument": ""}).status_code == 302
    one = CourseSession.objects.get()
    assert one.instrument is None
    form = zhao.get(url("session-manage", one)).context["form"]
    taking = typed(form, instrument=str(cast.microscope.pk))
    assert "Wang Li, Fudan University" in page_of(zhao.post(url("session-manage", one), taking), 409)
    one.refresh_from_db()
    assert (one.instrument, one.version) == (None, 1)
    assert "Instrument used: " not in page_of(zhao.get(url("session-manage", one)))
    later = taking | {"start": "2026-03-06T13:00", "end": "2026-03-06T15:00"}
    assert zhao.post(url("session-manage", one), later).status_code == 302
    page = page_of(zhao.get(url("session-manage", one)))
    there = reverse("bookings:instrument", args=[cast.microscope.pk])
    assert f'Instrument used: <a href="{there}"' in page


def test_who_is_blocked_is_told_and_not_invited(cast, noon, program):
    of = course(cast)
    one = session(cast, of)
    cast.microscope.policy.qualification = "instrument"
    cast.microscope.policy.save()
    instrument = reverse("bookings:instrument", args=[cast.microscope.pk])
    wang = signed_in(cast.wang)
    assert url("course", of) in page_of(wang.get(instrument))
    assert "Its owner takes no bookings of yours" not in page_of(wang.get("/"))
    block(cast, "wang")
    page = page_of(wang.get(instrument))
    assert "has blocked you from booking until" in page and "The stage was broken." in page
    assert url("course", of) not in page and "Show price" not in page
    assert "Its owner takes no bookings of yours until" in page_of(wang.get("/"))
    page = page_of(wang.get(url("course", of)))
    assert "has blocked you from booking until" in page and "Book a place" not in page
    assert "has blocked you from booking" in page_of(wang.post(url("enrol", one)), 409)
    answer = program("wang").post("enrolments/", {"session": str(one.pk)})
    assert (answer.status, answer.code) == (409, "blocked") and not Enrolment.objects.exists()
    for reader in (signed_in(cast.hu), signed_in(cast.zhao)):
        assert "Book a place" in page_of(reader.get(url("course", of)))


def test_a_pass_is_undone_with_a_reason(cast, zhao, program, monkeypatch):
    one = session(cast, course(cast))
    row = enrol(cast, one)
    began = at("2026-03-10 10:00")
    monkeypatch.setattr("django.utils.timezone.now", lambda: began)
    enrolment_result(By(cast.actor("zhao"), began), enrolment_id=row.pk, result="passed")
    page = page_of(zhao.get(url("session-manage", one)))
    assert "Not passed after all" in page
    undo = url("enrolment-undo", row)
    assert page_of(zhao.post(undo, {"result": "failed"}), 400).count("Not passed after all") == 1
    page = page_of(zhao.post(undo, {"result": "failed", "reason": "Mixed up"}, follow=True))
    assert "no longer certified by this session" in page and "Not passed after all" not in page
    assert Qualification.objects.get().reason == "Mixed up"
    again = program("zhao").post(f"enrolments/{row.pk}/undo/", {"result": "failed", "reason": "x"})
    assert (again.status, again.code) == (409, "wrong-state")


def test_a_renewed_certificate_is_shown_as_replaced(cast, noon, program):
    old = certify(cast, cast.microscope, until="2026-04-01")
    new = certify(cast, cast.microscope, since="2026-03-01", until="2028-04-01")
    for reader, page in (
        (cast.wang, reverse("instruments:qualifications")),
        (cast.zhao, reverse("instruments:people", args=[cast.microscope.pk])),
        (cast.zhao, reverse("bookings:person", args=[cast.wang.pk])),
    ):
        assert page_of(signed_in(reader).get(page)).count(">replaced<") == 1
    rows = program("wang").get("qualifications/").body["results"]
    assert {each["id"]: each["replaced_by"] for each in rows} == {str(old.pk): str(new.pk), str(new.pk): None}


def test_a_place_without_a_price_says_that_it_costs_nothing(cast, noon):
    one = session(cast, course(cast))
    wang = signed_in(cast.wang)
    assert "A place is free of charge." in page_of(wang.get(url("course", one.course)))
    enrol(cast, one)
    assert "A place is free of charge." in page_of(wang.get(url("course", one.course)))


def test_what_a_place_costs_stays_to_be_read(cast, noon, program):
    card = {"training": {"rates": {"external": "250.00", "internal": "0.00"}}}
    one = session(cast, course(cast, cast.instrument(card=card)))
    row = enrol(cast, one)
    wang = signed_in(cast.wang)
    for page in (url("course", one.course), reverse("instruments:training")):
        assert f"CNY {row.payable}, charged to Fudan University once you have attended" in page_of(
            wang.get(page)
        )
    found = program("wang").get(f"enrolments/{row.pk}/").body
    assert found["organisation"] == "fudan"
    assert found["payable"] == {"amount": str(row.payable), "currency": "CNY"}
