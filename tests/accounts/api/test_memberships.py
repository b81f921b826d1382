"""Giving roles through the API: what an answer says of an address."""

import pytest

from accounts.models import RoleGrant


@pytest.mark.parametrize("who", ["chen", "admin"])
@pytest.mark.parametrize("email", ["alice@nowhere.example", "nobody@at.all"])
def test_an_address_without_an_account_is_as_one_of_a_stranger(program, who, email):
    answer = program(who).post("roles/", {"user": email, "role": "finance", "organisation": "fudan"})
    assert (answer.status, answer.code) == (409, "member-first")


def test_members_are_found_by_words_by_those_who_read_them(cast, program):
    """A stranger to the organisation finds themselves alone, whatever they try."""
    for text in ("WANG", cast.wang.email[:6]):
        found = program("chen").get(f"memberships/?q={text}").body["results"]
        assert [row["user"]["name"] for row in found] == [cast.wang.name], text
        assert program("sun").get(f"memberships/?q={text}").ids == []


@pytest.mark.parametrize("place", [{"organisation": "fudan"}, {"organisation": "ustc"}])
@pytest.mark.parametrize("email", ["zhao@ustc.example", "nobody@at.all"])
def test_who_may_not_give_roles_there_is_told_nothing_of_the_address(program, place, email):
    before = RoleGrant.objects.count()
    answer = program("wang").post("roles/", {"user": email, "role": "finance", **place})
    assert (answer.status, answer.code) == (403, "not-permitted")
    assert RoleGrant.objects.count() == before
