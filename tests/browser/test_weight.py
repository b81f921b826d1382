"""What a first visit loads, and that nothing moves while it does: measured on real answers of the
static pipeline, as a reader's browser gets them."""

import re
from collections import defaultdict
from datetime import timedelta

import pytest
from django.utils import timezone

from bookings.hours.services.hours import hours_roll_up
from tests.browser.serving import cookie_of, served
from tests.factories.cast import CARD
from tests.factories.hours import ALWAYS, HoursWorld

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]
HASHED = re.compile(r"\.[0-9a-f]{12}\.(css|js|svg|woff2)$")
WATCH = """
window.moved = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) {
      const what = entry.sources.map((source) => source.node && source.node.className);
      window.moved.push({by: entry.value, what});
    }
  }
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture
def pages(real_cast):
    """Address -> most kB of script and style: a list, a drawn calendar, a page of charts."""
    now = timezone.now()
    card = {**CARD, "valid_from": (now - timedelta(days=400)).date().isoformat()}
    made = [real_cast.instrument(name=f"Microscope {n}", hours=ALWAYS, card=card, now=now) for n in range(6)]
    world = HoursWorld(now)
    since = (now - timedelta(days=20)).date()
    used = world.instrument(hours=ALWAYS, since=since, name="Used")
    for day in range(3, 15):
        start = now - timedelta(days=day)
        world.session(used, start, start + timedelta(hours=5), payer=world.stranger)
    hours_roll_up(since=None, until=None, now=now)
    return {
        "/": 250,
        f"/instruments/{made[0].pk}/": 250,
        f"/hours/?since={since}&until={now.date()}": 400,
        f"/hours/weeks/?by=instrument&since={since}&until={now.date()}": 500,
    }


def test_first_visits_are_light_and_nothing_moves(chromium, real_cast, settings, tmp_path, pages):
    found, weights = [], {}
    with served(settings, tmp_path) as address:
        cookie = cookie_of(real_cast.people["admin"], address)
        for width in (1440, 360):
            for path, most in pages.items():
                context = chromium.new_context(
                    viewport={"width": width, "height": 900}, base_url=address, locale="en-GB"
                )
                context.add_cookies([cookie])
                context.add_init_script(WATCH)
                page = context.new_page()
                network = context.new_cdp_session(page)
                network.send("Network.enable")
                bytes_of = defaultdict(int)
                kinds, headers = {}, {}

                def answered(event, kinds=kinds, headers=headers):
                    kinds[event["requestId"]] = event["type"]
                    headers[event["response"]["url"]] = event["response"]["headers"]

                def finished(event, kinds=kinds, bytes_of=bytes_of):
                    bytes_of[kinds.get(event["requestId"])] += event["encodedDataLength"]

                network.on("Network.responseReceived", answered)
                network.on("Network.loadingFinished", finished)
                assert page.goto(path).status == 200
                page.wait_for_load_state("networkidle")
                weight = (bytes_of["Script"] + bytes_of["Stylesheet"]) / 1000
                weights[path, width] = round(weight)
                if weight > most:
                    found.append(f"{path}: {weight:.0f} kB of script and style")
                for url, sent in headers.items():
                    if "/static/" not in url:
                        continue
                    named = {name.lower(): value for name, value in sent.items()}
                    if not HASHED.search(url) or "immutable" not in named["cache-control"]:
                        found.append(f"{path}: {url} is not kept by the browser")
                    if url.endswith((".css", ".js")) and named.get("content-encoding") != "gzip":
                        found.append(f"{path}: {url} is not compressed")
                moved = page.evaluate("window.moved")
                if (total := sum(each["by"] for each in moved)) >= 0.02:
                    found.append(f"{path} at {width}: moves by {total:.3f}: {moved}")
                context.close()
    print(weights)
    assert found == []
