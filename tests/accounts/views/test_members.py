"""Finding people on the page People."""

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

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


def test_only_roles_that_a_member_lacks_are_offered_and_a_second_grant_says_that_nothing_changed(
    client, cast
):
    client.force_login(cast.zhao)
    page, give = (
        reverse("accounts:members", args=[cast.ustc.pk]),
        reverse("accounts:role-give", args=[cast.ustc.pk, cast.sun.pk]),
    )

    def offered():
        options = page_of(client.get(page)).split(f'id="role-{cast.sun.pk}"')[1].split("</select>")[0]
        return re.findall(r'value="([a-z]+)"', options)

    assert offered() == ["operator", "manager", "finance"]  # he is a researcher
    role_grant(
        By(PLATFORM, NOW), user=cast.sun, role="manager", organisation=cast.ustc, facility=cast.facility.pk
    )
    assert "manager" in offered()  # so far for a facility alone
    told = [[str(m) for m in get_messages(client.post(give, {"role": "finance"}).wsgi_request)] for _ in "12"]
    assert "takes effect at once" in told[0][-1] and "Nothing changed" in told[1][-1]
    for role in ("operator", "manager"):
        client.post(give, {"role": role})
    assert f'id="role-{cast.sun.pk}"' not in page_of(client.get(page))


def test_a_refused_reader_of_members_learns_which_roles_may(client, cast):
    client.force_login(cast.wang)
    refused = client.get("/people/").content.decode()
    assert client.get("/people/").status_code == 403 and "auditor" in refused.split("<main")[1]
