"""The booking policy in sentences."""

import pytest
from django.urls import reverse

from instruments.models import BookingPolicy
from tests.instruments.views.conftest import typed


def address(cast):
    return reverse("instruments:policy", args=[cast.microscope.pk])


def test_policy_is_set(cast, zhao):
    form = zhao.get(address(cast)).context["form"]
    assert form["max_minutes"].value() == 480
    sent = typed(form, approval="manual", horizon_external="30", check_in_minutes="20", units="2")
    assert zhao.post(address(cast), sent).status_code == 302
    row = BookingPolicy.objects.get()
    assert (row.approval, row.check_in_minutes, row.units) == ("manual", 20, 2)
    assert row.horizon_days == {
        "internal": 60,
        "regional": 60,
        "partner": 60,
        "external": 30,
        "industry": 60,
    }


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"slot_minutes": "0"}, "slot_minutes", "greater than or equal to 1"),
        ({"max_minutes": "100"}, "max_minutes", "a multiple of the slot, 30 minutes."),
        ({"min_minutes": "600"}, "max_minutes", "at least the shortest length, 600 minutes."),
        ({"horizon_partner": "999"}, "horizon_partner", "less than or equal to 730"),
        ({"approval": "never"}, "approval", "valid choice"),
        ({"units": "many"}, "units", "Enter a whole number."),
    ],
)
def test_refused_at_the_field_and_nothing_written(cast, zhao, changes, field, text):
    sent = typed(zhao.get(address(cast)).context["form"], notice_minutes="77") | changes
    response = zhao.post(address(cast), sent)
    html = response.content.decode()
    assert response.status_code == 400
    assert list(response.context["form"].errors) == [field]
    assert text in html
    assert f'id="id_{field}_error"' in html
    assert 'value="77"' in html
    assert BookingPolicy.objects.get().version == 1
