"""Which pages a person can reach: every link followed once, one address a view."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import APIRequestContext

LINK = re.compile(r'<a\s[^>]*?href="([^"#]+)', re.IGNORECASE)
# Addresses with a query that show another state of a page are followed, so many a view.
STATES = 2


def reachable(asked: APIRequestContext, base: str, *, at_most: int = 500) -> Iterator[str]:
    """Paths of pages, in the order in which they are found from the first page on."""
    waiting, seen, taken = ["/"], {"/"}, {}
    while waiting and at_most:
        path = waiting.pop(0)
        name = _view(path)
        if name is None or taken.get(name, 0) >= (STATES if "?" in path else 1):
            continue
        at_most -= 1
        answer = asked.get(base + path)
        kind = answer.headers.get("content-type", "")
        if not kind.startswith("text/html"):
            continue
        taken[name] = taken.get(name, 0) + 1
        yield path
        for href in LINK.findall(answer.text()):
            address = urlsplit(urljoin(base + path, unescape(href)))
            found = address.path + (f"?{address.query}" if address.query else "")
            if f"{address.scheme}://{address.netloc}" == base and found not in seen:
                seen.add(found)
                waiting.append(found)


def _view(path: str) -> str | None:
    """The name of the view that answers; None where none does or it ends the session."""
    try:
        name = resolve(urlsplit(path).path).view_name
    except Resolver404:
        return None
    return None if name == "account_logout" or name.startswith("admin:") else name
