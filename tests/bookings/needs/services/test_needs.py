"""Describing, changing, withdrawing and opening needs."""

from decimal import Decimal

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.domain.errors import Invalid, NotFound, NotPermitted, WrongState, WrongVersion
from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.needs.models import Need
from bookings.needs.selectors.needs import need_by_id, needs_for, readers_of
from bookings.needs.services import needs
from bookings.needs.services import needs as services
from tests.factories.capabilities import parameters_of
from tests.factories.cast import NOW, at
from tests.factories.needs import measurand_of, need_of, need_values

pytestmark = pytest.mark.django_db


def test_terms_and_requirements_are_read_from_the_text(cast):
    parameters_of(cast)
    need = need_of(cast, text="grain size of steel, resolution 2 nm")
    assert need.terms[0] == "grain-size"
    assert need.requirements == [{"parameter": "spatial_resolution", "low": "2", "high": None}]
    assert (need.organisation.code, need.currency) == ("fudan", "CNY")


def test_what_is_chosen_stands_in_place_of_what_is_read(cast):
    parameters_of(cast)
    need = need_of(
        cast,
        text="grain size, resolution 2 nm",
        terms=[cast.technique.code],
        requirements=[{"parameter": "accelerating_voltage", "high": Decimal(200)}],
        regions=["CN-AH"],
    )
    assert need.terms == [cast.technique.code]
    assert need.requirements == [{"parameter": "accelerating_voltage", "low": None, "high": "200"}]
    assert [region.code for region in need.regions.all()] == ["CN-AH"]


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"text": "  "}, "text", "required"),
        ({"terms": ["no-such"]}, "terms[0]", "unknown-term"),
        ({"terms": ["grain-size"] * 6}, "terms", "too-many"),
        ({"regions": ["XX"]}, "regions[0]", "unknown-region"),
        ({"modes": ["flying"]}, "modes[0]", "unknown-value"),
        ({"weights": {"fit": 0.0}}, "weights", "wrong-weights"),
        ({"weights": {"beauty": 1.0}}, "weights", "wrong-weights"),
        ({"latest": at("2026-03-05 08:00")}, "latest", "not-after-start"),
        ({"latest": at("2028-03-05 08:00")}, "latest", "span-too-long"),
        ({"minutes": 40000}, "minutes", "longer-than-window"),
        (
            {"requirements": [{"parameter": "beauty", "low": Decimal(1)}]},
            "requirements[0].parameter",
            "unknown-parameter",
        ),
        ({"requirements": [{"parameter": "spatial_resolution"}]}, "requirements[0].low", "required"),
        (
            {"requirements": [{"parameter": "magnification", "high": Decimal("1e400")}]},
            "requirements[0]",
            "too-large",
        ),
        ({"organisation": "ustc"}, "organisation", "not-a-member"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_kept(cast, changed, field, code):
    parameters_of(cast)
    with pytest.raises(Invalid) as refused:
        need_of(cast, **changed)
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]
    assert not Need.objects.exists()


def test_who_belongs_nowhere_or_may_not_book_describes_none(cast):
    measurand_of(cast)
    with pytest.raises(Invalid):
        need_of(cast, "alice")
    with pytest.raises(NotPermitted):
        need_of(cast, "lin")
    assert not Need.objects.exists()


def test_there_are_so_many_at_most(cast, monkeypatch):
    monkeypatch.setattr(services, "MOST_NEEDS", 1)
    first = need_of(cast)
    with pytest.raises(WrongState, match="too-many-needs"):
        need_of(cast)
    needs.need_withdraw(By(cast.actor("wang"), NOW), need_id=first.pk)
    need_of(cast)


def test_it_is_changed_by_its_author_at_the_version_they_read(cast):
    need = need_of(cast)
    by = By(cast.actor("wang"), NOW, 1)
    changed = needs.need_change(by, need_id=need.pk, values=need_values(minutes=60))
    assert (changed.minutes, changed.version) == (60, 2)
    with pytest.raises(WrongVersion):
        needs.need_change(by, need_id=need.pk, values=need_values(minutes=30))
    with pytest.raises(NotFound):
        needs.need_change(By(cast.actor("chen"), NOW), need_id=need.pk, values=need_values())
    needs.need_withdraw(By(cast.actor("wang"), NOW), need_id=need.pk)
    with pytest.raises(WrongState, match="need-withdrawn"):
        needs.need_change(By(cast.actor("wang"), NOW), need_id=need.pk, values=need_values())


@pytest.mark.parametrize(
    ("who", "reads"),
    [("wang", True), ("chen", True), ("lin", False), ("zhao", False), ("auditor", False),
     ("admin", False), ("alice", False)],
)  # fmt: skip
def test_it_is_read_by_its_author_and_the_payers_managers(cast, who, reads):
    need = need_of(cast)
    actor = cast.actor(who)
    assert needs_for(actor).filter(pk=need.pk).exists() is reads
    if not reads:
        with pytest.raises(NotFound):
            need_by_id(actor, need.pk)


def test_an_administrator_opens_it_with_a_reason_that_stays(cast):
    need = need_of(cast)
    by = By(cast.actor("admin"), NOW)
    with pytest.raises(Invalid):
        needs.need_open(by, need_id=need.pk, reason=" ")
    assert needs.need_open(by, need_id=need.pk, reason="A complaint").text == need.text
    entry = TrailEntry.objects.get(action="need.open")
    assert entry.actor_id == cast.admin.pk
    assert entry.text.content["reason"] == "A complaint"
    with pytest.raises(NotFound):
        needs.need_open(By(cast.actor("auditor"), NOW), need_id=need.pk, reason="Of another region")


def test_the_trail_has_none_of_its_words(cast):
    parameters_of(cast)
    need_of(cast, text="grain size of secret-alloy, resolution 7.5 nm", sample="secret-alloy")
    kept = "".join(str(vars(entry)) for entry in TrailEntry.objects.filter(action="need.create"))
    assert "grain-size" in kept
    assert "secret" not in kept and "7.5" not in kept


def test_what_was_chosen_from_a_text_of_two_thousand_signs(cast):
    need = need_of(cast, text=("晶粒尺寸 " * 400)[:2000])
    assert need.terms == ["grain-size"]


def test_whom_its_author_or_a_manager_names_reads_it_until_they_take_it_back(cast):
    need = need_of(cast)
    sun = cast.actor("sun")
    needs.need_share(By(cast.actor("wang"), NOW), need_id=need.pk, person=str(cast.sun.pk))
    needs.need_share(By(cast.actor("chen"), NOW), need_id=need.pk, person=str(cast.sun.pk))  # again
    assert need_by_id(sun, need.pk) == need
    assert [row.pk for row in needs_for(sun)] == [need.pk]
    # A reader changes nothing and names nobody.
    for refused in (
        lambda: needs.need_share(By(sun, NOW), need_id=need.pk, person="lin@fudan.example"),
        lambda: needs.need_change(By(sun, NOW), need_id=need.pk, values=need_values()),
        lambda: needs.need_withdraw(By(sun, NOW), need_id=need.pk),
    ):
        with pytest.raises(NotFound):
            refused()
    needs.need_unshare(By(cast.actor("chen"), NOW), need_id=need.pk, person=str(cast.sun.pk))
    with pytest.raises(NotFound):
        need_by_id(sun, need.pk)
    acts = TrailEntry.objects.filter(action__startswith="need.").order_by("pk")
    assert sorted(entry.action for entry in acts) == ["need.create", "need.share", "need.unshare"]


@pytest.mark.parametrize(
    "person", ["0197a1de-0000-7000-8000-000000000009", "", "\0", "0" * 254, "no address"]
)
def test_nobody_is_named_who_is_nobody(cast, person):
    need = need_of(cast)
    with pytest.raises(Invalid):
        needs.need_share(By(cast.actor("wang"), NOW), need_id=need.pk, person=person)
    need.refresh_from_db()
    assert (need.readers.count(), need.reader_addresses) == (0, [])


def test_naming_an_address_does_not_say_who_has_an_account(cast):
    """The answer, the record and the statements are the same for both."""
    by = By(cast.actor("wang"), NOW)
    told = []
    for address in ("Sun@ustc.example", "nobody@nowhere.example"):
        need = need_of(cast)
        with CaptureQueriesContext(connection) as statements:
            shared = needs.need_share(by, need_id=need.pk, person=address)
        assert shared.shown_readers == [{"id": None, "name": address.lower()}]
        entry = TrailEntry.objects.get(action="need.share", object_id=need.pk)
        told.append((len(statements), entry.after, shared.version))
    assert told[0] == told[1]


def test_whoever_shows_an_address_to_be_theirs_reads_what_it_was_named_for(cast):
    need, by, sun = need_of(cast), By(cast.actor("wang"), NOW), cast.actor("sun")
    needs.need_share(by, need_id=need.pk, person=" SUN@ustc.example ")
    needs.need_share(by, need_id=need.pk, person="sun@ustc.example")  # again
    address = EmailAddress.objects.filter(user=cast.sun)
    EmailAddress.objects.get_or_create(user=cast.sun, email=cast.sun.email)
    address.update(verified=False)
    with pytest.raises(NotFound):
        need_by_id(sun, need.pk)
    assert readers_of(need_by_id(cast.actor("wang"), need.pk)) == []
    address.update(verified=True)
    assert need_by_id(sun, need.pk) == need
    assert readers_of(need_by_id(sun, need.pk)) == [cast.sun]
    needs.need_addresses_forget(by, user=cast.sun)
    with pytest.raises(NotFound):
        need_by_id(sun, need.pk)
    needs.need_share(by, need_id=need.pk, person="sun@ustc.example")
    needs.need_unshare(by, need_id=need.pk, person="Sun@ustc.example")
    with pytest.raises(NotFound):
        need_by_id(sun, need.pk)


def test_there_are_so_many_readers_at_most(cast, monkeypatch):
    monkeypatch.setattr(services, "MOST_READERS", 1)
    need = need_of(cast)
    needs.need_share(By(cast.actor("wang"), NOW), need_id=need.pk, person=str(cast.sun.pk))
    with pytest.raises(Invalid):
        needs.need_share(By(cast.actor("wang"), NOW), need_id=need.pk, person=str(cast.chen.pk))
    assert [row.pk for row in need.readers.all()] == [cast.sun.pk]
