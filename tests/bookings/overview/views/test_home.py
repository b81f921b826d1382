"""What somebody sees after signing in, and how much waits at each entry of the navigation."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.domain.roles import PLATFORM, By
from accounts.models import JoinRequest, OrganisationRequest
from accounts.selectors.waits import KEPT, kinds, load_counts, load_work, prepared
from accounts.services.joining import join_ask
from accounts.services.memberships import membership_start, role_grant
from bookings.audit.services.findings import Raised, finding_raise, finding_reply
from bookings.models import Reservation
from bookings.usage.services.usage import reservation_check_in
from instruments.managing.selectors import managing
from instruments.register.models import Instrument
from tests.accounts.pages import page_of, sign_in
from tests.factories.cast import NOW, at, reserve
from tests.factories.charges import BY_USE, use
from tests.factories.qualifications import certify
from tests.factories.training import course, enrol, session

HOME = "/home/"


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
def asking(cast):
    """An instrument whose manager decides on every request."""
    return cast.instrument(name="Asks first", policy={"approval": "manual"})


def parts(html):
    """The headings of the parts, in their order."""
    return re.findall(r'class="card-title" id="([\w-]+)"', html)


def rows(html):
    """What waits, with how much."""
    found = re.findall(r'data-waits="(\w+)" data-number="(\d+)"', html)
    return {what: int(number) for what, number in found}


def counts(html):
    """By the words of an entry of the navigation how much waits there, as it is read out."""
    menu = html[html.index('id="menu"') : html.index("</nav>")]
    found = re.findall(r">([\w -]+)</span>\s*<span class=\"visually-hidden\">, (\d+) waiting<", menu)
    return {label.strip(): int(number) for label, number in found}


def test_signing_in_leads_home_unless_another_page_was_asked_for(cast, client):
    wang = cast.people["wang"]
    EmailAddress.objects.create(user=wang, email=wang.email, verified=True, primary=True)
    answer = sign_in(client, wang.email)
    assert answer["Location"] == HOME
    client.logout()
    answer = sign_in(client, wang.email, next="/bookings/")
    assert answer["Location"] == "/bookings/"


def test_the_logo_leads_home_and_visitors_to_the_catalogue(cast, client, browser):
    logo = re.compile(r'class="navbar-brand" href="([^"]+)"')
    assert logo.search(page_of(client.get("/")))[1] == "/"
    assert logo.search(page_of(browser("wang").get("/")))[1] == HOME
    assert client.get(HOME)["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("wang", ["first-step-title"]),  # who never booked is led
        ("zhao", ["waits", "requests", "today", "weeks", "shortcuts"]),
        ("lin", ["waits", "statements", "ages", "shortcuts"]),
        ("coordinator", ["waits", "shortcuts"]),
        ("auditor", ["waits", "findings", "found", "trail", "shortcuts"]),
        ("admin", ["waits", "shortcuts"]),
        ("alice", ["first-step-title"]),
    ],
)
def test_the_parts_follow_from_the_roles_and_teach_while_they_are_empty(browser, who, expected):
    html = page_of(browser(who).get(HOME))
    shown = [part for part in parts(html) if part != "watched"]
    assert shown == expected
    if "waits" in expected and not rows(html):
        assert "Nothing is waiting for you." in html and "here." in html


def test_a_manager_is_led_to_the_first_instrument_until_one_is_published(cast, browser, monkeypatch):
    zhao, everything = browser("zhao"), Instrument.objects.all()
    assert "offer" not in zhao.get(HOME).context

    def step(address):
        html = page_of(zhao.get(HOME))
        assert parts(html)[:1] == ["offer-title"] and {"requests", "today"}.isdisjoint(parts(html))
        (now,) = re.findall(r'aria-current="step"(?:.|\n)*?</li>', html)
        assert f'href="{address}"' in now
        return html

    everything.update(publication="draft")
    row = everything.order_by("-updated_at", "id")[0]
    html = step(reverse("instruments:instrument-manage", args=[row.pk]))  # only to be published
    assert html.count('class="is-done"') == 5 and row.name in html
    for page in ("instrument-edit", "opening", "policy", "rate-cards"):
        assert reverse(f"instruments:{page}", args=[row.pk]) in html
    everything.update(schedule=None)
    step(reverse("instruments:opening", args=[row.pk]))
    # Before the first draft, and before the first facility.
    monkeypatch.setattr(managing, "managed_instruments", lambda actor: Instrument.objects.none())
    html = step(reverse("instruments:instrument-new"))
    assert html.count('class="is-done"') == 1
    monkeypatch.setattr(managing, "facilities_where", lambda *_: Instrument.objects.none())
    step(reverse("instruments:facility-new"))


def test_a_researcher_sees_what_comes_next(cast, browser, asking):
    soon = reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    asked = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=asking)
    Reservation.objects.filter(pk=soon.pk).update(
        start_at=NOW + timedelta(minutes=10), end_at=NOW + timedelta(hours=2)
    )
    answer = browser("wang").get(HOME)
    html = page_of(answer)
    assert [row.pk for row in answer.context["urgent"]] == [soon.pk]
    assert [row.pk for row in answer.context["coming"]] == [asked.pk]
    assert reverse("bookings:check-in", args=[soon.pk]) in html
    assert parts(html) == ["waits", "coming", "again", "vouchers", "searches"]
    # Of others' bookings nothing.
    assert soon.instrument.name not in page_of(browser("hu").get(HOME))


def test_book_again_names_the_instruments_used_last(cast, browser):
    other = cast.instrument(name="Used before", card=BY_USE)
    use(cast, "2026-03-03 10:00", "2026-03-03 12:00", instrument=other)
    answer = browser("wang").get(HOME)
    assert [instrument.pk for instrument in answer.context["used"]] == [other.pk]
    type(other).objects.filter(pk=other.pk).update(publication="retired")
    assert browser("wang").get(HOME).context["used"] == []


def test_a_manager_sees_requests_and_the_day(cast, browser, asking):
    asked = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=asking)
    reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
    answer = browser("zhao").get(HOME)
    html = page_of(answer)
    assert [row.pk for row in answer.context["requests"]] == [asked.pk]
    assert f"{reverse('bookings:requests')}?of={asked.pk}" in html
    assert {row.instrument.pk for row in answer.context["board"]} == {cast.microscope.pk, asking.pk}
    assert counts(html) == {"Requests": 1}
    assert "Nothing is waiting for you." not in html
    # The payer's manager hosts nothing, and decides on nothing.
    other = browser("chen").get(HOME)
    assert (other.context["requests"], other.context["board"]) == ([], [])


@pytest.mark.parametrize(
    ("start", "end", "checked_in"),
    [
        ("2026-03-05 09:30", "2026-03-05 11:00", "2026-03-05 09:16"),  # before its start
        ("2026-03-05 08:00", "2026-03-05 09:00", "2026-03-05 08:00"),  # after its end
    ],
)
def test_what_is_in_use_is_so_on_the_home_and_on_the_board(
    cast, browser, monkeypatch, start, end, checked_in
):
    made = reserve(cast, start, end, now=at("2026-03-04 09:00"))
    reservation_check_in(By(cast.actor("wang"), at(checked_in)), reservation_id=made.pk)
    monkeypatch.setattr(timezone, "now", lambda: at("2026-03-05 09:20"))
    zhao = browser("zhao")
    [row] = zhao.get(HOME).context["board"]
    assert row.now.id == made.pk and row.next is None
    html = page_of(zhao.get(HOME))
    today = html[html.index('id="today"') :]
    assert ">in use<" in today and "not in use" not in today
    [(_, _, past, coming)] = zhao.get(reverse("bookings:board")).context["rows"]
    assert [entry.id for entry in coming] == [made.pk] and past == []
    # Whoever sits at it ends it from the home, also when its time is over.
    address = reverse("bookings:reservation", args=[made.pk])
    assert f'href="{address}#check-out"' in page_of(browser("wang").get(HOME))


def test_a_request_for_a_role_stands_on_the_home_of_who_gives_it(cast, browser):
    wang, chen = browser("wang"), browser("chen")
    refused = page_of(wang.get("/requests/"), 403)
    [signed] = set(re.findall(r'name="refusal" value="([^"]+)"', refused))
    wang.post(reverse("accounts:access-ask"), {"organisation": cast.fudan.pk, "refusal": signed})
    html = page_of(chen.get(HOME))
    assert "access" in parts(html) and counts(html)["Home"] == 1
    assert "Wang Li" in html and 'href="/requests/">Requests</a>' in html
    [address] = set(re.findall(r'action="([^"]+/grant/)"', html))
    decline = address.replace("grant", "decline")
    assert "access" not in parts(page_of(browser("lin").get(HOME)))
    html = page_of(chen.post(decline, {"reason": ""}), 400)
    assert "access" in parts(html) and "is-invalid" in html
    assert chen.post(address, {"role": "manager"})["Location"] == HOME
    assert cast.actor("wang").has("manager")
    assert "access" not in parts(page_of(chen.get(HOME)))


def test_signing_in_from_the_first_page_leads_home_and_from_another_back(client, db):
    link = re.compile(r'class="btn btn-primary ms-1"\s+href="([^"]+)"')
    assert link.search(page_of(client.get("/")))[1] == reverse("account_login")
    found = link.search(page_of(client.get("/?q=laser")))[1]
    assert found == f"{reverse('account_login')}?next=/%3Fq%3Dlaser"


def test_every_count_is_that_of_its_page(cast, browser, asking):
    reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=asking)
    join_ask(By(cast.actor("alice"), NOW), organisation=cast.ustc, text="")
    finding = finding_raise(
        By(cast.actor("auditor"), NOW), raised=Raised("low", "T", "t", organisation="ustc")
    )
    zhao = browser("zhao")
    html = page_of(zhao.get(HOME))
    assert rows(html) == {"joining": 1, "findings": 1}
    assert counts(html) == {"Requests": 1, "People": 1, "Money overview": 1}
    page = zhao.get(reverse("bookings:requests"))
    assert len(page.context["rows"]) == 1
    members = zhao.get(reverse("accounts:members", args=[cast.ustc.pk]))
    assert len(members.context["requests"]) == 1
    money = zhao.get(reverse("bookings:money"))
    assert {each.what: each.number for each in money.context["waiting"]} == {"findings": 1}

    finding_reply(By(cast.actor("zhao"), NOW), finding_id=finding.pk, reply="done")
    auditor = browser("auditor")
    html = page_of(auditor.get(HOME))
    assert rows(html) == {"replies": 1}
    assert counts(html) == {"Audit": 1}
    assert auditor.get(reverse("bookings:audit")).context["replied"] == 1
    # Nothing of it for other organisations, nor for who holds nothing there.
    for who in ("chen", "hu", "coordinator", "admin"):
        assert rows(page_of(browser(who).get(HOME))) == {}, who


def test_as_many_rows_as_each_number_says(cast, browser, asking):
    reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=asking)
    for who in cast.people:
        actor = cast.actor(who)
        found = {each.what: each.number for each in load_work(actor, NOW)}
        for what, kind in kinds().items():
            number = kind.rows(actor, NOW).count() if kind.rows and kind.has(actor) else 0
            assert found.get(what, 0) == number, (who, what)
    # All of it is compiled for good.
    assert None not in prepared().compiled.values()


def test_administrators_decide_where_there_is_no_manager(cast, browser):
    join_ask(By(cast.actor("alice"), NOW), organisation=cast.optics, text="")
    join_ask(By(cast.actor("sun"), NOW), organisation=cast.fudan, text="")
    assert rows(page_of(browser("admin").get(HOME))) == {"joining": 1}
    assert rows(page_of(browser("chen").get(HOME))) == {"joining": 1}


class TestKept:
    """Counts in the cache."""

    def test_one_statement_at_most_and_none_while_they_are_kept(self, cast, browser):
        actor = cast.actor("zhao")
        with CaptureQueriesContext(connection) as first:
            load_counts(actor, NOW)
        with CaptureQueriesContext(connection) as second:
            load_counts(actor, NOW)
        with CaptureQueriesContext(connection) as anew:
            load_counts(actor, NOW, {"requests", "joining"})
        assert (len(first), len(second), len(anew)) == (1, 0, 1)
        assert '"its_kind"' in anew[0]["sql"] and anew[0]["sql"].count("UNION") == 1
        assert KEPT == 60

    def test_another_page_is_behind_until_then_the_page_itself_never(self, cast, browser, asking):
        zhao = browser("zhao")
        assert counts(page_of(zhao.get("/"))) == {}
        reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=asking)
        assert counts(page_of(zhao.get("/"))) == {}
        assert counts(page_of(zhao.get(reverse("bookings:requests")))) == {"Requests": 1}
        assert counts(page_of(zhao.get("/"))) == {"Requests": 1}

    def test_they_are_forgotten_when_the_person_acts(self, cast, browser, asking):
        asked = reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=asking)
        zhao = browser("zhao")
        assert counts(page_of(zhao.get("/"))) == {"Requests": 1}
        sent = {"version": asked.version, "approve": "1", "reason": ""}
        assert zhao.post(reverse("bookings:decide", args=[asked.pk]), sent).status_code == 302
        assert counts(page_of(zhao.get("/"))) == {}

    def test_they_are_not_those_of_other_roles(self, cast, browser, asking):
        reserve(cast, "2026-03-09 10:00", "2026-03-09 12:00", instrument=asking)
        assert load_counts(cast.actor("zhao"), NOW) == {"requests": 1}
        grant = cast.people["zhao"].role_grants.get(role="manager")
        type(grant).objects.filter(pk=grant.pk).update(revoked_at=NOW)
        assert load_counts(cast.actor("zhao"), NOW) == {}

    def test_visitors_and_parts_of_pages_count_nothing(self, cast, browser, client):
        visitor = page_of(client.get("/"))
        assert 'visually-hidden">, ' not in visitor
        zhao = browser("zhao")
        week = reverse("bookings:week", args=[cast.microscope.pk])
        zhao.get(week)
        assert cache.get(f"waits-for-{cast.people['zhao'].pk}") is None


class TestFirstSteps:
    """Somebody who never booked."""

    def test_who_belongs_nowhere(self, cast, browser):
        html = page_of(browser("alice").get(HOME))
        assert "First, join your organisation" in html
        assert 'name="q"' in html
        assert reverse("bookings:organisation-missing") in html

    def test_whose_organisation_is_missing(self, cast, browser):
        OrganisationRequest.objects.create(
            user=cast.people["alice"], name="Huangshan Institute", kind="institute",
            region=cast.anhui, created_at=NOW,
        )  # fmt: skip
        html = page_of(browser("alice").get(HOME))
        assert "Huangshan Institute is not entered yet" in html
        assert "The coordinators of its region decide" in html
        for who in ("coordinator", "admin"):
            html = page_of(browser(who).get(HOME))
            assert rows(html) == {"organisations": 1}, who
            page = browser(who).get(reverse("bookings:organisation-requests"))
            assert page.context["waiting"].count() == 1
        assert counts(page_of(browser("coordinator").get("/"))) == {"Organisations": 1}
        assert rows(page_of(browser("xu").get(HOME))) == {}

    def test_whose_mail_domain_is_known(self, cast, browser):
        type(cast.ustc).objects.filter(pk=cast.ustc.pk).update(mail_domains=["nowhere.example"])
        cast.people["alice"].emailaddress_set.create(
            email="alice@nowhere.example", verified=True, primary=True
        )
        html = page_of(browser("alice").get(HOME))
        assert reverse("accounts:join", args=[cast.ustc.pk]) in html

    def test_who_asked_is_told_who_decides_and_how_long_it_takes(self, cast, browser):
        join_ask(By(cast.actor("alice"), NOW), organisation=cast.ustc, text="")
        html = page_of(browser("alice").get(HOME))
        assert "USTC has not answered your request yet" in html
        assert "Its managers decide; where there is none" in html
        for name, hours in (("hu", 2), ("lin", 20), ("xu", 30)):
            JoinRequest.objects.create(
                user=cast.people[name], organisation=cast.ustc, state="approved",
                created_at=NOW - timedelta(hours=40), decided_by=cast.people["zhao"],
                decided_at=NOW - timedelta(hours=40 - hours),
            )  # fmt: skip
        assert "usually within 20 h" in page_of(browser("alice").get(HOME))

    def test_who_was_declined_reads_why(self, cast, browser):
        JoinRequest.objects.create(
            user=cast.people["alice"], organisation=cast.ustc, state="rejected",
            created_at=NOW - timedelta(days=2), decided_by=cast.people["zhao"],
            decided_at=NOW - timedelta(days=1), reason="Not of our group",
        )  # fmt: skip
        html = page_of(browser("alice").get(HOME))
        assert "USTC has declined your request" in html and "Not of our group" in html

    def test_who_has_no_role_yet(self, cast, browser):
        membership_start(By(PLATFORM, NOW), user=cast.people["alice"], organisation=cast.ustc)
        for path in (HOME, "/", reverse("bookings:mine")):
            assert "USTC has given you no role yet" in page_of(browser("alice").get(path)), path

    def test_who_may_book_is_led_to_the_first_booking_and_no_longer(self, cast, browser):
        html = page_of(browser("wang").get(HOME))
        assert "You have the researcher role" in html
        reserve(cast, "2026-03-06 10:00", "2026-03-06 12:00")
        assert parts(page_of(browser("wang").get(HOME)))[0] == "waits"


def test_training_results_wait_for_who_manages_or_teaches(cast, browser, monkeypatch):
    one = session(cast, course(cast))
    enrol(cast, one)
    assert rows(page_of(browser("zhao").get(HOME))) == {}
    monkeypatch.setattr(timezone, "now", lambda: one.start_at)
    assert rows(page_of(browser("zhao").get(HOME))) == {"results": 1}
    page = browser("zhao").get(reverse("instruments:training"))
    assert [each.to_record for each in page.context["led"]] == [1]
    assert "1 result to record" in page_of(page)
    for who in ("chen", "wang", "sun"):
        assert rows(page_of(browser(who).get(HOME))).get("results") is None, who


@pytest.mark.parametrize(("days", "number"), [(30, 1), (31, 0), (0, 1), (-1, 0)])
def test_a_certificate_that_runs_out(cast, browser, days, number):
    certify(cast, cast.technique, until=str(NOW.date() + timedelta(days=days)))
    found = {each.what: each.number for each in load_work(cast.actor("wang"), NOW)}
    assert found.get("certificates", 0) == number
    # One that follows it lets it end.
    certify(cast, cast.technique, since=str(NOW.date()))
    found = {each.what: each.number for each in load_work(cast.actor("wang"), NOW)}
    assert "certificates" not in found


def test_the_due_day_is_the_readers(cast, browser, monkeypatch):
    """A charge that can be disputed until past midnight in Hefei is due on that day, though it is
    the day before in UTC."""
    instrument = cast.instrument(name="By use", card=BY_USE)
    charge = use(cast, "2026-03-03 10:00", "2026-03-03 12:00", instrument=instrument)
    type(charge).objects.filter(pk=charge.pk).update(open_until=at("2026-03-08 00:30"))
    later = at("2026-03-08 00:10")
    wang = browser("wang")
    monkeypatch.setattr(timezone, "now", lambda: later)
    html = page_of(wang.get(HOME))
    assert "by Sun 8 Mar" in html
    assert "due since" not in html


def test_a_page_with_everything_takes_few_statements(cast, browser, asking):
    zhao = cast.people["zhao"]
    for role, place in (
        ("researcher", {"organisation": cast.ustc}),
        ("finance", {"organisation": cast.ustc}),
        ("coordinator", {"region": cast.anhui}),
        ("auditor", {"region": cast.shanghai}),
    ):
        role_grant(By(PLATFORM, NOW), user=zhao, role=role, **place)
    client = browser("zhao")
    client.get(HOME)
    with CaptureQueriesContext(connection) as one:
        page_of(client.get(HOME))
    for day in (9, 10, 11):
        reserve(cast, f"2026-03-{day:02} 10:00", f"2026-03-{day:02} 12:00", instrument=asking)
        reserve(cast, f"2026-03-{day:02} 10:00", f"2026-03-{day:02} 12:00")
    with CaptureQueriesContext(connection) as three:
        page_of(client.get(HOME))
    assert len(three) <= len(one) + 2  # requests, and who of those on the board may be seen
    assert len(three) <= 27
