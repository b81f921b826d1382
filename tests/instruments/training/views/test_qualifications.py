"""People who may operate an instrument alone, and one's own certificates."""

import pytest
from django.test import Client
from django.urls import reverse

from instruments.training.models import Qualification
from tests.accounts.pages import page_of
from tests.factories.cast import NOW
from tests.factories.qualifications import certify, withdraw
from tests.instruments.conftest import signed_in, typed


@pytest.fixture
def asking(cast):
    return cast.instrument(name="Asks", policy={"qualification": "PaNET01198"})


def people(instrument):
    return reverse("instruments:people", args=[instrument.pk])


def revoking(row):
    return reverse("instruments:qualification-revoke", args=[row.instrument_id, row.pk])


def test_certified(cast, zhao, asking):
    form = zhao.get(people(asking)).context["form"]
    assert [str(label) for _code, label in form.fields["thing"].choices] == [
        "this instrument",
        "electron microscopy",
    ]
    assert form["thing"].value() == "PaNET01198"  # what the policy asks for
    assert form["valid_from"].value().isoformat() == "2026-03-05"
    sent = typed(form, user=" wang@fudan.example", valid_until="2027-03-04", note="Trained")
    answer = zhao.post(people(asking), sent, follow=True)
    assert "Wang Li is certified." in page_of(answer)
    row = Qualification.objects.get()
    assert (row.user, row.technique, row.instrument) == (cast.wang, cast.technique, None)
    assert (str(row.valid_from), str(row.valid_until)) == ("2026-03-05", "2027-03-04")
    assert (row.note, row.issuer) == ("Trained", cast.ustc)
    zhao.post(people(asking), sent | {"thing": "instrument", "valid_until": ""})
    assert Qualification.objects.get(instrument=asking).valid_until is None


@pytest.mark.parametrize(
    ("changes", "status", "field", "text"),
    [
        ({"user": ""}, 400, "user", "This field is required."),
        ({"user": "nobody@fudan.example"}, 400, "user", "No account has this ID"),
        ({"user": "zhao@ustc.example"}, 409, "user", "has no other manager"),
        ({"user": "sun@ustc.example"}, 409, "user", "already holds this certificate."),
        ({"thing": "PaNET01124"}, 400, "thing", "valid choice"),
        ({"valid_from": ""}, 400, "valid_from", "This field is required."),
        ({"valid_from": "1900-01-01"}, 400, "valid_from", "between 1970-01-01 and 2100-12-31."),
        ({"valid_until": "2026-03-04"}, 400, "valid_until", "not be before the first day."),
    ],
)
def test_refused_at_the_field(cast, zhao, asking, changes, status, field, text):
    certify(cast, cast.technique, "sun", since="2026-03-05")
    form = zhao.get(people(asking)).context["form"]
    sent = typed(form, user="wang@fudan.example", note="Keep me") | changes
    answer = zhao.post(people(asking), sent)
    html = page_of(answer, status)
    assert list(answer.context["form"].errors) == [field]
    assert text in html
    assert 'value="Keep me"' in html
    assert Qualification.objects.count() == 1


def test_many_are_certified_at_once_from_a_pasted_list_all_or_nobody(cast, zhao, asking):
    certify(cast, cast.technique, "sun", since="2026-03-05")
    form = zhao.get(people(asking)).context["form"]
    pasted = "wang@fudan.example\nsun@ustc.example; hu@optics.example"
    wrong = zhao.post(people(asking), typed(form, user=f"{pasted}, a@x.example, b@x.example"))
    assert "No account has this address: a@x.example, b@x.example" in page_of(wrong, 400)
    own = zhao.post(people(asking), typed(form, user=f"{pasted}, zhao@ustc.example"))
    assert own.status_code == 409 and Qualification.objects.count() == 1
    done = page_of(zhao.post(people(asking), typed(form, user=pasted), follow=True))
    assert "2 people are certified. Certified already: Sun Tao." in done
    assert set(Qualification.objects.values_list("user", flat=True)) == {
        cast.wang.pk,
        cast.sun.pk,
        cast.hu.pk,
    }


def test_the_list(cast, zhao, asking):
    certify(cast, asking, "wang")
    certify(cast, asking, "sun", until="2026-02-01")
    certify(cast, asking, "hu", since="2026-04-01")
    withdraw(cast, certify(cast, cast.technique, "alice"))
    page = zhao.get(people(asking))
    found = {str(c["row"].user): (c["state"], c["counts"]) for c in page.context["certificates"]}
    assert found == {
        "Wang Li": ("valid", True),
        "Sun Tao": ("expired", True),
        "Hu Bo": ("coming", True),
        "Alice": ("revoked", True),
    }
    html = page_of(page)
    assert html.count("/revoke/") == 2
    assert "Broke the stage" in html
    only = zhao.get(people(asking), {"q": "hu@"})
    assert [str(c["row"].user) for c in only.context["certificates"]] == ["Hu Bo"]
    assert "No one matches" in page_of(zhao.get(people(asking), {"q": "xyz"}))
    assert "No one matches" not in page_of(zhao.get(people(asking), {"q": "\0"}))


def test_a_certificate_of_another_thing_is_said_not_to_count(cast, zhao):
    own = cast.instrument(name="Own", policy={"qualification": "instrument"})
    certify(cast, cast.technique)
    page = zhao.get(people(own))
    assert [c["counts"] for c in page.context["certificates"]] == [False]
    assert "does not count here" in page_of(page)


def test_revoked_with_a_reason(cast, zhao, asking):
    row = certify(cast, asking)
    for reason in ("", "   "):
        html = page_of(zhao.post(revoking(row), {"reason": reason, "version": "1"}), 400)
        assert "This field is required." in html
        assert "<details" in html and " open>" in html
    answer = zhao.post(revoking(row), {"reason": "Broke it", "version": "1"}, follow=True)
    assert "Revoked: Wang Li may no longer operate it alone." in page_of(answer)
    row.refresh_from_db()
    assert (row.reason, row.revoked_at) == ("Broke it", NOW)
    again = zhao.post(revoking(row), {"reason": "Again", "version": "2"})
    assert "This certificate is revoked already." in page_of(again, 409)
    stale = zhao.post(revoking(row), {"reason": "Again", "version": "1"})
    assert "Somebody has changed this" in page_of(stale, 412)
    row.refresh_from_db()
    assert row.reason == "Broke it"


def test_statements_do_not_grow(cast, zhao, asking, django_assert_max_num_queries):
    certify(cast, asking)
    with django_assert_max_num_queries(12) as one:
        zhao.get(people(asking))
    for who in ("sun", "hu", "alice"):
        certify(cast, cast.technique, who)
    with django_assert_max_num_queries(len(one)):
        zhao.get(people(asking))


def test_my_qualifications(cast, noon, asking):
    wang = signed_in(cast.wang)
    html = page_of(wang.get(reverse("instruments:qualifications")))
    assert "No qualifications yet" in html
    assert reverse("instruments:qualifications") in html  # in the menu of the person
    certify(cast, asking, note="Trained")
    withdraw(cast, certify(cast, cast.technique))
    certify(cast, asking, "sun")
    page = wang.get(reverse("instruments:qualifications"))
    assert [c["state"] for c in page.context["certificates"]] == ["revoked", "valid"]
    html = page_of(page)
    assert "Trained" in html and "Broke the stage" in html and "Sun Tao" not in html


def test_how_to_qualify_on_the_page_of_the_instrument(cast, noon, asking):
    address = reverse("bookings:instrument", args=[asking.pk])
    type(cast.facility).objects.update(contact_name="Li", contact_email="li@ustc.example")
    anyone, wang = page_of(Client().get(address)), signed_in(cast.wang)
    assert "you need a certificate for electron microscopy" in anyone
    assert "mailto:li@ustc.example" in anyone.split('id="how-to-qualify"')[1].split("</div>")[0]
    assert "You do not hold it" in page_of(wang.get(address))
    certify(cast, cast.technique, until="2026-12-31")
    assert "You hold it until Thu 31 Dec 2026" in page_of(wang.get(address))
    other = reverse("bookings:instrument", args=[cast.microscope.pk])
    assert "how-to-qualify" not in page_of(wang.get(other))


def test_limits_on_the_page_of_the_instrument(cast, noon):
    quota = {"scope": "user", "unit": "bookings", "per": "upcoming", "limit": 3}
    share = {"percent": 20}
    policy = {"quotas": [quota], "cross_region_share": share}
    limited = cast.instrument(name="Limited", policy=policy)
    html = page_of(Client().get(reverse("bookings:instrument", args=[limited.pk])))
    assert "Each person: at most 3 bookings ahead at any time" in html
    assert "20 % of each week is kept for other regions." in html
