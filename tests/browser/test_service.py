"""From a sample to its results, between two people and one who has only a link."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from reportlab.graphics.barcode.qr import QrCodeWidget

from accounts.domain.roles import By
from bookings.catalogue.selectors.parties import Booking
from bookings.models import HandOff, Receipt, ResultFile, SampleItem
from bookings.record.domain.periods import Period
from bookings.reserving.services.reservations import reservation_request
from bookings.results.services.handoffs import hand_off_make
from bookings.samples.services.samples import SampleValues, sample_announce
from tests.browser.conftest import HOUR

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]

TWICE = """() => [...document.querySelectorAll('[id]')].map((each) => each.id)
  .filter((id, n, all) => all.indexOf(id) < n)"""
SPECTRUM = bytes(range(256)) * 8


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def booked(real_cast, instrument, midnight):
    """Hu Bo from 10 to 12 o'clock on the day after tomorrow, with an operator."""
    period = Period(midnight + 10 * HOUR, midnight + 12 * HOUR)
    return reservation_request(
        By(real_cast.actor("hu"), timezone.now()),
        booking=Booking(instrument.pk, period, organisation=None, service_mode="assisted"),
    )


def fits(page):
    page.wait_for_function("() => document.documentElement?.scrollWidth <= innerWidth")


def test_a_sample_a_question_another_time_and_results(visit, real_cast, booked):
    firm, host = visit("hu"), visit("zhao", width=1280)
    here = f"/bookings/{booked.pk}/"

    # The firm announces a sample on the booking's page, the host types its code.
    firm.goto(here)
    firm.get_by_role("link", name="Announce samples for it").click()
    firm.get_by_label("Name", exact=True).fill("Film A")
    firm.get_by_role("button", name="Announce", exact=True).click()
    expect(firm.get_by_text("Film A").first).to_be_visible()
    sample = SampleItem.objects.get()
    host.goto("/samples/queue/")
    fits(host)  # the widest menu, too
    assert host.locator("#sidebar .navbar-brand img").bounding_box()["width"] == 28
    host.get_by_label("Code of a sample").fill(f"{sample.code[:4]}-{sample.code[4:].lower()}")
    host.keyboard.press("Enter")  # as a hand scanner does
    expect(host.locator("#find-sample").get_by_text("Ticked: Film A")).to_be_visible()
    host.get_by_label("It is now").select_option("received")
    assert host.evaluate(TWICE) == []
    host.get_by_label("Condition on arrival").select_option("intact")
    host.get_by_role("button", name="Record this step").click()
    expect(host.get_by_text("1 sample: received.")).to_be_visible()
    sample.refresh_from_db()
    assert sample.state == "received"
    host.get_by_role("link", name="Film A").click()
    assert host.get_by_label("It is now").input_value() == "in_work"

    # The host asks: the firm, whose page is open, sees it without loading it again.
    firm.goto(here)
    host.goto(here)
    host.get_by_label("Ask or answer").fill("Which side is coated?")
    host.get_by_role("button", name="Send", exact=True).click()
    expect(host.get_by_text("Waiting for the requester's answer")).to_be_visible()
    expect(firm.get_by_text("Which side is coated?")).to_be_visible(timeout=30_000)
    firm.get_by_label("Ask the host, or answer").fill("The shiny one.")
    firm.get_by_role("button", name="Send", exact=True).click()
    expect(firm.get_by_text("Waiting for the host's answer")).to_be_visible()

    # Another time, taken by one click.
    host.goto(here)
    expect(host.get_by_text("The shiny one.")).to_be_visible()
    host.get_by_role("link", name="Propose another time").click()
    for name, old, new in (("start", "T10:", "T14:"), ("end", "T12:", "T16:")):
        field = host.locator(f"input[name={name}]")
        assert old in field.input_value()
        field.fill(field.input_value().replace(old, new))
    host.get_by_role("button", name="Propose", exact=True).click()
    expect(host.get_by_text("Another time:")).to_be_visible()
    firm.goto(here)
    expect(firm.get_by_text("as before")).to_be_visible()
    fits(firm)
    firm.get_by_role("button", name="Accept this time").click()
    expect(firm.get_by_text("Resolved").first).to_be_visible()
    before = booked.start_at
    booked.refresh_from_db()
    assert (booked.start_at, booked.state) == (before + timedelta(hours=4), "confirmed")

    # The host uploads a file, seals and releases.
    host.goto(here)
    host.get_by_role("button", name="Deliver results").click()
    host.get_by_role("link", name="Upload files").click()
    file = {"name": "谱图.bin", "mimeType": "application/octet-stream", "buffer": SPECTRUM}
    host.locator("#upload-files").set_input_files(file)
    host.get_by_role("link", name="Check and seal").click()
    fits(host)
    host.get_by_role("button", name="Seal", exact=True).click()
    host.locator("[data-confirm-go]").click()
    host.get_by_role("button", name="Release").click()
    expect(host.get_by_text("ready to collect").first).to_be_visible()
    hand_off = HandOff.objects.get()
    assert [(f["path"], f["size"]) for f in hand_off.manifest] == [("谱图.bin", len(SPECTRUM))]

    # The firm takes it.
    firm.goto(f"/results/{hand_off.pk}/")
    with firm.expect_download() as download:
        firm.get_by_role("link", name="Download: 谱图.bin").click()
    assert download.value.path().read_bytes() == SPECTRUM
    assert download.value.suggested_filename == "谱图.bin"

    # A link for somebody without an account, until it is revoked.
    host.goto(f"/results/{hand_off.pk}/")
    host.get_by_text("New link").click()
    host.get_by_label("Recipient").fill("Dr Li")
    host.get_by_role("button", name="Create the link").click()
    address = urlsplit(host.locator(".token-once").inner_text()).path
    stranger = visit(locale="zh-CN", width=360, dark=True)
    stranger.goto(address)
    fits(stranger)
    expect(stranger.get_by_role("heading", name="领取测试数据")).to_be_visible()
    with stranger.expect_download() as download:
        stranger.get_by_role("link", name="下载：谱图.bin").click()
    assert download.value.path().read_bytes() == SPECTRUM
    host.get_by_role("button", name="Revoke: Dr Li").click()
    host.locator("[data-confirm-go]").click()
    expect(host.get_by_text("revoked").first).to_be_visible()
    answer = stranger.reload()
    assert answer.status == 404
    expect(stranger.get_by_role("heading", name="内容不存在，或您无权查看。")).to_be_visible()
    expect(stranger.get_by_text("谱图.bin")).to_have_count(0)
    visit.expected[:] = [c for c in visit.expected if "404" not in c]
    whom = Receipt.objects.order_by("started_at").values_list("user__name", "link__label", "reached")
    assert list(whom) == [("Hu Bo", None, len(SPECTRUM)), (None, "Dr Li", len(SPECTRUM))]


CAMERA = """(modules) => {
  const canvas = document.createElement("canvas");
  const scale = 8;
  canvas.width = canvas.height = (modules.length + 8) * scale;
  const pen = canvas.getContext("2d");
  const draw = () => {
    pen.fillStyle = "white";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = "black";
    modules.forEach((line, y) => line.forEach((dark, x) => {
      if (dark) { pen.fillRect((x + 4) * scale, (y + 4) * scale, scale, scale); }
    }));
  };
  window.setInterval(draw, 50);
  Object.defineProperty(navigator.mediaDevices, "getUserMedia", {
    configurable: true, value: async () => canvas.captureStream(20),
  });
}"""


def test_labels_before_the_camera_are_ticked_and_others_are_asked_for(visit, real_cast, booked):
    """The reader is the one that comes with the platform: this Chromium has none of its own."""
    by = By(real_cast.actor("hu"), timezone.now())
    rows = [
        *sample_announce(by, values=SampleValues(name="Film"), number=2, reservation_id=booked.pk),
        *sample_announce(by, values=SampleValues(name="Elsewhere")),
    ]
    host = visit("zhao")

    def hold(row):
        widget = QrCodeWidget(f"https://commons.example/samples/{row.code}/", barLevel="M")
        widget.qr.make()
        host.evaluate(CAMERA, [[bool(dark) for dark in line] for line in widget.qr.modules])
        host.get_by_role("button", name="Scan with the camera").click()

    host.goto("/samples/queue/")
    for row in rows[:2]:
        hold(row)
        expect(host.locator("#scan").get_by_text(f"Ticked: {row.name}")).to_be_visible()
        host.get_by_role("button", name="Close").click()
    assert host.locator("input[data-code]:checked").count() == 2
    hold(rows[2])  # no sample of this host
    expect(host.get_by_text("There is no such sample, or you may not see it.")).to_be_visible()


def test_an_upload_that_nobody_takes_says_so_and_is_tried_again(visit, real_cast, booked):
    hand_off = hand_off_make(By(real_cast.actor("zhao"), timezone.now()), reservation_id=booked.pk)
    host = visit("zhao")
    host.goto(f"/results/{hand_off.pk}/upload/")
    answers = {"is_away": True, "refuses": False}

    def answer(route):
        if answers["is_away"]:
            route.abort("connectionrefused")
        elif answers["refuses"]:
            route.fulfill(status=403, json={"code": "not-permitted", "detail": "You may not do this."})
        else:
            route.continue_()

    host.route("**/api/v1/uploads/**", answer)

    def send(name):
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": SPECTRUM}
        host.locator("#upload-files").set_input_files(file)

    host.clock.install()
    host.clock.pause_at(timezone.now() + timedelta(seconds=5))  # no try by itself before the button
    send("a.bin")
    expect(host.get_by_text("The upload service does not answer.")).to_be_visible()
    answers["is_away"] = False
    host.get_by_role("button", name="Try again now").click()
    expect(host.get_by_text("Files done: 1 of 1")).to_be_visible()
    answers["refuses"] = True
    send("b.bin")
    expect(host.get_by_text("b.bin: You may not do this.")).to_be_visible()
    answers["refuses"] = False
    host.get_by_role("button", name="Try again", exact=True).click()
    expect(host.get_by_text("Files done: 2 of 2")).to_be_visible()
    assert ResultFile.objects.filter(hand_off=hand_off, received=len(SPECTRUM)).count() == 2
    visit.expected[:] = [c for c in visit.expected if "REFUSED" not in c and "403" not in c]
