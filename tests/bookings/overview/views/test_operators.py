"""Operators work on the instruments in their scope, and find no price wherever they look."""

import re
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from accounts.areas import addresses
from accounts.domain.errors import NotFound, NotPermitted
from accounts.domain.roles import PLATFORM, By
from accounts.models import RoleGrant
from accounts.services.memberships import role_grant
from bookings.models import Closure
from bookings.overview.services.effects import effects_carry_out
from bookings.pricing.models import Charge, Quote
from bookings.pricing.selectors.charges import charges_for
from bookings.record.selectors.reservations import (
    operated_reservations,
    reservation_at_work,
    reservations_for,
)
from bookings.results.models import HandOff
from bookings.results.selectors.handoffs import results_to_deliver
from bookings.results.services.handoffs import hand_off_make
from bookings.samples.models import SampleItem
from bookings.samples.selectors.samples import refused
from bookings.usage.selectors.faults import faults_for
from bookings.usage.selectors.sessions import listed_sessions
from bookings.usage.services.closures import Outage, closure_create, closure_end
from bookings.usage.services.faults import fault_confirm, fault_repair, fault_report
from bookings.usage.services.sessions import session_complete
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from tests.accounts.pages import page_of
from tests.factories.api import program  # noqa: F401 (a fixture)
from tests.factories.cast import NOW, at, reserve
from tests.factories.charges import BY_USE, use
from tests.factories.samples import announce, join, step

# An hour at a price that nothing else has, so that its sums are found wherever they stand.
CARD = {"rates": {"external": "317.31", "internal": "317.31"}, "setup_fee": "0"}
PUBLIC = re.compile(r"/(catalogue|instruments|map|compare|lists)/")
MOST_PAGES = 140


@pytest.fixture
def priced(cast):
    """Two instruments at a price of its own; Sun operates the first alone."""
    ours, theirs = (cast.instrument(name=name, card=CARD) for name in ("Ours", "Theirs"))
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="operator", organisation=cast.ustc, instrument=ours.pk)
    return ours, theirs


@pytest.fixture
def booked(cast, priced):
    """Of each instrument: a booking that is charged, one in use, one ahead with a sample."""
    rows = []
    for n, instrument in enumerate(priced):
        over = use(cast, f"2026-03-0{4 + n} 10:00", f"2026-03-0{4 + n} 12:00", instrument=instrument)
        here = reserve(cast, "2026-03-06 10:00", "2026-03-06 13:00", instrument=instrument)
        ahead = reserve(cast, "2026-03-09 10:00", "2026-03-09 14:00", instrument=instrument)
        reservation_check_in(By(cast.actor("wang"), at("2026-03-06 10:00")), reservation_id=here.pk)
        film = announce(cast, name=f"Film {n}")
        join(cast, ahead, film)
        step(cast, "wang", "shipped", film)
        rows.append((over.reservation, here, ahead))
    return rows


def amounts():
    """The sums of all quotes and charges, as texts that would show them. The rate of an hour is public."""
    sums = {each.payable for each in (*Quote.objects.all(), *Charge.objects.all())}
    sums |= {each.total for each in Charge.objects.all()}
    texts = {f"{each:.2f}" for each in sums} | {f"{each:,.2f}" for each in sums}
    assert len(texts) > 3 and "0.00" not in texts
    return texts


def args_of(pattern):
    return re.findall(r"<(?:\w+:)?(\w+)>", str(pattern.pattern))


def found_in(content):
    return {text for text in amounts() if text in content}


def test_an_operator_sees_the_bookings_of_their_instrument_alone(cast, booked):
    sun, ours, theirs = cast.actor("sun"), booked[0], booked[1]
    assert {row.pk for row in operated_reservations(sun)} == {row.pk for row in ours}
    assert not reservations_for(sun).exists()  # which would show prices
    row, is_priced = reservation_at_work(sun, ours[2].pk)
    assert (row.pk, is_priced) == (ours[2].pk, False)
    for each in theirs:
        with pytest.raises(NotFound):
            reservation_at_work(sun, each.pk)


def test_a_manager_of_an_instrument_sees_its_bookings_with_prices(cast, booked, priced):
    by = By(PLATFORM, NOW)
    role_grant(by, user=cast.hu, role="manager", organisation=cast.ustc, instrument=priced[1].pk)
    hu = cast.actor("hu")
    assert {row.pk for row in reservations_for(hu)} == {row.pk for row in booked[1]}
    assert reservation_at_work(hu, booked[1][0].pk)[1]


def test_an_operator_checks_in_and_out_for_others(cast, booked):
    (_, here, ahead), (_, other, _) = booked
    sun = cast.actor("sun")
    reservation_check_out(By(sun, at("2026-03-06 11:00")), reservation_id=here.pk)
    reservation_check_in(By(sun, at("2026-03-09 10:00")), reservation_id=ahead.pk)
    here.refresh_from_db(), ahead.refresh_from_db()
    assert (here.state, ahead.state) == ("completed", "in_use")
    with pytest.raises(NotFound):
        reservation_check_out(By(sun, at("2026-03-06 11:00")), reservation_id=other.pk)
    other.refresh_from_db()
    assert other.state == "in_use"


def test_an_operator_decides_faults_and_makes_results(cast, booked, priced):
    sun = cast.actor("sun")
    ours, theirs = (
        fault_report(By(cast.actor("wang"), NOW), instrument_id=one.pk, severity="usable", text="Drift")
        for one in priced
    )
    assert [row.pk for row in faults_for(sun)] == [ours.pk]
    assert fault_confirm(By(sun, NOW), fault_id=ours.pk, reason="Known").state == "confirmed"
    with pytest.raises(NotFound):
        fault_confirm(By(sun, NOW), fault_id=theirs.pk, reason="Known")
    assert hand_off_make(By(sun, NOW), reservation_id=booked[0][2].pk).reservation_id == booked[0][2].pk
    with pytest.raises(NotFound):
        hand_off_make(By(sun, NOW), reservation_id=booked[1][2].pk)


@pytest.mark.parametrize("start", ["2026-03-05 10:00", "2026-03-20 10:00"])
def test_an_operator_who_closed_for_a_fault_opens_again(cast, priced, start):
    sun, (ours, _) = cast.actor("sun"), priced
    fault = fault_report(By(cast.actor("wang"), NOW), instrument_id=ours.pk, severity="usable", text="Drift")
    outage = Outage("breakdown", at(start), None)
    closure = fault_confirm(By(sun, NOW), fault_id=fault.pk, outage=outage).closure
    with pytest.raises(NotPermitted):
        closure_end(By(sun, NOW), closure_id=closure.pk, end=None)
    fault_repair(By(sun, NOW), fault_id=fault.pk, repair="Cleaned")
    assert not Closure.objects.filter(pk=closure.pk, end_at=None).exists()


def test_an_operator_neither_manages_nor_reads_money(cast, booked, priced):
    sun = cast.actor("sun")
    client = Client()
    client.force_login(cast.people["sun"])
    for name, args, status in (
        ("bookings:requests", [], 403),
        ("bookings:person", [cast.people["wang"].pk], 403),
        ("bookings:board-close", [priced[0].pk], 403),
        ("bookings:money-charges-one", [booked[0][0].charges.get().pk], 404),
        ("instruments:manage", [], 403),
    ):
        assert client.get(reverse(name, args=args)).status_code == status, name
    assert not any(sun.organisations_where(one) for one in ("manage-instruments", "read-money"))


def test_no_page_that_an_operator_reaches_has_a_price(cast, booked, clock):
    """Walk from home and along the links of each page; public pages of the catalogue show rates to all."""
    clock.now = at("2026-03-06 10:30")
    client = Client()
    client.force_login(cast.people["sun"])
    starts = ("hosted", "board", "sample-queue", "results", "faults", "mine", "money")
    left = ["/", *(reverse(f"bookings:{name}") for name in starts)]
    left += [reverse("bookings:reservation", args=[row.pk]) for row in booked[0]]
    of_one = [each for each in addresses("pages", "bookings") if set(args_of(each)) == {"reservation_id"}]
    left += [reverse(f"bookings:{each.name}", args=[row.pk]) for each in of_one for row in booked[0]]
    left += [reverse("bookings:hosted") + f"?format={each}" for each in ("csv", "json")]
    left += [reverse("bookings:hosted") + f"?sort={each}" for each in ("price", "-price", "start")]
    walked, linked = {}, set()
    while left and len(walked) < MOST_PAGES:
        address = left.pop(0)
        if address in walked or PUBLIC.match(address):
            continue
        answer = client.get(address)
        content = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(
            "utf-8", "ignore"
        )
        walked[address] = answer.status_code
        assert not found_in(content), (address, found_in(content))
        if answer.status_code == 200 and "html" in answer["Content-Type"]:
            links = re.findall(r'href="(/[^"#]*)"', content)
            links = [link.replace("&amp;", "&") for link in links if "static" not in link]
            left += links
            linked.update(links)
    reached = [urlsplit(address).path for address, status in walked.items() if status == 200]
    assert all(reverse("bookings:reservation", args=[row.pk]) in reached for row in booked[0])
    assert {reverse(f"bookings:{name}") for name in ("hosted", "board", "sample-queue", "results")} <= {
        *reached
    }
    assert not any(reverse("bookings:reservation", args=[row.pk]) in reached for row in booked[1])
    assert not {address: walked[address] for address in linked & {*walked} if walked[address] in (403, 404)}


def test_a_manager_does_find_the_prices_there(cast, booked):
    client = Client()
    client.force_login(cast.people["zhao"])
    assert found_in(page_of(client.get(reverse("bookings:hosted"))))
    assert found_in(page_of(client.get(reverse("bookings:reservation", args=[booked[0][0].pk]))))


def test_no_answer_of_the_api_has_a_price_for_an_operator(cast, booked, program):  # noqa: F811
    sun, ours = program("sun"), [row.pk for row in booked[0]]
    assert sun.get("reservations/?operated=1").ids == [str(pk) for pk in reversed(ours)]
    assert sun.get("reservations/").ids == []
    assert sun.get("reservations/?operated=1&sort=price").status == 400
    one = sun.get(f"reservations/{ours[0]}/").body
    assert one["quote"] is None and one["charge"] is None and one["funding"] is None
    assert one["session"]["checked_out_at"]
    assert sun.get(f"reservations/{booked[1][0].pk}/").status == 404
    paths = [f"reservations/?operated=1&format={each}" for each in ("csv", "json")]
    for pattern in addresses("api"):
        path = str(pattern.pattern)
        for pk in ours:
            paths.append(re.sub(r"<[^>]*reservation_id>", str(pk), path))
    asked = 0
    for path in dict.fromkeys(paths):
        if "<" in path or "^" in path:
            continue
        answer = sun.send("GET", path)
        asked += answer.status == 200
        body = answer.body if isinstance(answer.body, bytes) else str(answer.body).encode()
        assert not found_in(body.decode("utf-8", "ignore")), path
    assert asked > 20


def test_letters_to_operators_have_no_prices(cast, booked, mailoutbox):
    effects_carry_out(now=NOW + timedelta(hours=1))
    theirs = [mail for mail in mailoutbox if cast.people["sun"].email in mail.to]
    assert theirs  # of samples that are announced
    assert not [mail.subject for mail in theirs if found_in(mail.body)]


@pytest.fixture
def both(cast, booked, priced, clock):
    """The client of Hu, who operates the first and manages the second."""
    clock.now = at("2026-03-06 10:30")
    give = partial(role_grant, By(PLATFORM, NOW), user=cast.hu, organisation=cast.ustc)
    give(role="operator", instrument=priced[0].pk), give(role="manager", instrument=priced[1].pk)
    client = Client()
    client.force_login(cast.people["hu"])
    return client


def test_who_operates_one_and_manages_another_sees_prices_of_the_other(cast, both, booked, priced):
    hosted = reverse("bookings:hosted")
    for query in ("", "?sort=price", "?sort=-price"):
        rows = both.get(hosted + query).context["rows"]
        assert {row.pk for row in rows} == {row.pk for several in booked for row in several}
        assert {row.instrument for row in rows if row.price} == {priced[1]}
    lines = b"".join(both.get(hosted + "?format=csv").streaming_content).decode().splitlines()[1:]
    assert {(priced[0].name in line, bool(found_in(line))) for line in lines} == {
        (True, False),
        (False, True),
    }
    rows = both.get(reverse("bookings:board")).context["rows"]
    assert {row.instrument: is_managed for row, is_managed, *_ in rows} == {priced[0]: False, priced[1]: True}
    today = both.get("/home/").context["board"]
    assert {row.instrument: row.is_managed for row in today} == {priced[0]: False, priced[1]: True}


def test_who_manages_one_instrument_opens_its_charges_and_people(cast, both, booked):
    theirs, ours = (rows[0].charges.get() for rows in reversed(booked))
    for charge, status in ((theirs, 200), (ours, 404)):
        for name in ("money-charges-one", "money-charges-replay"):
            assert both.get(reverse(f"bookings:{name}", args=[charge.pk])).status_code == status
    assert not charges_for(cast.actor("hu")).exists()  # lists and sums are the whole organisation's
    known = both.get(reverse("bookings:person", args=[cast.wang.pk])).context["known"]
    assert (known.used, known.minutes, known.debts) == (1, 120, {})
    assert {row.instrument_id for row in (*known.coming, *known.past)} == {booked[1][0].instrument_id}
    assert cast.ustc not in known.payers


def test_nobody_is_linked_whom_a_manager_of_a_part_has_not_met(cast, both, priced):
    row = reserve(cast, "2026-03-10 10:00", "2026-03-10 12:00", instrument=priced[0])
    type(row).objects.filter(pk=row.pk).update(user=cast.chen)
    html = page_of(both.get(reverse("bookings:hosted")))
    met, unmet = (reverse("bookings:person", args=[cast.people[who].pk]) for who in ("wang", "chen"))
    assert met in html and unmet not in html
    assert [both.get(address).status_code for address in (met, unmet)] == [200, 404]


def test_an_operator_finds_instruments_by_how_they_are(cast, booked, priced, clock):
    clock.now = at("2026-03-06 10:30")
    client = Client()
    client.force_login(cast.people["sun"])
    shown = {
        present: [
            row[0].instrument
            for row in client.get(reverse("bookings:board"), {"present": present}).context["rows"]
        ]
        for present in ("used", "down")
    }
    assert shown == {"used": [priced[0]], "down": []}


def test_an_operator_enters_times_of_use_without_reading_prices(cast, program):  # noqa: F811
    one = cast.instrument(name="By use", card=CARD | BY_USE)
    role_grant(By(PLATFORM, NOW), user=cast.sun, role="operator", organisation=cast.ustc, instrument=one.pk)
    for hour in ("10", "13"):
        made = reserve(cast, f"2026-03-06 {hour}:00", f"2026-03-06 {int(hour) + 2}:00", instrument=one)
    type(made).objects.filter(instrument=one).update(state="completed", ended_at=made.end_at)
    assert {row.is_priced for row in listed_sessions(cast.actor("sun"))} == {False}
    assert {row.is_priced for row in listed_sessions(cast.actor("zhao"))} == {True}
    assert {row.is_priced for row in listed_sessions(cast.actor("wang"))} == {True}
    sun = program("sun")
    for query in ("", "?sort=price", "?format=csv"):
        answer = sun.send("GET", f"sessions-to-complete/{query}")
        text = answer.body.decode() if isinstance(answer.body, bytes) else str(answer.body)
        assert answer.status == 200 and str(made.pk) in text
        assert not re.search(r"634\.62", text), query
    used = (at("2026-03-06 13:00"), at("2026-03-06 14:00"))
    session_complete(By(cast.actor("sun"), at("2026-03-07 10:00")), reservation_id=made.pk, usage=used)
    assert listed_sessions(cast.actor("sun")).count() == 1


def test_an_operator_reads_why_an_instrument_is_closed(cast, priced, program):  # noqa: F811
    outage = Outage("maintenance", at("2026-03-20 10:00"), None, reason="Pump")
    closure_create(By(cast.actor("zhao"), NOW), instrument_id=priced[0].pk, outage=outage, displace=False)
    reasons = [
        program(who).get(f"instruments/{priced[0].pk}/closures/").body["results"][0]["reason"]
        for who in ("sun", "wang")
    ]
    assert reasons == ["Pump", None]


def test_faults_are_counted_in_the_navigation_of_operators(cast, priced):
    fault_report(By(cast.actor("wang"), NOW), instrument_id=priced[0].pk, severity="usable", text="Drift")
    for who, view in (("sun", "bookings:faults"), ("zhao", "instruments:manage")):
        client = Client()
        client.force_login(cast.people[who])
        groups = client.get("/home/").context["menu"]["groups"]
        entries = {entry["url"]: entry["count"] for group in groups for entry in group["items"]}
        assert entries[reverse(view)] == 1


def test_a_role_that_ends_ends_the_work(cast, booked):
    cast.people["sun"].role_grants.filter(role="operator").update(revoked_at=NOW)
    with pytest.raises((NotFound, NotPermitted)):
        reservation_check_out(By(cast.actor("sun"), at("2026-03-06 11:00")), reservation_id=booked[0][1].pk)


def test_overdue_results_and_refused_samples_wait_for_an_operator(cast, booked, priced):
    for of_one in booked:
        hand_off_make(By(cast.actor("zhao"), NOW), reservation_id=of_one[0].pk)
    HandOff.objects.update(due_at=NOW - timedelta(days=1))
    SampleItem.objects.update(state="refused")
    actor, now = cast.actor("sun"), NOW
    assert [row.reservation_id for row in results_to_deliver(actor, now)] == [booked[0][0].pk]
    assert [row.name for row in refused(actor, now)] == ["Film 0"]
    client = Client()
    client.force_login(cast.people["sun"])
    home = page_of(client.get(reverse("bookings:home")))
    assert "result to deliver" in home and "refused sample to return" in home


@pytest.mark.parametrize("books", [False, True])
def test_who_only_operates_finds_no_pages_about_money_in_the_navigation(cast, client, books):
    if not books:
        RoleGrant.objects.filter(user=cast.sun).delete()
    role_grant(
        By(PLATFORM, NOW),
        user=cast.sun,
        role="operator",
        organisation=cast.ustc,
        instrument=cast.microscope.pk,
    )
    client.force_login(cast.sun)
    menu = page_of(client.get(reverse("bookings:home"))).split("<main")[0]
    for page in ("bookings:money", "bookings:money-charges"):
        assert (f'href="{reverse(page)}"' in menu) is books
