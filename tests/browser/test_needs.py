"""From a sentence to an instrument, in a real Chromium."""

import pytest

from tests.factories.cast import Cast
from tests.factories.needs import measurand_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize(
    ("locale", "sentence", "chip", "remove", "exact", "nothing"),
    [
        ("en-GB", "how large are the grains", "Grain size", "Not Grain size",
         "Instruments for Grain size", "No instrument fits"),
        ("zh-CN", "请问晶粒有多大", "晶粒尺寸", "不是晶粒尺寸",
         "可测晶粒尺寸的仪器", "没有符合条件的仪器"),
    ],
)  # fmt: skip
def test_a_sentence_chips_corrected_results(
    visit, real_cast: Cast, instrument, width, locale, sentence, chip, remove, exact, nothing
) -> None:
    """What is typed shows chips at once; one chosen makes the search exact; the way back goes
    through both; removed, it counts no more."""
    measurand_of(real_cast)
    page = visit("wang", locale=locale, width=width)
    page.fill("#q", sentence)
    page.wait_for_selector(".meanings")
    assert "q=" in page.url and page.locator("article.result").count() == 2
    page.get_by_role("link", name=chip, exact=True).click()
    page.wait_for_url("**term=grain-size**")
    assert exact in page.locator("#results").inner_text()
    assert page.input_value("#q") == sentence
    assert page.locator("article.result").count() == 2
    # Another order keeps what was chosen, other words do not.
    page.select_option("#sort", "name")
    page.wait_for_url("**sort=name**")
    assert page.locator(".meanings .chosen").count() == 1
    page.go_back()
    page.get_by_role("link", name=remove, exact=True).click()
    page.wait_for_url("**without=grain-size**")
    assert page.locator("article.result").count() == 0
    assert nothing in page.locator("#results").inner_text()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_without_scripts_it_is_the_same(visit, real_cast: Cast, instrument) -> None:
    measurand_of(real_cast)
    page = visit("wang", js=False)
    page.fill("#q", "how large are the grains")
    page.press("#q", "Enter")
    page.get_by_role("link", name="Grain size", exact=True).click()
    assert "term=grain-size" in page.url and page.locator("article.result").count() == 2
    page.fill("#q", "scanning")
    page.press("#q", "Enter")
    assert page.locator(".meanings").count() == 0
    assert page.locator("article.result").count() == 1
