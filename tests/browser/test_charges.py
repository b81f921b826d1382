"""A charge in a browser: disputed by one, corrected by two of the other side."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from bookings.models import Charge
from bookings.usage.services.usage import usage_settle
from tests.concurrency.races import ALWAYS
from tests.factories.cast import reserve
from tests.factories.charges import BY_USE, use

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def charge(real_cast):
    """Of yesterday, and a booking beside it that nobody recorded."""
    day = f"{timezone.now() + timedelta(hours=8) - timedelta(days=1):%Y-%m-%d}"
    instrument = real_cast.instrument(
        name="Scanning electron microscope", hours=ALWAYS, card=BY_USE,
        policy={"check_in_minutes": None},
    )  # fmt: skip
    made = use(real_cast, f"{day} 00:00", f"{day} 02:00", instrument=instrument)
    reserve(
        real_cast, f"{day} 03:00", f"{day} 04:00", instrument=instrument,
        now=made.created_at - timedelta(days=1),
    )  # fmt: skip
    usage_settle(now=timezone.now())
    return made


def fits(page, name):
    """Nothing wider than the page, and nothing that a screen reader cannot read."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
    # A link may just be followed: between two pages there is nothing to measure.
    page.wait_for_function("() => document.documentElement?.scrollWidth <= innerWidth")
    page.evaluate(AXE.read_text("utf-8"))  # not as a script tag: the policy refuses it
    wrong = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [(w["id"], [n["html"] for n in w["nodes"]]) for w in wrong] == []


def test_disputed_and_corrected(visit, real_cast, charge):
    path = f"/money/charges/{charge.pk}/"
    wang = visit("wang", width=360)
    wang.goto(path)
    fits(wang, "charge-360")
    wang.fill("textarea[name=reason]", "The chamber was vented by mistake for an hour.")
    wang.get_by_role("button", name="Dispute the charge").click()
    expect(wang.get_by_text("has to answer")).to_be_visible()

    zhao = visit("zhao", dark=True)
    zhao.goto(path)
    fits(zhao, "charge-answer")
    form = zhao.locator("form[action$='/correct/']")
    end = form.locator("[name=check_out]").input_value()
    form.locator("[name=check_out]").fill(end.replace("02:00", "01:00"))
    form.locator("[name=reason]").fill("True: an hour was lost.")
    form.get_by_role("button").click()
    expect(zhao.get_by_text("has to agree to a correction").first).to_be_visible()
    fits(zhao, "charge-proposed")

    gao = visit("gao")
    gao.goto(path)
    fits(gao, "charge-decide")
    gao.get_by_role("button", name="Agree").click()
    expect(gao.get_by_text("Corrected. The payer has been notified.")).to_be_visible()
    fits(gao, "charge-agreed")
    assert Charge.objects.get(pk=charge.pk).state == "reversed"

    lin = visit("lin", locale="zh-CN", width=360, dark=True)
    lin.goto("/money/charges/")
    fits(lin, "charges-360-zh")
    lin.set_viewport_size({"width": 1440, "height": 900})
    fits(lin, "charges-1440-zh")
    lin.locator("tbody a").first.click()
    expect(lin).not_to_have_url(re.compile("/charges/$"))
    fits(lin, "charge-new-zh")


def test_a_session_completed(visit, real_cast, charge):
    zhao = visit("zhao", width=360)
    zhao.goto("/money/sessions/")
    fits(zhao, "sessions-360")
    zhao.locator("tbody a.btn").click()
    expect(zhao).not_to_have_url(re.compile("/sessions/$"))
    fits(zhao, "session-360")
    zhao.get_by_role("button", name="Save").click()
    expect(zhao.get_by_text("charged by these times")).to_be_visible()
    zhao.goto("/money/sessions/")
    expect(zhao.get_by_text("Nothing to complete")).to_be_visible()
