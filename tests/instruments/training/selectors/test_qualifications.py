"""Which certificates count where, and who sees them."""

from datetime import UTC, date, datetime

import pytest

from accounts.domain.errors import Invalid, NotFound, NotPermitted
from accounts.domain.roles import NOBODY
from instruments.register.models import Instrument
from instruments.register.selectors.registry import WITH
from instruments.training.domain.training import OPEN_END
from instruments.training.selectors import qualifications
from instruments.vocabulary.models import Technique
from tests.factories.cast import NOW, at
from tests.factories.qualifications import certify, withdraw


@pytest.fixture
def other(cast):
    return Technique.objects.create(code="PaNET01124", name="x-ray diffraction")


@pytest.fixture
def asking(cast, other):
    """One that asks for its own certificate, one for a technique's, one for nothing."""
    of_it = cast.instrument(name="Own", policy={"qualification": "instrument"})
    of_technique = cast.instrument(name="Technique", policy={"qualification": "PaNET01198"})
    return loaded(of_it), loaded(of_technique), loaded(cast.microscope)


def loaded(instrument):
    return Instrument.objects.select_related(*WITH).get(pk=instrument.pk)


def whole(since, until=None):
    return at(f"{since} 00:00"), at(f"{until} 00:00") if until else OPEN_END


def test_only_those_that_ask_are_named_and_what_counts_there(cast, asking, other):
    of_it, of_technique, free = asking
    certify(cast, of_it, until="2026-06-30")
    certify(cast, cast.technique, since="2026-02-01")
    certify(cast, other)
    certify(cast, free)
    certify(cast, of_it, "sun", since="2020-01-01")
    assert qualifications.load_qualified(cast.wang.pk, asking) == {
        of_it.pk: [whole("2026-01-01", "2026-07-01")],
        of_technique.pk: [whole("2026-02-01")],
    }
    # One for the instrument itself counts where its technique is asked for; spans are merged.
    certify(cast, of_technique, until="2026-02-15")
    assert qualifications.load_qualified(cast.wang.pk, [of_technique]) == {
        of_technique.pk: [whole("2026-01-01")]
    }


def test_another_issuer_does_not_count(cast, asking):
    certify(cast, cast.technique, by="chen", issuer=cast.fudan)
    assert qualifications.load_qualified(cast.wang.pk, [asking[1]]) == {asking[1].pk: []}


def test_a_revoked_one_counts_until_then(cast, asking):
    withdraw(cast, certify(cast, asking[0]))
    assert qualifications.load_qualified(cast.wang.pk, [asking[0]]) == {
        asking[0].pk: [(at("2026-01-01 00:00"), NOW)]
    }


def test_statements(cast, asking, django_assert_num_queries):
    for instrument in asking:
        certify(cast, instrument)
    certify(cast, cast.technique)
    with django_assert_num_queries(1):
        qualifications.load_qualified(cast.wang.pk, asking)
    with django_assert_num_queries(0):
        assert qualifications.load_qualified(cast.wang.pk, [asking[2]]) == {}
        assert qualifications.load_qualified(None, asking) == {asking[0].pk: [], asking[1].pk: []}


def test_who_sees_them(cast, asking):
    mine, theirs = certify(cast, asking[0]), certify(cast, asking[0], "sun")
    of_fudan = certify(cast, cast.technique, "hu", by="chen", issuer=cast.fudan)
    seen = {
        name: set(qualifications.qualifications_for(cast.actor(name)))
        for name in ("wang", "sun", "hu", "zhao", "chen", "auditor", "coordinator", "admin")
    }
    assert seen == {
        "wang": {mine},
        "sun": {theirs},
        "hu": {of_fudan},
        "zhao": {mine, theirs},
        "chen": {of_fudan},
        "auditor": {mine, theirs},
        "coordinator": set(),
        "admin": set(),
    }
    assert qualifications.qualification_by_id(cast.actor("wang"), mine.pk) == mine
    with pytest.raises(NotFound):
        qualifications.qualification_by_id(cast.actor("sun"), mine.pk)
    with pytest.raises(NotPermitted):
        qualifications.qualifications_for(NOBODY)


def test_valid_on_a_day(cast, asking):
    actor = cast.actor("zhao")
    bounded = certify(cast, asking[0], since="2026-02-01", until="2026-03-05")
    # Revoked at noon of the 5th in China.
    ended = withdraw(cast, certify(cast, asking[0], since="2026-03-04"))
    open_ = certify(cast, cast.technique, since="2026-03-05")
    by_day = {
        day: set(qualifications.valid_on(qualifications.qualifications_for(actor), date(2026, 3, day)))
        for day in range(3, 7)
    }
    assert by_day == {3: {bounded}, 4: {bounded, ended}, 5: {bounded, open_}, 6: {open_}}


def test_the_list_of_an_instrument(cast, asking, other):
    of_it = asking[0]
    old = certify(cast, of_it, until="2026-02-01", now=at("2026-03-04 10:00"))
    gone = withdraw(cast, certify(cast, of_it, "sun", now=at("2026-03-03 10:00")))
    held = certify(cast, of_it, now=at("2026-03-01 10:00"))
    technique = certify(cast, cast.technique, "hu", now=at("2026-03-02 10:00"))
    certify(cast, other, "hu")  # not a technique of the instrument
    certify(cast, asking[1], "hu")  # another instrument
    certify(cast, cast.technique, "sun", by="chen", issuer=cast.fudan)
    today = date(2026, 3, 5)
    assert list(qualifications.certificates_at(of_it, today)) == [technique, held, old, gone]
    assert list(qualifications.certificates_at(of_it, today, "SUN@")) == [gone]


def test_whom_one_may_certify(cast):
    zhao = cast.actor("zhao")
    for named in ("wang@fudan.example", " WANG@fudan.example ", str(cast.wang.pk)):
        assert qualifications.person_to_certify(zhao, cast.ustc, named) == cast.wang
    type(cast.hu).objects.filter(pk=cast.hu.pk).update(is_active=False)
    for named in ("nobody@fudan.example", "hu@optics.example", str(cast.ustc.pk), "", "?"):
        with pytest.raises(Invalid) as refused:
            qualifications.person_to_certify(zhao, cast.ustc, named)
        assert [(p.field, p.code) for p in refused.value.problems] == [("user", "unknown-person")]
    # Who has an account is not for everybody to find out.
    for named in ("wang@fudan.example", "nobody@fudan.example"):
        with pytest.raises(NotPermitted):
            qualifications.person_to_certify(cast.actor("sun"), cast.ustc, named)


def test_how_to_qualify(cast, asking, django_assert_num_queries):
    of_it, of_technique, free = asking
    assert qualifications.load_qualifying(cast.wang.pk, free, NOW) is None
    assert qualifications.load_qualifying(None, of_it, NOW) == qualifications.Qualifying(None)
    with django_assert_num_queries(2):
        found = qualifications.load_qualifying(cast.wang.pk, of_technique, NOW)
    assert found == qualifications.Qualifying(cast.technique)
    certify(cast, of_it, since="2026-01-01", until="2026-03-05")
    assert qualifications.load_qualifying(cast.wang.pk, of_it, NOW) == qualifications.Qualifying(
        None, True, date(2026, 1, 1), date(2026, 3, 5)
    )
    certify(cast, of_technique, since="2026-04-01")
    assert qualifications.load_qualifying(cast.wang.pk, of_technique, NOW) == qualifications.Qualifying(
        cast.technique, False, date(2026, 4, 1), None
    )
    # The last day is over at its midnight.
    assert qualifications.load_qualifying(cast.wang.pk, of_it, datetime(2026, 3, 5, 16, tzinfo=UTC)) == (
        qualifications.Qualifying(None)
    )
    of_it.service_modes = ["assisted"]
    assert qualifications.load_qualifying(cast.wang.pk, of_it, NOW) is None
