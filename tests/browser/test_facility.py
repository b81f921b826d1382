"""A facility's first weeks: fifteen instruments from an inventory file, opened on one day, used for a week
and charged at the end of the month, by clicking."""

import re
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.work import jobs
from bookings.models import Statement
from instruments.register.models import Instrument
from tests.factories.moments import NOW, at

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]

INVENTORY = (Path(__file__).parents[1] / "data/inventory.csv").read_bytes()
# What the first preview leaves out, as it is written for the second try.

# Jobs without which a day is not over.
DUE = (
    *("imports", "lapse reservations", "complete reservations", "close for course sessions"),
    *("final charges", "statements", "carry out effects", "deliver messages"),
)
RATES = {"internal": 100, "regional": 150, "partner": 200, "external": 200, "industry": 300}


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def go_on(monkeypatch):
    """`go_on("2026-03-10 09:40")`: the platform's clock stands at that time, and workers did what was due."""
    moment = [NOW]
    monkeypatch.setattr(timezone, "now", lambda: moment[0])

    def go_on(until):
        moment[0] = at(until)
        work()

    return go_on


def work():
    for entry in DUE:
        jobs()[entry].service(now=timezone.now())


def press(page, name, **more):
    """A button that leads to another page, or to the same anew."""
    with page.expect_navigation():
        page.locator("main").get_by_role("button", name=name, **more).first.click()


def touch(page, name):
    """A button that stays on its page."""
    page.get_by_role("button", name=name, exact=True).first.click()


def follow(page, *names):
    """Links one after the other, the last of a name if there are several (tabs stand below menus); what waits
    may be counted behind a name."""
    for name in names:
        with page.expect_navigation():
            page.get_by_role("link", name=re.compile(rf"(^|\s){re.escape(name)}(\s*, .*)?$")).last.click()


def bring(page, content):
    """Upload the inventory, as far as its columns or its preview."""
    file = {"name": "台账.csv", "mimeType": "text/csv", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)
    press(page, "Read the file")
    done(page)


def done(page):
    """Workers read the file, or carry it out, and the page shows it."""
    jobs()["imports"].service(now=timezone.now())
    page.reload()


def import_inventory(host):
    follow(host, "Manage instruments", "Import and export")
    bring(host, INVENTORY)
    # The line of the heads is found below the title; the last line is a sum.
    press(host, "Save and read")
    done(host)
    expect(host.get_by_text("1 row is left out")).to_be_visible()
    press(host, "Run the import")
    done(host)
    follow(host, "Manage instruments", "15 drafts to publish")


def set_up_the_first(host):
    """All four steps of one instrument, from which the others are completed."""
    follow(host, "FE-SEM")
    with host.expect_navigation():
        host.get_by_role("link", name=re.compile("^Change ?: Record$")).click()
    for mode in ("self", "assisted", "entrusted"):
        host.locator(f"[name=service_modes][value={mode}]").check()
    press(host, "Save and continue")
    expect(host.get_by_role("heading", name="Opening hours")).to_be_visible()
    press(host, "Save and continue")
    host.locator("[name=approval][value=cross-region]").check()
    host.locator("[name=check_in_minutes]").fill("30")
    press(host, "Save and continue")
    host.locator("summary", has_text="Rates by way of working").click()
    for n, (mode, unit, times) in enumerate(
        (("self", "hour", 1), ("assisted", "hour", 1), ("entrusted", "sample", 2))
    ):
        if n:
            touch(host, "Another way of working")
        host.locator(f"[name=way_{n}_modes][value={mode}]").check()
        host.locator(f"[name=way_{n}_unit]").select_option(unit)
        for group, rate in RATES.items():
            host.locator(f"[name=way_{n}_rate_{group}]").fill(str(rate * times))
    host.locator("[name=way_1_minimum_minutes]").fill("120")
    host.locator("[name=tax_percent]").fill("6")
    host.locator("summary", has_text="Options").click()
    for n, (name, name_zh, price, when) in enumerate(
        (("Operator", "操作员", "150", "required"), ("Grid", "载网", "35", "on_use"))
    ):
        if n:
            touch(host, "Another option")
        host.locator(f"[name=option_{n}_name]").fill(name)
        host.locator(f"[name=option_{n}_name_zh]").fill(name_zh)
        host.locator(f"[name=option_{n}_price]").fill(price)
        host.locator(f"[name=option_{n}_when]").select_option(when)
    host.locator("[name=option_0_modes][value=assisted]").check()
    host.locator("[name=option_1_unit]").select_option("each")
    press(host, "Publish this version")
    expect(host.get_by_text("4 of 4 done")).to_be_visible()


def open_all(host):
    """The others get what the first has, and all are published together."""
    follow(host, "Manage instruments", "15 drafts to publish")
    host.get_by_label("Copy ways of working").select_option(label="FE-SEM")
    host.get_by_label("Publish those that are complete").check()
    press(host, "Apply to selected drafts")
    expect(host.get_by_text("All 15 are published")).to_be_visible()


def book(page, name, start, minutes, mode, price, *, whom="", **fields):
    """From the catalogue to a booking, with the price that its form shows."""
    follow(page, "Instruments")
    page.locator("input[name=q]").fill(name)
    press(page, "Search")
    follow(page, name)
    page.locator("[name=at]").fill(start)
    page.locator("#minutes, [name=minutes]").first.select_option(str(minutes))
    if (modes := page.locator("[name=service_mode]")).count():  # else it is used in one way only
        modes.select_option(mode)
    touch(page, "Show price")
    press(page, "Continue")
    if whom:
        choose(page.locator("[name=on_behalf_of]"), whom)
    for field, value in ({"purpose_text": "Oxide films"} | fields).items():
        page.locator(f"[name={field}]").fill(value)
        page.locator(f"[name={field}]").blur()
    expect(page.locator("[data-payable]").first).to_contain_text(price)
    press(page, re.compile("^(Reserve|Send request)$"))


def choose(field, name):
    """Somebody by the first letters of their name."""
    field.press_sequentially(name)
    field.page.locator(".choices [role=option]").first.click()


def plan_a_course(host):
    follow(host, "Manage instruments", "Courses", "New course")
    host.locator("[name=thing]").select_option(label="TEM")
    host.locator("[name=name]").fill("TEM operators")
    press(host, "Offer the course")
    follow(host, "New session")
    host.locator("[name=start]").fill("2026-03-09T09:00")
    host.locator("[name=end]").fill("2026-03-09T11:00")
    choose(host.locator("[name=trainers]").first, "Zhao")
    press(host, "Enter the session")
    expect(host.get_by_text("open for enrolment")).to_be_visible()


def receive_by_post(host):
    follow(host, "Manage instruments", "Facilities", "理化科学实验中心", "Samples by post")
    host.locator("[name=recipient]").fill("样品室")
    press(host, "Save")


def open_booking(host, day):
    follow(host, "Manage instruments", "Bookings")
    host.get_by_role("link", name=re.compile(f"^{day}")).first.click()


def step(host, state, **more):
    """A step of all samples of the queue."""
    follow(host, "Samples")
    host.get_by_label("All samples of this page").check()
    host.get_by_label("It is now").select_option(state)
    for name, value in more.items():
        host.locator(f"[name={name}]").select_option(value)
    press(host, "Record this step")
    expect(host.get_by_text("3 samples:")).to_be_visible()


def deliver(host, content):
    press(host, "Deliver results")
    follow(host, "Upload files")
    file = {"name": "谱图.csv", "mimeType": "text/csv", "buffer": content}
    host.locator("#upload-files").set_input_files(file)
    follow(host, "Check and seal")
    touch(host, "Seal")
    with host.expect_navigation():
        host.locator("[data-confirm-go]").click()
    press(host, "Release")
    expect(host.get_by_text("ready to collect").first).to_be_visible()


def test_a_facility_opens_works_a_week_and_is_paid(visit, real_cast, go_on):
    host = visit("zhao")
    import_inventory(host)
    set_up_the_first(host)
    open_all(host)
    facility = Instrument.objects.filter(facility__name="理化科学实验中心")
    assert facility.filter(publication="published").count() == 15
    plan_a_course(host)
    receive_by_post(host)

    # A researcher of another region enrols, and books alone and by post; others are confirmed at once.
    wang, hu, sun = visit("wang"), visit("hu"), visit("sun")
    follow(wang, "Training", "TEM operators")
    press(wang, "Book a place")
    book(wang, "FE-SEM", "2026-03-11T10:00", 120, "self", "424.00")
    book(wang, "XPS", "2026-03-12T09:00", 120, "entrusted", "1,272.00", quantity="3")
    follow(wang, "Announce samples for it")
    wang.locator("[name=name]").fill("Film")
    expect(wang.locator("[name=number]")).to_have_value("3")
    press(wang, "Announce", exact=True)
    book(hu, "FE-SEM", "2026-03-10T13:00", 120, "assisted", "954.00")
    book(sun, "AFM", "2026-03-10T09:00", 60, "self", "100.00")
    follow(host, "Requests")
    for left in (1, 0):
        host.locator(".inbox-answer button[value='1']").click()
        expect(host.locator(".inbox-row")).to_have_count(left)

    go_on("2026-03-09 11:05")  # the course is over
    host.reload()
    follow(host, "Training", "TEM operators")
    press(host, "Passed : Wang Li")
    follow(wang, "Training")
    expect(wang.get_by_role("region", name="My certificates")).to_contain_text("TEM")

    go_on("2026-03-10 09:40")  # one does not come, and samples do
    sun.reload()
    expect(sun.locator(".page-header")).to_contain_text("not used")
    step(host, "received", condition="intact")
    go_on("2026-03-10 13:00")
    open_booking(host, "Tue 10 Mar 2026, 13:00")
    press(host, "Check in")
    go_on("2026-03-10 15:00")
    host.get_by_label("Grid").fill("2")
    press(host, "Check out")
    expect(host.get_by_text("Hu Bo is checked out")).to_be_visible()

    go_on("2026-03-11 10:00")
    follow(wang, "Home")
    press(wang, "Check in")
    go_on("2026-03-11 11:30")
    follow(wang, "At the instrument", "Report a fault")
    wang.get_by_label("Yes, still usable").check()
    wang.get_by_label("What is wrong?").fill("The stage does not tilt.")
    press(wang, "Report the fault")
    go_on("2026-03-11 12:00")
    press(wang, "Check out")
    expect(wang.get_by_text("Free until 17:00")).to_be_visible()

    go_on("2026-03-11 13:00")
    follow(host, "Manage instruments", "Faults", "FE-SEM")
    host.locator("[name=person]").select_option(label="Zhao Min")
    press(host, "Assign")
    host.get_by_label("Reason", exact=True).fill("The motor is changed.")
    press(host, "Close for the breakdown")
    book(host, "XRD", "2026-03-11T13:00", 60, "self", "100.00", whom="sun")  # who stands at the door
    press(host, "Check in")
    go_on("2026-03-11 14:00")
    press(host, "Check out", exact=True)

    go_on("2026-03-12 09:00")
    step(host, "in_work")
    open_booking(host, "Thu 12 Mar")
    press(host, "Check in")
    go_on("2026-03-12 11:00")
    press(host, "Check out", exact=True)
    deliver(host, b"eV,counts\n284.8,1200\n")
    step(host, "measured")

    go_on("2026-03-13 10:00")
    follow(wang, "My bookings", "Results", "XPS")
    with wang.expect_download() as download:
        wang.get_by_role("link", name="Download: 谱图.csv").click()
    assert download.value.path().read_bytes() == b"eV,counts\n284.8,1200\n"
    follow(host, "Manage instruments", "Faults", "FE-SEM")
    host.locator("[name=repair]").fill("A new motor.")
    host.locator("[name=cost]").fill("3200")
    press(host, "It is repaired")
    expect(host.locator("main")).to_contain_text("Closed for it 45.0 h")

    go_on("2026-03-20 12:00")  # nobody disputed anything
    go_on("2026-04-01 09:00")
    payer, finance = visit("lin"), visit("gao")
    follow(payer, "Statements", "USTC-2026-0001")
    payer.locator("[name=reference]").fill("FD-0401")
    press(payer, "Tell the host")
    follow(finance, "Statements", "USTC-2026-0001")
    press(finance, "Payment received: record it")
    expect(finance.locator(".badge.state-paid").first).to_be_visible()
    # Two hours and three samples from afar; two hours with an operator and two grids; a walk-in, a no-show.
    found = Statement.objects.order_by("number").values_list("payer__code", "state", "payable")
    assert [(payer, state, f"{payable:.2f}") for payer, state, payable in found] == [
        ("fudan", "paid", "1696.00"),
        ("optics", "issued", "1028.20"),
        ("ustc", "issued", "200.00"),  # an internal note
    ]
