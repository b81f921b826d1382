"""A researcher asks for what is not stated, and an owner answers."""

import pytest
from playwright.sync_api import expect

from instruments.capabilities.models import Capability
from tests.factories.capabilities import parameters_of

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]


@pytest.mark.parametrize(
    ("locale", "unstated", "ask", "asked", "answer", "smallest", "unit", "told"),
    [
        ("en-GB", "values not stated", "Ask the owner", "you have asked",
         "Answer", "Smallest value", "Unit", "Nobody is waiting for an answer"),
        ("zh-CN", "项指标未填写", "向仪器所有单位提问", "您已提问",
         "答复", "最小值", "计量单位", "没有待答复的提问"),
    ],
)  # fmt: skip
def test_an_owner_answers_a_question(
    visit, instrument, real_cast, locale, unstated, ask, asked, answer, smallest, unit, told
):
    parameters_of(real_cast)
    page = visit("wang", locale=locale, width=360)
    page.goto(f"/instruments/{instrument.pk}/")
    expect(page.locator("summary", has_text=unstated)).to_be_visible()
    button = page.locator("button[name=parameter][value=spatial_resolution]")
    expect(button).to_contain_text(ask)
    button.click()
    expect(page.get_by_text(asked, exact=True)).to_be_visible()

    page = visit("zhao", locale=locale)
    page.goto("/questions/")
    page.locator("main").get_by_role("link", name=answer).click()
    page.get_by_label(smallest).fill("0.8")
    page.get_by_label(unit, exact=True).fill("um")
    page.get_by_role("button", name=answer, exact=True).click()
    expect(page.get_by_text(told)).to_be_visible()
    row = Capability.objects.get()
    assert (row.minimum, row.unit, row.source) == (800, "µm", "answer")
    page.goto(f"/instruments/{instrument.pk}/")
    expect(page.locator("section[aria-labelledby=abilities-title]")).to_contain_text("0.8 µm")
