"""Files in and out, in the browser and by programs."""

import csv
import io
import json
import re
from datetime import date

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from instruments.exchange.domain.fields import TEMPLATE_HEADS
from instruments.exchange.messages import FIELD_LABELS
from instruments.exchange.models import Import, ImportMapping, ImportTerm
from instruments.exchange.services.harvests import harvest_work
from instruments.exchange.services.jobs import imports_work
from instruments.register.models import Facility, Instrument
from instruments.vocabulary.models import Technique
from tests.accounts.pages import page_of
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
    page = zhao.get(answer.url).content.decode()
    assert f'href="/manage/instruments/{made.pk}/"' in page
    assert 'href="/manage/drafts/"' in page and "1 draft to publish" in page
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


TEMPLATE_HEAD = "Inventory number,Name,Kind,Techniques\n"


def test_unknown_values_are_decided_on_the_page(cast, zhao):
    Technique.objects.create(code="XRD", name="X-ray diffraction", name_zh="X射线衍射")
    rows = "EXAMPLE,x,,\nA-1,SEM,odd,X-ray difraction\nA-2,TEM,odd,\n"
    answer = upload(zhao, cast, TEMPLATE_HEAD + rows)
    imports_work(now=NOW)
    page = zhao.get(answer.url)
    text = page.content.decode()
    assert "Values that are not known here" in text and "It is the example row of the template" in text
    assert 'value="X-ray diffraction X射线衍射 (XRD)"' in text
    form = page.context["terms_form"]
    at = {each["field"]: f"term-{n}" for n, each in enumerate(form.unknown)}
    sent = {"version": form["version"].value(), at["techniques"]: "cheese", at["kind"]: "dedicated"}
    wrong = zhao.post(f"{answer.url}terms/", sent)
    assert wrong.status_code == 400 and "There is no such technique" in wrong.content.decode()
    good = sent | {at["techniques"]: "X射线衍射"}
    assert zhao.post(f"{answer.url}terms/", good).status_code == 302
    imports_work(now=NOW)
    text = zhao.get(answer.url).content.decode()
    assert "Values that are not known here" not in text
    listed = zhao.get(HOME).content.decode()
    assert "Remembered values" in listed and "odd → dedicated" in re.sub(r"\s+", " ", listed)
    term = ImportTerm.objects.get(field="kind")
    assert zhao.post(f"/manage/import-terms/{term.pk}/forget/").status_code == 302
    assert not ImportTerm.objects.filter(pk=term.pk).exists()


def test_columns_are_chosen_again_with_what_was_chosen_filled_in(cast, zhao):
    answer = upload(zhao, cast, "Nr;Gerät;Raum\n1;REM;B1\n")
    imports_work(now=NOW)
    sent = {"name": "Lab", "key": "0", "column-1": "room", "column-2": "name"}
    zhao.post(f"{answer.url}columns/", sent)
    imports_work(now=NOW)
    assert "Back to the columns" in zhao.get(answer.url).content.decode()
    assert zhao.post(f"{answer.url}to-columns/").status_code == 302
    imports_work(now=NOW)
    form = zhao.get(answer.url).context["form"]
    assert [form[name].value() for name in ("name", "key", "column-1", "column-2")] == [
        "Lab",
        ["0"],
        "room",
        "name",
    ]


def test_an_import_is_undone_on_the_page_after_saying_what_that_does(cast, zhao):
    answer = upload(zhao, cast, "id,name\n1,SEM\n2,TEM\n")
    imports_work(now=NOW)
    zhao.post(f"{answer.url}apply/")
    imports_work(now=NOW)
    Instrument.objects.filter(name="TEM").update(version=2)
    page = zhao.get(f"{answer.url}undoing/").content.decode()
    assert "1 draft of this import will be deleted" in page
    assert "Not undone: it has been changed since the import" in page
    told = zhao.get(f"/api/v1{answer.url.removeprefix('/manage')}undo/").json()
    assert (told["deleted"], told["restored"], [row["name"] for row in told["stays"]]) == (1, 0, ["TEM"])
    assert zhao.post(f"{answer.url}undo/").status_code == 302
    imports_work(now=NOW)
    assert not Instrument.objects.filter(name="SEM").exists()
    page = zhao.get(answer.url).content.decode()
    assert "Not undone: it has been changed since the import" in page


@pytest.mark.parametrize(("language", "head", "key"), [("en", 0, "EXAMPLE"), ("zh-hans", 1, "示例")])
def test_the_template_is_in_the_reader_s_language_and_needs_no_mapping(cast, zhao, language, head, key):
    heads = [heads[head] for heads in TEMPLATE_HEADS.values()]
    with translation.override(language):
        assert heads == [str(FIELD_LABELS[name]) for name in TEMPLATE_HEADS]
    at = "/manage/imports/template/?organisation=ustc"
    zhao.cookies["django_language"] = language
    content = b"".join(zhao.get(f"{at}&format=csv").streaming_content).decode("utf-8-sig")
    first, example = list(csv.reader(io.StringIO(content)))
    assert first == heads and example[0] == key
    book = openpyxl.load_workbook(io.BytesIO(b"".join(zhao.get(f"{at}&format=xlsx").streaming_content)))
    assert [cell.value for cell in book.worksheets[0][1]] == heads
    allowed = {row[1] for row in book.worksheets[1].iter_rows(values_only=True)}
    known = {"general", "dedicated", "self", "remote", "CNY", cast.technique.code, cast.facility.name}
    assert known <= allowed
    filled = content + ",".join(["A-1", "SEM", *[""] * (len(heads) - 2)]) + "\n"
    answer = upload(zhao, cast, filled, encoding="auto")
    imports_work(now=NOW)
    job = Import.objects.get()
    assert answer.status_code == 302
    assert [(row.result, row.key) for row in job.rows.order_by("position")] == [
        ("refused", ""),
        ("created", "A-1"),
    ]


def test_the_preview_shows_what_a_new_instrument_gets(cast, zhao):
    Technique.objects.get_or_create(code="XRD", defaults={"name": "X-ray diffraction"})
    head = "id,name,techniques,facility,room,manufacturers,model,serial_number,service_modes,kind\n"
    answer = upload(zhao, cast, head + "1,SmartLab,XRD,Physics,B1-203,Rigaku,SL9,S-77,assisted,dedicated\n")
    imports_work(now=NOW)
    page = zhao.get(answer.url).content.decode()
    for said in (
        "<strong>Name</strong>: SmartLab",
        "<strong>Techniques</strong>: X-ray diffraction",
        "<strong>Facility</strong>: Physics",
        "<strong>Room</strong>: B1-203",
        "<strong>Maker</strong>: Rigaku",
        "<strong>Model</strong>: SL9",
        "<strong>Serial number</strong>: S-77",
    ):
        assert said in page
    rows = zhao.get(f"/api/v1/imports/{Import.objects.get().pk}/rows/").json()["results"]
    told = {each["field"]: each["value"] for each in rows[0]["given"]}
    assert list(told)[:3] == ["name", "techniques", "facility"]
    assert (told["techniques"], told["room"], told["serial_number"]) == (["XRD"], "B1-203", "S-77")


def test_the_preview_says_that_a_facility_is_made_and_that_its_contact_is_nobody(cast, zhao):
    rows = "1,SEM,Zhang San,约30,43215\n2,TEM,Li Si,30,2022\n"
    content = "id,name,contact_name,acquisition_cost,acquisition_date\n" + rows
    answer = upload(zhao, cast, content)
    imports_work(now=NOW)
    html = page_of(zhao.get(answer.url))
    assert html.count("data-new-facility") == 2 and "the row names no facility" in html
    assert "约30" in html and "cannot be read" in html and "day number of a spreadsheet" in html
    job = Import.objects.get()
    assert job.counts["created"] == 2 and not job.counts["refused"]
    zhao.post(f"{answer.url}apply/", {"version": job.version})
    imports_work(now=NOW)
    made = Facility.objects.get(organisation=cast.ustc, name=cast.ustc.name)
    assert (made.contact_name, made.contact_email) == ("", "")
    bought = dict(Instrument.objects.filter(facility=made).values_list("name", "acquisition_date"))
    assert bought == {"SEM": date(2018, 4, 25), "TEM": None}


def test_a_facility_for_all_rows_is_chosen_at_the_columns(cast, zhao):
    answer = upload(zhao, cast, "Nr,Bezeichnung\n1,SEM\n")
    imports_work(now=NOW)
    html = page_of(zhao.get(answer.url))
    assert f'<option value="{cast.facility.name}">' in html
    sent = {"column-0": "inventory_number", "column-1": "name", "key": "0", "name": "Lab"}
    zhao.post(f"{answer.url}columns/", sent | {"facility": cast.facility.name})
    imports_work(now=NOW)
    html = page_of(zhao.get(answer.url))
    assert cast.facility.name in html and "data-new-facility" not in html


def test_whoever_becomes_the_contact_of_a_new_facility_is_said(cast, zhao):
    answer = upload(
        zhao, cast, "id,name,facility,contact_name\n1,SEM,Physics,Zhang San\n2,TEM,Physics,Li Si\n"
    )
    imports_work(now=NOW)
    html = page_of(zhao.get(answer.url))
    assert html.count("becomes the contact of the new facility") == 1


def test_a_row_with_a_facility_of_its_own_is_said_on_the_page_and_to_programs(cast, zhao):
    rows = "1,SEM,Physics,1 Road\n2,TEM,Physics,2 Road\n3,AFM,Physics,1 road\n"
    answer = upload(zhao, cast, "id,name,facility,address\n" + rows)
    imports_work(now=NOW)
    html = page_of(zhao.get(answer.url))
    assert "with a facility of their own" in html and html.count("data-apart") == 1
    html = page_of(zhao.get(answer.url + "?result=apart"))
    assert "Physics (1 Road)" in html and "TEM" in html and "AFM" not in html
    at = f"/api/v1/imports/{Import.objects.get().pk}/"
    program = signed_in(cast.zhao)
    assert program.get(at).json()["counts"]["apart"] == 1
    (row,) = program.get(f"{at}rows/?result=apart").json()["results"]
    assert row["differences"] == [
        {
            "field": "facility",
            "before": "Physics (1 Road)",
            "after": "Physics, 2 Road",
            "kept": "",
            "is_apart": True,
        }
    ]


def test_what_one_facility_for_all_rows_leaves_out_is_said(cast, zhao):
    content = "id,name,facility,address\n1,SEM,Hall,1 Road\n"
    answer = upload(zhao, cast, content, facility=cast.facility.name)
    imports_work(now=NOW)
    html = page_of(zhao.get(answer.url))
    assert html.count("not imported: one facility was chosen for all rows") == 2
    assert "1 Road" in html and "Hall" in html and "data-new-facility" not in html
