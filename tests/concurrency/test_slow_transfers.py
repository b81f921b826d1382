"""Readers that read nothing and senders that send half, with real sockets, at the process that
takes uploads: it has four threads, which they would hold for ever."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.domain.roles import By
from accounts.services.tokens import token_issue
from bookings.models import CollectLink, HandOff, Receipt, ResultFile
from bookings.results.selectors.collecting import collect_token
from bookings.results.services.collecting import link_make
from bookings.results.services.uploads import upload_begin
from tests.factories.cast import Cast, reserve
from tests.factories.results import announced, released, uploaded
from tests.factories.uploading import Uploads

pytestmark = pytest.mark.concurrency
MANY = 16
SIZE = 16 << 20  # more than sockets keep
APPLICATION = ["config.uploads:application"]


@pytest.fixture
def hand_off(real_cast: Cast, settings: Any, tmp_path: Path) -> HandOff:
    settings.MEDIA_ROOT = tmp_path / "media"
    row = announced(real_cast)
    uploaded(real_cast, row, "large.raw", bytes(SIZE))
    return released(real_cast, row)


@pytest.fixture
def server(hand_off: HandOff, settings: Any, tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as started:

        def start(**env: str) -> Uploads:
            log = tmp_path / "uploads.log"
            made = Uploads(settings.MEDIA_ROOT, log, APPLICATION, **env)
            started.callback(made.kill)
            return made

        yield start


def happens(true: Callable[[], bool]) -> bool:
    """Wait for what follows from what was answered or ended; a minute at most."""
    for _ in range(600):
        if true():
            return True
        time.sleep(0.1)
    return False


def link_to(cast: Cast, hand_off: HandOff) -> CollectLink:
    now = timezone.now()
    return link_make(
        By(cast.actor("wang"), now), hand_off_id=hand_off.pk, label="Li", expires_at=now + timedelta(days=1)
    )


def large(hand_off: HandOff, link: CollectLink) -> str:
    file = hand_off.files.get(path="large.raw")
    return reverse("bookings:collect-file", args=[collect_token(link.pk), file.pk])


def begun(server: Uploads, settings: Any, first_line: str, *lines: str) -> socket.socket:
    """A connection on which a request was sent, and which takes little without being read."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.settimeout(120)
    link.connect(("127.0.0.1", server.port))
    host = f"Host: {urlsplit(settings.SITE_URL).netloc}"
    link.sendall("\r\n".join([f"{first_line} HTTP/1.1", host, *lines]).encode())
    return link


# Whoever sends less than this is ended after a second.
ENDED_SOON = {"TRANSFER_LEAST_SECONDS": "1", "TRANSFER_LEAST_BYTES": "100000"}


def test_readers_that_read_nothing_and_senders_of_half_a_body_hold_nobody_up(
    real_cast: Cast, hand_off: HandOff, server: Any, settings: Any
) -> None:
    process = server(TRANSFERS_PER_LINK="0", TRANSFERS_PER_ADDRESS="0", **ENDED_SOON)
    where = large(hand_off, link_to(real_cast, hand_off))

    def ended(first_line: str, *lines: str) -> int:
        """How many of those who send this the process says it has ended, while it answers others."""
        before = process.log.read_text().count("it stood still")
        with ExitStack() as held:
            for _ in range(MANY):
                held.enter_context(begun(process, settings, first_line, *lines))
            assert process.ask("GET", "/healthz").status == 200
        return int(process.log.read_text().count("it stood still") - before)

    assert ended(f"GET {where}", "", "")
    row = Receipt.objects.get()
    assert (row.completed_at, 0 < row.reached < SIZE) == (None, True)
    # Who reads is not ended, however many were.
    assert process.ask("GET", where).status == 200
    assert happens(lambda: Receipt.objects.get().completed_at is not None)
    assert Receipt.objects.get().reached == SIZE
    for sent in (0, 10):
        form = ["Content-Type: application/json", "Content-Length: 1000", "", "x" * sent]
        assert ended("POST /api/v1/quotes/", *form), sent


def test_refused_bodies_are_waited_for_by_few_threads(
    real_cast: Cast, hand_off: HandOff, server: Any, settings: Any
) -> None:
    """Whoever sends a little now and then is never too slow: nobody waits for what is refused, but
    two threads that let a proxy send the rest. A stranger's and those of somebody signed in."""
    process = server(TRANSFER_LEAST_SECONDS="0")
    browser = Client()
    browser.force_login(real_cast.people["wang"])
    signed_in = f"Cookie: sessionid={browser.cookies['sessionid'].value}"
    for media in ("application/offset+octet-stream", "multipart/form-data; boundary=b"):
        for sender in ([], [signed_in]):
            lines = [f"Content-Type: {media}", "Content-Length: 60000", "Tus-Resumable: 1.0.0", *sender]
            with ExitStack() as held:
                for _ in range(MANY):
                    first_line = "POST /api/v1/uploads/"
                    held.enter_context(begun(process, settings, first_line, *lines, "", "--b\r\n"))
                assert process.ask("GET", "/healthz").status == 200, (media, sender)


def token_of(cast: Cast, who: str, scope: str) -> str:
    """What a program of somebody sends."""
    _, token = token_issue(
        user=cast.people[who], label="test", lifetime=timedelta(days=1), now=timezone.now(), scopes=[scope]
    )
    return f"Authorization: Bearer {token}"


def test_one_address_and_one_person_have_so_many_transfers(
    real_cast: Cast, hand_off: HandOff, server: Any, settings: Any
) -> None:
    process = server(TRANSFERS_PER_LINK="1", TRANSFERS_PER_ADDRESS="2")
    where = f"/api/v1/results/{hand_off.pk}/package/"
    tokens = {who: token_of(real_cast, who, "read") for who in ("wang", "chen", "zhao")}

    def ask(who: str) -> HTTPResponse:
        name, _, value = tokens[who].partition(": ")
        return process.ask("GET", where, {name: value})

    with ExitStack() as held:
        for who in ("wang", "chen"):
            lines = tokens[who], "", ""
            one = held.enter_context(begun(process, settings, f"GET {where}", *lines))
            assert one.recv(12) == b"HTTP/1.1 200"
        for who in ("wang", "zhao"):  # too many of the person, of the address
            answer = ask(who)
            assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
        # Nothing is noted of what was refused, and other things are answered.
        assert Receipt.objects.count() == 2
        assert process.ask("GET", "/healthz").status == 200
    # Those that are over count no more, once the process has noticed.
    assert happens(lambda: ask("zhao").status == 200)


def test_half_a_piece_of_an_upload_is_kept_where_its_sender_stood_still(
    real_cast: Cast, hand_off: HandOff, server: Any, settings: Any
) -> None:
    process = server(**ENDED_SOON)
    now = timezone.now()
    row = announced(real_cast, reserve(real_cast, "2026-03-09 10:00", "2026-03-09 12:00"))
    file = upload_begin(By(real_cast.actor("zhao"), now), hand_off_id=row.pk, path="a.raw", size=1000)
    piece = [
        token_of(real_cast, "zhao", "upload"),
        "Tus-Resumable: 1.0.0",
        "Content-Type: application/offset+octet-stream",
        "Upload-Offset: 0",
        "Content-Length: 1000",
        "",
        "x" * 300,
    ]
    with begun(process, settings, f"PATCH /api/v1/uploads/{file.pk}/", *piece) as link:
        while link.recv(4096):
            pass
    assert happens(lambda: ResultFile.objects.get(pk=file.pk).received == 300)
