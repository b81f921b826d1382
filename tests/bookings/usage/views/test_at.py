"""At the instrument: what its label leads to."""

from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from bookings.models import AnswerSheet, FaultNote, FaultReport, UsageSession
from bookings.questions.domain.questions import AFTER, BEFORE
from bookings.questions.services.questions import questionnaire_set
from bookings.usage.services.closures import Outage, closure_create
from bookings.usage.services.usage import reservation_check_in
from instruments.house_rules.services.house_rules import house_rules_set
from instruments.register.models import Instrument
from tests.accounts.pages import page_of
from tests.factories.attachments import picture
from tests.factories.cast import NOW, at, reserve


@pytest.fixture
def clock(monkeypatch):
    """The time, which a test moves."""
    time = [NOW]
    monkeypatch.setattr("django.utils.timezone.now", lambda: time[0])

    def move(text):
        time[0] = at(text)

    return move


RULES = {"text": "Gloves.", "text_zh": ""}


def people(cast):
    return somebody(cast, "zhao"), somebody(cast, "wang")


def address(instrument):
    return reverse("bookings:at", args=[instrument.short_code])


def somebody(cast, name):
    client = Client()
    client.force_login(cast.people[name])
    return client


def test_two_touches_from_the_label_to_checked_in(cast, client, clock):
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    client.force_login(cast.wang)
    html = page_of(client.get(address(cast.microscope)))
    check_in = reverse("bookings:check-in", args=[booked.pk])
    assert f'action="{check_in}"' in html
    answer = client.post(check_in, {"at": cast.microscope.short_code})
    assert answer.url == address(cast.microscope)
    assert UsageSession.objects.get().reservation == booked
    html = page_of(client.get(answer.url))
    assert "You are checked in." in html
    assert reverse("bookings:check-out", args=[booked.pk]) in html
    clock("2026-03-05 12:30")
    data = {"at": cast.microscope.short_code, "samples": "2", "rating": "5"}
    answer = client.post(reverse("bookings:check-out", args=[booked.pk]), data)
    assert answer.url == address(cast.microscope)
    session = UsageSession.objects.get()
    assert (session.samples, session.rating) == (2, 5)
    assert session.checked_out_at == at("2026-03-05 12:30")


def test_what_is_asked_after_use_is_asked_at_the_instrument(cast, client, clock):
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    fields = [{"key": "clean", "kind": "yes_no", "label": "Stage cleaned?", "required": True}]
    of = {"instrument_id": cast.microscope.pk, "moment": AFTER, "fields": fields}
    questionnaire_set(By(cast.actor("zhao"), NOW), **of)
    reservation_check_in(By(cast.actor("wang"), NOW), reservation_id=booked.pk)
    client.force_login(cast.wang)
    assert "Stage cleaned?" in page_of(client.get(address(cast.microscope)))
    here, data = reverse("bookings:check-out", args=[booked.pk]), {"at": cast.microscope.short_code}
    refused = client.post(here, data)
    assert refused.status_code == 400 and "Stage cleaned?" in refused.content.decode()
    assert UsageSession.objects.get().checked_out_at is None
    answer = client.post(here, data | {"answer_clean": "yes"})
    assert answer.url == address(cast.microscope)
    assert AnswerSheet.objects.get().answers == {"clean": True}


def test_what_is_asked_before_use_is_answered_on_the_way(cast, client, clock):
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    fields = [{"key": "dry", "kind": "yes_no", "label": "Sample dry?", "required": True}]
    of = {"instrument_id": cast.microscope.pk, "moment": BEFORE, "fields": fields}
    questionnaire_set(By(cast.actor("zhao"), NOW), **of)
    client.force_login(cast.wang)
    code = cast.microscope.short_code
    first = client.post(reverse("bookings:check-in", args=[booked.pk]), {"at": code})
    page = page_of(client.get(first.url))
    assert "Sample dry?" in page and f'href="{address(cast.microscope)}"' in page
    second = client.post(first.url, {"answer_dry": "yes"})
    assert second.url == address(cast.microscope)
    assert UsageSession.objects.get().reservation == booked
    assert "You are checked in." in page_of(client.get(second.url))


def test_going_back_leads_nowhere_else(cast, client, clock):
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    client.force_login(cast.wang)
    check_in = reverse("bookings:check-in", args=[booked.pk])
    answer = client.post(check_in, {"at": "//elsewhere.example"})
    assert answer.url == reverse("bookings:reservation", args=[booked.pk])
    questions = reverse("bookings:questions", args=[booked.pk, BEFORE])
    answer = client.get(questions + "?at=//elsewhere.example")
    assert answer.url == reverse("bookings:reservation", args=[booked.pk])


def test_nobody_reads_times_and_no_names(cast, client, clock):
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    reserve(cast, "2026-03-05 14:00", "2026-03-05 15:00", who="sun")
    html = page_of(client.get(address(cast.microscope)))
    assert "Transmission electron microscope" in html
    assert "until 13:00" in html
    assert "Thu 5 Mar 14:00 – 15:00" in html
    for secret in ("Wang", "Sun Tao", str(booked.pk), "Fudan", "Report a fault", "/check-in/"):
        assert secret not in html
    assert f"/accounts/login/?next={address(cast.microscope)}" in html


@pytest.mark.parametrize(("who", "is_named"), [("hu", False), ("sun", False), ("zhao", True)])
def test_names_for_whoever_may_see_them(cast, clock, who, is_named):
    reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    html = page_of(somebody(cast, who).get(address(cast.microscope)))
    assert ("Wang Li" in html) is is_named
    assert "/check-in/" not in html


def test_too_early_to_check_in(cast, clock):
    reserve(cast, "2026-03-05 12:30", "2026-03-05 13:00")
    html = page_of(somebody(cast, "wang").get(address(cast.microscope)))
    assert "/check-in/" not in html
    assert "Your next booking here begins on Thu 5 Mar 12:30." in html


def test_what_is_free_now_is_booked_by_the_usual_form(cast, clock):
    reserve(cast, "2026-03-05 15:00", "2026-03-05 16:00", who="sun")
    html = page_of(somebody(cast, "wang").get(address(cast.microscope)))
    assert "Free</span><strong>until 15:00" in html.replace(" </", "</").replace("> <", "><")
    form = reverse("bookings:book", args=[cast.microscope.pk])
    assert f"{form}?start=2026-03-05T04%3A00%3A00Z&amp;minutes=60&amp;organisation=fudan" in html
    assert "Book from 12:00" in html


def test_closed_by_its_hours_and_by_a_closure(cast, clock):
    clock("2026-03-05 21:00")
    html = page_of(Client().get(address(cast.microscope)))
    assert "Not open now" in html
    assert "opens on Fri 6 Mar 08:00" in html
    clock("2026-03-05 07:00")
    assert "opens at 08:00" in page_of(Client().get(address(cast.microscope)))
    clock("2026-03-05 12:00")
    closure_create(
        By(cast.actor("zhao"), NOW),
        instrument_id=cast.microscope.pk,
        outage=Outage("breakdown", NOW, None, reason="no vacuum"),
        displace=False,
    )
    html = page_of(Client().get(address(cast.microscope)))
    assert "Out of service" in html
    assert "until further notice" in html
    assert "no vacuum" not in html


def test_somebody_is_still_there_after_their_time(cast, clock):
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    reservation_check_in(By(cast.actor("wang"), NOW), reservation_id=booked.pk)
    clock("2026-03-05 13:10")
    assert "Still in use after its time" in page_of(Client().get(address(cast.microscope)))
    html = page_of(somebody(cast, "wang").get(address(cast.microscope)))
    assert reverse("bookings:check-out", args=[booked.pk]) in html


def test_each_unit_of_a_pool(cast, clock):
    pool = cast.instrument(name="Pool", policy={"units": 2})
    reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00", instrument=pool)
    html = page_of(Client().get(address(pool)))
    assert "unit 1" in html
    assert "unit 2" in html
    assert html.count("Taken") == 1


def test_codes(cast, client, clock):
    code = cast.microscope.short_code
    assert len(code) == 7
    assert client.get(f"/at/{code.lower()}/").url == f"/at/{code}/"
    assert client.get("/at/NOSUCH2/").status_code == 404
    Instrument.objects.filter(pk=cast.microscope.pk).update(publication="draft")
    assert client.get(f"/at/{code}/").status_code == 404
    assert somebody(cast, "zhao").get(f"/at/{code}/").status_code == 200
    other = cast.instrument(name="The other record")
    Instrument.objects.filter(pk=cast.microscope.pk).update(publication="retired", merged_into=other)
    assert client.get(f"/at/{code}/").url == f"/at/{other.short_code}/"


def test_a_fault_is_reported_there_with_a_photo(cast, clock, settings, tmp_path, client):
    settings.MEDIA_ROOT = tmp_path
    client.force_login(cast.wang)
    there = reverse("bookings:fault-new", args=[cast.microscope.short_code])
    assert "Me too" not in page_of(client.get(there))
    page_of(client.post(there, {"text": "The stage drifts."}), 400)
    page_of(client.post(there, {"severity": "usable"}), 400)
    assert not FaultReport.objects.exists()
    page_of(
        client.post(
            there, {"severity": "usable", "text": "x", "file": SimpleUploadedFile("a.svg", b"<svg/>")}
        ),
        400,
    )
    assert not FaultReport.objects.exists()
    photo = SimpleUploadedFile("a.jpg", picture())
    data = {"severity": "usable", "text": "The stage drifts.", "file": photo}
    assert client.post(there, data).url == address(cast.microscope)
    note = FaultNote.objects.get()
    assert note.has_photo
    html = page_of(somebody(cast, "sun").get(address(cast.microscope)))
    assert "The stage drifts." in html
    assert "Wang" not in html
    assert "The stage drifts." not in page_of(Client().get(address(cast.microscope)))
    small = reverse("bookings:fault-photo", args=[note.pk, "small"])
    assert client.get(small)["Content-Type"] == "image/webp"
    assert somebody(cast, "zhao").get(small).status_code == 200
    assert somebody(cast, "hu").get(small).status_code == 404
    sun = somebody(cast, "sun")
    assert "Me too" in page_of(sun.get(there))
    assert sun.post(there, {"severity": "usable"}).status_code == 302
    assert FaultReport.objects.get().notes.count() == 2
    assert somebody(cast, "alice").get(there).status_code == 403


@pytest.mark.parametrize("code", ["\x00", "AB%00", "x" * 500, "一", "../x"])
def test_what_is_no_code_leads_nowhere(cast, client, code):
    for name in ("at", "fault-new"):
        answer = client.get(f"/at/{quote(code)}/" + ("fault/" if name == "fault-new" else ""))
        assert answer.status_code in {404, 302}


def test_what_is_tomorrow_has_its_day_and_training_its_name(cast, client, clock):
    """Free until ten o'clock tomorrow is not free until ten o'clock."""
    always = {"weekly": [{"weekday": d, "opens": "00:00", "closes": "24:00"} for d in range(1, 8)]}
    instrument = cast.instrument(name="Always open", hours=always)
    outage = Outage("training", at("2026-03-06 10:00"), at("2026-03-06 11:00"), reason="First")
    by = By(cast.actor("zhao"), NOW)
    closure_create(by, instrument_id=instrument.pk, outage=outage, displace=False)
    client.force_login(cast.wang)
    clock("2026-03-05 16:00")
    html = page_of(client.get(address(instrument)))
    assert "until Fri 6 Mar 10:00" in html and "until 10:00" not in html
    assert "Next booking: Fri 6 Mar 10:00 – 11:00 Training" in html
    clock("2026-03-06 10:30")
    html = page_of(client.get(address(instrument)))
    assert "Training" in html and "Out of service" not in html


def test_the_host_checks_in_and_out_whom_rules_are_asked_of(cast, clock):
    """The person has accepted nothing and is the only one who rates; neither is in the way."""
    booked = reserve(cast, "2026-03-05 12:00", "2026-03-05 13:00")
    house_rules_set(By(cast.actor("zhao"), NOW), **RULES, instrument_id=cast.microscope.pk)
    page, zhao, wang = reverse("bookings:reservation", args=[booked.pk]), *people(cast)
    html = page_of(zhao.get(page))
    assert "Wang Li has not accepted version 1 of the house rules yet." in html
    assert "You can check them in all the same" in html
    assert "The house rules have to be accepted." in page_of(wang.get(page))
    answer = zhao.post(reverse("bookings:check-in", args=[booked.pk]))
    assert answer.url == page
    html = page_of(zhao.get(page))
    assert "Wang Li is checked in." in html
    assert "has not accepted version 1" in html and "all the same" not in html
    assert 'name="samples"' in html and 'name="rating"' not in html
    assert "Remarks on the session" in html and "Remarks for the owner" not in html
    fault = reverse("bookings:fault-new", args=[cast.microscope.short_code])
    assert "check out." in page_of(wang.get(fault)) and "cancel your booking" in page_of(zhao.get(fault))
    html = page_of(wang.get(page))
    assert "Remarks for the owner" in html
    assert "You were checked in by somebody else." in html and 'name="rating"' in html
    accept = reverse("instruments:house-rules", args=[cast.microscope.pk])
    assert f'href="{accept}"' in html
    assert wang.post(accept, {"house_rules": "1"}).status_code == 302
    for browser in (zhao, wang):
        assert "rules-title" not in page_of(browser.get(page))
    clock("2026-03-05 12:30")
    # A page that is older still has the field: it is not heard.
    done = zhao.post(reverse("bookings:check-out", args=[booked.pk]), {"rating": "2"})
    assert done.status_code == 302
    assert "Wang Li is checked out. The remaining time" in page_of(zhao.get(page))
    session = UsageSession.objects.get()
    assert (session.rating, session.checked_out_at) == (None, at("2026-03-05 12:30"))


def test_at_the_label_whoever_booked_for_another_checks_them_in_and_rates_nothing(cast, clock):
    booked = reserve(
        cast, "2026-03-05 12:00", "2026-03-05 13:00", who="chen", organisation="fudan",
        on_behalf_of="wang@fudan.example",
    )  # fmt: skip
    house_rules_set(By(cast.actor("zhao"), NOW), **RULES, instrument_id=cast.microscope.pk)
    chen, label = somebody(cast, "chen"), {"at": cast.microscope.short_code}
    answer = chen.post(reverse("bookings:check-in", args=[booked.pk]), label)
    assert answer.url == address(cast.microscope)
    html = page_of(chen.get(answer.url))
    assert reverse("bookings:check-out", args=[booked.pk]) in html
    assert 'name="samples"' in html and 'name="rating"' not in html


def test_a_fault_from_its_report_to_its_repair(cast, clock):
    """Reporters read what the host says of it; everybody does until it is repaired."""
    zhao, wang = people(cast)
    label = address(cast.microscope)
    wang.post(f"{label}fault/", {"severity": "usable", "text": "The stage drifts."})
    page = reverse("bookings:fault", args=[FaultReport.objects.get().pk])
    zhao.post(page, {"note": "1", "reason": "Wait for ten minutes."})
    assert "Fault confirmed, Thu 5 Mar 2026" in page_of(wang.get(page))
    visitor = Client()
    for shown in (visitor.get(label), visitor.get(f"/instruments/{cast.microscope.pk}/"), wang.get(page)):
        assert "Wait for ten minutes." in page_of(shown)
    zhao.post(f"{page}assign/", {"person": str(cast.zhao.pk)})
    assert "Zhao Min" in page_of(zhao.get("/faults/"))
    assert "Zhao Min" not in page_of(wang.get("/faults/")) + page_of(wang.get(page))
    assert zhao.get("/faults/?waits=repairs").context["page"].paginator.count == 1
    zhao.post(f"{page}assign/", {"person": ""})
    assert FaultReport.objects.get().assignee is None
    refused = page_of(zhao.post(f"{page}repair/", {"repair": "New gasket.", "cost": "-5"}), 400)
    assert "New gasket." in refused and 'aria-invalid="true"' in refused
    assert zhao.post(f"{page}repair/", {"repair": "New gasket.", "cost": "860"}).status_code == 302
    assert "Known issue" not in page_of(visitor.get(label))
    assert "CNY 860.00" in page_of(zhao.get(page))
    repaired = page_of(wang.get(page))
    assert "New gasket." in repaired and "860" not in repaired


@pytest.mark.parametrize(
    ("mode", "begun"), [("self", "is checked in"), ("entrusted", "work on the samples of")]
)
def test_nothing_is_free_again_at_the_end_and_samples_do_not_check_in(cast, clock, mode, begun):
    instrument = cast.instrument(name="Lab", service_modes=[mode])
    times = ("2026-03-05 12:00", "2026-03-05 13:00")
    booked = reserve(cast, *times, instrument=instrument, service_mode=mode)
    page, zhao, wang = reverse("bookings:reservation", args=[booked.pk]), *people(cast)
    clock("2026-03-05 11:00")
    html = page_of(wang.get(page))
    assert ("Checking in opens" in html) == ("At the instrument" in html) == (mode == "self")
    assert ("The facility does the work." in html) == (mode == "entrusted")
    clock("2026-03-05 12:00")
    zhao.post(reverse("bookings:check-in", args=[booked.pk]))
    assert begun in page_of(zhao.get(page))
    clock("2026-03-05 13:00")
    zhao.post(reverse("bookings:check-out", args=[booked.pk]))
    html = page_of(zhao.get(page))
    assert ("is checked out." in html) == (mode == "self")
    assert "remaining time" not in html
