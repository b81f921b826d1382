"""The pages of questions, meters and house rules."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from bookings.models import AnswerFile, AnswerSheet, CounterCycle, MeterReading, Questionnaire, Reservation
from bookings.questions.services.meters import counter_add, meter_add
from bookings.questions.services.questions import questionnaire_set
from bookings.usage.services.usage import reservation_check_in, usage_settle
from instruments.house_rules.models import HouseRules, HouseRulesAcceptance
from instruments.house_rules.services.house_rules import house_rules_set
from instruments.policy.selectors.policies import load_policy
from instruments.register.models import Instrument
from tests.accounts.pages import page_of
from tests.factories.attachments import PDF, picture
from tests.factories.cast import NOW, at, reserve
from tests.instruments.conftest import typed

TEN, TWELVE = "2026-03-06 10:00", "2026-03-06 12:00"
CLEAN = {"key": "clean", "kind": "yes_no", "label": "Clean?", "label_zh": "干净吗？", "required": True}


@pytest.fixture
def noon(monkeypatch):
    def of(moment):
        monkeypatch.setattr("django.utils.timezone.now", lambda: at(moment))

    of("2026-03-05 12:00")
    return of


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def ask(cast, moment, *fields):
    return questionnaire_set(
        By(cast.actor("zhao"), NOW), instrument_id=cast.microscope.pk, moment=moment, fields=list(fields)
    )


def set_rules(cast, text="Wear gloves."):
    return house_rules_set(
        By(cast.actor("zhao"), NOW), instrument_id=cast.microscope.pk, text=text, text_zh="戴手套。"
    )


def test_the_booking_form_shows_the_house_rules_with_a_tick(cast, noon):
    set_rules(cast)
    wang = signed_in(cast.wang)
    address = reverse("bookings:book", args=[cast.microscope.pk])
    form = {
        "start": "2026-03-06T02:00:00Z", "minutes": "120", "service_mode": "self",
        "purpose": "research", "organisation": "fudan",
    }  # fmt: skip
    html = page_of(wang.get(address, form))
    assert "Wear gloves." in html
    assert 'name="house_rules"' in html
    html = page_of(wang.post(address, form), 422)
    assert 'data-code="house-rules-not-accepted"' in html
    assert not Reservation.objects.exclude(state="held").exists()
    response = wang.post(address, form | {"house_rules": "1"})
    assert response.status_code == 302
    assert HouseRulesAcceptance.objects.get().user == cast.wang
    assert 'name="house_rules"' not in page_of(wang.get(address, form | {"start": "2026-03-09T02:00:00Z"}))


def test_they_are_read_and_accepted_on_their_page(cast, noon):
    address = reverse("instruments:house-rules", args=[cast.microscope.pk])
    assert Client().get(address).status_code == 404
    set_rules(cast)
    assert "Wear gloves." in page_of(Client().get(address))
    assert "accounts/login" in Client().post(address, {"house_rules": "1"}).url
    wang = signed_in(cast.wang)
    wang.post(address, {"house_rules": "1"})
    assert "You have accepted them." in page_of(wang.get(address))


def test_a_manager_sets_them_and_is_told_of_another_version(cast, noon):
    zhao = signed_in(cast.zhao)
    address = reverse("instruments:house-rules-edit", args=[cast.microscope.pk])
    page_of(zhao.get(address))
    zhao.post(address, {"version": "0", "text": "One", "text_zh": ""})
    page_of(zhao.post(address, {"version": "0", "text": "Two", "text_zh": ""}), 412)
    assert [row.text for row in HouseRules.objects.all()] == ["One"]


def test_the_editor_adds_rows_keeps_keys_and_says_what_is_wrong(cast, noon):
    zhao = signed_in(cast.zhao)
    address = reverse("bookings:questionnaires", args=[cast.microscope.pk, "before"])
    html = page_of(zhao.get(address))
    assert len(re.findall(r'name="row_\d_label"', html)) == 3
    sent = {
        "version": "0", "rows": "3",
        "row_0_label": "Clean?", "row_0_kind": "yes_no", "row_0_required": "on",
        "row_2_label_zh": "气体", "row_2_kind": "choice", "row_2_choices": "Argon | 氩\nNone",
    }  # fmt: skip
    html = page_of(zhao.post(address, sent | {"more": "1"}))
    assert len(re.findall(r'name="row_\d_label"', html)) == 6
    assert not Questionnaire.objects.exists()
    page_of(zhao.post(address, sent | {"row_2_choices": ""}), 400)
    assert zhao.post(address, sent).status_code == 302
    asked = Questionnaire.objects.get()
    assert [(f["key"], f["kind"]) for f in asked.fields] == [("q1", "yes_no"), ("q2", "choice")]
    assert asked.fields[1]["choices"][0] == {"value": "Argon", "label": "Argon", "label_zh": "氩"}
    # A row that is emptied goes, the others keep their keys.
    zhao.post(address, {
        "version": "1", "rows": "2", "row_0_key": "q1", "row_0_label": "",
        "row_1_key": "q2", "row_1_label_zh": "气体", "row_1_kind": "text",
    })  # fmt: skip
    assert [f["key"] for f in Questionnaire.objects.get(version=2).fields] == ["q2"]


def test_check_in_leads_to_the_form_which_checks_in(cast, noon):
    ask(cast, "before", CLEAN)
    made = reserve(cast, TEN, TWELVE)
    set_rules(cast)
    wang = signed_in(cast.wang)
    here = reverse("bookings:reservation", args=[made.pk])
    form = reverse("bookings:questions", args=[made.pk, "before"])
    assert form in page_of(wang.get(here))
    noon(TEN)
    assert wang.post(reverse("bookings:check-in", args=[made.pk])).url == form
    html = page_of(wang.get(form))
    assert "Wear gloves." in html
    assert "Clean?" in html
    page_of(wang.post(form, {"house_rules": "1"}), 400)
    page_of(wang.post(form, {"answer_clean": "yes"}), 422)
    assert Reservation.objects.get().state == "confirmed"
    assert wang.post(form, {"house_rules": "1", "answer_clean": "yes"}).url == here
    assert Reservation.objects.get().state == "in_use"
    assert "Answers before use" in page_of(wang.get(here))


def test_what_is_answered_early_is_kept_and_check_in_is_one_click(cast, noon):
    ask(cast, "before", CLEAN)
    made = reserve(cast, TEN, TWELVE)
    wang = signed_in(cast.wang)
    wang.post(reverse("bookings:questions", args=[made.pk, "before"]), {"answer_clean": "no"})
    assert AnswerSheet.objects.get().answers == {"clean": False}
    noon(TEN)
    wang.post(reverse("bookings:check-in", args=[made.pk]))
    assert Reservation.objects.get().state == "in_use"


def test_what_is_answered_again_is_what_is_asked_now(cast, noon):
    ask(cast, "before", CLEAN)
    made = reserve(cast, TEN, TWELVE)
    wang = signed_in(cast.wang)
    form = reverse("bookings:questions", args=[made.pk, "before"])
    wang.post(form, {"answer_clean": "no"})
    gas = {"key": "gas", "kind": "text", "label": "Which gas?", "required": True}
    questionnaire_set(
        By(cast.actor("zhao"), NOW, version=1),
        instrument_id=cast.microscope.pk,
        moment="before",
        fields=[gas],
    )
    assert "Which gas?" in page_of(wang.get(form))
    assert wang.post(form, {"answer_gas": "Ar"}).status_code == 302
    assert AnswerSheet.objects.get().answers == {"gas": "Ar"}


def test_an_answer_to_what_was_asked_before_is_not_taken_for_one_to_what_is_asked_now(cast, noon):
    pressure = {"key": "p", "kind": "number", "label": "Pressure", "unit": "Pa"}
    ask(cast, "before", pressure)
    made = reserve(cast, TEN, TWELVE)
    wang = signed_in(cast.wang)
    form = reverse("bookings:questions", args=[made.pk, "before"])
    sent = typed(wang.get(form).context["form"], answer_p="100")
    questionnaire_set(
        By(cast.actor("zhao"), NOW, version=1),
        instrument_id=cast.microscope.pk,
        moment="before",
        fields=[pressure | {"unit": "kPa"}],
    )
    html = page_of(wang.post(form, sent), 400)
    assert "The questions have changed" in html
    assert 'name="questions_version" value="2"' in html
    assert not AnswerSheet.objects.exists()
    assert wang.post(form, sent | {"questions_version": "2"}).status_code == 302


def test_check_out_asks_in_its_form(cast, noon):
    ask(cast, "after", CLEAN)
    made = reserve(cast, TEN, TWELVE)
    reservation_check_in(By(cast.actor("wang"), at(TEN)), reservation_id=made.pk)
    noon("2026-03-06 11:00")
    wang, zhao = signed_in(cast.wang), signed_in(cast.zhao)
    here, out = (reverse(f"bookings:{n}", args=[made.pk]) for n in ("reservation", "check-out"))
    assert "skip_reason" not in page_of(wang.get(here))
    assert "skip_reason" in page_of(zhao.get(here))
    page_of(wang.post(out, {}), 400)
    assert Reservation.objects.get().state == "in_use"
    assert zhao.post(out, {"skip_reason": "gone"}).status_code == 302
    assert AnswerSheet.objects.get().state == "skipped"
    assert "gone" in page_of(zhao.get(here))


def test_what_is_owed_waits_at_home_and_goes_once_answered(cast, noon):
    ask(cast, "after", CLEAN)
    made = reserve(cast, TEN, TWELVE)
    reservation_check_in(By(cast.actor("wang"), at(TEN)), reservation_id=made.pk)
    usage_settle(now=at("2026-03-07 10:00"))
    noon("2026-03-07 10:00")
    wang = signed_in(cast.wang)
    assert 'data-waits="answers"' in page_of(wang.get(reverse("bookings:home")))
    owed = reverse("bookings:questions-owed")
    form = reverse("bookings:questions", args=[made.pk, "after"])
    assert form in page_of(wang.get(owed))
    page_of(wang.get(form))
    wang.post(form, {"answer_clean": "yes"})
    assert form not in page_of(wang.get(owed))
    rows = signed_in(cast.zhao).get(reverse("bookings:answers", args=[cast.microscope.pk]), {"format": "csv"})
    text = b"".join(rows.streaming_content).decode()
    assert "Clean?: yes" in text


def test_meters_and_counters_on_their_pages(cast, noon):
    zhao = signed_in(cast.zhao)
    address = reverse("bookings:meters", args=[cast.microscope.pk])
    page_of(zhao.get(address))
    new = reverse("bookings:instrument-new-meter", args=[cast.microscope.pk])
    zhao.post(new, {"name": "Filament", "unit": "h", "is_monotone": "on"})
    page_of(zhao.post(new, {"name": "Filament"}), 400)
    meter = cast.microscope.meters.get()
    one = reverse("bookings:meter", args=[meter.pk])
    read = reverse("bookings:meter-read", args=[meter.pk])
    zhao.post(read, {"value": "100"})
    page_of(zhao.post(read, {"value": "9"}), 400)
    zhao.post(read, {"value": "9", "reset_reason": "new"})
    assert MeterReading.objects.count() == 2
    page_of(zhao.get(one))
    counters = reverse("bookings:counters", args=[cast.microscope.pk])
    form = {"name": "Tip", "limit": "500", "warn_percent": "90", "action": "warn"}
    page_of(zhao.post(counters, form | {"limit": "0"}), 400)
    assert zhao.post(counters, form).status_code == 302
    assert "Tip" in page_of(zhao.get(address))
    counter = CounterCycle.objects.get().counter
    zhao.post(reverse("bookings:counter-done", args=[counter.pk]), {"note": "x", "version": "1"})
    assert CounterCycle.objects.count() == 2
    page_of(zhao.post(reverse("bookings:counter-done", args=[counter.pk]), {"version": "1"}), 412)
    zhao.post(reverse("bookings:counter-retire", args=[counter.pk]))
    assert "Tip" not in page_of(zhao.get(address))


def test_lists_ask_no_more_with_more_rows(cast, noon, django_assert_max_num_queries):
    by = By(cast.actor("zhao"), NOW)
    meter = meter_add(by, instrument_id=cast.microscope.pk, name="Filament")
    for n in range(3):
        counter_add(by, instrument_id=cast.microscope.pk, meter=None, name=f"N{n}", limit=5)
        counter_add(by, instrument_id=cast.microscope.pk, meter=meter.pk, name=f"M{n}", limit=5)
    zhao = signed_in(cast.zhao)
    with django_assert_max_num_queries(12):
        zhao.get(reverse("bookings:meters", args=[cast.microscope.pk]))


def test_hours_for_groups_are_set_in_the_policy_form_and_marked_in_the_calendar(cast, noon):
    zhao = signed_in(cast.zhao)
    address = reverse("instruments:policy", args=[cast.microscope.pk])
    sent = typed(
        zhao.get(address).context["form"], group_0_days=["5"], group_0_opens="8",
        group_0_closes="12:00", group_0_who="certified:instrument",
    )  # fmt: skip
    response = zhao.post(address, sent)
    assert response.status_code == 302, page_of(response, response.status_code)
    instrument = Instrument.objects.select_related("policy").get(pk=cast.microscope.pk)
    (rule,) = load_policy(instrument.policy).group_hours
    assert (rule.days, rule.opens, rule.closes, rule.certificate) == ((5,), 480, 720, "instrument")
    html = page_of(signed_in(cast.wang).get(reverse("bookings:instrument", args=[instrument.pk])))
    assert "data-kept" in html
    assert "only holders of a certificate" in html
    assert "group_0_days" in page_of(zhao.get(address))


def test_a_file_is_uploaded_with_the_form_and_kept_where_another_answer_is_wrong(cast, noon):
    stage = {"key": "stage", "kind": "file", "label": "Stage", "required": True}
    ask(cast, "before", stage, {"key": "vacuum", "kind": "number", "label": "Vacuum", "high": "1"})
    made = reserve(cast, TEN, TWELVE)
    wang, zhao = signed_in(cast.wang), signed_in(cast.zhao)
    form = reverse("bookings:questions", args=[made.pk, "before"])
    assert 'enctype="multipart/form-data"' in page_of(wang.get(form))
    html = SimpleUploadedFile("stage.jpg", b"<html>", "image/jpeg")
    assert "is-invalid" in page_of(wang.post(form, {"answer_stage": html}), 400)
    assert not AnswerFile.objects.exists()
    sent = {"answer_stage": SimpleUploadedFile("stage.jpg", picture()), "answer_vacuum": "2"}
    assert "stage.jpg" in page_of(wang.post(form, sent), 400)
    file = AnswerFile.objects.get()
    assert "stage.jpg" in page_of(wang.get(form))
    assert wang.post(form, {"answer_vacuum": "0.5"}).status_code == 302
    assert AnswerSheet.objects.get().answers == {"stage": str(file.pk), "vacuum": "0.5"}
    for client in (wang, zhao):
        booking = page_of(client.get(reverse("bookings:reservation", args=[made.pk])))
        assert f'href="{file.url}">stage.jpg</a>' in booking
        answer = client.get(file.url)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert signed_in(cast.sun).get(file.url).status_code == 404
    listed = reverse("bookings:answers", args=[cast.microscope.pk])
    assert file.url in page_of(zhao.get(listed))
    table = b"".join(zhao.get(listed, {"format": "csv"}).streaming_content).decode()
    assert "Stage: stage.jpg; Vacuum: 0.5" in table


def test_a_file_after_use_is_part_of_checking_out(cast, noon):
    ask(cast, "after", {"key": "stage", "kind": "file", "label": "Stage"}, CLEAN)
    made = reserve(cast, TEN, TWELVE)
    reservation_check_in(By(cast.actor("wang"), at(TEN)), reservation_id=made.pk)
    noon("2026-03-06 11:00")
    wang = signed_in(cast.wang)
    for page in (
        reverse("bookings:reservation", args=[made.pk]),
        reverse("bookings:at", args=[cast.microscope.short_code]),
    ):
        assert 'enctype="multipart/form-data"' in page_of(wang.get(page))
    sent = {"answer_stage": SimpleUploadedFile("a.pdf", PDF), "answer_clean": "yes"}
    wang.post(reverse("bookings:check-out", args=[made.pk]), sent)
    assert AnswerFile.objects.get().sheet == AnswerSheet.objects.get()


def test_the_host_checks_somebody_in_with_rules_on_paper_and_answers(cast, noon):
    ask(cast, "before", CLEAN)
    set_rules(cast)
    made = reserve(cast, TEN, TWELVE, who="chen", organisation="fudan", on_behalf_of="wang@fudan.example")
    noon(TEN)
    zhao = signed_in(cast.zhao)
    here = reverse("bookings:reservation", args=[made.pk])
    form = reverse("bookings:questions", args=[made.pk, "before"])
    assert zhao.post(reverse("bookings:check-in", args=[made.pk])).url == form
    html = page_of(zhao.get(form))
    assert "Wear gloves." in html and 'value="paper"' in html and "Clean?" in html
    sent = {"house_rules": "1", "means": "paper", "answer_clean": "yes"}
    assert zhao.post(form, sent).url == here
    accepted = HouseRulesAcceptance.objects.get()
    assert (accepted.user, accepted.means, accepted.recorded_by) == (cast.wang, "paper", cast.zhao)
    page = page_of(zhao.get(here))
    assert "data-recorded" in page and "Answered by Zhao Min" in page
    assert 'name="rating"' not in page  # not theirs to give


def test_the_host_records_it_for_whom_they_have_checked_in_without(cast, noon):
    ask(cast, "before", CLEAN)
    set_rules(cast)
    made = reserve(cast, TEN, TWELVE, who="chen", organisation="fudan", on_behalf_of="wang@fudan.example")
    noon(TEN)
    zhao = signed_in(cast.zhao)
    form = reverse("bookings:questions", args=[made.pk, "before"])
    zhao.post(form, {"house_rules": "1", "means": "", "answer_clean": "yes"})
    assert Reservation.objects.get().state == "in_use" and not HouseRulesAcceptance.objects.exists()
    assert form in page_of(zhao.get(reverse("bookings:reservation", args=[made.pk])))
    assert "Clean?" not in page_of(zhao.get(form))
    zhao.post(form, {"house_rules": "1", "means": "read_out"})
    assert HouseRulesAcceptance.objects.get().means == "read_out"


def test_the_booking_form_asks_and_the_host_reads_the_answers_with_the_request(cast, noon):
    noon("2026-03-02 09:00")
    by = By(cast.actor("zhao"), NOW)
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    toxic = {"key": "toxic", "kind": "yes_no", "label": "Toxic?", "label_zh": "有毒吗？", "required": True}
    questionnaire_set(by, instrument_id=asks.pk, moment="booking", fields=[toxic])
    wang, zhao = signed_in(cast.wang), signed_in(cast.zhao)
    address = reverse("bookings:book", args=[asks.pk])
    query = {"start": "2026-03-06T02:00:00Z", "minutes": "120"}
    page = wang.get(address, query)
    assert "Toxic?" in page_of(page)
    sent = typed(page.context["form"], start=query["start"], minutes="120")
    html = page_of(wang.post(address, sent), 400)
    assert 'id="id_answer_toxic_error"' in html or "is-invalid" in html
    sent |= {"answer_toxic": "yes", "purpose_text": "kept"}
    questionnaire_set(
        By(cast.actor("zhao"), NOW, 1), instrument_id=asks.pk, moment="booking",
        fields=[toxic | {"label": "Harmless?"}],
    )  # fmt: skip
    html = page_of(wang.post(address, sent), 400)
    assert "The questions have changed" in html and 'name="questions_version" value="2"' in html
    assert "kept" in html and not Reservation.objects.exists()
    response = wang.post(address, sent | {"questions_version": "2"})
    assert response.status_code == 302, page_of(response, response.status_code)
    made = Reservation.objects.get()
    assert AnswerSheet.objects.get(reservation=made).answers == {"toxic": True}
    assert "Harmless?" in page_of(zhao.get(reverse("bookings:requests")))
    booking = reverse("bookings:reservation", args=[made.pk])
    for client in (wang, zhao):
        assert 'data-answers="booking"' in page_of(client.get(booking))
    form = reverse("bookings:questions", args=[made.pk, "booking"])
    assert form not in page_of(wang.get(booking)) and wang.get(form).url == booking
    page_of(wang.post(form, {"answer_toxic": "no"}), 409)


def test_a_booking_says_that_answers_are_owed_and_takes_them(cast, noon):
    noon("2026-03-02 09:00")
    made = reserve(cast, TEN, TWELVE)
    asked = ask(cast, "booking", CLEAN)
    row = AnswerSheet(reservation=made, questionnaire=asked, moment="booking", state="owed", created_at=NOW)
    row.save()
    wang = signed_in(cast.wang)
    form = reverse("bookings:questions", args=[made.pk, "booking"])
    here = page_of(wang.get(reverse("bookings:reservation", args=[made.pk])))
    assert "data-owed" in here and form in here
    assert form in page_of(wang.get(reverse("bookings:questions-owed")))
    html = page_of(wang.get(form))
    assert "Clean?" in html and "is-invalid" not in html
    page_of(wang.post(form, {}), 400)
    assert wang.post(form, {"answer_clean": "yes", "questions_version": "1"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.answers) == ("answered", {"clean": True})


def test_the_host_sets_the_questions_asked_when_booking(cast, noon):
    zhao = signed_in(cast.zhao)
    address = reverse("bookings:questionnaires", args=[cast.microscope.pk, "booking"])
    html = page_of(zhao.get(address))
    assert 'value="choice"' in html and 'value="file"' not in html and 'value="meter"' not in html
    form = zhao.get(address).context["form"]
    assert zhao.post(address, typed(form, row_0_label="Toxic?", row_0_kind="yes_no")).status_code == 302
    row = Questionnaire.objects.get()
    assert (row.moment, [field["kind"] for field in row.fields]) == ("booking", ["yes_no"])
    page_of(zhao.post(address, typed(form, row_0_label="Toxic?", row_0_kind="file", version="1")), 400)


def test_what_a_series_owes_is_said_before_and_asked_before_use(cast, noon):
    wang = signed_in(cast.wang)
    new = reverse("bookings:series-new", args=[cast.microscope.pk])
    form = {
        "start": "2026-03-09T10:00:00+08:00", "minutes": "120", "service_mode": "self", "purpose": "research",
        "frequency": "WEEKLY", "every": "1", "monthly": "day", "ends": "times", "times": "2",
    }  # fmt: skip
    later = "You answer them afterwards"
    assert later not in page_of(wang.get(new, form))
    ask(cast, "booking", CLEAN)
    assert later in page_of(wang.get(new, form))
    line = f"instrument,starts,ends\n{cast.microscope.name},2026-03-30 10:00,2026-03-30 12:00\n"
    file = SimpleUploadedFile("old.csv", line.encode())
    sent = {"file": file, "organisation": "fudan", "act": "preview"}
    assert later in page_of(wang.post(reverse("bookings:import"), sent))
    wang.post(new, form | {"act": "refuse"})
    first = Reservation.objects.order_by("start_at").first()
    noon("2026-03-09 10:00")
    check_in = wang.post(reverse("bookings:check-in", args=[first.pk]))
    asks = reverse("bookings:questions", args=[first.pk, "booking"])
    assert check_in.url == asks
    assert "Clean?" in page_of(wang.get(asks))
