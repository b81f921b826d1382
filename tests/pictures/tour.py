"""The pictures of the README, in the order of its tour. Each scene goes where a person of the
demonstration goes, by the words on the pages, so a page that changed shows as it is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, Page

FOLDER = Path("docs/pictures")
COLOURS = 256
MICROSCOPE = "Aberration-corrected transmission electron microscope"


@dataclass(frozen=True)
class Scene:
    """name: of the file; who: of the demonstration; goes: to what is shown; width, height: of the
    window, in pixels."""

    name: str
    who: str
    goes: Callable[[Page], object]
    width: int = 1280
    height: int = 900
    dark: bool = False
    language: str = "en"


def _chosen_time(page: Page) -> None:
    page.goto("/?q=" + MICROSCOPE.replace(" ", "+"))
    slot = page.locator("a.slot").first.get_attribute("href")
    page.goto(str(slot).replace("/book/", "/"))
    page.locator("#choice [data-quote]").wait_for()


def _rates(page: Page) -> None:
    page.goto("/manage/")
    page.get_by_role("link", name=MICROSCOPE).first.click()
    page.goto(page.url.rstrip("/") + "/rates/")


def _hours(page: Page) -> None:
    page.goto("/manage/")
    page.get_by_role("link", name=MICROSCOPE).first.click()
    page.goto(page.url.rstrip("/") + "/hours/")


def _settlement(page: Page) -> None:
    page.goto("/money/settlements/")
    page.locator("main a[href^='/money/settlements/']:not([href*='?'])").first.click()


def to(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


SCENES = (
    Scene("catalogue", "researcher", to("/")),
    Scene("booking", "researcher", _chosen_time, height=1000),
    Scene("bookings", "researcher", to("/bookings/")),
    Scene("telephone", "researcher", to("/"), 390, 844, dark=True, language="zh"),
    Scene("board", "manager", to("/board/")),
    Scene("requests", "manager", to("/requests/")),
    Scene("opening-hours", "manager", _hours),
    Scene("rates", "manager", _rates, height=1000),
    Scene("money", "finance", to("/money/")),
    Scene("settlement", "coordinator", _settlement),
    Scene("hours", "auditor", to("/hours/"), height=1100),
    Scene("weeks", "auditor", to("/hours/weeks/")),
    Scene("flows", "auditor", to("/hours/flows/")),
    Scene("audit", "auditor", to("/audit/")),
    Scene("trail", "auditor", to("/trail/")),
)


def tour(enter: Callable[..., AbstractContextManager[BrowserContext]], only: str) -> None:
    """Takes them; `enter` opens a signed-in browser."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        if only not in scene.name:
            continue
        with enter(
            who=scene.who, width=scene.width, height=scene.height, dark=scene.dark, language=scene.language
        ) as context:
            page = context.new_page()
            scene.goes(page)
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(1200)  # charts and calendars draw themselves
            taken = Image.open(BytesIO(page.screenshot()))
        path = FOLDER / f"{scene.name}.png"
        # Few colours: a tenth of the size, and nobody sees it.
        taken.convert("RGB").quantize(COLOURS).save(path, optimize=True)
        print(f"{path}  {path.stat().st_size // 1024} kB", flush=True)
