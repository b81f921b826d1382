"""Uploads in a folder and in a bucket: the same names, read as they come, and what cannot be
reached is told."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Thread
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen
from uuid import uuid4

import pytest
from botocore.config import Config
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import FileResponse
from django.test import Client
from django.urls import reverse

from accounts.domain.errors import Invalid
from accounts.domain.roles import By
from accounts.findings import State
from accounts.models import Installation, TrailEntry
from accounts.services.file_jobs import files_clear
from bookings.audit.services.bundles import bundles_work
from bookings.models import TrailBundle
from bookings.privacy.services.retention import records_remove
from bookings.results.services.uploads import file_remove, upload_begin
from config.files.storages import BytesLost, FilesAway
from config.operations import doctor
from instruments.attachments.models import Attachment
from instruments.attachments.services import attachments
from instruments.attachments.services.attachments import attachment_delete
from instruments.register.models import Instrument
from tests.config.test_env import said
from tests.factories.attachments import PDF, photo, picture
from tests.factories.buckets import stored
from tests.factories.cast import NOW, at
from tests.factories.results import announced
from tests.instruments.conftest import signed_in


@contextmanager
def answering(answer: bytes):
    """The address of a server that sends this to whoever connects and then closes, or with nothing
    to send keeps silent."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        kept = []

        def serve():
            while True:
                try:
                    link, _ = listening.accept()
                except OSError:
                    return
                if answer:
                    link.recv(65536)
                    link.sendall(answer)
                    link.close()
                else:
                    kept.append(link)

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        for link in kept:
            link.close()


def moved(bucket, settings, address):
    """From now on the bucket is at this address."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "config.files.buckets.Bucket",
            "OPTIONS": bucket.options | {"endpoint_url": address},
        }
    }


@pytest.mark.usefixtures("either_storage")
def test_names_are_the_same_and_nothing_is_overwritten():
    first = default_storage.save("exports/a-1.csv", ContentFile(b"first"))
    second = default_storage.save("exports/a-1.csv", ContentFile(b"second"))
    assert first == "exports/a-1.csv" and second != first
    assert stored() == sorted([first, second])
    assert default_storage.open(first).read() == b"first"
    default_storage.delete(first)
    default_storage.delete(first)  # which is gone already
    assert stored() == [second]
    with pytest.raises(FileNotFoundError):
        default_storage.open(first)


@pytest.mark.usefixtures("either_storage")
def test_an_answer_says_how_long_it_is_and_has_every_byte(db):  # closing one looks at connections
    content = bytes(range(256)) * 40_000  # sent in several parts
    name = default_storage.save("bundles/a.jsonl.gz", ContentFile(content))
    answer = FileResponse(default_storage.open(name))
    assert int(answer["Content-Length"]) == len(content)
    assert b"".join(answer.streaming_content) == content
    answer.close()


def test_an_object_is_private_and_opaque(bucket):
    name = default_storage.save("bundles/a.jsonl.gz", ContentFile(b"x"))
    object = default_storage.bucket.Object(name)
    assert (object.content_type, object.content_encoding) == ("application/octet-stream", None)
    grants = object.Acl().grants
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]
    assert "URI" not in grants[0]["Grantee"]  # the owner's, nobody else's


def test_neither_time_nor_memory_where_no_bucket_is_named():
    code = "import django; django.setup(); from django.core.files.storage import default_storage; "
    code += "default_storage.exists('x'); import sys; "
    code += "print(sorted({'boto3', 'botocore', 'storages'} & set(sys.modules)))"
    env = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    assert said("-c", code, **env).stdout.strip() == "[]"
    named = said("-c", code.replace("exists('x')", "save"), MEDIA_BUCKET="uploads", **env)
    assert named.stdout.strip() == "['boto3', 'botocore', 'storages']", named.stderr


def test_threads_share_a_client_and_none_the_others_object(bucket):
    content = {f"exports/{number}": bytes([number]) * 50_000 for number in range(8)}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: default_storage.save(name, ContentFile(content[name])), content))
        read = list(threads.map(lambda name: default_storage.open(name).read(), content))
        client = threads.submit(lambda: default_storage.connection).result()
    assert client is default_storage.connection
    assert read == list(content.values())


def test_time_outs_and_retries_are_bounded(bucket):
    config = default_storage.client_config
    assert (config.connect_timeout, config.read_timeout) == (5, 20)
    assert config.retries == {"total_max_attempts": 2, "mode": "standard"}


def test_a_bucket_that_keeps_silent_is_away(bucket, settings):
    with answering(b"") as address:
        moved(bucket, settings, address)
        short = Config(read_timeout=0.1, retries={"total_max_attempts": 1})
        default_storage.client_config = default_storage.client_config.merge(short)
        for call in (default_storage.exists, default_storage.delete, default_storage.open):
            with pytest.raises(FilesAway):
                call("a")
        with pytest.raises(FilesAway):
            default_storage.save("a", ContentFile(b"x"))


def test_an_answer_that_breaks_off_is_no_end_of_file(bucket, settings):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"
    with answering(head + b"x" * 5000) as address:
        moved(bucket, settings, address)
        with pytest.raises(FilesAway):
            default_storage.open("a").read()


def no_bucket(bucket, settings, tmp_path):
    bucket.stop()


def another_bucket(bucket, settings, tmp_path):
    gone = bucket.options | {"bucket_name": "uploads-of-nobody"}
    default = {"BACKEND": "config.files.buckets.Bucket", "OPTIONS": gone}
    settings.STORAGES = settings.STORAGES | {"default": default}


def no_folder(bucket, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    default = {"BACKEND": "config.files.storages.Folder"}
    settings.STORAGES = settings.STORAGES | {"default": default}


@pytest.mark.django_db
@pytest.mark.parametrize("lose", [no_bucket, another_bucket, no_folder])
def test_while_it_is_away_an_upload_is_refused_and_changes_nothing(lose, cast, bucket, settings, tmp_path):
    lose(bucket, settings, tmp_path)
    before = Instrument.objects.values().get(pk=cast.microscope.pk)
    zhao = signed_in(cast.zhao)
    page = zhao.post(
        reverse("instruments:attachments", args=[cast.microscope.pk]),
        {"file": SimpleUploadedFile("x.jpg", picture()), "title": "x"},
    )
    program = zhao.post(
        f"/api/v1/instruments/{cast.microscope.pk}/attachments/",
        {"file": SimpleUploadedFile("x.pdf", PDF), "title": "x"},
    )
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "Uploaded files cannot be reached just now." in page.content.decode()
    assert (program.status_code, program.json()["code"]) == (503, "files-away")
    assert not Attachment.objects.exists()
    assert Instrument.objects.values().get(pk=cast.microscope.pk) == before
    assert not TrailEntry.objects.filter(action="instrument.attachment-add").exists()


@pytest.mark.django_db
def test_half_way_nothing_of_an_upload_is_recorded(cast, bucket, monkeypatch):
    """The server goes when the first of two files is there."""
    put = attachments.file_put

    def put_and_stop(attachment_id, size, content):
        put(attachment_id, size, content)
        bucket.stop()

    monkeypatch.setattr(attachments, "file_put", put_and_stop)
    with pytest.raises(FilesAway):
        photo(cast, cast.microscope)
    assert not Attachment.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("either_storage")
def test_what_is_refused_after_its_files_were_put_leaves_none(cast, monkeypatch):
    """Somebody else adds the same while they travel."""
    put = attachments.file_put

    def put_after_another(*given):
        monkeypatch.setattr(attachments, "file_put", put)
        photo(cast, cast.microscope)
        put(*given)

    monkeypatch.setattr(attachments, "file_put", put_after_another)
    with pytest.raises(Invalid) as refused:
        photo(cast, cast.microscope)
    assert [problem.code for problem in refused.value.problems] == ["file-there-already"]
    (row,) = Attachment.objects.all()
    assert [name for name in stored() if str(row.pk) not in name] == []
    assert len(stored()) == 2


@pytest.mark.django_db
def test_while_it_is_away_files_are_a_503_and_rows_go_all_the_same(
    cast, bucket, django_capture_on_commit_callbacks
):
    made = photo(cast, cast.microscope)
    Installation.objects.create(name="x", created_at=NOW, logo="installation/x.png")
    address = reverse("instruments:file", args=[made.pk, "small"])
    browser = Client()
    seen = browser.get(address)
    assert b"".join(seen.streaming_content)[:4] == b"RIFF"
    bucket.stop()
    assert browser.get(f"/instruments/{cast.microscope.pk}/").status_code == 200
    for path in (address, "/installation/logo/"):
        answer = browser.get(path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "Cache-Control" not in answer or "public" not in answer["Cache-Control"]
    # What a browser has is not asked for again.
    assert browser.get(address, headers={"If-None-Match": seen["ETag"]}).status_code == 304
    with django_capture_on_commit_callbacks(execute=True):
        attachment_delete(By(cast.actor("zhao"), NOW), attachment_id=made.pk)
    assert not Attachment.objects.exists()


@pytest.mark.django_db
def test_a_bundle_waits_for_its_bucket_and_holds_up_no_other_removal(cast, bucket):
    row = TrailBundle.objects.create(user=cast.auditor, created_at=NOW)
    old = at("2020-01-01 00:00")
    done = TrailBundle.objects.create(user=cast.auditor, created_at=old, state="done", file="bundles/x")
    client = signed_in(cast.auditor)
    assert client.get(f"/trail/bundles/{done.pk}/").status_code == 409  # its file is gone
    session = client.session.session_key
    bucket.stop()
    assert client.get(f"/trail/bundles/{done.pk}/").status_code == 503
    assert bundles_work(now=NOW) == 0
    row.refresh_from_db()
    assert (row.state, row.file) == ("waiting", "")
    with pytest.raises(FilesAway):
        files_clear(model=TrailBundle, before=NOW)
    Session.objects.filter(pk=session).update(expire_date=old)
    with pytest.raises(FilesAway):
        records_remove(now=NOW)
    assert not Session.objects.filter(pk=session).exists()
    assert TrailBundle.objects.filter(pk=done.pk).exists()


def test_the_doctor_tries_the_bucket(bucket, settings):
    place, *_rest = doctor._files()
    assert place.state == State.OK
    assert place.sentence == f"uploads can be written to {settings.MEDIA_BUCKET}, read and deleted"
    assert [name for name in stored() if "probe" in name] == []
    other = bucket.options | {"bucket_name": f"nobody-{uuid4().hex[:8]}"}
    default = {"BACKEND": "config.files.buckets.Bucket", "OPTIONS": other}
    settings.STORAGES = settings.STORAGES | {"default": default}
    with pytest.raises(FilesAway, match="NoSuchBucket"):
        list(doctor._files())
    bucket.stop()
    with pytest.raises(FilesAway, match="Could not connect"):
        list(doctor._files())


@pytest.mark.django_db
def test_the_doctor_asks_the_service_of_uploads(settings, tmp_path, monkeypatch, cast):
    settings.MEDIA_ROOT, settings.MEDIA_BUCKET = tmp_path, ""
    ours = b"HTTP/1.1 204 No Content\r\nTus-Version: 1.0.0\r\n\r\n"
    refused = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
    others = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    for answer, state in ((ours, State.OK), (refused, State.RED), (others, State.RED)):
        with answering(answer) as settings.UPLOADS_URL:
            assert [found.state for found in doctor._uploads()] == [state, State.OK]
    nobody, _ = doctor._uploads()  # it listens no longer
    assert nobody.state == State.NOTE
    row = upload_begin(
        By(cast.actor("zhao"), NOW), hand_off_id=announced(cast).pk, path="a", size=5_000_000_000
    )
    monkeypatch.setattr(
        doctor, "disk_usage", lambda _: SimpleNamespace(free=4_000_000_000, total=9_000_000_000)
    )
    *_, room = doctor._disk()
    assert room.state == State.RED
    assert room.sentence == "4.0 GB are free, 5.0 GB of results are on their way"
    file_remove(By(cast.actor("zhao"), NOW), file_id=row.pk)
    *_, room = doctor._disk()
    assert room.state == State.OK
    settings.MEDIA_ROOT = tmp_path / "file"
    settings.MEDIA_ROOT.write_bytes(b"")
    with pytest.raises(OSError):
        list(doctor._uploads())


@pytest.mark.usefixtures("either_storage")
def test_any_part_is_read_as_it_is_and_what_is_missing_is_no_end():
    content = bytes(range(256)) * 2000
    name = default_storage.save("results/a", ContentFile(content))
    for start, end in ((0, len(content)), (5, 5), (300_000, 300_001), (131_000, 400_000)):
        assert b"".join(default_storage.read(name, start, end)) == content[start:end]
    with pytest.raises(BytesLost):
        b"".join(default_storage.read(name, len(content) - 1, len(content) + 1))
    with pytest.raises(FileNotFoundError):
        next(default_storage.read("results/none", 0, 1))


def test_a_lent_address_gives_one_object_for_a_minute_and_never_shows_it(bucket):
    name = default_storage.save("results/a", ContentFile(b"<script>"))
    default_storage.save("results/b", ContentFile(b"another's"))
    disposition = 'attachment; filename="a.html"'
    address = default_storage.lend(name, disposition, 60)
    with urlopen(address) as answer:
        assert answer.read() == b"<script>"
        assert answer.headers["Content-Disposition"] == disposition
        assert answer.headers["Content-Type"] == "application/octet-stream"
    query = parse_qs(urlsplit(address).query)
    assert query["X-Amz-Expires"] == ["60"] and "X-Amz-Signature" in query
