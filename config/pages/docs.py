"""The documentation on the site: the Markdown files that lie beside the code, with a search."""

import posixpath
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.domain.errors import NotFound
from config.pages.markdown import Reader, Rendered, Section, marked

# Files outside `docs/` that people read as documentation, and their names here.
BESIDES = {"deploy/README.md": "installing", "CHANGELOG.md": "changes"}
# The guides in the order of the list; another comes after them.
FIRST = ("lims", "directory", "finance", "portal", "calendar", "instrument-computer")
INTERFACE = ("api", "api-changes", "messages", "importing")
RUNNING = ("installing", "operations", "upgrading", "changes", "speed")
MOST_FOUND = 40
LONGEST_QUERY = 100


@dataclass(frozen=True, slots=True)
class Found:
    """A section in which all words of a search stand."""

    name: str
    page: Rendered
    section: Section
    excerpt: SafeString


@cache
def files() -> dict[str, str]:
    """Return the path of each page's file in the project by the page's name (`guides/lims`)."""
    found = (settings.ROOT / "docs").rglob("*.md")
    paths = sorted(path.relative_to(settings.ROOT).as_posix() for path in found)
    named = {path.removeprefix("docs/").removesuffix(".md"): path for path in paths}
    return named | {name: path for path, name in BESIDES.items() if (settings.ROOT / path).is_file()}


def page_named(name: str) -> Rendered:
    if name not in files():
        raise NotFound
    path: Path = settings.ROOT / files()[name]
    return _read(files()[name], path.stat().st_mtime_ns)


@cache
def _read(path: str, changed: int) -> Rendered:
    """Return the page of a file as it was at its last change."""
    folder = posixpath.dirname(path)
    names = {each: name for name, each in files().items()}

    def target(link: str) -> str | None:
        if re.match(r"[a-z]+:|[#/]", link):
            return link
        to, _, anchor = link.partition("#")
        full = posixpath.normpath(posixpath.join(folder, to))
        if full == "docs/decisions":
            return reverse("docs") + "#decisions"
        if full not in names:
            return None
        return reverse("doc", args=[names[full]]) + (f"#{anchor}" if anchor else "")

    def picture(source: str) -> dict[str, str | int | float]:
        name = posixpath.basename(source)
        with (settings.ROOT / "docs/pictures" / name).open("rb") as file:
            width, height = struct.unpack(">II", file.read(24)[16:])  # so that nothing moves as it comes
        source = reverse("doc-picture", args=[name])
        return {"src": source, "class": "img-fluid", "loading": "lazy", "width": width, "height": height}

    return Reader(target, picture).read((settings.ROOT / path).read_text("utf-8"))


def _groups() -> Iterator[dict[str, object]]:
    names = list(files())
    guides = sorted(
        (name for name in names if name.startswith("guides/")),
        key=lambda name: (*FIRST, name[7:]).index(name[7:]),
    )
    decisions = [name for name in names if name.startswith("decisions/")]
    known = {*guides, *INTERFACE, *RUNNING, *decisions}
    groups = (
        ("guides", gettext("Guides for other systems"), guides),
        ("interface", gettext("Programming interface"), INTERFACE),
        ("subjects", gettext("By subject"), [name for name in names if name not in known]),
        ("running", gettext("Running an installation"), RUNNING),
        ("decisions", gettext("Decisions and their reasons"), decisions),
    )
    for anchor, label, named in groups:
        pages = [(name, page_named(name)) for name in named if name in names]
        if pages:
            yield {"anchor": anchor, "label": label, "pages": pages}


def search(query: str) -> list[Found]:
    """Return the sections in which all words of the query stand, those first whose titles have them."""
    words = query.lower().split()
    ranked = []
    for name in files() if words else ():
        page = page_named(name)
        for section in page.sections:
            title, heading, text = page.title.lower(), section.heading.lower(), section.text.lower()
            if not all(word in title or word in heading or word in text for word in words):
                continue
            if not any(word in heading or word in text for word in words) and section.level > 1:
                continue  # the first section of the page stands for its title
            rank = sum(
                20 * (word in title) + 10 * (word in heading) + min(text.count(word), 5) for word in words
            )
            rank += 10 * (" ".join(words) in f"{heading} {text}")
            if name == "changes" or name.startswith("decisions/"):
                rank -= 20  # what holds comes before how it came about
            ranked.append(
                (-rank, name, section.anchor, Found(name, page, section, marked(section.text, words)))
            )
    return [found for *_, found in sorted(ranked, key=lambda each: each[:3])[:MOST_FOUND]]


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """List all pages, or what a search (`?q=`) finds in them."""
    query = request.GET.get("q", "")[:LONGEST_QUERY].strip()
    context = {"q": query, "found": search(query)} if query else {"groups": list(_groups())}
    return render(request, "docs.html", context)


@require_safe
def doc(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "doc.html", {"name": name, "doc": page_named(name)})


@require_safe
def doc_picture(request: HttpRequest, name: str) -> HttpResponseBase:
    path = settings.ROOT / "docs/pictures" / name
    if path.suffix != ".png" or not path.is_file():
        raise NotFound
    return FileResponse(
        path.open("rb"), content_type="image/png", headers={"Cache-Control": "public, max-age=3600"}
    )
