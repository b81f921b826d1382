"""What you can find out, as pages."""

import pytest
from django.urls import reverse

from instruments.vocabulary.models import Measurand
from tests.factories.needs import measurand_of
from tests.instruments.conftest import typed

pytestmark = pytest.mark.django_db
LIST = "/measurands/"


@pytest.fixture
def row(cast, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        return measurand_of(cast)


def page(row):
    return reverse("instruments:measurand", args=[row.code])


def test_a_need_in_ones_own_words_leads_to_measurands_and_instruments(client, cast, row):
    html = client.get(LIST, {"q": "how large are the grains"}).content.decode()
    assert page(row) in html
    assert f"?technique={cast.technique.code}" in html
    assert "Nothing in the vocabulary fits" in client.get(LIST, {"q": "zzz"}).content.decode()


def test_anybody_reads_and_an_administrator_changes(client, cast, row):
    assert "ASTM E112" in client.get(page(row)).content.decode()
    client.force_login(cast.people["admin"])
    form = client.get(page(row)).context["form"]
    sent = typed(form, synonyms="grain growth\n\n coarse grains ")
    assert client.post(page(row), sent).status_code == 302
    stored = Measurand.objects.get()
    assert (stored.synonyms, stored.is_edited) == (["grain growth", "coarse grains"], True)
    late = client.post(page(row), sent)
    assert late.status_code == 412
    assert "Your entries are still here" in late.content.decode()


def test_a_wrong_entry_is_shown_at_its_field(client, cast, row):
    client.force_login(cast.people["admin"])
    sent = {"version": "0", "code": "x", "name": "X", "name_zh": "某", "techniques": "nothing"}
    answer = client.post(reverse("instruments:measurand-new"), sent)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["techniques"]
    assert Measurand.objects.count() == 1
