"""The catalogue for other registers, and what search engines see."""

import json
import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.test import Client

from accounts.domain.roles import By
from config.pages.sitemaps import InstrumentSitemap
from instruments.attachments.services.attachments import attachment_delete
from instruments.managing.services.duplicates import instruments_merge
from instruments.managing.services.publishing import instrument_publication
from instruments.managing.services.registry import instrument_update
from instruments.register.models import Instrument
from tests.factories.api import Program
from tests.factories.attachments import photo
from tests.factories.cast import NOW

pytestmark = pytest.mark.django_db
HOSTILE = 'X-ray </script><script>alert("1")</script> & <b>'


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def entries(program, query=""):
    found, address = [], f"catalogue/?limit=1{query}"
    while address:
        answer = program.get(address)
        assert answer.status == 200
        found += answer.body["results"]
        address = (answer.body["next"] or "").partition("/api/v1/")[2]
    return [(e["record"]["name"] if e["record"] else None, e["state"], e["id"]) for e in found]


def test_every_public_record_in_the_order_of_change_without_signing_in(shared_cast):
    first = shared_cast.microscope
    shared_cast.instrument(name="Second")
    draft = shared_cast.instrument(name="Draft")
    Instrument.objects.filter(pk=draft.pk).update(publication="draft", published_at=None)
    nobody = Program()
    assert [e[0] for e in entries(nobody)] == [first.name, "Second"]
    instrument_update(
        By(shared_cast.actor("zhao"), NOW), instrument_id=first.pk, changes={"room": "1"}, techniques=None
    )
    assert [e[0] for e in entries(nobody)] == ["Second", first.name]
    since = "&updated_since=2026-03-05T04:00:00Z"
    assert [e[0] for e in entries(nobody, since)] == [first.name]
    assert entries(nobody, "&region=CN-SH") == []
    assert len(entries(nobody, "&region=CN")) == 2
    assert entries(nobody, "&region=XX") == []


def test_what_is_gone_is_told_and_where_it_went(shared_cast):
    keeper, loser = shared_cast.microscope, shared_cast.instrument(name="Twin")
    sold = shared_cast.instrument(name="Sold")
    zhao = shared_cast.actor("zhao")
    instruments_merge(By(zhao, NOW), keeper_id=keeper.pk, loser_id=loser.pk, note="x")
    instrument_publication(By(zhao, NOW), instrument_id=sold.pk, act="retire", reason="sold")
    gone = {e["id"]: e for e in Program().get("catalogue/").body["results"] if e["state"] == "gone"}
    assert gone.keys() == {str(loser.pk), str(sold.pk)}
    assert gone[str(loser.pk)]["merged_into"] == str(keeper.pk)
    assert gone[str(sold.pk)]["merged_into"] is None
    assert all(e["record"] is None for e in gone.values())


def test_asking_again_is_cheap_until_something_changes(shared_cast):
    nobody = Program()
    first = nobody.get("catalogue/")
    assert "public" in first.headers["Cache-Control"]
    assert first.headers["Last-Modified"]
    etag = first.headers["ETag"]
    again = Client().get("/api/v1/catalogue/", headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    modified = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert Client().get("/api/v1/catalogue/", headers=modified).status_code == 304
    made = photo(shared_cast, shared_cast.microscope)
    second = nobody.get("catalogue/")
    assert second.headers["ETag"] != etag
    assert Client().get("/api/v1/catalogue/", headers=modified).status_code == 200
    (record,) = [e["record"] for e in second.body["results"]]
    assert [a["id"] for a in record["attachments"]] == [str(made.pk)]
    assert record["quality"]["mark"] == "bronze"
    attachment_delete(By(shared_cast.actor("zhao"), NOW + timedelta(minutes=1)), attachment_id=made.pk)
    assert nobody.get("catalogue/").body["results"][0]["record"]["attachments"] == []


def test_the_code_of_a_label_finds_its_instrument(shared_cast):
    shared_cast.instrument(name="Second")
    nobody, code = Program(), shared_cast.microscope.short_code
    for text in (code, code.lower()):
        assert [e[0] for e in entries(nobody, f"&code={text}")] == [shared_cast.microscope.name]
    assert entries(nobody, f"&code={code[:-1]}") == entries(nobody, "&code=显微镜") == []


def test_bad_questions(shared_cast):
    nobody = Program()
    assert nobody.get("catalogue/?code=%00").status == 400
    assert nobody.get("catalogue/?updated_since=yesterday").problems == [("updated_since", "not-an-instant")]
    assert nobody.get("catalogue/?cursor=x").problems == [("cursor", "unknown-cursor")]


def test_the_page_tells_machines_and_nothing_in_it_ends_the_block(shared_cast):
    made = shared_cast.instrument(name=HOSTILE, name_zh="")
    html = Client().get(f"/instruments/{made.pk}/").content.decode()
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert not set("<>&") & set(block)
    assert json.loads(block)["name"] == HOSTILE
    assert json.loads(block)["url"].endswith(f"/instruments/{made.pk}/")
    Instrument.objects.filter(pk=made.pk).update(publication="draft")
    browser = Client()
    browser.force_login(shared_cast.zhao)
    assert "ld+json" not in browser.get(f"/instruments/{made.pk}/").content.decode()


def test_sitemap_in_parts_with_published_ones_alone(shared_cast, monkeypatch, settings):
    monkeypatch.setattr(InstrumentSitemap, "limit", 2)
    rest = [shared_cast.instrument(name=f"More {n}") for n in range(3)]
    Instrument.objects.filter(pk=rest[0].pk).update(publication="suspended")
    index = ElementTree.fromstring(Client().get("/sitemap.xml").content)
    parts = [loc.text for loc in index.iter() if loc.tag.endswith("}loc")]
    assert [part.rpartition("/")[2] for part in parts] == [
        "sitemap-instruments.xml",
        "sitemap-instruments.xml?p=2",
    ]
    found = []
    for part in parts:
        tree = ElementTree.fromstring(Client().get(part.partition("testserver")[2]).content)
        found += [loc.text for loc in tree.iter() if loc.tag.endswith("}loc")]
    wanted = [shared_cast.microscope, *rest[1:]]
    assert sorted(found) == sorted(f"{settings.SITE_URL}/instruments/{i.pk}/" for i in wanted)
    assert Client().get("/sitemap-other.xml").status_code == 404
    robots = Client().get("/robots.txt").content.decode()
    assert f"Sitemap: {settings.SITE_URL}/sitemap.xml" in robots
