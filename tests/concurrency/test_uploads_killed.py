"""Uploads over HTTP whose connections break at any byte, and whose process is killed with -9: every
byte that is sealed is the sender's."""

import hashlib
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.domain.roles import By
from accounts.services.tokens import token_issue
from bookings.models import ResultFile
from bookings.results.services.handoffs import hand_off_seal
from bookings.results.services.uploads import files_check
from tests.conftest import DEEP
from tests.factories.cast import Cast
from tests.factories.results import announced
from tests.factories.uploading import Sender, Uploads

pytestmark = pytest.mark.concurrency
BROKEN, KILLS = (10_000, 1_000) if DEEP else (40, 1)
SIZE = 200_000


def test_every_sealed_byte_is_the_senders(real_cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    now = timezone.now()
    hand_off = announced(real_cast)
    _, token = token_issue(
        user=real_cast.people["zhao"], label="test", lifetime=timedelta(days=30), now=now, scopes=["upload"]
    )
    luck = random.Random(20260306)
    server = Uploads(settings.MEDIA_ROOT, tmp_path / "uploads.log")
    sent: dict[str, str] = {}
    broken = killed = 0
    try:
        while broken < BROKEN or killed < KILLS:
            sender = Sender(server, token, luck.randbytes(luck.randint(1, SIZE)), luck)
            path = f"run/{len(sent)}.bin"
            sender.begin(str(hand_off.pk), path)
            sent[path] = hashlib.sha256(sender.content).hexdigest()
            most = max(1, len(sender.content) // luck.randint(1, 40))
            while sender.offset() < len(sender.content):
                sender.break_off(most)
                if killed < KILLS and broken + sender.broken > (killed + 1) * BROKEN // (KILLS + 1):
                    server.kill()
                    server.start()
                    killed += 1
                if luck.random() < 0.5:
                    sender.piece(most)
            broken += sender.broken
    finally:
        server.kill()
    files_check(now=now)
    hand_off_seal(By(real_cast.actor("zhao"), now), hand_off_id=hand_off.pk)
    hand_off.refresh_from_db()
    assert {entry["path"]: entry["sha256"] for entry in hand_off.manifest} == sent
    for row in ResultFile.objects.all():
        with default_storage.open(row.storage) as file:
            assert hashlib.sha256(file.read()).hexdigest() == sent[row.path]
    assert (broken >= BROKEN, killed) == (True, KILLS)
