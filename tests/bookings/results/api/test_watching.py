"""The command that watches a folder, run alone as at an instrument: over broken connections,
killed, and against what it must not do."""

import hashlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.services.tokens import token_issue
from bookings.models import ResultFile
from bookings.results.services.uploads import files_check
from tests.factories.cast import reserve
from tests.factories.results import announced, uploaded

pytestmark = pytest.mark.django_db(transaction=True)
WATCH = Path(__file__).parents[4] / "bookings/static/bookings/watch_results.py"


class Breaking:
    """A way to the platform that breaks each connection after so many bytes, a number of times."""

    def __init__(self, port, after, times):
        self.to, self.after, self.left, self.broken = port, after, times, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()

    def _pass(self, source, target, is_upload):
        passed = 0
        try:
            while data := source.recv(65536):
                passed += len(data)
                if is_upload and self.left and passed > self.after:
                    self.left -= 1
                    self.broken += 1
                    target.sendall(data[: len(data) // 2])
                    break
                target.sendall(data)
        except OSError:
            pass
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()  # with what was not read: else a full window keeps the other side waiting


@pytest.fixture
def here(cast, settings, tmp_path, live_server):
    """A folder at the instrument, and a platform that expects results of one booking."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.SITE_URL = live_server.url
    return Here(cast, tmp_path, live_server)


class Here:
    def __init__(self, cast, tmp_path, live_server):
        self.hand_off = announced(cast)
        self.cast, self.port = cast, live_server.thread.port
        self.folder = tmp_path / "results"
        self.code = self.hand_off.reservation_id.hex[-8:]
        (self.folder / f"{self.code} steel").mkdir(parents=True)
        _, self.token = token_issue(
            user=cast.zhao,
            label="TEM",
            lifetime=timedelta(days=30),
            now=timezone.now(),
            scopes=("read", "upload"),
        )

    def put(self, path, content, folder=None):
        where = self.folder / (folder or f"{self.code} steel") / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(content)
        return where

    def command(self, *words, port=None):
        site = f"http://127.0.0.1:{port or self.port}"
        return [sys.executable, "-I", str(WATCH), site, str(self.folder), "--settle", "0", *words]

    @property
    def env(self):
        return os.environ | {"INSTRUMENT_COMMONS_TOKEN": self.token}

    def once(self, *words, port=None):
        done = subprocess.run(
            self.command("--once", *words, port=port),
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    def stored(self):
        """What the platform has, by path, once it has computed everything."""
        files_check(now=timezone.now())
        return {
            row.path: (row.state, row.sha256_stated == row.sha256 != "", row.size)
            for row in ResultFile.objects.all()
        }


def test_what_rests_is_uploaded_once_with_its_path_and_checksum(here):
    here.put("a.csv", b"1,2\n")
    here.put("图像/样品 1.tif", b"II*\0" * 1000)
    here.put("empty.txt", b"")
    for left in (".hidden", "writing.part", "~lock~"):
        here.put(left, b"x")
    (here.folder / f"{here.code} steel" / "link").symlink_to("/etc/passwd")
    (here.folder / f"{here.code} of somebody").symlink_to(here.put("x", b"x", folder="../x").parent)
    here.put("other.csv", b"of nobody", folder="not a booking")
    here.put("other.csv", b"of nobody", folder="00000000")
    status, text = here.once()
    assert (status, text.count(": uploaded\n"), text.count("\n")) == (0, 3, 3)
    assert here.stored() == {
        "a.csv": ("checked", True, 4),
        "empty.txt": ("checked", True, 0),
        "图像/样品 1.tif": ("checked", True, 4000),
    }
    rows = set(ResultFile.objects.values_list("pk", flat=True))
    assert here.once() == (0, "")
    # Without what it has noted it finds them with the platform.
    (here.folder / ".instrument-commons.json").unlink()
    assert here.once()[0] == 0
    assert set(ResultFile.objects.values_list("pk", flat=True)) == rows


def test_a_broken_connection_is_gone_on_with(here):
    content = os.urandom(20_000_000)
    here.put("large.bin", content)
    way = Breaking(here.port, after=5_000_000, times=2)
    status, text = here.once(port=way.port)
    assert (status, way.broken) == (0, 2), text
    row = ResultFile.objects.get(path="large.bin")
    files_check(now=timezone.now())
    row.refresh_from_db()
    assert row.sha256 == hashlib.sha256(content).hexdigest()


def test_killed_again_and_again_it_uploads_each_file_once(here):
    contents = {f"{n}.bin": os.urandom(9_000_000) for n in range(3)}
    for name, content in contents.items():
        here.put(name, content)
    for n in range(6):
        running = subprocess.Popen(here.command("--every", "0.1"), env=here.env, stdout=subprocess.DEVNULL)
        time.sleep(0.25 + 0.2 * n)
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert here.once()[0] == 0
    assert here.stored() == dict.fromkeys(contents, ("checked", True, 9_000_000))
    digests = {r.path: r.sha256 for r in ResultFile.objects.all()}
    assert digests == {n: hashlib.sha256(c).hexdigest() for n, c in contents.items()}
    json.loads((here.folder / ".instrument-commons.json").read_text())


def test_a_file_that_changes_afterwards_is_named_and_left(here):
    where = here.put("a.csv", b"1,2\n")
    here.once()
    where.write_bytes(b"1,2,3\n")
    status, text = here.once()
    assert status == 1 and "changed after it was uploaded" in text
    assert here.stored() == {"a.csv": ("checked", True, 4)}


def test_what_is_refused_says_why_and_the_rest_goes_on(here):
    uploaded(here.cast, here.hand_off, "taken.csv", b"another\n")
    here.put("taken.csv", b"1\n")
    here.put("a.csv", b"1,2\n")
    status, text = here.once()
    assert status == 1 and "taken.csv: not taken: another file of this name is there" in text
    assert here.stored()["a.csv"] == ("checked", True, 4)


def test_without_a_token_it_may_use_it_says_so_and_ends(here):
    here.put("a.csv", b"1,2\n")
    here.token = "ic_" + "x" * 40
    status, text = here.once()
    assert status == 2 and "does not accept the token" in text
    here.token = ""
    assert here.once()[0] == 2
    plain = subprocess.run(
        [sys.executable, "-I", str(WATCH), "http://instruments.example.org", str(here.folder)],
        env=here.env | {"INSTRUMENT_COMMONS_TOKEN": "x"},
        capture_output=True,
        text=True,
    )
    assert plain.returncode == 2 and "https://" in plain.stderr
    assert not ResultFile.objects.exists()


def test_two_do_not_watch_one_folder(here):
    here.put("a.csv", b"1")
    first = subprocess.Popen(here.command("--every", "60"), env=here.env, stdout=subprocess.PIPE, text=True)
    try:
        assert "uploaded" in first.stdout.readline()
        status, text = here.once()
        assert status == 2 and "another one watches" in text
    finally:
        first.kill()
        first.wait()


def test_the_folder_of_one_booking(here):
    booking = reserve(here.cast, "2026-03-09 10:00", "2026-03-09 12:00")
    other = announced(here.cast, booking)
    (here.folder / f"{here.code} steel").rmdir()
    here.put("a.csv", b"1,2\n", folder="sub")
    status, text = here.once("--booking", str(booking.pk))
    assert status == 0, text
    assert set(other.files.values_list("path", flat=True)) == {"sub/a.csv"}


@pytest.mark.parametrize("has_folders", [True, False])
def test_a_link_put_in_between_is_not_followed(tmp_path, monkeypatch, has_folders):
    spec = importlib.util.spec_from_file_location("watch_results", WATCH)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    if not has_folders:  # as on Windows
        monkeypatch.setattr(program.os, "supports_dir_fd", set())
    watched, secret = tmp_path / "results", tmp_path / "elsewhere"
    for folder in (watched / "inner", secret):
        folder.mkdir(parents=True)
        (folder / "a.csv").write_bytes(b"1,2")
    with program.opened(str(watched), "inner/a.csv") as stream:
        assert stream.read() == b"1,2"
    os.mkfifo(watched / "pipe")
    (watched / "link").symlink_to(secret / "a.csv")
    (watched / "inner").rename(watched / "before")
    (watched / "inner").symlink_to(secret)
    for path in ("link", "inner/a.csv", *(["pipe"] if has_folders else [])):
        with pytest.raises(OSError):
            program.opened(str(watched), path)
