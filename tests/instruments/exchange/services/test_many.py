"""Photos and capabilities of many instruments at once."""

import base64
import csv
from itertools import groupby

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.errors import Invalid, NotPermitted
from accounts.domain.roles import By
from accounts.models import TrailEntry
from config.files.uploads import MANY_FILES
from instruments.attachments.models import Attachment
from instruments.capabilities.models import Capability
from instruments.exchange.domain.many import numbers_in, plain_number
from instruments.exchange.services import many
from instruments.exchange.services.many import capabilities_bring, columns_unread, photos_add
from instruments.reading.domain.delimited import FileRefused
from instruments.register.models import Instrument
from tests.factories.attachments import picture
from tests.factories.capabilities import parameters_of
from tests.factories.cast import NOW
from tests.instruments.conftest import signed_in

HEAD = "inventory number,parameter,min,max,unit,condition\n"


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("A-1001.jpg", ("a-1001", "a-1001")),
        ("A-1001_2.JPG", ("a-1001-2", "a-1001")),
        ("A-1001 (2).png", ("a-1001-2", "a-1001")),
        ("20240001.webp", ("20240001",)),
        ("C:\\photos\\仪器 7.jpg", ("仪器-7", "仪器")),
        (".jpg", ("jpg",)),
        ("", ()),
    ],
)
def test_a_file_name_means_a_number(name, numbers):
    found = numbers_in(name)
    assert found == numbers or (len(set(numbers)) == 1 and found[0] == numbers[0])


@given(st.from_regex(r"[A-Z]{1,3}/\d{3,8}", fullmatch=True))
def test_whatever_sign_stands_for_one_that_no_file_name_can_have(number):
    for sign in ("-", "_", " "):
        assert plain_number(number) in numbers_in(number.replace("/", sign) + ".jpg")


def number(instrument: Instrument, text: str) -> Instrument:
    instrument.alternate_identifiers = [{"identifier": text, "identifier_type": "InventoryNumber"}]
    instrument.save(update_fields=["alternate_identifiers"])
    return instrument


@pytest.fixture
def two(cast):
    parameters_of(cast)
    return number(cast.microscope, "A/1001"), number(cast.instrument(name="Second"), "A/1002")


def by(cast, name="zhao"):
    return By(cast.actor(name), NOW)


@pytest.mark.django_db
def test_each_photo_goes_to_the_instrument_of_its_number(cast, two):
    files = [
        ("A-1001.jpg", picture()), ("A-1001_2.jpg", picture(310)), ("A-1002.jpg", picture()),
        ("A-1003.jpg", picture()), ("A-1002 (2).jpg", b"no picture"), ("A_1002.jpg", picture()),
    ]  # fmt: skip
    outcomes = photos_add(by(cast), organisation=cast.ustc, files=files)
    told = [(o.instrument and o.instrument.name, o.problem and o.problem.code) for o in outcomes]
    first, second = two[0].name, "Second"
    assert told == [
        (first, None), (first, None), (second, None),
        (None, "no-such-number"), (second, "unknown-file"), (second, "file-there-already"),
    ]  # fmt: skip
    assert [row.photo_count for row in Instrument.objects.filter(pk__in=[t.pk for t in two]).order_by("pk")]
    assert Attachment.objects.filter(instrument=two[0]).count() == 2
    assert Attachment.objects.get(instrument=two[1]).title == "Second"


@pytest.mark.django_db
def test_only_the_host_s_managers_add_photos_and_capabilities(cast, two):
    for name in ("wang", "chen", "sun", "admin"):
        with pytest.raises(NotPermitted):
            photos_add(by(cast, name), organisation=cast.ustc, files=[("A-1001.jpg", picture())])
        with pytest.raises(NotPermitted):
            capabilities_bring(by(cast, name), organisation=cast.ustc, content=HEAD.encode())
    with pytest.raises(Invalid):
        photos_add(by(cast), organisation=cast.ustc, files=[("x.jpg", b"")] * 31)
    assert not Attachment.objects.exists() and not Capability.objects.exists()


@pytest.mark.django_db
def test_a_cell_of_the_first_lines_that_is_too_long_refuses_its_row(cast, two):
    limit = csv.field_size_limit(131072)  # that of a process which has read no table
    try:
        content = HEAD + f"A/1001,spatial_resolution,1,,nm,{'x' * 140000}\n"
        (outcome,) = capabilities_bring(by(cast), organisation=cast.ustc, content=content.encode())
    finally:
        csv.field_size_limit(limit)
    assert outcome.result == "refused" and not Capability.objects.exists()


@pytest.mark.django_db
def test_a_table_states_what_many_instruments_can_do(cast, two):
    content = HEAD + (
        "A/1001,spatial_resolution,1,,nm,15 kV\n"
        "a-1002,spatial_resolution,1.4,,nm,\n"
        "A/1002,beauty,1,,nm,\n"
        "A/1003,spatial_resolution,1,,nm,\n"
        "A/1002,accelerating_voltage,30,2,kV,\n"
        "A/1002,accelerating_voltage,low,30,kV,\n"
    )
    preview = capabilities_bring(by(cast), organisation=cast.ustc, content=content.encode(), dry_run=True)
    assert not Capability.objects.exists()
    done = capabilities_bring(by(cast), organisation=cast.ustc, content=content.encode())
    assert preview == done
    told = [(o.line, o.result, [(p.field, p.code) for p in o.problems]) for o in done]
    assert told == [
        (2, "added", []),
        (3, "added", []),
        (4, "refused", [("parameter", "unknown-value")]),
        (5, "refused", [("number", "no-such-number")]),
        (6, "refused", [("maximum", "maximum-below-minimum")]),
        (7, "refused", [("minimum", "not-a-decimal")]),
    ]  # fmt: skip
    assert Capability.objects.count() == 2
    assert TrailEntry.objects.filter(action="import.capabilities").count() == 1
    again = capabilities_bring(by(cast), organisation=cast.ustc, content=content.encode())
    assert [o.result for o in again][:2] == ["unchanged", "unchanged"]
    better = content.replace("spatial_resolution,1,", "spatial_resolution,0.8,")
    assert (
        capabilities_bring(by(cast), organisation=cast.ustc, content=better.encode())[0].result == "changed"
    )
    assert str(Capability.objects.get(condition="15 kV").minimum.normalize()) == "0.8"


@pytest.mark.django_db
def test_instruments_of_a_table_are_locked_by_id_and_only_one_at_a_time_for_a_preview(cast, two, monkeypatch):
    content = HEAD + "".join(
        f"{row},spatial_resolution,1,,nm,{condition}\n"
        for row, condition in (("A/1002", ""), ("A/1001", ""), ("A/1002", "15 kV"), ("A/1002", "15 kV"))
    )
    assert two[0].pk < two[1].pk
    order, state = [], many._state
    monkeypatch.setattr(many, "_state", lambda by, i, texts: order.append(i.id) or state(by, i, texts))
    for dry_run in (True, False):
        with CaptureQueriesContext(connection) as ran:
            done = capabilities_bring(
                by(cast), organisation=cast.ustc, content=content.encode(), dry_run=dry_run
            )
        assert [o.result for o in done] == ["added", "added", "added", "unchanged"]
        steps = ["lock" if "FOR NO KEY UPDATE" in q["sql"] else q["sql"][:11] for q in ran]
        steps = [step for step, _ in groupby(s for s in steps if s in ("lock", "ROLLBACK TO"))]
        assert steps == (["lock", "ROLLBACK TO"] * 2 if dry_run else ["lock"])
    assert order == [two[0].pk, *[two[1].pk] * 3] * 2


@pytest.mark.django_db
def test_a_table_that_cannot_be_read_is_refused(cast, two):
    for content, code in (
        (b"device,parameter\nx,y\n", "lacks-column"),
        (HEAD.encode() + b"A,b,,,,\n" * 501, "too-many-rows"),
        (b"", "empty-file"),
    ):
        with pytest.raises(FileRefused) as refused:
            capabilities_bring(by(cast), organisation=cast.ustc, content=content)
        assert refused.value.code == code


@pytest.mark.django_db
def test_an_empty_number_is_missing_and_unread_columns_are_named(cast, two):
    content = (HEAD.strip() + ",remark\n,spatial_resolution,1,,nm,,fine\n").encode()
    (row,) = capabilities_bring(by(cast), organisation=cast.ustc, content=content, dry_run=True)
    assert [(p.field, p.code) for p in row.problems] == [("number", "required")]
    assert columns_unread(content) == ["remark"]


@pytest.mark.django_db
def test_pages_and_programs_do_the_same(cast, two, zhao):
    sent = {"organisation": str(cast.ustc.pk), "check": "1", "names": ["A-1001.jpg", "B.jpg"]}
    part = zhao.post("/manage/imports/photos/", sent).content.decode()
    assert two[0].name in part and "No instrument of yours has this inventory number." in part
    assert not Attachment.objects.exists()
    file = SimpleUploadedFile("A-1001.jpg", picture())
    page = zhao.post("/manage/imports/photos/", {"organisation": str(cast.ustc.pk), "photos": [file]})
    assert page.status_code == 200 and Attachment.objects.count() == 1
    table = SimpleUploadedFile("t.csv", (HEAD + "A/1001,spatial_resolution,1,,nm,\n").encode())
    sent = {"organisation": str(cast.ustc.pk), "act": "preview", "file": table}
    page = zhao.post("/manage/imports/capabilities/", sent)
    assert page.status_code == 200 and not Capability.objects.exists()
    carried = {"act": "bring", "organisation": str(cast.ustc.pk), "content": page.context["form"].carried}
    assert zhao.post("/manage/imports/capabilities/", carried).status_code == 200
    assert Capability.objects.count() == 1
    program = signed_in(cast.zhao)
    matches = program.post(
        "/api/v1/imports/photos/matches/",
        {"organisation": "ustc", "names": ["A-1002.png", "B.png"]},
        "application/json",
    ).json()["results"]
    assert [(m["instrument"], m["problem"] and m["problem"]["code"]) for m in matches] == [
        (str(two[1].pk), None),
        (None, "no-such-number"),
    ]
    file = SimpleUploadedFile("A-1002.jpg", picture())
    added = program.post("/api/v1/imports/photos/", {"organisation": "ustc", "files": [file]})
    assert added.status_code == 200 and added.json()["results"][0]["problem"] is None, added.content
    body = base64.b64encode((HEAD + "A/1002,spatial_resolution,2,,nm,\n").encode()).decode()
    stated = program.post(
        "/api/v1/imports/capabilities/", {"organisation": "ustc", "file": body}, "application/json"
    )
    assert stated.json()["results"][0]["result"] == "added", stated.content


@pytest.mark.django_db
def test_thirty_photos_go_at_once_and_elsewhere_five_files(cast, two, zhao):
    def photos(number):
        return [SimpleUploadedFile(f"A-1001_{n}.jpg", picture(300 + n)) for n in range(number)]

    page = zhao.post("/manage/imports/photos/", {"organisation": str(cast.ustc.pk), "photos": photos(8)})
    assert page.status_code == 200 and Attachment.objects.count() == 8
    Attachment.objects.all().delete()
    program = signed_in(cast.zhao)
    added = program.post("/api/v1/imports/photos/", {"organisation": "ustc", "files": photos(8)})
    assert [row["problem"] for row in added.json()["results"]] == [None] * 8
    for sent, address, most in (("files", "photos", 30), ("file", "capabilities", 5)):
        files = [SimpleUploadedFile(f"{n}.jpg", b"x") for n in range(most + 1)]
        sent = {"organisation": str(cast.ustc.pk), sent: files}
        page = zhao.post(f"/manage/imports/{address}/", sent)
        assert page.status_code == 400 and f"too many files at once: at most {most}." in page.content.decode()
    files = [SimpleUploadedFile(f"{n}.jpg", b"x") for n in range(31)]
    refused = program.post("/api/v1/imports/photos/", {"organisation": "ustc", "files": files})
    assert (refused.status_code, refused.json()["code"], refused.json()["most"]) == (400, "files-at-once", 30)


def test_django_lets_as_many_files_through_as_any_address_takes(settings):
    assert max(MANY_FILES.values()) == settings.DATA_UPLOAD_MAX_NUMBER_FILES


@pytest.mark.django_db
def test_the_line_of_the_heads_is_found_or_named(cast, two, zhao):
    content = (
        "技术指标汇总,,,,,\n,,,,,\n资产编号,参数,最小值,最大值,单位,条件\nA/1001,spatial_resolution,1,,nm,\n"
    )
    done = capabilities_bring(by(cast), organisation=cast.ustc, content=content.encode(), dry_run=True)
    assert [(o.line, o.result) for o in done] == [(4, "added")]
    # A line that looks like heads is passed over if another is named.
    twice = "number,parameter\n" + content
    done = capabilities_bring(by(cast), organisation=cast.ustc, content=twice.encode(), header_row=4)
    assert [(o.line, o.result) for o in done] == [(5, "added")]
    encoded = base64.b64encode(twice.encode()).decode()
    sent = {"organisation": "ustc", "file": encoded, "header_row": 4, "dry_run": True}
    answer = zhao.post("/api/v1/imports/capabilities/", sent, content_type="application/json")
    assert [row["result"] for row in answer.json()["results"]] == ["unchanged"]


@pytest.mark.django_db
def test_a_table_of_which_every_row_failed_is_not_called_saved(cast, two, zhao):
    content = base64.b64encode((HEAD + "A/1003,spatial_resolution,1,,nm,\n").encode()).decode()
    sent = {"organisation": str(cast.ustc.pk), "content": content, "name": "t.csv"}
    page = zhao.post("/manage/imports/capabilities/", sent | {"act": "preview"}).content.decode()
    assert "No row of this table would change anything." in page and 'value="bring"' not in page
    page = zhao.post("/manage/imports/capabilities/", sent | {"act": "bring"}).content.decode()
    assert "Nothing was saved" in page and "rows saved" not in page
    content = base64.b64encode((HEAD + "A/1001,spatial_resolution,1,,nm,\nA/3,b,,,,\n").encode()).decode()
    page = zhao.post("/manage/imports/capabilities/", sent | {"content": content, "act": "bring"})
    assert "1 row saved" in page.content.decode() and "1 left out" in page.content.decode()
