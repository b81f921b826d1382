"""Takes pictures of the platform with its demonstration world: `make pictures`.

Without arguments those of the README, into `docs/pictures/`. `make pictures ARGS="--all out"`
takes every page that each person can reach, narrow and wide, light and dark, in English and
Chinese, into the folder `out`: to be looked at before a change of the design is called done.
"""

import argparse
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.pictures.serving import served

PEOPLE = ("", "researcher", "manager", "operator", "finance", "coordinator", "auditor", "admin")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
LOOKS = [
    (width, dark, language) for language in ("en", "zh") for dark in (False, True) for width in (1440, 360)
]


def main() -> None:
    asked = _arguments()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop looks like one of Django's
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit("No Chromium is installed (Debian: apt-get install chromium).")
    with served("pictures", keep=asked.keep) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu"],
            env=os.environ | {"LANGUAGE": "en_GB"},  # how empty fields for dates look
        )
        if asked.all:
            _all(browser, base, asked)
        else:
            from tests.pictures.tour import tour

            tour(lambda **look: signed_in(browser, base, **look), asked.only)
        browser.close()


def _all(browser: Browser, base: str, asked: argparse.Namespace) -> None:
    from tests.pictures.pages import reachable

    for who in asked.who or PEOPLE:
        with signed_in(browser, base, who=who) as context:
            paths = [path for path in reachable(context.request, base) if asked.only in path]
        folder = Path(asked.all) / (who or "anybody")
        folder.mkdir(parents=True, exist_ok=True)
        for width, dark, language in LOOKS:
            look = f"{width}-{'dark' if dark else 'light'}-{language}"
            if asked.look not in ("", look):
                continue
            with signed_in(browser, base, who=who, width=width, dark=dark, language=language) as context:
                _take(context.new_page(), paths, folder, look)
        print(f"{who or 'anybody'}: {len(paths)} pages", flush=True)


def _take(page: Page, paths: list[str], folder: Path, look: str) -> None:
    """Each of them as a file; says what is broken, or wider than the screen."""
    page.on("pageerror", lambda error: print(f"  {page.url}: {error}"))
    for number, path in enumerate(paths):
        answer = page.goto(path, wait_until="networkidle")
        words = re.sub(r"[0-9a-f-]{36}", "id", path).strip("/")
        name = re.sub(r"[^\w]+", "-", words)[:60] or "first"
        page.screenshot(path=folder / f"{number:03}-{name}-{look}.png", full_page=True)
        beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if beyond > 0 or answer is None or answer.status != 200:
            print(f"  {path}: {answer and answer.status}, {beyond} px too wide ({look})")


@contextmanager
def signed_in(
    browser: Browser,
    base: str,
    *,
    who: str = "",
    width: int = 1440,
    height: int = 900,
    dark: bool = False,
    language: str = "en",
) -> Iterator[BrowserContext]:
    """A browser window of a person of the demonstration, in a theme and a language."""
    context = browser.new_context(
        base_url=base,
        viewport={"width": width, "height": height},
        locale="zh-CN" if language == "zh" else "en-GB",
        timezone_id="Asia/Shanghai",  # of the demonstration: a first page is not asked for twice
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    if who:
        page.goto("/accounts/login/")
        page.fill("#id_login", f"{who}@demo.test")
        page.fill("#id_password", "demo")
        page.press("#id_password", "Enter")
        page.wait_for_url(lambda address: "/login/" not in address)
        if not page.evaluate("document.documentElement.lang").lower().startswith(language):
            page.click("button[name=language]")
            page.wait_for_load_state()
    page.close()
    try:
        yield context
    finally:
        context.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Takes pictures of the demonstration.")
    parser.add_argument("--all", metavar="FOLDER", help="every page in every look, into it")
    parser.add_argument("--who", action="append", choices=PEOPLE, help="only this person's")
    parser.add_argument("--only", default="", help="only what has this in its address or name")
    parser.add_argument("--look", default="", help="only this look, such as 360-dark-zh")
    parser.add_argument("--keep", action="store_true", help="the world that already entered")
    return parser.parse_args()


if __name__ == "__main__":
    main()
