"""One code, one place and no circle, whoever enters or moves regions at the same moment."""

import pytest

from accounts.domain.roles import By
from accounts.models import Organisation, Region
from accounts.services.organisation_requests import (
    organisation_approve,
    organisation_ask,
    organisation_reject,
)
from accounts.services.organisations import organisation_create, region_change, region_close, region_create
from tests.concurrency.races import codes, won
from tests.factories.cast import NOW

pytestmark = pytest.mark.concurrency


def _codes(results):
    return sorted(
        result.problems[0].code if getattr(result, "problems", None) else result.code
        for result in results
        if isinstance(result, Exception)
    )


def test_of_organisations_with_one_code_one_is_entered(race, real_cast, rounds):
    cast = real_cast
    admin = cast.actor("admin")
    for round_ in range(rounds(3)):

        def enter(region, code=f"new-{round_}"):
            return organisation_create(By(admin, NOW), code=code, region=region, name="New", kind="institute")

        results = race([lambda: enter(cast.anhui), lambda: enter(cast.shanghai)])
        assert len(won(results)) == 1
        assert _codes(results) == ["code-taken"]


def test_of_a_province_under_both_codes_one_is_entered(race, real_cast):
    admin = real_cast.actor("admin")
    results = race(
        [
            lambda: region_create(By(admin, NOW), scheme="ISO 3166-2", code="CN-JS"),
            lambda: region_create(By(admin, NOW), scheme="GB/T 2260", code="320000"),
        ]
    )
    assert len(won(results)) == 1
    assert _codes(results) == ["same-place"]


def test_two_regions_never_lie_in_one_another(race, real_cast):
    cast = real_cast
    admin = cast.actor("admin")

    def below(region, parent):
        return region_change(By(admin, NOW), region_id=region.pk, parent=parent)

    results = race([lambda: below(cast.anhui, cast.shanghai), lambda: below(cast.shanghai, cast.anhui)])
    assert len(won(results)) == 1
    assert _codes(results) == ["below-itself"]


def test_no_organisation_is_entered_in_a_region_that_is_closed_meanwhile(race, real_cast):
    admin = real_cast.actor("admin")
    region = region_create(By(admin, NOW), scheme="ISO 3166-2", code="CN-JS", shares=True)
    results = race(
        [
            lambda: region_close(By(admin, NOW), region_id=region.pk),
            lambda: organisation_create(
                By(admin, NOW), code="js", region=region, name="JS", kind="institute"
            ),
        ]
    )
    is_closed = Region.objects.get(pk=region.pk).closed_at is not None
    assert is_closed != Organisation.objects.filter(code="js").exists()
    assert codes(results) == ["region-closed" if is_closed else "region-has-organisations"]


def test_of_two_answers_to_a_request_one_counts(race, real_cast):
    cast = real_cast
    row = organisation_ask(By(cast.actor("alice"), NOW), name="New", kind="institute", region=cast.anhui)
    coordinator, admin = cast.actor("coordinator"), cast.actor("admin")
    results = race(
        [
            lambda: organisation_approve(
                By(coordinator, NOW),
                request_id=row.pk,
                entered={"code": "new", "name": "New", "kind": "institute"},
            ),
            lambda: organisation_reject(By(admin, NOW), request_id=row.pk, reason="No"),
        ]
    )
    assert codes(results) == ["wrong-state"]
    row.refresh_from_db()
    is_approved = row.state == "approved"
    assert is_approved == Organisation.objects.filter(code="new").exists()
    assert is_approved == cast.alice.memberships.exists()
