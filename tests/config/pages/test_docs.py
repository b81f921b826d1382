"""The documentation on the site: every file is a page, every link leads somewhere, and it is found."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from config.pages.docs import files, page_named, search
from config.pages.markdown import Reader, anchor_of, marked
from tests.accounts.pages import page_of

ROOT = Path(configured.ROOT)


def read(source: str) -> Any:
    return Reader(lambda link: None if link == "gone.md" else f"/to/{link}", lambda source: {}).read(source)


def test_every_file_is_a_page() -> None:
    written = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")}
    assert set(files().values()) == written | {"deploy/README.md", "CHANGELOG.md"}
    for name in files():
        page = page_named(name)
        assert page.title and page.summary, name


def test_every_link_leads_to_a_page_and_its_heading() -> None:
    astray = []
    for name in files():
        for link in re.findall(r'href="([^"]*)"', page_named(name).html):
            path, _, anchor = unescape(link).partition("#")
            if path.startswith("/docs/"):
                to = page_named(path.removeprefix("/docs/").rstrip("/")) if path != "/docs/" else None
            else:
                to = page_named(name) if not path else None
            if anchor and to and f'id="{anchor}"' not in to.html:
                astray.append((name, link))
    assert not astray


def test_pages_show_what_files_say(client: Client, db: None) -> None:
    for name in ("api", "installing", "decisions/0018-contract"):
        page_of(client.get(f"/docs/{name}/"))
    html = page_of(client.get("/docs/"))
    assert 'href="/docs/decisions/0018-contract/"' in html and "API tour" in html
    chinese = page_of(client.get("/docs/api/", headers={"Accept-Language": "zh-hans"}))
    assert "文档为英文" in chinese and '<article class="doc-text" lang="en">' in chinese


@pytest.mark.parametrize(
    "name", ["nothing", "guides", "../README", "decisions/../api", "api%2Fx", "API", "pictures/booking"]
)
def test_nothing_else_is_shown(client: Client, db: None, name: str) -> None:
    page_of(client.get(f"/docs/{name}/"), 404)


def test_pictures_are_served_and_nothing_beside_them(client: Client, db: None) -> None:
    answer = client.get("/docs/pictures/booking.png")
    assert answer.status_code == 200 and answer["Content-Type"] == "image/png"
    assert b"".join(answer.streaming_content).startswith(b"\x89PNG")
    page_of(client.get("/docs/pictures/none.png"), 404)
    page_of(client.get("/docs/pictures/../api.md/"), 404)


def test_markup_of_a_file_is_text() -> None:
    page = read('# A <b>\n\nOne <script>alert(1)</script> & [x](javascript:alert(1)).\n\n<div onclick="a">\n')
    assert page.title == "A <b>"
    assert "<script" not in page.html and "<div" not in page.html
    assert "&lt;script&gt;" in page.html
    assert 'href="/to/javascript' not in page.html


def test_links_lead_to_pages_or_are_text() -> None:
    html = read("# T\n\n[one](a.md#b) and [two `x`](gone.md) [three](c.md)\n").html
    assert html == '<p><a href="/to/a.md#b">one</a> and two <code>x</code> <a href="/to/c.md">three</a></p>\n'


def test_headings_have_the_anchors_of_code_hosts() -> None:
    page = read("# T\n\nFirst line. Second.\n\n## A new `SECRET_KEY`, now\n\ntext\n\n## Same\n\n### Same\n")
    assert [section.anchor for section in page.sections] == ["", "a-new-secret_key-now", "same", "same-1"]
    assert [section.heading for section in page.contents] == ["A new SECRET_KEY, now", "Same"]
    assert page.summary == "First line."
    assert anchor_of("Never a lost booking") == "never-a-lost-booking"


def test_tables_keep_to_the_policy_of_pages() -> None:
    html = read("# T\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n").html
    assert "style=" not in html and '<td class="text-end">2</td>' in html


def test_a_search_finds_all_words_and_titles_first(client: Client, db: None) -> None:
    found = search("webhook secret")
    assert found[0].name == "messages" and found[0].section.heading == "Webhooks"
    assert all(
        word in f"{each.page.title} {each.section.heading} {each.section.text}".lower()
        for each in found
        for word in ("webhook", "secret")
    )
    assert search("zzzz webhook") == [] == search(" ")
    html = page_of(client.get("/docs/", {"q": "Idempotency-Key"}))
    assert "<mark>Idempotency-Key</mark>" in html
    html = page_of(client.get("/docs/", {"q": "<b>"}))
    assert "&lt;b&gt;" in html and "<b>" not in html
    page_of(client.get("/docs/", {"q": "x" * 5000}))


@given(st.text(), st.lists(st.text(min_size=1).map(str.lower).filter(lambda word: not word.isspace())))
def test_what_is_marked_is_escaped(text: str, words: list[str]) -> None:
    plain = re.sub("</?mark>", "", marked(text, words))
    assert "<" not in plain and unescape(plain).removeprefix("… ").removesuffix(" …") in unescape(text) + text
