"""Certificates of other regions: they count where an agreement in force recognises them."""

from datetime import date

import pytest
from django.test import Client

from accounts.domain.roles import By
from bookings.pricing.selectors.agreements import load_recognised, recognised_regions
from bookings.pricing.services.agreements import agreement_end, agreement_sign
from bookings.record.domain.refusals import RulesRefuse
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH
from instruments.training.selectors.qualifications import load_qualified, load_qualifying
from instruments.vocabulary.models import Technique
from tests.factories.agreements import agree, propose
from tests.factories.cast import NOW, at, reserve
from tests.factories.qualifications import certify


@pytest.fixture
def asking(cast):
    """It asks for a certificate of its technique."""
    made = cast.instrument(name="Technique", policy={"qualification": "PaNET01198"})
    return Instrument.objects.select_related(*WITH).get(pk=made.pk)


def of_fudan(cast, thing=None, **values):
    """Wang's own organisation certifies her."""
    return certify(cast, thing or cast.technique, by="chen", issuer=cast.fudan, **values)


def refused(cast, instrument, start="2026-03-06 10:00", end="2026-03-06 11:00"):
    with pytest.raises(RulesRefuse) as heard:
        reserve(cast, start, end, instrument=instrument)
    return [refusal.code for refusal in heard.value.refusals]


def test_it_counts_once_all_have_signed_what_says_so(cast, asking):
    of_fudan(cast)
    assert refused(cast, asking) == ["qualification-missing"]
    discount = agree(cast)  # and no certificates
    assert refused(cast, asking) == ["qualification-missing"]
    agreement_end(By(cast.actor("xu"), NOW), agreement_id=discount.pk)  # from today on
    made = propose(cast, code="certificates", valid_from=date(2026, 3, 5), recognises_qualifications=True)
    assert refused(cast, asking) == ["qualification-missing"]
    for who in ("coordinator", "xu"):
        agreement_sign(By(cast.actor(who), NOW), agreement_id=made.pk)
    assert reserve(cast, "2026-03-06 10:00", "2026-03-06 11:00", instrument=asking).pk


def test_on_the_days_of_the_agreement_only(cast, asking):
    """What is booked lies in them whole; two that follow each other are one."""
    of_fudan(cast)
    made = agree(cast, recognises_qualifications=True)
    agreement_end(By(cast.actor("xu"), NOW), agreement_id=made.pk, valid_until=date(2026, 3, 10))
    qualified = load_qualified(cast.wang.pk, [asking], load_recognised)
    assert qualified == {asking.pk: [(at("2026-01-01 00:00"), at("2026-03-10 00:00"))]}
    assert refused(cast, asking, "2026-03-10 10:00", "2026-03-10 11:00") == ["qualification-expires"]
    agree(cast, code="next", valid_from=date(2026, 3, 10), recognises_qualifications=True)
    qualified = load_qualified(cast.wang.pk, [asking], load_recognised)
    assert qualified == {asking.pk: [(at("2026-01-01 00:00"), at("2027-01-01 00:00"))]}


def test_its_own_days_count_too(cast, asking):
    of_fudan(cast, since="2026-02-01", until="2026-03-05")
    agree(cast, recognises_qualifications=True)
    assert refused(cast, asking) == ["qualification-expires"]


def test_neither_another_technique_nor_an_instrument_nor_a_neighbour(cast, asking):
    agree(cast, recognises_qualifications=True)
    own = cast.instrument(name="Own", policy={"qualification": "instrument"})
    of_fudan(cast, Technique.objects.create(code="other", name="other"))
    assert refused(cast, asking) == ["qualification-missing"]
    of_fudan(cast)
    assert refused(cast, own) == ["qualification-missing"]
    # Hefei Optics lies in Anhui like the host, and is not the host.
    theirs = load_qualified(cast.hu.pk, [asking], load_recognised)
    assert theirs == {asking.pk: []}


def test_statements(cast, asking, django_assert_num_queries):
    agree(cast, recognises_qualifications=True)
    with django_assert_num_queries(1):
        load_qualified(cast.wang.pk, [asking], load_recognised)
    certify(cast, cast.technique, until="2026-02-01")
    with django_assert_num_queries(1):
        load_qualified(cast.wang.pk, [asking], load_recognised)
    of_fudan(cast)
    with django_assert_num_queries(2):
        load_qualified(cast.wang.pk, [asking], load_recognised)
    with django_assert_num_queries(0):
        load_qualified(cast.wang.pk, [], load_recognised)


def test_the_page_of_the_instrument_says_so(cast, asking, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    agree(cast, recognises_qualifications=True)
    assert [r.code for r in recognised_regions(cast.anhui.pk, date(2026, 3, 5))] == ["CN-SH"]
    assert recognised_regions(cast.anhui.pk, date(2027, 1, 1)) == []
    browser = Client()
    browser.force_login(cast.wang)
    text = browser.get(f"/instruments/{asking.pk}/").content.decode()
    assert "one from an organisation in Shanghai counts as well" in text
    assert "You do not hold it" in text
    of_fudan(cast)
    text = browser.get(f"/instruments/{asking.pk}/").content.decode()
    assert "from Fudan University, by agreement between the regions" in text
    held = load_qualifying(cast.wang.pk, asking, NOW, load_recognised)
    assert (held.is_held, held.until, held.issuer) == (True, date(2026, 12, 31), cast.fudan)
    certify(cast, cast.technique)
    assert load_qualifying(cast.wang.pk, asking, NOW, load_recognised).issuer is None
    browser.force_login(cast.zhao)
    text = browser.get(f"/manage/instruments/{asking.pk}/people/").content.decode()
    assert "a certificate for it from an organisation in Shanghai counts as well" in text
