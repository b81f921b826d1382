"""Charts of the hours are drawn beside their tables, in both themes, under the strict policy."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from bookings.services.utilisation import hours_roll_up
from tests.browser.test_booking import AXE
from tests.factories.hours import ALWAYS, HoursWorld

pytestmark = pytest.mark.browser

PAGES = {
    "/hours/": 2,
    "/hours/?by=month": 2,
    "/hours/weeks/?by=instrument": 1,
    "/hours/payers/": 2,
    "/hours/flows/": 1,
    "/hours/days/?state=sessions": 0,
    "/hours/behind/?of=booked": 0,
    "/hours/definitions/": 0,
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_charts_are_drawn_and_pages_are_accessible(visit, real_cast, dark):
    now = timezone.now()
    world = HoursWorld(now)
    since = (now - timedelta(days=20)).date()
    instrument = world.instrument(hours=ALWAYS, since=since, name="Microscope")
    for day in range(3, 15):
        start = now - timedelta(days=day)
        payer = world.stranger if day % 2 else world.host
        world.session(instrument, start, start + timedelta(hours=5), payer=payer)
    hours_roll_up(since=None, until=None, now=now)
    page = visit("admin", dark=dark)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: said.type == "error" and problems.append(said.text))
    for path, charts in PAGES.items():
        page.set_viewport_size({"width": 1440, "height": 900})
        asked = f"{path}{'&' if '?' in path else '?'}since={since}&until={now.date()}"
        assert page.goto(asked).status == 200, path
        page.wait_for_load_state("networkidle")
        assert page.locator("[data-drawn]").count() == charts, path
        page.evaluate(Path(AXE).read_text("utf-8"))
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        problems += [
            f"{path}: {v['id']}: {v['nodes'][0]['html'][:160]}" for v in result["violations"]
        ]
        page.set_viewport_size({"width": 360, "height": 800})
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            problems.append(f"{path}: {width} px wide at 360")
    assert problems == []
