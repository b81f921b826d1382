"""Files in and out, in the browser and by programs."""

import io
import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from instruments.exchange.models import Import, ImportMapping
from instruments.exchange.services.harvests import harvest_work
from instruments.exchange.services.jobs import imports_work
from instruments.register.models import Instrument
from tests.factories.cast import NOW
from tests.factories.web import Web
from tests.instruments.conftest import signed_in

HOME = "/manage/imports/"
FORM = {"format": "table", "mapping": "", "encoding": "utf-8", "hand_changes": "keep"}


def upload(client, cast, content, **changes):
    file = SimpleUploadedFile("inventory.csv", content.encode())
    data = FORM | {"organisation": str(cast.ustc.pk), "file": file} | changes
    return client.post(HOME, data)


def test_a_file_is_brought_looked_at_and_carried_out(cast, zhao):
    answer = upload(zhao, cast, "id,name,room\n1,SEM,B1\n2,,\n")
    job = Import.objects.get()
    assert (answer.status_code, answer.url) == (302, f"{HOME}{job.pk}/")
    # Being read: a bar, with script and without.
    page = zhao.get(answer.url).content.decode()
    assert "<progress" in page and 'http-equiv="refresh"' in page and 'hx-trigger="every 2s"' in page
    imports_work(now=NOW)
    part = zhao.get(answer.url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "hx-get" not in part
    assert "It has no usable name or description" in part
    assert "This is what would happen" in part
    assert not Instrument.objects.filter(name="SEM").exists()
    job.refresh_from_db()
    stale = zhao.post(f"{answer.url}apply/", {"version": job.version - 1})
    assert stale.status_code == 412
    assert zhao.post(f"{answer.url}apply/", {"version": job.version}).status_code == 302
    imports_work(now=NOW)
    made = Instrument.objects.get(name="SEM")
    assert f'href="/manage/instruments/{made.pk}/"' in zhao.get(answer.url).content.decode()
    page = zhao.get(f"/manage/instruments/{made.pk}/").content.decode()
    assert "Source of the record" in page and "inventory.csv" in page
    # Once more, with a change.
    content = f"id,name,room\n{made.pk},SEM,B2\n"
    answer = upload(zhao, cast, content)
    imports_work(now=NOW)
    page = zhao.get(answer.url + "?result=changed").content.decode()
    assert "<strong>Room</strong>: B1 → B2" in page


def test_columns_are_named_on_the_page_once(cast, zhao):
    answer = upload(zhao, cast, "Nr;Gerät;Raum\n1;REM;B1\n")
    imports_work(now=NOW)
    page = zhao.get(answer.url).content.decode()
    assert "Which column is which?" in page and "REM" in page
    sent = {"name": "Lab", "key": "0", "column-1": "", "column-2": "room"}
    wrong = zhao.post(f"{answer.url}columns/", sent)
    assert wrong.status_code == 400 and "the column with the name" in wrong.content.decode()
    assert zhao.post(f"{answer.url}columns/", sent | {"column-1": "name"}).status_code == 302
    imports_work(now=NOW)
    assert "REM" in zhao.get(answer.url).content.decode()
    saved = ImportMapping.objects.get()
    assert saved.content == {
        "source": "lab",
        "key": ["nr"],
        "delimiter": ";",
        "fields": {"name": ["gerät"], "room": ["raum"]},
    }
    # The next file of the kind needs no naming.
    upload(zhao, cast, "Nr;Gerät;Raum\n2;TEM;B1\n", mapping=f"saved:{saved.pk}")
    imports_work(now=NOW)
    assert Import.objects.latest("pk").state == "ready"


def test_what_is_wrong_with_a_file_is_said(cast, zhao):
    empty = upload(zhao, cast, "")
    assert empty.status_code == 400
    answer = upload(zhao, cast, 'id,name\n1,"SEM\n')
    imports_work(now=NOW)
    page = zhao.get(answer.url).content.decode()
    assert "The quotation mark opened on line 2 is never closed." in page
    assert "nothing was written" in page


def test_a_page_of_rows_costs_the_same_however_many(cast, zhao):
    counts = []
    for number in (2, 40):
        rows = "".join(f"{number}-{n},SEM,B1\n" for n in range(number))
        answer = upload(zhao, cast, "id,name,room\n" + rows)
        imports_work(now=NOW)
        with CaptureQueriesContext(connection) as captured:
            zhao.get(answer.url)
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("format", "start"),
    [
        ("csv", b"\xef\xbb\xbfid,name"),
        ("xlsx", b"PK"),
        ("uniquip", b"\xef\xbb\xbfType,Name"),
        ("pidinst-json", b'[{"identifier"'),
        ("pidinst-xml", b"<?xml"),
        ("nrii", "\ufeff所在单位仪器编号".encode()),
    ],
)
def test_a_file_is_taken_away(cast, zhao, format, start):
    answer = zhao.get(f"/manage/export/?organisation=ustc&format={format}")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith('attachment; filename="ustc.')
    assert b"".join(answer.streaming_content).startswith(start)


def test_a_program_does_the_same(cast, noon):
    program = signed_in(cast.zhao)
    record = {
        "identifier": {"identifier": "1", "identifierType": "Handle"},
        "schemaVersion": "1.0",
        "landingPage": "https://example.org/1",
        "name": "SEM",
        "owners": [{"ownerName": "Hill"}],
        "manufacturers": [{"manufacturerName": "Zeiss"}],
    }
    file = io.BytesIO(json.dumps([record]).encode())
    file.name = "records.json"
    sent = {"organisation": "ustc", "format": "pidinst", "file": file}
    made = program.post("/api/v1/imports/", sent)
    assert made.status_code == 201, made.content
    job = made.json()
    assert (job["state"], job["file_name"]) == ("reading", "records.json")
    imports_work(now=NOW)
    here = f"/api/v1/imports/{job['id']}/"
    assert program.get(here).json()["counts"]["created"] == 1
    (row,) = program.get(f"{here}rows/?result=created").json()["results"]
    assert (row["name"], row["key"], row["problem"]) == ("SEM", "Handle:1", None)
    assert program.post(f"{here}apply/", {}, "application/json").json()["state"] == "applying"
    imports_work(now=NOW)
    assert program.post(f"{here}cancel/", {}, "application/json").status_code == 409
    (row,) = program.get(f"{here}rows/").json()["results"]
    found = f"/api/v1/instruments/{row['instrument']}/"
    origins = program.get(f"{found}provenance/").json()["fields_from"]
    assert {o["field"]: (o["by"], o["line"], o["file_name"]) for o in origins}["name"] == (
        "import",
        1,
        "records.json",
    )
    xml = program.get(f"{found}pidinst/xml/")
    assert xml["Content-Type"] == "application/xml" and b"<manufacturerName>Zeiss" in xml.content
    neither = program.post(
        "/api/v1/imports/", {"organisation": "ustc", "format": "table"}, "application/json"
    )
    assert (neither.status_code, neither.json()["errors"][0]["field"]) == (400, "file")


def test_a_harvest_on_the_page_and_by_a_program(cast, zhao, settings):
    settings.CALLS_LOOPBACK = True
    form = {
        "organisation": str(cast.ustc.pk), "name": "Faculty", "format": "table",
        "rhythm": "weekly", "weekday": "", "hour": "3", "encoding": "utf-8", "hand_changes": "keep",
    }  # fmt: skip
    with Web() as web:
        web.answers["/list.csv"] = (200, {}, b"<html>Sign in</html>")
        wrong = zhao.post("/manage/harvests/", form | {"address": "ftp://x.example/"})
        page = wrong.content.decode()
        assert wrong.status_code == 400 and "must begin with https://" in page
        form |= {"address": web.at("/list.csv"), "weekday": "1"}
        made = zhao.post("/manage/harvests/", form)
        assert made.status_code == 302
        assert "Not yet." in zhao.get(made.url).content.decode()
        assert harvest_work(now=timezone.now())
        page = zhao.get(made.url).content.decode()
        assert "The address returns a web page" in page and "failed once" in page
        web.answers["/list.csv"] = (200, {}, b"id,name\n1,SEM\n")
        assert zhao.post(f"{made.url}fetch/").status_code == 302
        assert harvest_work(now=timezone.now())
        job = Import.objects.get()
        assert f'href="/manage/imports/{job.pk}/"' in zhao.get(made.url).content.decode()
        assert "harvest Faculty" in zhao.get(f"/manage/imports/{job.pk}/").content.decode()
    api = "/api/v1" + made.url.removeprefix("/manage")
    found = zhao.get(f"{api}fetchings/").json()["results"]
    assert [row["outcome"] for row in found] == ["fetched", "failed"]
    assert found[1]["problem"]["code"] == "a-page" and found[0]["import_id"] == str(job.pk)
    assert zhao.get(f"/api/v1/imports/{job.pk}/").json()["harvest"] == "Faculty"
    listed = zhao.get("/api/v1/harvests/").json()["results"][0]
    assert (listed["last_outcome"], listed["failures"], listed["weekday"]) == ("fetched", 0, 1)
    assert "Faculty" in zhao.get("/manage/harvests/").content.decode()
    assert zhao.post(f"{made.url}pause/", {"version": "99"}).status_code == 412
    assert zhao.post(f"{made.url}delete/").status_code == 302
    assert "harvest Faculty" in zhao.get(f"/manage/imports/{job.pk}/").content.decode()


def test_a_refused_file_offers_to_be_read_otherwise(cast, zhao):
    file = SimpleUploadedFile("inventory.csv", "id,name\n1,透射电镜\n".encode("gb18030"))
    sent = FORM | {"organisation": str(cast.ustc.pk), "file": file, "encoding": "utf-8"}
    answer = zhao.post(HOME, sent)
    imports_work(now=NOW)
    page = zhao.get(answer.url).content.decode()
    assert 'data-code="not-text"' in page and "Read the file again" in page
    wrong = zhao.post(f"{answer.url}again/", {"encoding": "klingon", "header_row": "0"})
    assert wrong.status_code == 400
    assert Import.objects.get().state == "refused"
    version = Import.objects.get().version
    again = {"encoding": "gb18030", "header_row": "1", "version": version}
    assert zhao.post(f"{answer.url}again/", again).status_code == 302
    imports_work(now=NOW)
    assert "透射电镜" in zhao.get(answer.url).content.decode()
    assert zhao.post(f"{answer.url}again/", again).status_code == 412


def test_chinese_columns_come_with_the_fields_they_most_likely_fill(cast, zhao):
    answer = upload(zhao, cast, "设备编号,设备名称,厂家,备用\n1,电镜,蔡司,x\n", encoding="auto")
    imports_work(now=NOW)
    page = zhao.get(answer.url).content.decode()
    for field in ("inventory_number", "name", "manufacturers"):
        assert f'<option value="{field}" selected>' in page
    assert re.search(r'<input[^>]*name="key" value="0"[^>]*checked', page)
