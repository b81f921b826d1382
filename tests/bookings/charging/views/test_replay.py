"A recomputed charge, on its page and through the API."

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.roles import By
from bookings.charging.services.charges import charge_make
from bookings.models import Charge
from bookings.reserving.services.reservations import reservation_cancel
from tests.factories.api import clock, program  # noqa: F401
from tests.factories.cast import at, reserve


@pytest.fixture
def charge(cast):
    booked = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    reservation_cancel(By(cast.actor("wang"), at("2026-03-05 09:00")), reservation_id=booked.pk, reason="")
    return charge_make(reservation_id=booked.pk, now=at("2026-03-05 09:01"))


def page(cast, charge, who="auditor", **headers):
    client = Client()
    client.force_login(cast.people[who])
    return client.get(reverse("bookings:money-charges-replay", args=[charge.pk]), headers=headers)


def test_line_by_line_with_the_verdict(cast, charge):
    html = page(cast, charge).content.decode()
    assert "It agrees exactly." in html
    assert "260 an hour × 1 × 120 min / 60 = 520" in html
    # 25 hours before
    assert "50 % of 620.00, with 1500 min notice = 310" in html
    assert "6 % of 310.00 = 18.6" in html
    assert "CNY 328.60" in html
    assert "differs" not in html


def test_a_tampered_charge_does_not_agree(cast, charge):
    Charge.objects.filter(pk=charge.pk).update(result=charge.result | {"fee": "300.00"})
    html = page(cast, charge).content.decode()
    assert "It does not agree: 1 field differs." in html
    assert "<code>result.fee</code>" in html
    assert "It agrees exactly." not in html
    assert "CNY 300.00" in html


def test_inputs_that_cannot_be_read_say_so(cast, charge):
    Charge.objects.filter(pk=charge.pk).update(inputs={"quote": {}, "ended_at": "?"})
    response = page(cast, charge)
    assert response.status_code == 200
    assert 'data-verdict="differs"' in response.content.decode()


def test_through_the_api(cast, charge, program):  # noqa: F811
    answer = program("auditor").get(f"charges/{charge.pk}/replay/")
    assert answer.status == 200
    assert (answer.body["agrees"], answer.body["differences"]) == (True, [])
    fee = next(step for step in answer.body["steps"] if step["kind"] == "fee")
    assert fee == {
        "kind": "fee",
        "code": "",
        "of": {"percent": "50", "base": "620.00", "notice": "1500"},
        "exact": "310",
        "stored": "310.00",
        "recomputed": "310.00",
        "agrees": True,
    }
    Charge.objects.filter(pk=charge.pk).update(result=charge.result | {"percent": "5"})
    answer = program("auditor").get(f"charges/{charge.pk}/replay/")
    assert answer.body["differences"] == [{"field": "result.percent", "stored": "5", "recomputed": "50"}]
    assert not answer.body["agrees"]
    assert program("hu").get(f"charges/{charge.pk}/replay/").code == "not-found"


def test_the_host_of_a_charge_is_an_organisation_in_chinese_too(cast, charge):
    """Not the person that a funding source belongs to, who is called the same in English."""
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(cast.people["wang"])
    html = client.get(reverse("bookings:money-charges-one", args=[charge.pk])).content.decode()
    assert "<dt>仪器所有单位</dt>" in html and "负责人" not in html


def test_the_charges_page_leads_auditors_to_its_history_and_readers_of_money_to_its_postings(cast, charge):
    story = reverse("bookings:story", args=[charge.pk])
    postings = f"{reverse('bookings:money-postings')}?charge={charge.pk}"
    for who, links in (("auditor", (True, True)), ("lin", (False, True)), ("wang", (False, False))):
        client = Client()
        client.force_login(cast.people[who])
        text = client.get(reverse("bookings:money-charges-one", args=[charge.pk])).content.decode()
        assert (f'href="{story}"' in text, f'href="{postings}"' in text) == links, who
    client.force_login(cast.people["auditor"])
    assert client.get(story).status_code == client.get(postings).status_code == 200
