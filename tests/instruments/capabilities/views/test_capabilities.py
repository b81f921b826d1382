"""Pages: what an instrument can do, asking for what is not stated, and answering."""

from decimal import Decimal

import pytest

from instruments.capabilities.models import Capability, CapabilityQuestion
from tests.accounts.pages import page_of
from tests.factories.capabilities import parameters_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def parameters(cast):
    return parameters_of(cast)


def where(cast):
    return f"/manage/instruments/{cast.microscope.pk}/capabilities/"


def test_a_manager_states_changes_and_removes(client, cast):
    client.force_login(cast.zhao)
    page = page_of(client.get(where(cast)))
    assert "Nothing is stated yet" in page and "Spatial resolution (nm)" in page
    values = {"parameter": "spatial_resolution", "minimum": "0.8", "unit": "", "condition": "15 kV"}
    page = page_of(client.post(where(cast), values, follow=True))
    assert "0.8 nm" in page and "15 kV" in page and "Added." in page
    row = Capability.objects.get()
    one = f"/manage/capabilities/{row.pk}/"
    page = page_of(client.get(one))
    assert 'value="0.8"' in page and "nm, pm, Å, µm, mm" in page
    page = page_of(client.post(one, {"version": 1, "is_missing": "on"}, follow=True))
    assert "not available" in page
    page = page_of(client.post(one, {"version": 1, "minimum": "1"}), 412)
    assert "Load the current record" in page
    page = page_of(client.post(one + "remove/", follow=True))
    assert "Removed." in page and not Capability.objects.exists()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"minimum": "5", "maximum": "2"}, "The highest value is below the lowest."),
        ({"minimum": "1", "unit": "kV"}, "Use one of its units: nm"),
        ({"minimum": "NaN"}, "Enter a number."),
        ({"minimum": "1" + "0" * 400}, "digits"),
        ({}, "This field is required."),
        ({"minimum": "1", "parameter": ""}, "This field is required."),
        ({"minimum": "1", "parameter": "nothing"}, "not one of the available choices"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(client, cast, values, text):
    client.force_login(cast.zhao)
    page = page_of(client.post(where(cast), {"parameter": "spatial_resolution"} | values), 400)
    assert text in page
    assert not Capability.objects.exists()


def test_one_click_asks_and_the_answer_stands_on_the_instruments_page(client, cast):
    public = f"/instruments/{cast.microscope.pk}/"
    page = page_of(client.get(public))
    assert "4 values not stated" in page and "Ask the owner" not in page
    client.force_login(cast.wang)
    assert page_of(client.get(public)).count("Ask the owner") == 4
    asked = {"parameter": "spatial_resolution"}
    page = page_of(client.post(public + "questions/", asked, follow=True))
    assert "you have asked" in page and "Asked. You will be notified of the answer." in page
    page = page_of(client.post(public + "questions/", {"parameter": "nothing"}), 400)
    assert "This is not one of the choices." in page

    client.force_login(cast.zhao)
    question = CapabilityQuestion.objects.get()
    page = page_of(client.get("/questions/"))
    assert "Spatial resolution" in page and cast.wang.name in page
    page = page_of(client.get(f"/questions/{question.pk}/"))
    assert "Smallest value" in page
    page = page_of(client.post(f"/questions/{question.pk}/", {"minimum": "2", "unit": "kV"}), 400)
    assert "Use one of its units" in page
    values = {"minimum": "2", "unit": "nm", "version": 1}
    page = page_of(client.post(f"/questions/{question.pk}/", values, follow=True))
    assert "Nobody is waiting for an answer" in page
    assert "already been answered" in page_of(client.get(f"/questions/{question.pk}/"))
    assert Capability.objects.get().minimum == Decimal(2)
    page = page_of(client.get(public))
    assert "2 nm" in page and "3 values not stated" in page and "State it" in page


def test_the_page_of_questions_takes_as_many_statements_for_one_as_for_three(
    client, cast, django_assert_max_num_queries
):
    from tests.instruments.capabilities.services.test_capabilities import ask

    client.force_login(cast.zhao)
    numbers = []
    for parameter in ("spatial_resolution", "magnification", "sample_temperature"):
        ask(cast, parameter=parameter)
        with django_assert_max_num_queries(8) as seen:
            page_of(client.get("/questions/"))
        numbers.append(len(seen))
    assert numbers[0] == numbers[-1]
