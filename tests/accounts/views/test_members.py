"""Finding people on the page People."""

import re

import pytest

from accounts.domain.roles import PLATFORM, By
from accounts.models import User
from accounts.selectors.memberships import MOST_WORDS, members_of, people_to_read
from accounts.services.memberships import membership_start, role_grant
from tests.accounts.pages import page_of
from tests.factories.cast import NOW

FOUND = re.compile(r"<strong>([^<]*)</strong>\s*<span[^>]*>([^<]*@[^<]*)</span>")


@pytest.fixture
def found(client, cast):
    User.objects.filter(pk=cast.sun.pk).update(name="孙涛 Sun Tao")

    def of(who, text):
        client.force_login(cast.people[who])
        html = page_of(client.get("/people/", {"q": text}))
        return [(name, " ".join(rest.split())) for name, rest in FOUND.findall(html)]

    return of


@pytest.mark.parametrize(
    "text", ["孙涛", "tao sun", "sun@ustc", "Sun 中国科学技术大学", "sun ustc", "  SUN  tao "]
)
def test_people_are_found_by_name_address_and_organisation(found, text):
    assert found("admin", text) == [("孙涛 Sun Tao", "sun@ustc.example · USTC")]


def test_an_organisation_alone_finds_itself(client, cast, found):
    assert found("admin", "复旦") == []
    assert "Fudan University" in page_of(client.get("/people/", {"q": "复旦"}))


def test_only_people_of_organisations_that_one_may_read_are_found(client, cast, found):
    assert found("chen", "sun") == [] and [name for name, _ in found("chen", "wang")] == ["Wang Li"]
    assert [name for name, _ in found("auditor", "sun")] == ["孙涛 Sun Tao"] and found(
        "auditor", "wang"
    ) == []
    client.force_login(cast.wang)
    assert client.get("/people/", {"q": "sun"}).status_code == 403


def test_who_belongs_to_two_organisations_is_found_at_each(cast, found):
    membership_start(By(PLATFORM, NOW), user=cast.sun, organisation=cast.fudan)
    role_grant(By(PLATFORM, NOW), user=cast.zhao, role="manager", organisation=cast.fudan)
    assert [rest for _, rest in found("zhao", "sun tao")] == [
        "sun@ustc.example · Fudan University",
        "sun@ustc.example · USTC",
    ]


def test_a_search_for_people_reads_only_its_first_words(cast):
    actor = cast.actor("admin")
    for find in (lambda text: people_to_read(actor, text), lambda text: members_of(cast.fudan, text)):
        assert find("wang " * MOST_WORDS + "nobody").count() == 1
        assert not find("wang nobody").exists()
