"""Likely duplicates: who sees them, keeping apart, merging."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import PLATFORM, By
from accounts.models import RoleGrant, TrailEntry
from bookings.organisations.services.duplicates import duplicates_merge
from instruments.attachments.models import Attachment
from instruments.managing.domain.duplicates import MergedAlready, SameRecord
from instruments.managing.domain.quality import StillBooked
from instruments.managing.models import DuplicateVerdict
from instruments.managing.selectors.duplicates import load_likely_duplicates
from instruments.managing.services.duplicates import duplicates_keep
from instruments.managing.services.registry import facility_create, instrument_create
from instruments.register.models import Instrument
from instruments.training.models import Qualification
from tests.factories.cast import NOW, reserve
from tests.factories.qualifications import certify
from tests.instruments.conftest import signed_in

pytestmark = pytest.mark.django_db
SERIAL = {"identifier": "SN-4711", "identifier_type": "SerialNumber"}


@pytest.fixture
def pair(shared_cast):
    """The microscope and a second record of it, which nobody has booked."""
    return shared_cast.microscope, shared_cast.instrument(name="TEM again")


@pytest.fixture
def abroad(shared_cast):
    """A draft at Fudan with the serial number of another of USTC."""
    facility = facility_create(
        By(PLATFORM, NOW), organisation=shared_cast.fudan, name="Site", time_zone="Asia/Shanghai"
    )
    made = instrument_create(
        By(shared_cast.actor("chen"), NOW),
        facility=facility,
        techniques=[],
        name="Moved to Fudan",
        alternate_identifiers=[SERIAL],
    )
    own = shared_cast.instrument(
        name="Moved", name_zh="", alternate_identifiers=[{**SERIAL, "identifier": "sn 4711"}]
    )
    return own, made


def alike(cast, who):
    return {
        (frozenset({p.first.name, p.second.name}), p.reasons, p.may_merge)
        for p in load_likely_duplicates(cast.actor(who))
    }


def merge(cast, who, keeper, loser, note="twice"):
    return duplicates_merge(By(cast.actor(who), NOW), keeper_id=keeper.pk, loser_id=loser.pk, note=note)


def test_managers_of_the_host_and_coordinators_of_its_region_see_them(shared_cast, pair):
    names = frozenset({"Transmission electron microscope", "TEM again"})
    for who in ("zhao", "coordinator"):
        assert alike(shared_cast, who) == {(names, ("maker-model-site",), True)}
    for who in ("chen", "xu", "sun", "auditor"):
        assert alike(shared_cast, who) == set()


def test_another_hosts_draft_is_not_shown_and_its_merging_needs_a_say_over_both(shared_cast, abroad):
    own, draft = abroad
    expected = {(frozenset({"Moved", "Moved to Fudan"}), ("serial-number",), False)}
    assert not alike(shared_cast, "zhao") & expected
    assert alike(shared_cast, "chen") == expected  # they see the published one
    with pytest.raises(NotPermitted):
        merge(shared_cast, "chen", draft, own)
    assert Instrument.objects.get(pk=own.pk).publication == "published"


def test_kept_apart_is_remembered_with_who_and_why(shared_cast, pair):
    ids = [i.pk for i in pair]
    zhao = shared_cast.actor("zhao")
    with pytest.raises(Invalid):
        duplicates_keep(By(zhao, NOW), instrument_ids=ids, note=" ")
    with pytest.raises(SameRecord):
        duplicates_keep(By(zhao, NOW), instrument_ids=[ids[0]] * 2, note="x")
    with pytest.raises(NotPermitted):
        duplicates_keep(By(shared_cast.actor("chen"), NOW), instrument_ids=ids, note="x")
    assert not DuplicateVerdict.objects.exists()
    made = duplicates_keep(By(zhao, NOW), instrument_ids=ids[::-1], note="Two of a kind.")
    assert (made.first_id, made.second_id) == tuple(sorted(ids))
    assert (made.decided_by_id, made.note) == (zhao.user_id, "Two of a kind.")
    assert alike(shared_cast, "zhao") == set()
    assert TrailEntry.objects.get(action="duplicates.kept").after["reasons"] == ["maker-model-site"]


def test_merging_moves_what_only_the_loser_had_and_retires_it(shared_cast, pair):
    keeper, loser = pair
    Instrument.objects.filter(pk=loser.pk).update(alternate_identifiers=[SERIAL], room="B1")
    for pk, digest, position in ((keeper.pk, "a", 1), (loser.pk, "a", 1), (loser.pk, "b", 2)):
        Attachment.objects.create(
            instrument_id=pk, kind="photo", position=position, title="x", media_type="image/webp",
            size=1, digest=digest, added_at=NOW,
        )  # fmt: skip
    certificate = certify(shared_cast, loser)
    verdict = merge(shared_cast, "coordinator", keeper, loser)
    assert (verdict.verdict, verdict.keeper_id) == ("merged", keeper.pk)
    kept, lost = (Instrument.objects.get(pk=i.pk) for i in pair)
    assert (kept.alternate_identifiers, kept.room, kept.name) == ([SERIAL], "B1", keeper.name)
    assert (lost.publication, lost.merged_into_id) == ("retired", keeper.pk)
    photos = kept.attachments.order_by("position").values_list("digest", flat=True)
    assert list(photos) == ["a", "b"]
    assert Qualification.objects.get(pk=certificate.pk).instrument_id == keeper.pk
    entry = TrailEntry.objects.get(action="instrument.merge")
    assert (entry.object_id, entry.after["merged_into"]) == (loser.pk, str(keeper.pk))
    assert alike(shared_cast, "zhao") == set()
    with pytest.raises(MergedAlready):
        merge(shared_cast, "zhao", keeper, loser)


def test_who_works_at_the_loser_alone_works_at_the_keeper(shared_cast, pair):
    keeper, loser = pair
    held = {"user": shared_cast.sun, "organisation": shared_cast.ustc, "granted_at": NOW}
    for role, row in (("operator", loser), ("operator", keeper), ("manager", loser)):
        RoleGrant.objects.create(role=role, instrument_id=row.pk, **held)
    merge(shared_cast, "coordinator", keeper, loser)
    theirs = RoleGrant.objects.exclude(instrument_id=None).filter(user=shared_cast.sun, revoked_at=None)
    assert sorted(theirs.values_list("role", "instrument_id")) == [
        ("manager", keeper.pk), ("operator", keeper.pk),
    ]  # fmt: skip
    assert TrailEntry.objects.filter(action="role.revoke").count() == 2
    passed = TrailEntry.objects.get(action="role.grant", object_id=str(theirs.get(role="manager").pk))
    assert passed.after["instrument"] == str(keeper.pk)


def test_roles_that_would_not_pass_to_another_host_are_counted_before(shared_cast, abroad):
    own, draft = abroad
    where = ((shared_cast.ustc, own), (shared_cast.fudan, draft))
    for user in (shared_cast.sun, shared_cast.zhao):
        for organisation, row in where:
            RoleGrant.objects.create(
                user=user, role="operator", organisation=organisation, instrument_id=row.pk, granted_at=NOW
            )
    grants = {"role": "coordinator", "granted_at": NOW}
    for region in (shared_cast.anhui, shared_cast.shanghai):
        RoleGrant.objects.get_or_create(user=shared_cast.people["alice"], region=region, defaults=grants)
    pairs = load_likely_duplicates(shared_cast.actor("alice"))
    (pair,) = [one for one in pairs if draft in (one.first, one.second)]
    assert (pair.may_merge, pair.limited) == (True, 2)
    assert {one.limited for one in pairs if one is not pair} <= {0}
    page = signed_in(shared_cast.people["alice"]).get(reverse("bookings:duplicates")).content.decode()
    assert "2 people have a role for one of these records alone" in page


def test_a_chain_of_merges_points_at_the_last(shared_cast, pair):
    first, second = pair
    third = shared_cast.instrument(name="TEM, third")
    merge(shared_cast, "zhao", second, third)
    merge(shared_cast, "zhao", first, second)
    assert Instrument.objects.get(pk=third.pk).merged_into_id == first.pk
    answer = Client().get(f"/instruments/{third.pk}/")
    assert (answer.status_code, answer["Location"]) == (301, f"/instruments/{first.pk}/")


def test_refused_while_the_loser_is_booked_and_nothing_is_changed(shared_cast, pair):
    keeper, loser = pair
    reserve(shared_cast, "2026-03-06 10:00", "2026-03-06 12:00", instrument=loser)
    with pytest.raises(StillBooked) as refused:
        merge(shared_cast, "zhao", keeper, loser)
    assert refused.value.numbers == {"count": 1}
    assert Instrument.objects.get(pk=loser.pk).merged_into_id is None
    assert not DuplicateVerdict.objects.exists()
    # Once it is over it stands in the way no more.
    duplicates_merge(
        By(shared_cast.actor("zhao"), NOW + timedelta(days=2)),
        keeper_id=keeper.pk,
        loser_id=loser.pk,
        note="x",
    )


def test_page_and_program(shared_cast, pair, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    keeper, loser = pair
    zhao, address = signed_in(shared_cast.zhao), reverse("bookings:duplicates")
    assert "The same maker and model at the same site" in zhao.get(address).content.decode()
    body = {"first": str(keeper.pk), "second": str(loser.pk)}
    decide = reverse("bookings:duplicates-decide")
    assert zhao.post(decide, body | {"act": "first", "note": ""}).status_code == 400
    problem = zhao.post(
        "/api/v1/duplicates/verdicts/",
        body | {"verdict": "merged", "note": "x"},
        content_type="application/json",
    )
    assert problem.json()["errors"][0]["field"] == "keeper"
    assert zhao.post(decide, body | {"act": "first", "note": "Entered twice."}).status_code == 302
    page = zhao.get(address).content.decode()
    assert "Entered twice." in page
    listed = zhao.get("/api/v1/duplicates/verdicts/").json()["results"]
    assert [(v["verdict"], v["keeper"]) for v in listed] == [("merged", str(keeper.pk))]
