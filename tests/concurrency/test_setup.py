"""Two operators set the same installation up at the same moment."""

import pytest

from accounts.models import Installation, Organisation, Region, RoleGrant, User
from accounts.services.installation import Outcome, installation_set_up
from tests.factories.moments import NOW

pytestmark = pytest.mark.concurrency


def test_two_at_once_make_everything_once(race, real_db):
    def run():
        return installation_set_up(
            site={"name": "Sharing of Anhui"},
            regions=[{"scheme": "iso-3166-2", "code": "CN-AH", "shares": True}],
            organisations=[{"code": "first", "name": "First", "kind": "university", "region": "CN-AH"}],
            administrator={"email": "admin@example.org"},
            logo=None,
            now=NOW,
        )

    results = race([run] * 4)
    outcomes = sorted(step.outcome for result in results for step in result.steps)
    assert outcomes == [Outcome.EXISTS] * 12 + [Outcome.MADE] * 4
    for model in (Installation, Region, Organisation, User, RoleGrant):
        assert model.objects.count() == 1
    assert {result.administrator for result in results} == {User.objects.get()}
