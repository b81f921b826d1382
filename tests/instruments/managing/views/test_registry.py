"""A manager's home and the records of facilities and instruments."""

import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.domain.roles import By
from accounts.models import TrailEntry
from accounts.services.memberships import role_grant
from instruments.managing.services.registry import instrument_create
from instruments.register.models import Facility, Instrument
from instruments.search.models import SearchEntry
from instruments.vocabulary.models import Technique
from tests.factories.cast import NOW
from tests.instruments.conftest import signed_in, typed

HOME = "/manage/"


def draft(cast, name="Raman microscope", **values):
    return instrument_create(
        By(cast.actor("zhao"), NOW), facility=cast.facility, techniques=[], name=name, **values
    )


# Home


def test_home_asks_to_sign_in(client, db):
    response = client.get(HOME)
    assert response.status_code == 302
    assert response.url == "/accounts/login/?next=/manage/"


def test_home_is_for_managers(cast):
    assert signed_in(cast.sun).get(HOME).status_code == 403


def test_home_lists_own_instruments_and_what_drafts_lack(cast, zhao):
    draft(cast)
    response = zhao.get(HOME)
    html = response.content.decode()
    assert [s.instrument.name for s in response.context["standings"]] == [
        "Raman microscope",
        "Transmission electron microscope",
    ]
    assert response.context["standings"][1].missing == ()
    assert "description, maker, how it can be used, opening hours" in html


def test_home_of_a_manager_without_instruments_says_the_next_step(cast, noon):
    page = signed_in(cast.chen).get(HOME).content.decode().split("<main")[1]
    assert "Offer your first instrument" in page
    assert page.count(reverse("instruments:facility-new")) == 1  # the first step
    assert reverse("instruments:instrument-new") not in page


def test_home_shows_nothing_of_other_organisations(cast, noon):
    response = signed_in(cast.chen).get(HOME)
    assert "Transmission" not in response.content.decode()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "raman"}, ["Raman microscope"]),
        ({"q": "透射"}, ["Transmission electron microscope"]),
        ({"publication": "published"}, ["Transmission electron microscope"]),
        ({"publication": "retired"}, []),
        ({"publication": "nonsense"}, ["Raman microscope", "Transmission electron microscope"]),
    ],
)
def test_home_is_narrowed(cast, zhao, query, names):
    draft(cast)
    response = zhao.get(HOME, query)
    assert [s.instrument.name for s in response.context["standings"]] == names


def statements(client) -> int:
    client.get(HOME)
    with CaptureQueriesContext(connection) as captured:
        client.get(HOME)
    return len(captured)


def test_home_takes_as_many_statements_for_three_as_for_one(cast, zhao):
    statements(zhao)  # what waits is counted once a minute
    one = statements(zhao)
    draft(cast)
    draft(cast, name="Second")
    assert statements(zhao) == one == 7


# Facilities


def test_a_facility_is_changed_and_its_instruments_found_by_the_new_name(cast, zhao):
    assert f">{cast.facility.name}<" in zhao.get(reverse("instruments:facilities")).content.decode()
    address = reverse("instruments:facility-edit", args=[cast.facility.pk])
    form = zhao.get(address).context["form"]
    sent = typed(form, name="Cryo hall", contact_email="cryo@ustc.example")
    assert zhao.post(address, sent).status_code == 302
    cast.facility.refresh_from_db()
    assert (cast.facility.contact_email, cast.facility.version) == ("cryo@ustc.example", 2)
    entry = TrailEntry.objects.get(action="facility.update")
    assert entry.after == {"changed": ["contact_email", "name"]}  # what is said stays out of it
    assert "cryo" in SearchEntry.objects.get(instrument=cast.microscope).words
    late = zhao.post(address, sent | {"name": "Another"})
    assert late.status_code == 412
    assert 'value="Another"' in late.content.decode()
    assert zhao.post(address, sent | {"version": "2", "latitude": "91"}).status_code == 400
    assert signed_in(cast.chen).get(address).status_code == 403


def test_facility_is_entered_and_leads_to_its_first_instrument(cast, zhao):
    address = reverse("instruments:facility-new")
    shown = zhao.get(address)
    assert shown.context["form"]["time_zone"].value() == "Asia/Shanghai"
    response = zhao.post(address, typed(shown.context["form"], name="Cryo centre"))
    made = Facility.objects.get(name="Cryo centre")
    assert made.organisation == cast.ustc
    assert response.url == f"/manage/instruments/new/?facility={made.pk}"


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"name": ""}, "name", "This field is required."),
        ({"name": "Instruments Centre"}, "name", "This name is already taken."),
        ({"time_zone": "Asia/Atlantis"}, "time_zone", "There is no such time zone."),
        ({"contact_email": "nobody"}, "contact_email", "Enter a valid email address."),
        (
            {"contact_email": f"{'a' * 64}@{'b.' * 95}example"},
            "contact_email",
            "at most 254 characters (it has 262)",
        ),
        ({"latitude": "31.8"}, "longitude", "Give both, or neither."),
    ],
)
def test_facility_refused_keeps_what_was_typed(cast, zhao, changes, field, text):
    address = reverse("instruments:facility-new")
    sent = typed(zhao.get(address).context["form"], name="Cryo", address="1 Road") | changes
    response = zhao.post(address, sent)
    html = response.content.decode()
    assert response.status_code == 400
    assert field in response.context["form"].errors
    assert text in html
    assert f'id="id_{field}_error"' in html
    assert 'value="1 Road"' in html
    assert Facility.objects.count() == 1


def test_facility_of_another_organisation_is_no_choice(cast, zhao):
    address = reverse("instruments:facility-new")
    sent = typed(zhao.get(address).context["form"], name="X") | {"organisation": cast.fudan.pk}
    assert zhao.post(address, sent).status_code == 400
    assert Facility.objects.count() == 1


def test_facility_is_for_managers(cast, noon):
    assert signed_in(cast.sun).get(reverse("instruments:facility-new")).status_code == 403


@pytest.mark.parametrize("limit", ["facility", "instrument"])
def test_who_manages_a_part_enters_instruments_in_that_part_alone(cast, noon, limit):
    other = Facility.objects.create(organisation=cast.ustc, name="Other", time_zone="Asia/Shanghai")
    there = {"facility": cast.facility.pk} if limit == "facility" else {"instrument": cast.microscope.pk}
    sun = signed_in(cast.sun)  # books, too, and so might propose anywhere
    assert other.pk in [f.pk for f in sun.get(NEW).context["form"].facilities.values()]
    role_grant(By(cast.actor("zhao"), NOW), user=cast.sun, role="manager", organisation=cast.ustc, **there)
    sun, is_offered = signed_in(cast.sun), limit == "facility"
    assert sun.get(reverse("instruments:facilities")).status_code == (200 if is_offered else 403)
    assert (f'href="{NEW}"' in sun.get(HOME).content.decode()) is is_offered
    page = sun.get(NEW)
    assert [f.pk for f in page.context["form"].facilities.values()] == [cast.facility.pk] * is_offered
    assert ("You manage single instruments" in page.content.decode()) is not is_offered
    sent = typed(page.context["form"], name="Elsewhere", facility=str(other.pk))
    assert sun.post(NEW, sent).status_code == 400
    assert not Instrument.objects.filter(name="Elsewhere").exists()


def test_who_proposes_a_draft_is_told_that_a_manager_completes_it(cast, noon):
    sun = signed_in(cast.sun)
    answer = sun.post(NEW, typed(sun.get(NEW).context["form"], name="Proposal"))
    made = Instrument.objects.get(name="Proposal")
    assert answer.url == f"/manage/instruments/{made.pk}/"
    assert [str(m) for m in get_messages(answer.wsgi_request)] == [
        "Saved as a draft. Submit it: a manager completes and publishes it."
    ]


# Instruments

NEW = "/manage/instruments/new/"


def test_instrument_is_entered_as_a_draft(cast, zhao):
    Technique.objects.create(code="PaNET00001", name="Raman spectroscopy")
    form = zhao.get(NEW, {"facility": cast.facility.pk}).context["form"]
    sent = typed(
        form,
        name="Raman microscope",
        name_zh="拉曼显微镜",
        makers=["Renishaw", "", "Leica", "Leica"],
        techniques=["electron microscopy 电子显微镜 (PaNET01198)", "raman SPECTROSCOPY", "panet01198"],
        service_modes=["self", "entrusted"],
        acquisition_cost="1200000.50",
        acquisition_currency="CNY",
        acquisition_date="2020-02-29",
    )
    response = zhao.post(NEW, sent)
    made = Instrument.objects.get(name="Raman microscope")
    assert response.url == f"/manage/instruments/{made.pk}/hours/"  # the next step
    assert made.publication == "draft"
    assert made.facility == cast.facility
    assert made.manufacturers == [{"name": "Renishaw"}, {"name": "Leica"}]
    assert made.service_modes == ["self", "entrusted"]
    assert sorted(t.code for t in made.techniques.all()) == ["PaNET00001", "PaNET01198"]
    assert str(made.acquisition_cost) == "1200000.50"
    assert [str(m) for m in get_messages(response.wsgi_request)] == [
        "Saved as a draft. Continue with the next steps."
    ]


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"name": " "}, "name", "This field is required."),
        ({"techniques": ["alchemy"]}, "techniques", "Not in the vocabulary: alchemy."),
        ({"acquisition_cost": "5"}, "acquisition_currency", "Choose the currency."),
        ({"identifier": "10.1/2"}, "identifier_type", "Choose the kind of identifier."),
        ({"norm_hours": "9999"}, "norm_hours", "less than or equal to 8784"),
        ({"makers": ["a\x00b"]}, "makers", "This contains a character that cannot be stored."),
        ({"makers": ["x" * 251]}, "makers", "This is too long: at most 250 characters."),
        ({"facility": "0190a000-0000-7000-8000-000000000000"}, "facility", "valid choice"),
    ],
)
def test_instrument_refused_keeps_what_was_typed(cast, zhao, changes, field, text):
    form = zhao.get(NEW, {"facility": cast.facility.pk}).context["form"]
    sent = typed(form, name="Raman", makers=["Renishaw & Sons"], room="B 12") | changes
    response = zhao.post(NEW, sent)
    html = response.content.decode()
    assert response.status_code == 400
    assert text in html
    assert f'id="id_{field}_error"' in html
    assert 'value="B 12"' in html
    assert Instrument.objects.count() == 1


def test_instrument_without_a_facility_leads_to_one(cast, noon):
    html = signed_in(cast.chen).get(NEW).content.decode()
    assert "Enter a facility first" in html
    assert "/manage/facilities/new/" in html


def test_instrument_may_be_entered_by_a_researcher_who_then_submits_it(cast, noon):
    sun = signed_in(cast.sun)
    response = sun.post(NEW, typed(sun.get(NEW).context["form"], name="Sun's spectrometer"))
    page = sun.get(response.url).content.decode()
    assert "Submit to the managers" in page
    assert "record/" not in page


def test_instrument_is_not_for_strangers(cast, noon):
    assert signed_in(cast.alice).get(NEW).status_code == 403


def test_record_is_changed(cast, zhao):
    address = reverse("instruments:instrument-edit", args=[cast.microscope.pk])
    form = zhao.get(address).context["form"]
    assert form["makers"].value() == ["Thermo Fisher"]
    assert form["techniques"].value() == ["electron microscopy 电子显微镜 (PaNET01198)"]
    response = zhao.post(address, typed(form, room="C 3", techniques=[]))
    changed = Instrument.objects.get(pk=cast.microscope.pk)
    assert response.url == f"/manage/instruments/{changed.pk}/"
    assert changed.room == "C 3"
    assert changed.techniques.count() == 0
    assert changed.manufacturers == [{"name": "Thermo Fisher"}]


def test_record_keeps_what_the_form_does_not_show_of_a_maker(cast, zhao):
    known = {"name": "Thermo Fisher", "identifier": "grid.1", "identifier_type": "GRID"}
    Instrument.objects.update(manufacturers=[known])
    address = reverse("instruments:instrument-edit", args=[cast.microscope.pk])
    form = zhao.get(address).context["form"]
    zhao.post(address, typed(form, makers=["Thermo Fisher", "FEI"]))
    assert Instrument.objects.get().manufacturers == [known, {"name": "FEI"}]


def test_imported_cost_has_the_regions_currency_and_errors_are_named_above(cast, zhao):
    """A file seldom names its currency, and the field is at the end of a long page."""
    Instrument.objects.update(acquisition_cost="5.00", acquisition_currency="")
    address = reverse("instruments:instrument-edit", args=[cast.microscope.pk])
    form = zhao.get(address).context["form"]
    assert form["acquisition_currency"].value() == "CNY"
    html = zhao.post(address, typed(form, acquisition_currency="")).content.decode()
    assert re.search(r'href="#id_acquisition_currency"\s*>Currency</a>: Choose the currency\.', html)
    assert re.search(r'<select name="acquisition_currency"[^>]* autofocus', html)


def test_record_changed_meanwhile_is_412_and_keeps_what_was_typed(cast, zhao):
    address = reverse("instruments:instrument-edit", args=[cast.microscope.pk])
    form = zhao.get(address).context["form"]
    zhao.post(address, typed(form, room="first"))
    response = zhao.post(address, typed(form, room="second"))
    html = response.content.decode()
    assert response.status_code == 412
    assert "Somebody has changed this since you opened it." in html
    assert 'value="second"' in html
    assert Instrument.objects.get().room == "first"


@pytest.mark.parametrize("name", ["instrument-edit", "opening", "policy", "rate-cards"])
def test_editors_are_for_managers_of_the_owner(cast, noon, name):
    address = reverse(f"instruments:{name}", args=[cast.microscope.pk])
    assert signed_in(cast.chen).get(address).status_code == 403
    assert signed_in(cast.sun).get(address).status_code == 403


def test_drafts_of_others_are_not_found(cast, noon):
    address = reverse("instruments:instrument-manage", args=[draft(cast).pk])
    assert signed_in(cast.chen).get(address).status_code == 404


def test_checklist_says_what_is_set_in_words(cast, zhao):
    address = reverse("instruments:instrument-manage", args=[cast.microscope.pk])
    html = zhao.get(address).content.decode()
    assert "Monday – Friday" in html
    assert "08:00–20:00" in html
    assert "A booking lasts from 30 min to 8 h, in steps of 30 min." in html
    assert "CNY 260.00 an hour" in html


def test_checklist_of_a_draft_says_what_is_missing(cast, zhao):
    address = reverse("instruments:instrument-manage", args=[draft(cast).pk])
    response = zhao.get(address)
    assert response.context["standing"].missing == (
        "description",
        "manufacturers",
        "service-modes",
        "opening-hours",
        "policy",
        "rate-card",
    )
    assert 'value="publish"' not in response.content.decode()
