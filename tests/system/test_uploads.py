"""A large file through the process of uploads: in bounded memory, at a speed that is told, and
every byte as it was sent. 2 GB, and 20 GB with TEST_PROFILE=deep."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import time
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from tusclient.client import TusClient

from accounts.domain.roles import By
from accounts.services.tokens import token_issue
from bookings.models import ResultFile
from bookings.results.services.handoffs import hand_off_seal
from bookings.results.services.uploads import files_check, upload_begin
from tests.conftest import DEEP
from tests.factories.cast import Cast
from tests.factories.results import announced
from tests.factories.uploading import Uploads
from tests.providers.running import node

GIGABYTES = float(os.environ.get("UPLOAD_GB", "20" if DEEP else "2"))
PIECE = 16 << 20
MOST_MEMORY = 400  # MB, of the whole process


def copied(block: bytes, pieces: int, folder: Path) -> float:
    """Seconds that writing the same bytes takes, each piece synced as an upload's is."""
    began = time.perf_counter()
    with (folder / "copy").open("wb") as file:
        for _ in range(pieces):
            file.write(block)
            file.flush()
            os.fsync(file.fileno())
    took = time.perf_counter() - began
    (folder / "copy").unlink()
    return took


@pytest.mark.django_db(transaction=True)
def test_a_large_file_in_bounded_memory(
    real_cast: Cast, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    now = timezone.now()
    by = By(real_cast.actor("zhao"), now)
    hand_off = announced(real_cast)
    _, token = token_issue(
        user=real_cast.people["zhao"], label="test", lifetime=timedelta(days=1), now=now, scopes=["upload"]
    )
    block = random.Random(1).randbytes(PIECE)
    pieces = int(GIGABYTES * (1 << 30)) // PIECE
    digest = hashlib.sha256()
    for _ in range(pieces):
        digest.update(block)
    row = upload_begin(
        by, hand_off_id=hand_off.pk, path="raw.h5", size=pieces * PIECE, sha256=digest.hexdigest()
    )
    raw = copied(block, pieces, tmp_path)
    server = Uploads(settings.MEDIA_ROOT, tmp_path / "uploads.log")
    try:
        link = HTTPConnection("127.0.0.1", server.port, timeout=120)
        headers = {
            "Host": urlsplit(settings.SITE_URL).netloc,
            "Authorization": f"Bearer {token}",
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
        }
        began = time.perf_counter()
        for n in range(pieces):
            where = {"Upload-Offset": str(n * PIECE)}
            link.request("PATCH", f"/api/v1/uploads/{row.pk}/", block, headers | where)
            answer = link.getresponse()
            answer.read()
            assert (answer.status, n) == (204, n)
        took = time.perf_counter() - began
        peak = server.peak()
    finally:
        server.kill()
    began = time.perf_counter()
    assert files_check(now=now) == 1
    checking = time.perf_counter() - began
    with capsys.disabled():
        print(
            f"\n{GIGABYTES} GB: sent in {took:.1f} s, copied in {raw:.1f} s "
            f"({100 * raw / took:.0f} %), checked in {checking:.1f} s, {peak} MB at most"
        )
    assert peak < MOST_MEMORY
    hand_off_seal(by, hand_off_id=hand_off.pk)
    (file,) = ResultFile.objects.all()
    assert (file.state, file.sha256, file.size) == ("checked", digest.hexdigest(), pieces * PIECE)
    shutil.rmtree(settings.MEDIA_ROOT)


@pytest.mark.django_db(transaction=True)
def test_clients_that_nobody_here_wrote_send_a_whole_file_at_once(
    real_cast: Cast, settings: Any, tmp_path: Path
) -> None:
    """As they do unless told otherwise: tuspy of a file, without and with its SHA-1; tus-js-client of a file,
    and of what is in memory, which it sends in chunks."""
    settings.MEDIA_ROOT = tmp_path / "media"
    now = timezone.now()
    hand_off = announced(real_cast)
    _, token = token_issue(
        user=real_cast.people["zhao"], label="test", lifetime=timedelta(days=1), now=now, scopes=["upload"]
    )
    file = tmp_path / "raw.h5"
    file.write_bytes(random.Random(2).randbytes((200 << 20) + 1))
    server = Uploads(settings.MEDIA_ROOT, tmp_path / "uploads.log")
    address = f"http://127.0.0.1:{server.port}/api/v1/uploads/"
    headers = {"Host": urlsplit(settings.SITE_URL).netloc, "Authorization": f"Bearer {token}"}
    try:
        for path, checked in {"tuspy": False, "tuspy-sha1": True}.items():
            named = {"hand_off": str(hand_off.pk), "path": path}
            client = TusClient(address, headers=headers)
            client.uploader(str(file), metadata=named, upload_checksum=checked).upload()
        for path in ("tus-js-file", "tus-js-memory"):
            named = {"hand_off": str(hand_off.pk), "path": path}
            script = Path(__file__).parent / "tus_client.cjs"
            how = json.dumps({"address": address, "headers": headers, "metadata": named})
            done = subprocess.run([node(), script, file, how], capture_output=True, text=True, check=False)
            assert (done.stdout, done.returncode) == ("sent\n", 0), done.stderr
        assert server.peak() < MOST_MEMORY
    finally:
        server.kill()
    files_check(now=now)
    digest = hashlib.file_digest(file.open("rb"), "sha256").hexdigest()
    found = {row.path: (row.state, row.sha256) for row in ResultFile.objects.all()}
    assert found == dict.fromkeys(
        ("tuspy", "tuspy-sha1", "tus-js-file", "tus-js-memory"), ("checked", digest)
    )
    shutil.rmtree(settings.MEDIA_ROOT)
