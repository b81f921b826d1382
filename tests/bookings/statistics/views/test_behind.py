"""Every number of the hours opens the rows that it is the sum of, to whoever may see them."""

import html as markup
import re
from typing import Any

import pytest
from django.test import Client

from accounts.domain.roles import By
from accounts.models import Organisation, Region
from bookings.charging.services.charges import charge_make
from bookings.hours.services.hours import hours_roll_up
from bookings.models import Reservation, UnmetDemand
from bookings.reserving.services.reservations import reservation_cancel
from bookings.usage.services.usage import reservation_check_in, reservation_check_out
from instruments.register.models import Facility
from instruments.vocabulary.models import Technique
from tests.accounts.pages import page_of
from tests.factories.cast import Cast, at, reserve
from tests.factories.waiting import wait

MARCH = "since=2026-03-01&until=2026-04-01"
PAGES = [
    f"/hours/?{MARCH}",
    f"/hours/?{MARCH}&by=technique",
    f"/hours/?{MARCH}&by=instrument&region=CN-AH",
    f"/hours/?{MARCH}&by=region&technique=PaNET01198",
    f"/hours/weeks/?{MARCH}&by=instrument",
    f"/hours/payers/?{MARCH}",
    *(f"/hours/flows/?{MARCH}&measure={of}" for of in ("hours", "sessions", "users", "money")),
    f"/hours/demand/?{MARCH}",
]
NUMBER = re.compile(r'<a\s+class="number"\s+href="([^"]+)"\s*>(.*?)</a>', re.DOTALL)


@pytest.fixture(scope="module")
def used(shared_cast: Cast, django_db_blocker: Any) -> None:
    """Once for all tests here, which only read."""
    with django_db_blocker.unblock():
        _use(shared_cast)


def _use(cast: Cast) -> None:
    """Two sessions of Wang's and one of Sun's with what they cost, a booking not used, one
    cancelled late, and of each kind of unmet demand one."""
    for who, day, start, end in (
        ("wang", 6, "10:00", "12:00"),
        ("wang", 9, "10:00", "11:00"),
        ("sun", 6, "13:00", "14:00"),
    ):
        begins, ends = f"2026-03-{day:02} {start}", f"2026-03-{day:02} {end}"
        made = reserve(cast, begins, ends, who=who)
        reservation_check_in(By(cast.actor(who), at(begins)), reservation_id=made.pk)
        reservation_check_out(By(cast.actor(who), at(ends)), reservation_id=made.pk)
        charge_make(reservation_id=made.pk, now=at(ends))
    missed = reserve(cast, "2026-03-10 10:00", "2026-03-10 11:00")
    late = reserve(cast, "2026-03-10 14:00", "2026-03-10 16:00")
    reservation_cancel(By(cast.actor("wang"), at("2026-03-10 08:00")), reservation_id=late.pk, reason="")
    Reservation.objects.filter(pk=missed.pk).update(state="no_show")
    wish = wait(cast, cast.instrument(name="Wanted"), minutes=90)
    wish.state, wish.ended_at = "expired", at("2026-03-07 10:00")
    wish.save()
    common = {
        "user": cast.people["wang"],
        "organisation": cast.fudan,
        "region": cast.shanghai,
        "wanted_from": at("2026-03-11 10:00"),
        "wanted_until": at("2026-03-11 12:00"),
        "on_date": "2026-03-05",
        "created_at": at("2026-03-05 12:00"),
    }
    UnmetDemand.objects.create(kind="refused", instrument=cast.microscope, minutes=60, **common)
    UnmetDemand.objects.create(
        kind="search", technique=cast.technique, query="text=secret", minutes=30, **common
    )
    # What lies below a region and a technique has hours of its own.
    district = Region(
        parent=cast.anhui, scheme="test", code="CN-AH-X", name="District", time_zone="UTC", currency="CNY"
    )
    district.lineage = [district.pk, *cast.anhui.lineage]
    district.save()
    branch = Organisation.objects.create(code="branch", name="Branch", kind="university", region=district)
    lab = Facility.objects.create(organisation=branch, name="Lab", time_zone=cast.facility.time_zone)
    narrower = Technique.objects.create(code="X-TEM", name="X")
    narrower.parents.add(cast.technique)
    below = cast.instrument(name="Below")
    below.techniques.set([narrower])
    type(below).objects.filter(pk=below.pk).update(region=district, organisation=branch, facility=lab)
    made = reserve(cast, "2026-03-06 15:00", "2026-03-06 18:00", instrument=below)
    reservation_check_in(By(cast.actor("wang"), at("2026-03-06 15:00")), reservation_id=made.pk)
    reservation_check_out(By(cast.actor("wang"), at("2026-03-06 18:00")), reservation_id=made.pk)
    hours_roll_up(since=None, until=None, now=at("2026-03-12 12:00"))


def _numbers(text: str) -> list[str]:
    return re.findall(r"-?\d[\d,]*(?:\.\d+)?", re.sub(r"<[^>]+>", " ", text))


def _opened(client: Client, page: str) -> list[str]:
    """The links of numbers that open rows, each followed: none is dead, and what it says is
    the sum or the number of the rows."""
    html = page_of(client.get(page))
    followed = []
    for href, text in NUMBER.findall(html):
        address = markup.unescape(href)
        if address.startswith("#"):
            assert f'id="{address[1:]}"' in html, address
            continue
        opened = page_of(client.get(address)).partition("<main")[2]
        if "/behind/" not in address and "/days/" not in address:
            continue
        followed.append(address)
        if "%" in text:
            continue
        found = re.search(r"<strong[^>]*>(.*?)</strong>(.*?)</p>", opened, re.DOTALL)
        assert found
        said = _numbers(text)
        # Of a sum, or of a number of rows.
        assert _numbers(found[1])[0] in said or _numbers(found[2])[0] in said, (address, said)
        if float(_numbers(found[1])[0].replace(",", "")):
            assert "<tbody>" in opened, address
    return followed


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize(
    ("who", "people", "charges"), [("auditor", 3, 2), ("admin", 3, 0), ("xu", 0, 0), ("zhao", 0, 0)]
)
def test_a_number_is_the_sum_of_what_it_opens(
    client: Client, cast: Cast, who: str, people: int, charges: int
) -> None:
    client.force_login(cast.people[who])
    opened = [address for page in PAGES for address in _opened(client, page)]
    assert sum("of=users" in address for address in opened) == people
    assert sum("of=money" in address for address in opened) == charges
    wanted = [address for address in opened if re.search("of=(refused|waited|search|wanted)", address)]
    assert len(wanted) >= 4, opened


@pytest.mark.usefixtures("used")
def test_the_public_has_no_links_to_rows(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["alice"])
    for page in PAGES:
        if "weeks" not in page and "instrument" not in page:
            assert _opened(client, page) == []


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize(("who", "reads"), [("coordinator", False), ("admin", False), ("auditor", True)])
def test_rows_name_people_to_those_alone_who_read_bookings(
    client: Client, cast: Cast, who: str, reads: bool
) -> None:
    client.force_login(cast.people[who])
    pair = "payer_region=CN-SH&host_region=CN-AH"
    html = page_of(client.get(f"/hours/behind/?{MARCH}&of=users&{pair}"))
    assert 'data-number="2" data-people="1" data-sum="180"' in html
    assert ("Wang Li" in html) is reads
    assert ("/bookings/" in html.split("<tbody>")[1].split("</tbody>")[0]) is reads
    demand = f"/hours/behind/?{MARCH}&of=wanted&payer_region=CN-SH&technique={cast.technique.code}"
    html = page_of(client.get(demand))
    assert ("Wang Li" in html) is reads
    # What was searched for in Shanghai is read from there alone, but by administrators.
    assert "secret" not in html
    money = client.get(f"/hours/behind/?{MARCH}&of=money&currency=CNY&{pair}")
    assert money.status_code == (200 if reads else 403)
