"""Photos and documents: put, changed, deleted, seen."""

import json
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.domain.errors import Invalid, NotPermitted, WrongVersion
from accounts.domain.roles import By
from accounts.models import TrailEntry
from instruments.attachments.domain import attachments as rules
from instruments.attachments.models import Attachment
from instruments.attachments.selectors.attachments import attachments_of
from instruments.attachments.services.attachments import attachment_add, attachment_change, attachment_delete
from instruments.register.models import Instrument
from tests.factories.attachments import PDF, photo, picture
from tests.factories.buckets import stored
from tests.factories.cast import NOW
from tests.instruments.conftest import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("either_storage")]


def add(cast, who="zhao", **values):
    return attachment_add(
        By(cast.actor(who), NOW),
        instrument_id=cast.microscope.pk,
        **{"content": picture(), "title": "The column"} | values,
    )


def code(refused) -> str:
    (problem,) = refused.value.problems
    return problem.code


def test_put_beside_the_record_which_has_another_version_then(shared_cast):
    before = Instrument.objects.get(pk=shared_cast.microscope.pk)
    made = add(shared_cast, credit="Zhao Min", licence="CC-BY-4.0")
    after = Instrument.objects.get(pk=before.pk)
    assert (after.version, after.updated_at) == (before.version + 1, NOW)
    folder = f"attachments/{made.pk.hex[-2:]}"
    assert stored() == [f"{folder}/{made.pk}-{size}.webp" for size in ("large", "small")]
    entry = TrailEntry.objects.get(action="instrument.attachment-add")
    assert entry.after["digest"] == made.digest
    assert "Zhao" not in json.dumps(entry.after)


def test_refusals_change_nothing_and_leave_no_file(shared_cast, monkeypatch):
    monkeypatch.setitem(rules.MOST, "photo", 1)
    photo(shared_cast, shared_cast.microscope)
    kept = stored()
    with pytest.raises(Invalid) as refused:
        photo(shared_cast, shared_cast.microscope)
    assert code(refused) == "file-there-already"
    with pytest.raises(Invalid) as refused:
        add(shared_cast, content=picture(400, 400))
    assert code(refused) == "too-many-photos"
    with pytest.raises(Invalid) as refused:
        add(shared_cast, content=PDF, title=" ", title_zh="")
    assert code(refused) == "required"
    for who in ("sun", "chen", "coordinator"):
        with pytest.raises(NotPermitted):
            add(shared_cast, who, content=PDF)
    assert Attachment.objects.count() == 1
    assert stored() == kept
    assert TrailEntry.objects.filter(action__contains="attachment").count() == 1


def test_order_and_words(shared_cast):
    first, second, third = (
        photo(shared_cast, shared_cast.microscope, content=picture(300 + n)) for n in range(3)
    )
    document = add(shared_cast, content=PDF, title="", title_zh="操作手册")
    attachment_change(
        By(shared_cast.actor("zhao"), NOW),
        attachment_id=third.pk,
        changes={"position": 1, "title_zh": "镜筒"},
    )
    order = [a.pk for a in attachments_of(shared_cast.microscope)]
    assert order == [third.pk, first.pk, second.pk, document.pk]
    with pytest.raises(WrongVersion):
        attachment_delete(By(shared_cast.actor("zhao"), NOW, 1), attachment_id=third.pk)
    with pytest.raises(Invalid):
        attachment_change(
            By(shared_cast.actor("zhao"), NOW), attachment_id=document.pk, changes={"title_zh": ""}
        )
    assert Attachment.objects.get(pk=document.pk).title_zh == "操作手册"


def test_deleted_with_its_files(shared_cast, django_capture_on_commit_callbacks):
    made = photo(shared_cast, shared_cast.microscope)
    with pytest.raises(NotPermitted):
        attachment_delete(By(shared_cast.actor("sun"), NOW), attachment_id=made.pk)
    with django_capture_on_commit_callbacks(execute=True):
        attachment_delete(By(shared_cast.actor("zhao"), NOW), attachment_id=made.pk)
    assert (stored(), Attachment.objects.count()) == ([], 0)
    entry = TrailEntry.objects.get(action="instrument.attachment-delete")
    assert entry.before["digest"] == made.digest


def test_files_are_what_their_content_is_and_are_never_run(shared_cast):
    made = photo(shared_cast, shared_cast.microscope)
    document = add(shared_cast, content=PDF + b"<script>alert(1)</script>%%EOF")
    browser = Client()
    seen = browser.get(reverse("instruments:file", args=[made.pk, "small"]))
    saved = browser.get(reverse("instruments:file", args=[document.pk, "file"]))
    assert seen["Content-Type"] == "image/webp"
    assert saved["Content-Type"] == "application/pdf"
    assert saved["Content-Disposition"] == 'attachment; filename="The column.pdf"'
    Attachment.objects.filter(pk=document.pk).update(title_zh="色谱柱/说明")
    path = reverse("instruments:file", args=[document.pk, "file"])
    saved = browser.get(path, headers={"Accept-Language": "zh-CN"})
    chinese = quote("色谱柱 说明.pdf")
    assert saved["Content-Disposition"] == f"attachment; filename*=utf-8''{chinese}"
    assert {"Accept-Language", "Cookie"} <= set(saved["Vary"].split(", "))
    for answer in (seen, saved):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
        assert "public" in answer["Cache-Control"]
        assert b"".join(answer.streaming_content)
    address = reverse("instruments:file", args=[made.pk, "small"])
    assert browser.get(address, headers={"If-None-Match": seen["ETag"]}).status_code == 304
    assert browser.get(reverse("instruments:file", args=[made.pk, "file"])).status_code == 404


def test_a_drafts_photo_is_for_its_host_alone(shared_cast):
    made = photo(shared_cast, shared_cast.microscope)
    Instrument.objects.filter(pk=shared_cast.microscope.pk).update(publication="draft")
    address = reverse("instruments:file", args=[made.pk, "large"])
    assert Client().get(address).status_code == 404
    assert signed_in(shared_cast.wang).get(address).status_code == 404
    own = signed_in(shared_cast.sun).get(address)
    assert (own.status_code, "private" in own["Cache-Control"]) == (200, True)


def test_page_and_program(shared_cast, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    zhao, pk = signed_in(shared_cast.zhao), shared_cast.microscope.pk
    page = reverse("instruments:attachments", args=[pk])
    upload = SimpleUploadedFile("x.html", picture(320), "text/html")
    assert zhao.post(page, {"file": upload, "title": "Seen from the door"}).status_code == 302
    shown = Client().get(f"/instruments/{pk}/").content.decode()
    assert 'alt="Seen from the door"' in shown
    assert 'alt="Seen from the door"' in Client().get("/").content.decode()
    wrong = zhao.post(page, {"file": SimpleUploadedFile("x.jpg", b"<html>"), "title": "x"})
    assert wrong.status_code == 400
    assert "not a JPEG, PNG or WebP" in wrong.content.decode()

    address = f"/api/v1/instruments/{pk}/attachments/"
    made = zhao.post(address, {"file": SimpleUploadedFile("m.pdf", PDF), "title": "Manual"})
    assert (made.status_code, made.json()["kind"]) == (201, "document")
    listed = Client().get(address).json()["results"]
    assert [a["kind"] for a in listed] == ["photo", "document"]
    assert set(listed[0]["files"]) == {"large", "small"}
    problem = zhao.post(address, {"file": "no file", "title": "x", "kind": "photo"})
    assert sorted((e["field"], e["code"]) for e in problem.json()["errors"]) == [
        ("file", "not-a-file"),
        ("kind", "unknown-field"),
    ]
    monkeypatch.setattr("config.files.uploads.MOST", 10_000)
    large = {"file": SimpleUploadedFile("m.pdf", PDF * 1000), "title": "Manual"}
    assert zhao.post(address, large).status_code == 413
    assert zhao.post(page, large).status_code == 400
