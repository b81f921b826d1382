"""Times pages as a browser draws them: `python -m tests.benchmarks.drawn [ADDRESS]`.

Asks a server that runs, such as that of `make run`, with a headless Chromium: signs in as people of
the demonstration (`--who` and `--password`: as somebody else), loads each page once with nothing
kept from before and then `--times` times more, and prints the first and the median of the others.
Columns, from the start of the navigation, in milliseconds: the first byte; the document is parsed;
something is seen; drawn, which is the first frame after the last change of the page. Then the
milliseconds of processor that script, style, layout and all work of the page took, requests that
reached the server, kB over the wire, and elements of the page.

It only reads, but that signing in is written down. A table of the page's own address comes with
`--only /board/?view=day`; `--width 360` is a telephone.
"""

import argparse
import re
import shutil
import statistics
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.pictures.__main__ import CHROMIUM

QUIET = 600  # milliseconds without a change, after which a page counts as drawn
# Who of the demonstration looks at which page.
PAGES = {
    "/": "researcher",
    "/instruments/<first>/": "researcher",
    "/board/": "manager",
    "/board/?view=day": "manager",
    "/bookings/calendar/": "researcher",
    "/hours/": "auditor",
    "/hours/weeks/": "auditor",
}
COLUMNS = {
    "first byte": "ttfb", "parsed": "parsed", "seen": "seen", "drawn": "drawn",
    "script": "ScriptDuration", "style": "RecalcStyleDuration", "layout": "LayoutDuration",
    "all work": "TaskDuration", "requests": "requests", "kB": "kb", "elements": "elements",
}  # fmt: skip
# The moment after the frame in which a change came, of the last one.
WATCH = """
window.lastFrame = 0;
window.isFrameDue = false;
new MutationObserver(() => {
  if (isFrameDue) return;
  window.isFrameDue = true;
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { isFrameDue = false; lastFrame = performance.now(); };
    channel.port2.postMessage(0);
  });
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""
SEEN = """(quiet) => new Promise((resolve) => {
  const look = () => {
    if (isFrameDue || performance.now() - lastFrame < quiet) { setTimeout(look, 50); return; }
    const [page] = performance.getEntriesByType("navigation");
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    resolve({ttfb: page.responseStart, parsed: page.domContentLoadedEventEnd,
      seen: paint ? paint.startTime : 0, drawn: lastFrame,
      elements: document.querySelectorAll("*").length});
  };
  look();
})"""


def measured(context: BrowserContext, path: str, times: int) -> list[dict[str, float]]:
    """Load a page so often, each time in a tab of its own."""
    rows = []
    for _ in range(times):
        page = context.new_page()
        client = context.new_cdp_session(page)
        reached: dict[str, float] = {}
        is_kept: set[str] = set()
        client.on("Network.requestServedFromCache", lambda e, k=is_kept: k.add(e["requestId"]))
        client.on(
            "Network.responseReceived",
            lambda e, k=is_kept: k.add(e["requestId"]) if e["response"]["fromDiskCache"] else None,
        )
        client.on(
            "Network.loadingFinished", lambda e, r=reached: r.update({e["requestId"]: e["encodedDataLength"]})
        )
        client.send("Network.enable")
        # Processor time of the page's thread, which a busy machine does not stretch.
        client.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
        client.send("Performance.enable")
        before = _metrics(client)
        answer = page.goto(path, wait_until="networkidle")
        if answer is None or answer.status != 200:
            raise SystemExit(f"{path}: {answer and answer.status}")
        row = page.evaluate(SEEN, QUIET)
        row |= {name: (value - before[name]) * 1000 for name, value in _metrics(client).items()}
        sent = [size for request, size in reached.items() if request not in is_kept]
        rows.append(row | {"requests": len(sent), "kb": sum(sent) / 1000})
        page.close()
    return rows


def _metrics(client: Any) -> dict[str, float]:
    given = client.send("Performance.getMetrics")["metrics"]
    return {m["name"]: m["value"] for m in given if m["name"] in COLUMNS.values()}


def _context(browser: Browser, asked: argparse.Namespace, **more: Any) -> BrowserContext:
    context = browser.new_context(
        base_url=asked.address,
        viewport={"width": asked.width, "height": 900},
        locale=asked.language,
        timezone_id="Asia/Shanghai",  # of the demonstration: a first page is not asked for twice
        **more,
    )
    context.add_init_script(WATCH)
    return context


def _sign_in(browser: Browser, asked: argparse.Namespace, email: str) -> Any:
    """The cookies of a person, with nothing else kept."""
    context = _context(browser, asked)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("#id_login", email)
    page.fill("#id_password", asked.password)
    page.press("#id_password", "Enter")
    page.wait_for_url(lambda address: "/login/" not in address)
    state = context.storage_state()
    context.close()
    return state


def main() -> None:
    asked = _arguments()
    chromium = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if chromium is None:
        raise SystemExit("No Chromium is installed (Debian: apt-get install chromium).")
    chosen = {path: who for path, who in PAGES.items() if asked.only in path}
    chosen = chosen or {asked.only: "manager"}
    states: dict[str, Any] = {}
    print(f"{'page (who, cache)':60}" + "".join(f"{name:>11}" for name in COLUMNS))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for path, who in chosen.items():
            email = asked.who or f"{who}@demo.test"
            if email not in states:
                states[email] = _sign_in(browser, asked, email)
            context = _context(browser, asked, storage_state=states[email])
            if "<first>" in path:
                answer = context.request.get("/").text()
                found = re.search(r"/instruments/[0-9a-f-]{36}/", answer)
                if found is None:
                    raise SystemExit("The catalogue shows no instrument.")
                path = found[0]
            cold = measured(context, path, 1)
            warm = measured(context, path, asked.times)
            for rows, cache in ((cold, "empty"), (warm, "kept")):
                line = f"{re.sub(r'[0-9a-f-]{36}', '…', path)} ({email}, {cache})"
                middle = (statistics.median(r[key] for r in rows) for key in COLUMNS.values())
                print(f"{line:60}" + "".join(f"{value:11.0f}" for value in middle), flush=True)
            context.close()
        browser.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("address", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--only", default="", help="pages with this in their address, or this one")
    parser.add_argument("--who", default="", help="sign in as this address of mail")
    parser.add_argument("--password", default="demo")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--language", default="en-GB")
    return parser.parse_args()


if __name__ == "__main__":
    main()
