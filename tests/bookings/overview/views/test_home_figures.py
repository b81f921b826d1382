"""The figures with which each role's home begins."""

import re
from datetime import date, timedelta
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
from bookings.hours.services.hours import hours_roll_up
from bookings.models import Charge, FundingSource, SampleItem, Statement, UnmetDemand
from bookings.pricing.models import VoucherProgramme
from bookings.settlement.services.payments import Paid, statement_pay
from bookings.settlement.services.statements import statements_draw
from bookings.usage.services.closures import Outage, closure_create
from bookings.usage.services.usage import reservation_check_in
from instruments.vocabulary.models import Technique
from tests.accounts.pages import page_of
from tests.factories.agreements import grant, programme
from tests.factories.cast import NOW, at, reserve
from tests.factories.charges import grant as voucher
from tests.factories.charges import use
from tests.factories.money import abroad, charge_of, store
from tests.factories.results import announced, released
from tests.factories.samples import announce

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
        ("auditor", ["Open exceptions", "Happened in the last 30 days", "Findings not closed",
                     "Findings overdue", "Since the last seal", "Used in February 2026"]),
        ("lin", ["Owed to us", "Of it past due", "What we owe", "Received in March 2026", "Charges to bill",
                 "Charges without a funding source"]),
        ("admin", ["Health", "People", "Organisations", "Published instruments"]),
        ("wang", []),
        ("zhao", ["Used in the week of 2 Mar", "Open time used, March 2026", "Open and not in use now",
                  "Down now", "Earned in March 2026"]),
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
    assert shown["Happened in the last 30 days"] == ("2", "1 in the 30 days before")
    assert shown["Findings not closed"] == (
        "1",
        "1 of high or critical severity the oldest raised on Sat 24 Jan 2026",
    )
    assert shown["Findings overdue"] == ("1", "the first was due on Sat 7 Feb 2026")


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


@pytest.mark.parametrize("who", ["coordinator", "auditor", "admin", "lin"])
def test_they_take_few_statements(browser, who):
    client = browser(who)
    client.get(HOME)
    with CaptureQueriesContext(connection) as seen:
        client.get(HOME)
    assert len(seen) <= (17 if who == "admin" else 15)  # queues, runs and failures


THURSDAY = at("2026-03-12 12:00")  # the week began on Monday 9


def plain(html):
    return " ".join(re.sub("<[^>]*>", " ", html).split())


def linked(html, label):
    """Where the number of a figure leads."""
    part = html[html.index(f'class="figure-label">{label}<') :]
    return re.search(r'<a\s+class="number"\s+href="([^"#]*)', part)[1].replace("&amp;", "&")


@pytest.fixture
def later(cast, browser, monkeypatch):
    """A Thursday, after a use on its Tuesday; hours are rolled up and the charge is final."""
    charge = use(cast, "2026-03-10 10:00", "2026-03-10 12:30")
    charge_state = {"state": "final", "final_at": THURSDAY, "month": date(2026, 3, 1)}
    Charge.objects.filter(pk=charge.pk).update(**charge_state)
    hours_roll_up(since=None, until=None, now=THURSDAY)
    monkeypatch.setattr(timezone, "now", lambda: THURSDAY)
    return charge


def test_a_manager_s_equal_what_the_pages_behind_them_say(cast, browser, later):
    client = browser("zhao")
    html = page_of(client.get(HOME))
    shown = figures(html)
    used, note = shown["Used in the week of 9 Mar"]
    assert used == "2.5 hours"
    behind = plain(page_of(client.get(linked(html, "Used in the week of 9 Mar"))))
    assert "Effective hours 2.5 1 session" in behind
    of = re.search(r"of (\S+) open hours", note)[1]
    assert float(of) > 0 and f"of {of} h" in behind
    share, before = shown["Open time used, March 2026"]
    assert f"Open time used {share} of" in plain(
        page_of(client.get(linked(html, "Open time used, March 2026")))
    )
    assert re.fullmatch(r"(\S+|–)( %)? in February 2026", before)
    earned, _ = shown["Earned in March 2026"]
    assert earned == f"CNY {later.total:,.2f}"
    charges = plain(page_of(client.get(linked(html, "Earned in March 2026"))))
    assert f"1 charge in CNY, to be paid to you {earned}" in charges
    weeks = re.findall(r'class="week-bar-value">([^<]*)<', html)
    assert len(weeks) == 8 and weeks[-1] not in {"–", weeks[-2]}


def test_use_of_the_manager_s_own_organisation_is_not_earned(cast, browser, later):
    own = use(cast, "2026-03-10 14:00", "2026-03-10 15:00", who="sun")
    final = {"state": "final", "final_at": THURSDAY, "month": date(2026, 3, 1)}
    Charge.objects.filter(pk=own.pk).update(**final)
    shown = figures(page_of(browser("zhao").get(HOME)))
    assert shown["Earned in March 2026"][0] == f"CNY {later.total:,.2f}"


def test_instruments_idle_or_down_now_are_those_that_the_board_then_lists(cast, browser, later):
    client = browser("zhao")
    broken = cast.instrument(name="Broken AFM")
    outage = Outage("breakdown", THURSDAY - timedelta(hours=1), None, reason="test")
    closure_create(By(cast.actor("zhao"), THURSDAY), instrument_id=broken.pk, outage=outage, displace=True)
    taken = cast.instrument(name="Taken XPS")
    row = reserve(
        cast, "2026-03-12 11:30", "2026-03-12 13:00", instrument=taken, now=THURSDAY - timedelta(days=1)
    )
    reservation_check_in(By(cast.actor("wang"), row.start_at), reservation_id=row.pk)
    html = page_of(client.get(HOME))
    shown = figures(html)
    assert shown["Down now"][0] == "1"
    assert shown["Open and not in use now"] == ("1", "1 in use")
    for label, name in (("Down now", "Broken AFM"), ("Open and not in use now", cast.microscope.name)):
        listed = page_of(client.get(linked(html, label)))
        others = {"Broken AFM", "Taken XPS", cast.microscope.name} - {name}
        assert name in listed and not any(other in listed for other in others)


def test_the_hours_of_home_are_read_again_after_a_roll_up(cast, browser, later):
    client = browser("zhao")
    assert "2.5 hours" in plain(page_of(client.get(HOME)))
    with CaptureQueriesContext(connection) as seen:
        client.get(HOME)
    assert not any("facilityday" in each["sql"] for each in seen)
    use(cast, "2026-03-11 10:00", "2026-03-11 11:00")
    assert "2.5 hours" in plain(page_of(client.get(HOME)))
    hours_roll_up(since=date(2026, 3, 9), until=None, now=THURSDAY)
    assert "3.5 hours" in plain(page_of(client.get(HOME)))


def test_a_researcher_s_equal_what_the_pages_behind_them_say(cast, browser, later):
    here, gone = announce(cast), announce(cast, name="Came back")
    announce(cast, "sun", name="Of somebody else")
    SampleItem.objects.filter(pk=gone.pk).update(state="returned")
    ready = released(cast)
    taken = released(cast, announced(cast, later.reservation))
    type(ready).objects.filter(pk=taken.pk).update(state="collected", collected_at=THURSDAY)
    voucher(cast, "800")
    FundingSource.objects.create(
        organisation=cast.fudan, code="g-1", name="G", owner=cast.people["wang"], currency="CNY", budget=500,
        spent=120, valid_from=date(2026, 1, 1), created_by=cast.people["wang"], created_at=NOW,
    )  # fmt: skip
    client = browser("wang")
    html = page_of(client.get(HOME))
    shown = figures(html)
    assert shown["Samples under way"][0] == "1"
    samples = page_of(client.get(linked(html, "Samples under way")))
    assert here.name in samples and gone.name not in samples
    assert shown["Results to collect"][0] == "1"
    assert 'data-waits="collect" data-number="1"' in html
    results = page_of(client.get(linked(html, "Results to collect")))
    assert f"/results/{ready.pk}/" in results and f"/results/{taken.pk}/" not in results
    assert shown["Left in vouchers"][0] == "CNY 800.00"
    spending = plain(page_of(client.get(linked(html, "Left in vouchers"))))
    assert "Vouchers left In all CNY 800.00" in spending
    assert shown["Left in funding sources"][0] == "CNY 380.00"
    assert "CNY 380.00" in plain(page_of(client.get(linked(html, "Left in funding sources"))))
    spent, note = shown["Spent in March 2026"]
    assert spent == f"CNY {later.payable:,.2f}" and note == "CNY 0.00 in February 2026"
    assert f"March 2026 no funding source {spent}" in spending


def test_the_new_filters_of_samples_and_results_are_the_api_s_too(cast, program, later):
    here, gone = announce(cast), announce(cast, name="Came back")
    SampleItem.objects.filter(pk=gone.pk).update(state="returned")
    ready = released(cast)
    found = program("wang").get("/api/v1/samples/?under_way=true").body["results"]
    assert [row["code"].replace("-", "") for row in found] == [here.code]
    assert [row["id"] for row in program("wang").get("/api/v1/results/?to_collect=true").body["results"]] == [
        str(ready.pk)
    ]
    assert program("zhao").get("/api/v1/results/?to_collect=true").body["results"] == []


AUGUST = at("2026-08-20 09:00")


@pytest.fixture
def books(cast, browser, monkeypatch):
    """Fudan and Hefei Optics owe USTC of three months, one of them partly paid and one a credit; USTC owes
    Edinburgh, in pounds; one charge is not billed."""
    there = abroad(cast)
    for month in (4, 6, 7):
        first = date(2026, month, 1)
        store(
            [
                charge_of(cast, month=first, total="106.00", covered="6.00"),
                charge_of(cast, cast.optics, month=first, total="10.60"),
                charge_of(cast, cast.ustc, instrument=there, month=first, currency="GBP"),
                charge_of(cast, cast.ustc, month=first, total="21.20"),
            ]
        )
        statements_draw(month=first, now=at(f"2026-{month + 1:02d}-01 09:00"))
    store([charge_of(cast, month=date(2026, 8, 1), total="53.00")])
    one = Statement.objects.get(payer=cast.fudan, month=date(2026, 4, 1))
    by = By(cast.actor("gao"), AUGUST)
    for day, amount in ((date(2026, 7, 2), "30.00"), (date(2026, 8, 3), "40.00")):
        statement_pay(by, statement_id=one.pk, paid=Paid(Decimal(amount), day, "R"))
    cache.clear()
    monkeypatch.setattr(timezone, "now", lambda: AUGUST)
    return cast


def test_finance_s_equal_what_the_pages_behind_them_say(books, browser):
    client = browser("gao")
    html = page_of(client.get(HOME))
    shown = figures(html)
    # Owed and owing never share a total, and each currency has a row of its own.
    assert shown["Owed to us"] == ("CNY 261.80", "6 statements in CNY")
    owed = plain(page_of(client.get(linked(html, "Owed to us"))))
    assert "CNY" in owed and "261.80" in owed and "GBP" not in owed
    late, note = shown["Of it past due"]
    opened = client.get(linked(html, "Of it past due"))
    behind = opened.context["page"].object_list
    assert late == f"CNY {sum(row.payable - row.paid for row in behind):,.2f}" == "CNY 151.20"
    assert note == f"{len(behind)} statements, the first due since Sun 31 May 2026"
    assert shown["What we owe"][0] == "GBP 318.00" and "past due" in shown["What we owe"][1]
    owing = plain(page_of(client.get(linked(html, "What we owe"))))
    assert "318.00" in owing and "CNY" not in owing
    assert shown["Received in August 2026"] == ("CNY 40.00", "CNY 30.00 in July 2026")
    payments = client.get(linked(html, "Received in August 2026"))
    assert payments.context["totals"] == [("CNY", "received", 1, Decimal("40.00"))]
    assert "1 payment in CNY · received by us CNY 40.00" in plain(page_of(payments))
    number, amount = shown["Charges to bill"]
    listed = client.get(linked(html, "Charges to bill"))
    assert (number, amount) == ("1", "CNY 53.00") and listed.context["page"].paginator.count == 1
    listed = client.get(linked(html, "Charges without a funding source"))
    assert shown["Charges without a funding source"][0] == str(listed.context["page"].paginator.count)
    # What the page of the year lists from there on; January to July are over.
    number, note = shown["Months to close"]
    closing = client.get(linked(html, "Months to close")).context["closing"]
    listed = [one for one in closing.months if one.is_over and one.closed is None]
    assert len(listed) == 7 and number == "14" and "as host: 7" in note and "as payer: 7" in note
    # The chart has the same sums, each part with its statements behind it.
    ages = html[html.index('id="ages"') : html.index('id="shortcuts"')]
    parts_of = re.findall(r'href="([^"]+bucket=[^"]+)"\s*>([^<]+)<', ages)
    assert len(parts_of) == 6
    for address, amount in parts_of:
        rows = client.get(address.replace("&amp;", "&")).context["page"].object_list
        assert amount == f"{rows[0].currency} {sum(row.payable - row.paid for row in rows):,.2f}"
    # The money overview begins with the same figures.
    assert figures(page_of(client.get("/money/"))) == shown


def test_a_credit_is_part_of_no_sum(books, browser):
    store([charge_of(books, books.optics, month=date(2026, 8, 1), total="-53.00")])
    statements_draw(month=date(2026, 8, 1), now=at("2026-09-01 09:00"))
    client = browser("gao")
    html = page_of(client.get(HOME))
    assert figures(html)["Owed to us"][0] == "CNY 314.80"
    assert "Credit statements −CNY 53.00" in plain(html[html.index('id="ages"') :])


def test_an_auditor_s_chart_counts_the_weeks_that_it_opens(cast, browser):
    for key, days, state in (("a", 0, "open"), ("b", 2, "review"), ("c", 9, "explained"), ("d", 90, "open")):
        found(cast, key, days, state)
    client = browser("auditor")
    html = page_of(client.get(HOME))
    chart = html[html.index('class="week-bars"') : html.index('id="trail"')]
    weeks = re.findall(r'<a href="([^"]+)">\s*<span class="week-bar-value">(\d+)<', chart)
    assert len(weeks) == 8 and sum(int(number) for _, number in weeks) == 3
    for address, number in weeks:
        page = client.get(address.replace("&amp;", "&")).context["page"]
        assert page.paginator.count == int(number)
    page = client.get(linked(html, "Happened in the last 30 days")).context["page"]
    assert str(page.paginator.count) == figures(html)["Happened in the last 30 days"][0] == "3"


def test_an_auditor_s_open_exceptions_are_ranked_with_their_amounts(cast, browser):
    for key, risk, amount in (("a", 20, None), ("b", 80, "10.00"), ("c", 50, "5.50")):
        found(cast, key, 1, "open")
        AuditException.objects.filter(key=key).update(
            risk=risk, amount=amount, currency="CNY" if amount else ""
        )
    client = browser("auditor")
    html = page_of(client.get(HOME))
    number, note = figures(html)["Open exceptions"]
    rows = list(client.get(linked(html, "Open exceptions")).context["page"].object_list)
    assert number == str(len(rows)) == "3" and [row.risk for row in rows] == [80, 50, 20]
    assert "the highest risk: 80 of 100" in note and "CNY 15.50 in 2 of them" in note


def test_a_manager_who_is_finance_sees_both(cast, browser):
    role_grant(By(PLATFORM, NOW), user=cast.people["zhao"], role="finance", organisation=cast.ustc)
    shown = figures(page_of(browser("zhao").get(HOME)))
    assert "Owed to us" in shown
    assert len(shown) > len(figures(page_of(browser("gao").get(HOME))))
