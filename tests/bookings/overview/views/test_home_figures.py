"""The figures with which the homes of coordinators, auditors and administrators begin."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.domain.roles import PLATFORM, By
from accounts.models import Membership, User
from accounts.services.memberships import role_grant
from bookings.audit.models import AuditException
from bookings.audit.services.findings import Raised, finding_raise
from bookings.models import UnmetDemand
from bookings.pricing.models import VoucherProgramme
from instruments.vocabulary.models import Technique
from tests.accounts.pages import page_of
from tests.factories.agreements import grant, programme
from tests.factories.cast import NOW

HOME = "/home/"
FIGURE = re.compile(
    r'class="figure-label">([^<]*)</div>\s*<div class="figure-value">(.*?)</div>'
    r'(?:\s*<div class="figure-note">(.*?)</div>)?',
    re.DOTALL,
)


@pytest.fixture
def browser(cast, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    cache.clear()

    def of(name):
        client = Client()
        client.force_login(cast.people[name])
        return client

    return of


@pytest.fixture
def home(browser):
    return lambda name: page_of(browser(name).get(HOME))


def figures(html):
    """Each figure by its label: what it shows, and its note."""
    return {
        label: tuple(" ".join(re.sub("<[^>]*>", " ", part).split()) for part in parts)
        for label, *parts in FIGURE.findall(html)
    }


@pytest.mark.parametrize(
    ("who", "labels"),
    [
        ("coordinator", ["Used here by other regions", "Used in other regions", "Demand that nobody met",
                         "Balance with partners", "Left in vouchers"]),
        ("auditor", ["Open exceptions", "Found in the last 30 days", "Findings not closed",
                     "Findings overdue", "Since the last seal"]),
        ("admin", ["Background jobs", "People", "Organisations", "Published instruments"]),
        ("wang", []),
        ("zhao", []),
        ("alice", []),
    ],
)  # fmt: skip
def test_each_role_reads_its_own_and_every_figure_leads_to_its_list(home, who, labels):
    html = home(who)
    assert list(figures(html)) == labels
    assert html.count('<a class="number"') == len(labels)


def found(cast, key, days, state="open", region=None):
    at = NOW - timedelta(days=days)
    return AuditException.objects.create(
        rule="own-approval", rule_version=1, key=key, organisation=cast.ustc,
        region_ids=[(region or cast.anhui).pk], happened_at=at, found_at=at, state=state,
    )  # fmt: skip


def test_an_auditor_s_count_what_the_lists_show(cast, home):
    for key, days, state in (("a", 1, "open"), ("b", 2, "review"), ("c", 40, "open"), ("d", 70, "explained")):
        found(cast, key, days, state)
    found(cast, "elsewhere", 1, region=cast.shanghai)
    finding_raise(
        By(cast.actor("auditor"), NOW - timedelta(days=40)),
        raised=Raised("high", "T", "t", organisation="ustc"),
    )
    shown = figures(home("auditor"))
    assert shown["Open exceptions"] == ("2", "1 more under review")
    assert shown["Found in the last 30 days"] == ("2", "1 in the 30 days before")
    assert shown["Findings not closed"] == ("1", "1 of high or critical severity")
    assert shown["Findings overdue"][0] == "1"


def test_an_administrator_s_count_people_and_places(cast, home):
    before = figures(home("admin"))
    people = Membership.objects.filter(ended_at=None, user__is_active=True).values("user").distinct().count()
    assert before["People"][0] == str(people)
    User.objects.update(created_at=NOW - timedelta(days=45))
    User.objects.filter(pk=cast.people["wang"].pk).update(created_at=NOW - timedelta(days=3))
    role_grant(By(PLATFORM, NOW), user=cast.people["hu"], role="manager", organisation=hu_s(cast))
    after = figures(home("admin"))
    assert after["People"][1] == f"1 new in 30 days, {people - 1} in the 30 before"
    assert after["Organisations"][0] == before["Organisations"][0]
    count = re.compile(r"(\d+) without a manager")
    fewer = [int(count.fullmatch(each["Organisations"][1])[1]) for each in (before, after)]
    assert fewer[0] - fewer[1] == 1


def test_vouchers_of_programmes_that_ended_or_are_suspended_are_not_left(cast, home):
    day = NOW.date()
    rows = {}
    for code, changes in (("runs", {}), ("lasts", {"valid_until": None}), ("over", {}), ("halted", {})):
        rows[code] = programme(cast, code=code, **changes)
        grant(cast, rows[code], code=f"v-{code}", amount=Decimal(1000))
    VoucherProgramme.objects.filter(code="over").update(valid_until=day)
    VoucherProgramme.objects.filter(code="halted").update(suspended_at=NOW)
    assert "2,000" in figures(home("xu"))["Left in vouchers"][0]


def test_demand_counts_once_however_many_techniques_and_opens_its_rows(cast, browser):
    cast.microscope.techniques.add(Technique.objects.create(code="X-SECOND", name="Second"))
    common = {"user": cast.wang, "organisation": cast.fudan, "on_date": "2026-02-10", "created_at": NOW}
    common |= {"wanted_from": NOW, "wanted_until": NOW + timedelta(hours=2), "region": cast.shanghai}
    UnmetDemand.objects.create(kind="refused", instrument=cast.microscope, minutes=60, **common)
    UnmetDemand.objects.create(kind="search", technique=cast.technique, minutes=30, query="x", **common)
    client = browser("xu")
    html = page_of(client.get(HOME))
    value, month = figures(html)["Demand that nobody met"]
    assert (value, month) == ("1.5 hours", "February 2026")
    [address] = [a.replace("&amp;", "&") for a in re.findall(r'href="([^"]+)"', html) if "of=wanted" in a]
    opened = page_of(client.get(address))
    assert 'data-number="2"' in opened and 'data-sum="90"' in opened
    assert "all techniques and regions" in opened
    listed = page_of(client.get("/hours/demand/?since=2026-02-01&until=2026-03-01"))
    [total] = re.findall(r'In all: <a class="number" href="([^"]+)">1.5</a>', listed)
    assert 'data-sum="90"' in page_of(client.get(total.replace("&amp;", "&")))


def hu_s(cast):
    return Membership.objects.get(user=cast.people["hu"], ended_at=None).organisation


@pytest.mark.parametrize("who", ["coordinator", "auditor", "admin"])
def test_they_take_few_statements(browser, who):
    client = browser(who)
    client.get(HOME)
    with CaptureQueriesContext(connection) as seen:
        client.get(HOME)
    assert len(seen) <= 14
