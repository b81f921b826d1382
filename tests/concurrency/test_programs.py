"""A code or a refresh token of a program that is shown twice at the same moment; and removed meanwhile."""

import pytest
from allauth.idp.oidc.models import Token
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from accounts.domain.roles import By
from accounts.models import TrailEntry
from accounts.services.programs import program_remove
from bookings.programs.selectors.consent import Asked
from bookings.programs.services.accounts import account_make, client_make
from bookings.programs.services.consent import code_redeem, program_allow, token_refresh
from tests.factories.cast import NOW

pytestmark = pytest.mark.concurrency
BACK, VERIFIER = "https://planner.example/back", "v" * 43


@pytest.fixture
def asked(real_cast):
    by = By(real_cast.actor("zhao"), NOW)
    given = {"name": "Planner", "purpose": "Plans", "roles": [], "scopes": ["read", "book"]}
    account = account_make(by, organisation_id=real_cast.ustc.pk, **given)
    client, _ = client_make(by, account_id=account.pk, label="Planner", scopes=["read", "book"],
                            for_people=True, redirect_uris=[BACK])  # fmt: skip
    return Asked(client, account, BACK, ["read"], create_s256_code_challenge(VERIFIER))


def redeemed(asked, code):
    return code_redeem(client=asked.client, code=code, redirect=BACK, verifier=VERIFIER, now=NOW)


def test_of_two_who_show_a_code_one_gets_tokens(race, real_cast, asked, rounds):
    by = By(real_cast.actor("wang"), NOW)
    for _ in range(rounds(4)):
        code = program_allow(by, asked=asked)
        results = race([lambda code=code: redeemed(asked, code)] * 2)
        assert len([one for one in results if one]) == 1
        assert not Token.objects.exists(), "the other took it back"


def test_of_two_who_show_a_refresh_token_one_gets_tokens(race, real_cast, asked, rounds):
    by = By(real_cast.actor("wang"), NOW)
    for _ in range(rounds(4)):
        first = redeemed(asked, program_allow(by, asked=asked))
        given = {"client": asked.client, "refresh": first.refresh, "scope": "", "now": NOW}
        results = race([lambda given=given: token_refresh(**given)] * 3)
        assert len([one for one in results if one]) == 1
        assert not Token.objects.exists()


def test_what_is_removed_while_it_is_used_is_gone(race, real_cast, asked, rounds):
    by = By(real_cast.actor("wang"), NOW)
    for _ in range(rounds(4)):
        first = redeemed(asked, program_allow(by, asked=asked))
        given = {"client": asked.client, "refresh": first.refresh, "scope": "", "now": NOW}
        race(
            [
                lambda given=given: token_refresh(**given),
                lambda: program_remove(by, program_id=asked.client.pk),
            ]
        )
        assert not Token.objects.exists()
        ended = TrailEntry.objects.filter(action="user.program-end").count()
        assert ended == TrailEntry.objects.filter(action="user.program-allow").count()
