"""Samples on pages, without a script."""

import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.domain.roles import By
from bookings.models import BookedSample, Reservation, SampleItem
from bookings.samples.selectors.labels import load_labels
from bookings.samples.services.receiving import receiving_set
from instruments.register.models import Facility
from tests.accounts.pages import page_of
from tests.factories.api import Clock, clock  # noqa: F401
from tests.factories.attachments import picture
from tests.factories.cast import NOW, Cast, reserve
from tests.factories.samples import announce, join, refuse, step

FORM = {"name": "薄膜", "number": "2", "hazards": ["toxic"], "afterwards": "discard"}


@pytest.fixture
def wang(client: Client, cast: Cast, clock: Clock) -> Client:  # noqa: F811
    client.force_login(cast.wang)
    return client


@pytest.fixture
def zhao(cast: Cast, clock: Clock) -> Client:  # noqa: F811
    client = Client()
    client.force_login(cast.zhao)
    return client


def test_announced_from_a_bookings_page_and_joined_to_it(cast: Cast, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", samples="two films")
    html = page_of(wang.get(f"/bookings/{booking.pk}/"))
    assert "two films" in html  # the free text stays
    (address,) = re.findall(r'href="(/samples/new/[^"]+)"', html)
    page_of(wang.get(address))
    assert wang.post(address, FORM).url == f"/bookings/{booking.pk}/"
    rows = SampleItem.objects.order_by("name")
    assert [(row.name, row.hazards) for row in rows] == [("薄膜 1", ["toxic"]), ("薄膜 2", ["toxic"])]
    html = page_of(wang.get(f"/bookings/{booking.pk}/"))
    assert all(f"/samples/{row.code}/" in html for row in rows)
    (labels,) = re.findall(r'href="(/samples/labels/[^"]+)"', html)
    assert "Print the 2 labels" in html and all(f"sample={row.pk}" in labels for row in rows)
    assert wang.get(unescape(labels)).headers["Content-Type"] == "application/pdf"


def test_as_many_are_proposed_as_were_booked(cast: Cast, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00", quantity=3)
    form = wang.get(f"/samples/new/?booking={booking.pk}").context["form"]
    assert form["number"].value() == 3
    assert wang.get("/samples/new/").context["form"]["number"].value() == 1


def test_what_the_instrument_does_not_accept_is_said_and_nothing_kept(cast: Cast, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    assert "not accepted" not in page_of(wang.get(f"/samples/new/?booking={booking.pk}"))
    refuse(cast, cast.microscope, "toxic")
    html = page_of(wang.get(f"/samples/new/?booking={booking.pk}"))
    assert "Samples with these hazards are not accepted there: acutely toxic." in html
    assert html.count("– not accepted") == 1 and "acutely toxic – not accepted" in html
    html = page_of(wang.post(f"/samples/new/?booking={booking.pk}", FORM), 422)
    assert html.count("does not accept this hazard: acutely toxic.") == 1  # of two, neither of which there is
    assert not SampleItem.objects.exists()
    sample = announce(cast, hazards=["toxic"])
    html = page_of(
        wang.post(f"/samples/{sample.code}/join/", {"act": "join", "booking": str(booking.pk)}), 422
    )
    assert "does not accept this hazard: acutely toxic" in html
    answer = wang.post(f"/bookings/{booking.pk}/samples/", {"sample": [str(sample.pk)]}, follow=True)
    assert "does not accept this hazard: acutely toxic" in page_of(answer)
    assert not BookedSample.objects.exists()


def test_the_booking_form_takes_samples_and_says_what_is_not_accepted(cast: Cast, wang: Client) -> None:
    refuse(cast, cast.microscope, "toxic")
    plain, toxic = announce(cast, name="Plain"), announce(cast, name="Bad", hazards=["toxic"])
    here = f"/instruments/{cast.microscope.pk}/"
    query = "?start=2026-03-06T02:00:00Z&minutes=60"
    html = page_of(wang.get(here + "book/" + query))
    assert str(plain.pk) in html and str(toxic.pk) in html
    quote = here + f"quote/{query}&service_mode=self&purpose=research&sample_items={toxic.pk}"
    assert "acutely toxic" in wang.get(quote).content.decode()
    form = {
        "start": "2026-03-06T02:00:00Z",
        "minutes": "60",
        "service_mode": "self",
        "purpose": "research",
        "sample_items": [str(plain.pk), str(toxic.pk)],
    }
    html = page_of(wang.post(here + "book/", form), 422)
    assert "does not accept this hazard: acutely toxic" in html
    assert re.search(rf'value="{toxic.pk}"[^>]*checked', html)
    assert not Reservation.objects.exists()
    answer = wang.post(here + "book/", form | {"sample_items": [str(plain.pk)]})
    assert answer.status_code == 302
    assert BookedSample.objects.get().sample == plain


def test_a_scanned_code_leads_to_its_sample(cast: Cast, wang: Client, zhao: Client) -> None:
    sample = announce(cast)
    for typed in (sample.code, sample.code.lower(), f"https://x.example/samples/{sample.code}/"):
        assert wang.get("/samples/", {"code": typed}).url == f"/samples/{sample.code}/"
    html = page_of(wang.get("/samples/", {"code": sample.code[:-1] + "?"}))
    assert "not a sample code" in html
    assert "no such sample" in page_of(zhao.get("/samples/", {"code": sample.code}))
    assert zhao.get(f"/samples/{sample.code}/").status_code == 404
    assert wang.get("/samples/ABCDEFGH/").status_code == 404


def test_the_staff_receive_many_in_one_go(cast: Cast, zhao: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    rows = [announce(cast, name=f"Film {n}") for n in range(12)]
    join(cast, booking, *rows)
    html = page_of(zhao.get("/samples/queue/?waits=due"))
    assert all(row.name in html for row in rows)
    form = {"state": "received", "condition": "intact", "sample": [str(row.pk) for row in rows]}
    answer = zhao.post(f"/samples/steps/?facility={cast.facility.pk}", form)
    assert answer.url == f"/samples/queue/?facility={cast.facility.pk}"
    assert SampleItem.objects.filter(state="received").count() == 12
    assert "Film 0" not in page_of(zhao.get("/samples/queue/?waits=due"))
    assert "Film 0" in page_of(zhao.get("/samples/queue/?waits=here"))


def test_their_owner_sends_many_in_one_go(cast: Cast, wang: Client, zhao: Client) -> None:
    rows = [announce(cast, name=f"Film {n}") for n in range(3)]
    assert "/samples/own/steps/" in page_of(wang.get("/samples/"))
    form = {"state": "shipped", "carrier": "SF", "tracking": "SF1", "sample": [str(row.pk) for row in rows]}
    answer = wang.post("/samples/own/steps/?sort=name", form)
    assert answer.url == "/samples/?sort=name"
    assert SampleItem.objects.filter(state="shipped").count() == 3
    assert {step.tracking for row in rows for step in row.steps.filter(state="shipped")} == {"SF1"}
    # All or none: one that cannot take the step leaves the others as they were, and stays ticked.
    back = announce(cast, name="At home")
    form = {"state": "lost", "note": "gone", "sample": [str(row.pk) for row in (*rows, back)]}
    html = page_of(wang.post("/samples/own/steps/", form), 409)
    assert html.count("checked") >= 4 and 'role="alert"' in html
    assert SampleItem.objects.filter(state="shipped").count() == 3
    assert zhao.post("/samples/own/steps/", form).status_code == 404
    wrong = page_of(wang.post("/samples/own/steps/", form | {"state": "received"}), 400)
    (choice,) = re.findall(r'<select[^>]*id="step_state".*?</select>', wrong, re.S)
    assert "received" not in choice and "shipped" in choice


def test_nobody_confirms_by_accident_that_something_arrived_intact(cast: Cast, zhao: Client) -> None:
    sample = announce(cast)
    join(cast, reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00"), sample)
    for here, of in ((f"/samples/{sample.code}/step/", {}), ("/samples/steps/", {"sample": str(sample.pk)})):
        form = of | {"state": "received"}
        html = page_of(zhao.post(here, form), 400)
        assert "Say in what condition it arrived." in html
        (choice,) = re.findall(r'<select name="condition".*?</select>', html, re.S)
        assert re.findall(r'<option value="(\w*)" selected', choice) == [""]
        if of:  # the tick is kept
            assert re.search(rf'value="{sample.pk}"[^>]*\bchecked', html)
    sample.refresh_from_db()
    assert sample.state == "announced"
    assert zhao.post(here, form | {"condition": "damaged"}).status_code == 302
    assert sample.steps.get(state="received").condition == "damaged"


def test_a_scanned_code_of_another_host_is_not_found(cast: Cast, zhao: Client) -> None:
    sample = announce(cast)
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    join(cast, booking, sample)
    code = f"https://evil.example/samples/{sample.code}/"
    assert zhao.get("/samples/", {"code": code}).url == f"/samples/{sample.code}/"
    BookedSample.objects.update(host=cast.optics)
    html = page_of(zhao.get("/samples/", {"code": code}))
    assert "There is no such sample, or you may not see it." in html
    sent = {"state": "received", "condition": "intact", "sample": str(sample.pk)}
    assert zhao.post("/samples/steps/", sent).status_code == 404
    sample.refresh_from_db()
    assert sample.state == "announced"


def test_only_what_can_still_be_used_is_offered_to_bookings(cast: Cast, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    rows = {state: announce(cast, name=state) for state in SampleItem.State.values}
    for state, row in rows.items():
        SampleItem.objects.filter(pk=row.pk).update(state=state)
    used = {"announced", "shipped", "received", "in_work", "measured", "kept"}
    query = "?start=2026-03-09T02:00:00Z&minutes=60"
    for page in (f"/bookings/{booking.pk}/", f"/instruments/{cast.microscope.pk}/book/{query}"):
        html = page_of(wang.get(page))
        assert {state for state, row in rows.items() if str(row.pk) in html} == used
    for state, row in rows.items():
        html = page_of(wang.get(f"/samples/{row.code}/"))
        assert (f'<option value="{booking.pk}"' in html) is (state in used)


def test_whom_to_ask_where_a_facility_has_not_said_who_receives_samples(cast: Cast, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    sample = announce(cast)
    join(cast, booking, sample)
    Facility.objects.update(contact_email="desk@ustc.test", contact_name="Desk")
    pages = [
        f"/samples/new/?booking={booking.pk}",
        "/samples/new/",
        f"/samples/{sample.code}/",
        f"/bookings/{booking.pk}/",
    ]
    for page in pages:
        html = page_of(wang.get(page))
        assert "Ask before you send any:" in html and "mailto:desk@ustc.test" in html
    (label,) = load_labels(cast.actor("wang"), [sample.pk])
    assert any(line.startswith("To: ") and cast.facility.name in line for line in label.lines)
    zhao = By(cast.actor("zhao"), NOW, 0)
    said = {"recipient": "Sample office", "address": "Room 1", "phone": "104"}
    receiving_set(zhao, facility_id=cast.facility.pk, **said)
    for page in pages:
        html = page_of(wang.get(page))
        assert "Ask before you send any:" not in html and "Sample office" in html
    (label,) = load_labels(cast.actor("wang"), [sample.pk])
    assert "To: Sample office, 104, Room 1" in label.lines


def test_the_hazards_that_instruments_take_stand_at_the_field(cast: Cast, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    here = f"/samples/new/?booking={booking.pk}"
    assert "accepts all of these." in page_of(wang.get(here))
    refuse(cast, cast.microscope, "toxic", "radioactive")
    for page in (here, "/samples/new/"):
        (hint,) = re.findall(r'id="id_hazards_helptext">(.*?)</div>', page_of(wang.get(page)), re.S)
        assert "accepts: explosive, flammable" in hint
        assert "It does not accept: acutely toxic, radioactive." in hint
    other = cast.instrument(name="Other")
    reserve(cast, "2026-03-06 14:00", "2026-03-06 16:00", instrument=other)
    (hint,) = re.findall(r'id="id_hazards_helptext">(.*?)</div>', page_of(wang.get("/samples/new/")), re.S)
    assert "accepts all but: acutely toxic, radioactive.<br>Other accepts all of these." in hint


def test_the_next_step_of_the_other_side_is_named(cast: Cast, wang: Client, zhao: Client) -> None:
    sample = announce(cast)
    join(cast, reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00"), sample)
    step(cast, "wang", "shipped", sample)
    text = "The other side usually records the next step: received."
    assert text in page_of(wang.get(f"/samples/{sample.code}/"))
    assert text not in page_of(zhao.get(f"/samples/{sample.code}/"))


def test_the_queue_is_narrowed(cast: Cast, zhao: Client) -> None:
    other = cast.instrument(name="Other")
    join(cast, reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00"), announce(cast, name="One"))
    join(
        cast,
        reserve(cast, "2026-03-30 10:00", "2026-03-30 12:00", instrument=other),
        announce(cast, name="Two"),
    )
    assert "Two" not in page_of(zhao.get("/samples/queue/?waits=due")).partition("<table")[2]
    html = page_of(zhao.get(f"/samples/queue/?waits=arriving&instrument={other.pk}"))
    rows = html.partition("<table")[2]
    assert "Two" in rows and "One" not in rows
    for query in ("instrument=x", "facility=x", "waits=x"):
        page_of(zhao.get(f"/samples/queue/?{query}"))


def test_nothing_ticked_or_another_s_is_refused(cast: Cast, zhao: Client) -> None:
    page_of(zhao.post("/samples/steps/", {"state": "received", "condition": "intact"}), 400)
    page_of(zhao.post("/samples/steps/", {"state": "received", "condition": "intact", "sample": ["x"]}), 400)
    mine = announce(cast)
    sent = {"state": "received", "condition": "intact", "sample": [str(mine.pk)]}
    assert zhao.post("/samples/steps/", sent).status_code == 404


def test_a_host_is_shown_its_own_bookings_alone(cast: Cast, zhao: Client, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    elsewhere = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00")
    sample = announce(cast)
    join(cast, booking, sample)
    join(cast, elsewhere, sample)
    BookedSample.objects.filter(reservation=elsewhere).update(host=cast.optics)
    assert str(elsewhere.pk) not in page_of(zhao.get(f"/samples/{sample.code}/"))
    assert str(elsewhere.pk) in page_of(wang.get(f"/samples/{sample.code}/"))


def test_steps_on_its_page(cast: Cast, wang: Client, zhao: Client) -> None:
    sample = announce(cast)
    join(cast, reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00"), sample)
    here = f"/samples/{sample.code}/step/"
    assert wang.post(here, {"state": "shipped", "carrier": "SF", "tracking": "1"}).status_code == 302
    html = page_of(wang.post(here, {"state": "received", "condition": "intact"}), 409)
    assert "it cannot become received" in html
    page_of(zhao.post(here, {"state": "refused"}), 400)
    step(cast, "zhao", "refused", sample, note="It leaks <b>")
    html = page_of(wang.get(f"/samples/{sample.code}/"))
    assert "It leaks &lt;b&gt;" in html


def test_photos_are_seen_by_both_sides_alone(cast: Cast, wang: Client, zhao: Client) -> None:
    sample = announce(cast)
    file = SimpleUploadedFile("a.jpg", picture(), "image/jpeg")
    wang.post(f"/samples/{sample.code}/attachments/", {"file": file})
    photo = sample.photos.get()
    address = f"/samples/photos/{photo.pk}/small/"
    assert wang.get(address)["Content-Type"] == "image/webp"
    assert zhao.get(address).status_code == 404
    assert wang.get(f"/samples/photos/{photo.pk}/file/").status_code == 404
    join(cast, reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00"), sample)
    assert zhao.get(address).status_code == 200
    assert f"/samples/photos/{photo.pk}/small/" in page_of(zhao.get(f"/samples/{sample.code}/"))


def test_labels_as_pdf(cast: Cast, wang: Client) -> None:
    sample = announce(cast)
    for layout in ("sheet", "roll"):
        sent = {"layout": layout, "sample": [str(sample.pk)], "start": "24"}
        answer = wang.post("/samples/labels/", sent)
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
    for wrong in ({}, {"layout": "roll"}, {"layout": "x", "sample": [str(sample.pk)]}):
        assert wang.post("/samples/labels/", wrong).status_code == 302


@pytest.mark.parametrize("path", ["/samples/", "/samples/queue/"])
def test_lists_take_the_same_statements_whatever_their_length(
    cast: Cast,
    clock: Clock,  # noqa: F811
    path: str,
) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    join(cast, booking, announce(cast))
    client = Client()
    client.force_login(cast.zhao if "queue" in path else cast.wang)
    numbers = []
    for more in (0, 2):
        join(cast, booking, *[announce(cast) for _ in range(more)])
        client.get(path)
        with CaptureQueriesContext(connection) as caught:
            page_of(client.get(path))
        numbers.append(len(caught))
    assert numbers[0] == numbers[1]


def test_who_decides_a_request_sees_its_samples(cast: Cast, zhao: Client) -> None:
    asks = cast.instrument(name="Asks first", policy={"approval": "manual"})
    booking = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=asks)
    sample = announce(cast, hazards=["toxic"])
    assert f"/samples/{sample.code}/" not in page_of(zhao.get("/requests/"))
    join(cast, booking, sample)
    html = page_of(zhao.get("/requests/"))
    assert f"/samples/{sample.code}/" in html and "acutely toxic" in html


def test_the_usual_next_step_is_suggested_never_the_last_one(cast: Cast, wang: Client, zhao: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    sample = announce(cast)
    join(cast, booking, sample)

    def suggested(client: Client) -> str:
        html = page_of(client.get(f"/samples/{sample.code}/"))
        if not (choice := re.search(r'<select name="state".*?</select>', html, re.S)):
            return ""
        (value,) = re.findall(r'<option value="(\w*)" selected', choice[0])
        return value

    assert (suggested(wang), suggested(zhao)) == ("shipped", "received")
    for who, state, theirs, hosts in (
        ("wang", "shipped", "", "received"),
        ("zhao", "received", "", "in_work"),
        ("zhao", "in_work", "", "measured"),
        ("zhao", "measured", "", "return_shipped"),
        ("zhao", "return_shipped", "returned", "returned"),
        ("wang", "returned", "", ""),
    ):
        step(cast, who, state, sample)
        assert (suggested(wang), suggested(zhao)) == (theirs, hosts)
    assert "on its way back (correct the details)" not in page_of(zhao.get(f"/samples/{sample.code}/"))
    step(cast, "zhao", "return_shipped", sample)
    assert "on its way back (correct the details)" in page_of(zhao.get(f"/samples/{sample.code}/"))


def test_announced_for_a_booking_that_is_chosen_on_the_form(cast: Cast, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    refuse(cast, cast.microscope, "toxic")
    others = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", who="sun")
    html = page_of(wang.get("/samples/new/"))
    assert "Fri 6 Mar 2026, 10:00 (Beijing time) (not accepted: acutely toxic)" in html
    assert str(others.pk) not in html
    page_of(wang.post("/samples/new/", FORM | {"booking": str(booking.pk)}), 422)
    page_of(wang.post("/samples/new/", FORM | {"booking": str(others.pk), "hazards": []}), 400)
    assert not SampleItem.objects.exists()
    wang.post("/samples/new/", FORM | {"booking": str(booking.pk), "hazards": ["irritant"]})
    assert BookedSample.objects.filter(reservation=booking).count() == 2


def test_a_safety_data_sheet_is_put_read_and_removed(cast: Cast, wang: Client, zhao: Client) -> None:
    def pdf(name: str) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, b"%PDF-1.7 acetone %%EOF")

    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    wang.post(f"/samples/new/?booking={booking.pk}", FORM | {"number": "1", "sheet": pdf("丙酮.pdf")})
    sample = SampleItem.objects.get()
    address = f"/samples/sheets/{sample.sheet_id}/file/"
    for client in (wang, zhao):
        assert address in page_of(client.get(f"/samples/{sample.code}/"))
        assert address in page_of(client.get(f"/bookings/{booking.pk}/"))
        answer = client.get(address)
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "private" in answer["Cache-Control"]
    assert Client().get(address).status_code == 302
    here = f"/samples/{sample.pk}/sheet/"
    assert zhao.post(here, {"act": "remove"}).status_code == 404
    html = page_of(wang.post(here, {"act": "put", "sheet": SimpleUploadedFile("a.pdf", picture())}), 400)
    assert "A safety data sheet is uploaded as a PDF." in html
    page_of(wang.post(here, {"act": "put"}), 400)
    assert wang.post(here, {"act": "put", "sheet": pdf("b.pdf")}).status_code == 302
    assert wang.get(address).status_code == 404  # another has taken its place
    assert wang.post(here, {"act": "remove"}).status_code == 302
    sample.refresh_from_db()
    assert sample.sheet_id is None


def test_a_booking_on_ones_own_says_nothing_of_the_post(cast: Cast, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    page = f"/bookings/{booking.pk}/"
    assert "Send samples to" not in page_of(wang.get(page))
    Reservation.objects.update(service_mode="assisted")
    assert "Send samples to" in page_of(wang.get(page))


def test_announcing_names_the_clock_of_the_booking(cast: Cast, wang: Client) -> None:
    booking = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    page = f"/samples/new/?booking={booking.pk}"
    assert "10:00." in page_of(wang.get(page))
    cast.wang.time_zone = "Europe/London"
    cast.wang.save()
    assert "10:00 (Beijing time)" in page_of(wang.get(page))
