"""A coordinator reads the planning map, and what is behind a cell, in a real Chromium."""

from datetime import UTC, datetime

import pytest
from django.core.cache import cache

from accounts.domain.roles import By
from accounts.permissions import actor_of
from bookings.planning.services.plans import plan_make
from tests.bookings.planning.selectors.test_map import year_of
from tests.factories.cast import Cast
from tests.factories.planning import plan_values, tree_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize(
    ("locale", "entry", "spare", "unmet", "narrower", "planned"),
    [
        ("en-GB", "Planning", "spare", "unmet", "Narrower classes", "Planned purchases"),
        ("zh-CN", "规划", "富余", "未满足", "下位类别", "购置计划"),
    ],
)
def test_from_the_map_to_what_is_behind_a_cell(
    visit, real_cast: Cast, width, locale, entry, spare, unmet, narrower, planned
) -> None:
    cache.clear()
    now = datetime.now(UTC)
    real_cast.microscope.techniques.set([tree_of(real_cast)["tem"]])
    year_of(real_cast.microscope, now.year)
    by = By(actor_of(real_cast.zhao), now)
    values = plan_values(real_cast, technique="tem", year=now.year + 1)
    plan = plan_make(by, organisation="ustc", values=values)
    page = visit("coordinator", locale=locale, width=width)
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + "/planning/")
    assert entry in page.title() or entry in page.locator("body").inner_text()
    cell = page.locator(".map-cell").nth(1)
    said = cell.inner_text()
    assert spare in said and unmet in said and "700.0" in said
    sizes = [mark.bounding_box() for mark in cell.locator(".map-mark").all()]
    assert sizes[0]["width"] == sizes[1]["width"] and sizes[0]["height"] == sizes[1]["height"]
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    # From the technique to the class that is broader, and to what lies behind that.
    page.locator("main p a[href*=technique]").first.click()
    page.wait_for_url("**technique=**")
    page.locator(".map-cell a").first.click()
    page.wait_for_url("**/planning/cell/**")
    behind = page.locator("main").inner_text()
    assert narrower in behind and planned in behind and plan.name in behind
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.get_by_role("link", name=plan.name).click()
    page.wait_for_url(f"**/planning/purchases/{plan.pk}/")
