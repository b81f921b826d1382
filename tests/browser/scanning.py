"""Every page as a browser shows it, without the price of a server and of signing in.

A page is rendered by Django's test client in a transaction that is rolled back, and then handed
to Chromium from a small server on loopback with the very headers that came with it. What the page
asks for by itself (the events of a calendar, a part of a page) is answered in the same way, as the
same person; static files come from where the finders find them.
"""

import gzip
import mimetypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from time import time
from typing import Any, NamedTuple

from django.contrib.staticfiles import finders
from django.db import connection, connections, transaction
from django.test import Client

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
# Who is asking, and the control of transactions.
APART = re.compile(
    r'BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SELECT "django_session"|UPDATE "django_session"'
    r'|SELECT "accounts_user".* AS "unread_links" FROM|UPDATE "accounts_message"'
    r'|\(?SELECT "accounts_rolegrant"."role".* UNION ALL',
    re.S,
)
PASSED_ON = {"content-type", "content-security-policy", "content-language"}


class View(NamedTuple):
    """One page, and who looks at it."""

    name: str  # of the address
    person: str  # "" is nobody
    path: str

    def __str__(self) -> str:
        return f"{self.name} as {self.person or 'nobody'} ({self.path})"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    statements: int = 0  # of the database; sign-in and the control of transactions apart

    @property
    def html(self) -> str:
        return self.body.decode()

    @property
    def is_page(self) -> bool:
        """Whole, and neither a file nor a part of a page."""
        kind = self.headers.get("content-type", "")
        begins = self.body.lstrip()[:15].lower()
        return kind.startswith("text/html") and begins == b"<!doctype html>"


class Site:
    """Pages and their parts, one person and one language at a time."""

    def __init__(self, people: dict[str, Any]) -> None:
        self.people, self.lock = people, Lock()
        self.person, self.language = "", "en"
        self.pages: dict[str, Answer] = {}
        self.address = ""
        self.is_over = False

    def see(self, view: View, language: str) -> Answer:
        """The page, which is what the browser gets when it goes there next."""
        with self.lock:
            self.person, self.language = view.person, language
            answer = self._asked("get", view.path)
            self.pages = {view.path: answer}
        return answer

    def part(self, method: str, path: str, body: bytes, content_type: str) -> Answer:
        with self.lock:
            if self.is_over:  # what a page still asked for when it was left
                return Answer(503, {}, b"", 0)
            if path in self.pages and method == "get":
                return self.pages[path]
            return self._asked(method, path, body, content_type)

    def _asked(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> Answer:
        browser = Client(raise_request_exception=False, headers={"accept-language": self.language})
        with transaction.atomic():
            if self.person:
                user = self.people[self.person]
                type(user).objects.filter(pk=user.pk).update(language=self.language)
                browser.force_login(user)
                session = browser.session
                session["account_authentication_methods"] = [{"method": "password", "at": time()}]
                session.save()
            given = {"data": body, "content_type": content_type} if method == "post" else {}
            said: list[str] = []
            with connection.execute_wrapper(_noting(said)):
                answer = getattr(browser, method)(path, **given)
                content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            transaction.set_rollback(True)
        headers = {k.lower(): v for k, v in answer.items() if k.lower() in PASSED_ON}
        counted = [sql for sql in said if not APART.match(sql)]
        return Answer(answer.status_code, headers, content, len(counted))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Until the end answers a browser under `address`."""
        site, shared = self, connections["default"]

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer("get")

            def do_POST(self) -> None:
                self.answer("post")

            def answer(self, method: str) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path.startswith("/static/"):
                    found = static_file(self.path.removeprefix("/static/").split("?")[0])
                    kept = {"Cache-Control": "public, max-age=3600"}
                else:
                    connections["default"] = shared
                    kind = self.headers.get("Content-Type") or ""
                    found = site.part(method, self.path, body, kind)
                    kept = {"Cache-Control": "no-store"}
                self.send_response(found.status)
                for key, value in (found.headers | kept).items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(found.body)))
                self.end_headers()
                self.wfile.write(found.body)

            def log_message(self, *said: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        shared.inc_thread_sharing()
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            with self.lock:
                self.is_over = True
            shared.dec_thread_sharing()


def _noting(said: list[str]) -> Any:
    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        said.append(sql)
        return execute(sql, params, many, context)

    return note


@cache
def static_file(name: str) -> Answer:
    found = AXE if name == "scan/axe.js" else finders.find(name)
    if not found:
        return Answer(404, {}, b"")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Answer(200, {"content-type": kind}, Path(found).read_bytes())


@cache
def _weight(name: str) -> int:
    return len(gzip.compress(static_file(name).body, 9))


def weight(html: str) -> int:
    """Bytes of script and style, compressed, that a first visit loads."""
    named = re.findall(r'<(?:script|link)\b[^>]*?(?:src|href)="/static/([^"?]+\.(?:js|css))"', html)
    return sum(_weight(name) for name in set(named))


def texts(source: str) -> set[str]:
    """What a page says, piece by piece, and what it has read out."""
    body = re.sub(r"<(script|style|pre|code)\b.*?</\1>", " ", source, flags=re.S)
    said = re.findall(r">([^<>]+)<", body)
    said += re.findall(r'\s(?:title|aria-label|placeholder|data-confirm)="([^"]*)"', body)
    return {" ".join(unescape(one).split()) for one in said}


# Before anything of the page runs: what it asks for by itself is counted, as are the pushes of
# what is drawn already.
WATCH = """
window.scanOpen = 0;
window.scanShift = 0;
const fetched = window.fetch;
window.fetch = (...given) => {
  window.scanOpen += 1;
  return fetched(...given).finally(() => { setTimeout(() => { window.scanOpen -= 1; }, 0); });
};
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (...given) {
  window.scanOpen += 1;
  this.addEventListener("loadend", () => { setTimeout(() => { window.scanOpen -= 1; }, 0); });
  return send.apply(this, given);
};
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    if (!one.hadRecentInput) { window.scanShift += one.value; }
  }
}).observe({type: "layout-shift", buffered: true});
"""

# Answers what is wrong, each a sentence; `full` runs every rule of axe, else those of colour.
LOOK = """
async ({full, language}) => {
  const wrong = [];
  const still = new CSSStyleSheet(); // colours are measured when they have arrived
  still.replaceSync("*, ::before, ::after { transition: none !important; }");
  document.adoptedStyleSheets = [still];
  await new Promise((done) => {
    const script = document.createElement("script");
    script.src = "/static/scan/axe.js"; // from here: the page's policy allows no other
    script.onload = done;
    document.head.append(script);
  });
  const sleep = (time) => new Promise((done) => setTimeout(done, time));
  const drawn = () => window.scanOpen === 0
    && !document.querySelector("[data-chart]:not([data-drawn])");
  for (let tries = 0; tries < 200 && !drawn(); tries += 1) { await sleep(10); }
  if (!drawn()) { wrong.push("a part of the page never came or a chart is not drawn"); }
  // What came is drawn in the frames after.
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await frame();
  await frame();
  const root = document.documentElement;
  if (root.lang.toLowerCase() !== language) { wrong.push(`lang is ${root.lang}`); }
  const heads = [...document.querySelectorAll("h1")].filter((one) => one.checkVisibility());
  if (heads.length !== 1) { wrong.push(`${heads.length} h1`); }
  const title = document.title.split(" · ")[0].trim();
  if (!title || document.title === "Instrument Commons · Instrument Commons") {
    wrong.push(`title is ${document.title}`);
  }
  if (window.scanShift > 0.1) { wrong.push(`layout shifts by ${window.scanShift.toFixed(3)}`); }
  const options = {
    resultTypes: ["violations"], preload: false, performanceTimer: false,
    ...(full ? {} : {runOnly: ["color-contrast", "link-in-text-block"]}),
  };
  const told = (result, theme) => result.violations.map((found) => (
    `${theme}: ${found.id}: ${found.nodes.length} x ${found.nodes[0].html.slice(0, 200)}`
    + (found.id === "color-contrast" ? ` (${found.nodes[0].any[0].message})` : "")
  ));
  const run = async (theme, chosen) => {
    root.setAttribute("data-bs-theme", theme);
    wrong.push(...told(await axe.run(document, chosen), theme));
  };
  await run("light", options);
  const colours = {...options, runOnly: ["color-contrast", "link-in-text-block"]};
  await run("dark", colours);
  for (const tab of document.querySelectorAll("[data-tab]:not(.active)")) {
    tab.click();
    await sleep(50);
    for (let tries = 0; tries < 200 && !drawn(); tries += 1) { await sleep(10); }
    await run("dark", colours);
    await run("light", options);
  }
  return wrong;
}
"""

# Whoever goes by keyboard sees where they are: something is drawn around what has the focus.
FOCUS = """
() => {
  const wrong = [];
  const found = [...document.querySelectorAll(
    "main a[href], main button, main input:not([type=hidden]), main select, main textarea, "
    + "main summary, header a[href], header button"
  )].filter((one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled);
  const kinds = new Map();
  for (const one of found) {
    const kind = one.tagName + " " + one.className;
    if (!kinds.has(kind)) { kinds.set(kind, one); }
  }
  const look = (one) => {
    const style = getComputedStyle(one);
    return [style.outlineStyle === "none" ? "" : style.outlineWidth + style.outlineColor,
      style.boxShadow, style.borderColor, style.backgroundColor].join("|");
  };
  for (const one of [...kinds.values()].slice(0, 12)) {
    document.activeElement.blur();
    const before = look(one);
    one.focus({focusVisible: true, preventScroll: true});
    if (document.activeElement === one && look(one) === before) {
      wrong.push(`focus is not seen on ${one.outerHTML.slice(0, 120)}`);
    }
  }
  document.activeElement.blur();
  return wrong;
}
"""

WIDE = """
async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= window.innerWidth) { return ""; }
  const out = [...document.querySelectorAll("body *")].filter((one) => (
    one.getBoundingClientRect().right > width + 0.5
    && !one.closest(".table-responsive, .offcanvas, .dropdown-menu")
  ));
  const last = out.filter((one) => !out.some((other) => other !== one && one.contains(other)));
  return `${document.documentElement.scrollWidth} px: `
    + last.slice(0, 2).map((one) => one.outerHTML.slice(0, 120)).join(" and ");
}
"""
