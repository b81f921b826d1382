"""What every page has: the dialog that asks, notices, menus, the theme and the language."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CHROMIUM

pytestmark = [pytest.mark.browser, pytest.mark.concurrency]


@pytest.mark.parametrize(
    ("locale", "act", "keep", "question", "cost", "said"),
    [
        (
            "en-GB", "Cancel the booking", "Keep the booking", "Cancel this booking?",
            "Cancelling now costs 50 %: CNY 240.00 and CNY 14.40 tax.", "Saved.",
        ),
        (
            "zh-CN", "取消预约", "保留预约", "确定取消此预约吗？",
            "现在取消需付 50 %：CNY 240.00，另加税 CNY 14.40。", "已保存。",
        ),
    ],
    ids=["en", "zh"],
)  # fmt: skip
def test_what_destroys_asks_once_and_says_what_it_costs_by_keyboard(
    visit, locale, act, keep, question, cost, said
):
    page = visit(locale=locale)
    page.clock.install()
    page.goto("/components/")
    button = page.locator("main").get_by_role("button", name=act)
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("alertdialog", name=question)
    expect(dialog).to_be_visible()
    expect(dialog).to_have_accessible_description(cost)
    expect(dialog.get_by_role("button", name=keep)).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    assert page.url.endswith("/components/")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name=act)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/components/?said=1*")
    # What was done is said above the page, lies on nothing, and stays until it is closed.
    page.clock.run_for(30_000)
    toast = page.get_by_role("status").filter(has_text=said).locator(".toast-notice")
    expect(toast).to_be_visible()
    assert toast.evaluate("e => getComputedStyle(e.parentElement).position") == "static"
    toast.get_by_role("button").click()
    expect(page.locator(".toast-notice")).to_have_count(0)
    # Where the page opens at a part of it, it stands there.
    page.goto("/components/?said=1&again=1#reader-zone")
    page.clock.run_for(500)
    expect(page.locator("#reader-zone .toast-notice")).to_be_in_viewport()


@pytest.mark.parametrize(("width", "is_long"), [(360, True), (1440, True), (1440, False)])
def test_a_dialog_moves_nothing_of_the_page(chromium, live_server, width, is_long):
    """With scroll bars that take room, which Playwright hides unless it is told not to."""
    browser = chromium.browser_type.launch(
        executable_path=CHROMIUM, args=["--no-sandbox"], ignore_default_args=["--hide-scrollbars"]
    )
    page = browser.new_page(viewport={"width": width, "height": 900}, base_url=live_server.url)
    page.goto("/components/")
    if not is_long:
        page.evaluate("""() => {
          Object.assign(document.querySelector("main").style, {
            blockSize: "5rem", flex: "none", overflow: "hidden",
          });
          document.querySelector("footer").remove();
        }""")
    assert page.evaluate("document.documentElement.scrollHeight > innerHeight") == is_long
    where = """() => [
      document.body.clientWidth, document.querySelector("h1").getBoundingClientRect().x
    ]"""
    before = page.evaluate(where)
    page.evaluate("document.getElementById('confirm').showModal()")
    assert page.evaluate(where) == before
    browser.close()


def test_what_went_wrong_stays(visit):
    page = visit()
    page.clock.install()
    page.goto("/components/?failed=1")
    page.clock.run_for(60_000)
    expect(page.get_by_role("alert").filter(has_text="Not saved yet")).to_be_visible()


def test_without_scripts_forms_are_sent_and_menus_open(visit, real_cast):
    page = visit("wang", width=360, js=False)
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    page.locator("summary", has_text="Menu of Wang Li").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.goto("/components/")
    page.locator("main").get_by_role("button", name="Cancel the booking").click()
    page.wait_for_url("**/components/?said=1*")
    notice = page.locator(".toast-notice")
    expect(notice).to_have_text(re.compile("Saved."))
    assert notice.evaluate("e => getComputedStyle(e.parentElement).position") == "static"


def test_the_menu_of_a_telephone(visit, real_cast):
    page = visit("zhao", width=360)
    menu = page.get_by_role("navigation", name="Main")
    expect(menu).to_be_hidden()
    opener = page.get_by_role("button", name="Menu", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    expect(menu.get_by_role("list", name="Facility").get_by_role("link", name="Board")).to_be_visible()
    expect(menu.locator("[aria-current=page]")).to_have_text("Instruments")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    # What opened it comes next to it by the keyboard; Escape closes it and gives the focus back.
    page.keyboard.press("Tab")
    expect(page.locator("#sidebar .navbar-brand")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(opener).to_be_focused()
    # A menu closes with Escape, and the focus is where it was.
    own = page.locator("summary", has_text="Menu of Zhao")
    own.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(own).to_be_focused()


def test_the_menu_of_a_visitor_closes_with_escape(visit):
    page = visit(width=360)
    page.goto("/")
    opener = page.get_by_role("button", name="Menu", exact=True)
    opener.press("Enter")
    hours = page.get_by_role("navigation", name="Main").get_by_role("link", name="Hours")
    expect(hours).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(hours).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_sidebar_is_collapsed_to_icons_and_stays_so(visit, real_cast):
    page = visit("zhao", width=1440)
    fold = page.get_by_role("button", name="Collapse the sidebar")
    board = page.get_by_role("navigation", name="Main").get_by_role("link", name="Board")
    names = board.bounding_box()["width"]
    fold.press("Enter")
    expect(fold).to_have_attribute("aria-pressed", "true")
    page.goto("/manage/")
    # Before the first picture: nothing moves. An icon keeps its name.
    expect(page.locator("html")).to_have_attribute("data-sidebar", "icons")
    expect(fold).to_have_attribute("aria-pressed", "true")
    assert board.bounding_box()["width"] < 50 < 150 < names
    fold.press("Space")
    expect(page.locator("html")).to_have_attribute("data-sidebar", "names")


def test_theme_and_language_stay(visit, real_cast):
    page = visit("zhao")
    page.get_by_role("button", name="Light or dark").click()
    page.goto("/manage/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    # The language is changed on a form that was refused: its address takes forms only, and the
    # page that the form stands on opens instead.
    members = f"/organisations/{real_cast.ustc.pk}/members/"
    page.goto(members)
    page.get_by_label("E-mail").fill("nobody")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.locator(".invalid-feedback")).to_be_visible()
    assert page.url.endswith("/invite/")
    visit.expected[:] = [c for c in visit.expected if "400" not in c]
    page.get_by_role("button", name="中文").click()
    page.wait_for_url(f"**{members}")
    expect(page.get_by_role("button", name="English")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_paper_is_white(visit, real_cast):
    page = visit("wang", dark=True)
    page.goto("/components/")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    words = page.locator("h1")
    assert words.evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"
    head, row = page.locator("thead").first, page.locator("tbody tr").first
    assert head.evaluate("e => getComputedStyle(e).display") == "table-header-group"
    assert row.evaluate("e => getComputedStyle(e).breakInside") == "avoid"
    for away in ("header.navbar", ".tabs", ".page-actions", ".footer", "main button"):
        expect(page.locator(away).first).to_be_hidden()
