"""Files and packages, given out to whom they are for and to whoever has a link; attacks on that."""

import hashlib
import io
import re
import zipfile
from datetime import timedelta
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import bagit
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rocrate.rocrate import ROCrate

from accounts.domain.roles import By
from accounts.models import TrailEntry
from bookings.models import CollectLink, HandOff, Receipt, ResultFile
from bookings.results.domain.ranges import MOST_PARTS
from bookings.results.selectors.collecting import collect_token
from bookings.results.services import delivering
from bookings.results.services.collecting import link_make, link_revoke
from config.operations.logs import mask
from instruments.models import Instrument
from tests.accounts.pages import page_of
from tests.factories.cast import NOW, reserve
from tests.factories.conversations import leave
from tests.factories.crates import crate_problems
from tests.factories.results import announced, released, uploaded

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("hand_off"),
    pytest.mark.filterwarnings("ignore:'count' is passed as positional argument"),
]
DAY = timedelta(days=1)
ANOTHER = "2026-03-09 10:00", "2026-03-09 12:00"
CSV, TIFF = b"1,2\n", b"II*\0" * 100


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def client_of(cast, who):
    client = Client()
    client.force_login(cast.people[who])
    return client


def link_to(cast, hand_off, who="wang", **values):
    values = {"label": "Li", "expires_at": NOW + DAY} | values
    return link_make(By(cast.actor(who), NOW), hand_off_id=hand_off.pk, **values)


def address(hand_off, path="spectrum.csv"):
    file = ResultFile.objects.get(hand_off=hand_off, path=path)
    return reverse("bookings:result-file", args=[hand_off.pk, file.pk])


def collected(link, what="", file=None):
    token = collect_token(link.pk)
    if file:
        return reverse("bookings:collect-file", args=[token, file.pk])
    return reverse(f"bookings:collect{what}", args=[token])


def body(answer):
    """All of an answer, read to its end."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def package_of(hand_off):
    return reverse("bookings:result-package", args=[hand_off.pk])


# Who


@pytest.mark.parametrize(
    ("who", "status"),
    [("wang", 200), ("chen", 200), ("zhao", 200), ("lin", 403), ("auditor", 403)]
    + [(who, 404) for who in ("hu", "alice", "sun", "admin", "coordinator")],
)
def test_files_are_for_whom_the_results_are_for_and_the_host(cast, hand_off, who, status):
    client = client_of(cast, who)
    assert client.get(address(hand_off)).status_code == status
    assert client.get(package_of(hand_off)).status_code == status


def test_nobody_reads_what_is_not_released(cast):
    hand_off = announced(cast, reserve(cast, *ANOTHER))
    uploaded(cast, hand_off)
    assert client_of(cast, "wang").get(address(hand_off)).status_code == 409


def test_a_file_is_found_at_its_own_results_only(cast, hand_off):
    wrong = reverse("bookings:result-file", args=[hand_off.pk, hand_off.pk])
    assert client_of(cast, "wang").get(wrong).status_code == 404


# What


def test_a_file_is_saved_and_never_shown(cast, hand_off):
    answer = client_of(cast, "wang").get(address(hand_off, "图像/样品 1.tif"))
    assert body(answer) == TIFF
    expected = {
        "Content-Type": "application/octet-stream",
        "Content-Length": "400",
        "Content-Disposition": "attachment; filename*=utf-8''%E6%A0%B7%E5%93%81%201.tif",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store, no-transform",
        "Accept-Ranges": "bytes",
        "ETag": f'"{hashlib.sha256(TIFF).hexdigest()[:32]}"',
    }
    assert {name: answer[name] for name in expected} == expected
    row = Receipt.objects.get()
    assert (row.user, row.path, row.completed_at) == (cast.wang, "图像/样品 1.tif", NOW)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.html", 'filename="a.html"'),
        ("x/a.svg", 'filename="a.svg"'),
        ("a;filename=b.exe", 'filename="a;filename=b.exe"'),
        ("a%22.html", 'filename="a%22.html"'),
        ("%2e%2e%2fetc.txt", 'filename="%2e%2e%2fetc.txt"'),
        ("样.html", "filename*=utf-8''%E6%A0%B7.html"),
    ],
)
def test_no_name_of_a_file_changes_how_it_is_given(cast, path, name):
    hand_off = announced(cast, reserve(cast, *ANOTHER))
    uploaded(cast, hand_off, path, b"<script>alert(1)</script>")
    hand_off = released(cast, hand_off)
    answer = client_of(cast, "wang").get(address(hand_off, path))
    assert answer["Content-Disposition"] == f"attachment; {name}"
    assert answer["Content-Type"] == "application/octet-stream"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_a_part_of_a_file_is_given_from_where_it_broke_off(cast, hand_off):
    client, where = client_of(cast, "wang"), address(hand_off, "图像/样品 1.tif")
    first = client.get(where, headers={"Range": "bytes=0-99"})
    assert (first.status_code, first["Content-Range"]) == (206, "bytes 0-99/400")
    whole = body(first)
    rest = client.get(where, headers={"Range": "bytes=100-", "If-Range": first["ETag"]})
    assert (rest.status_code, rest["Content-Length"]) == (206, "300")
    assert whole + body(rest) == TIFF
    assert Receipt.objects.get().completed_at == NOW
    last = client.get(where, headers={"Range": "bytes=-4"})
    assert body(last) == b"II*\0"
    changed = client.get(where, headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (changed.status_code, body(changed)) == (200, TIFF)
    beyond = client.get(where, headers={"Range": "bytes=400-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, "bytes */400")
    several = client.get(where, headers={"Range": "bytes=0-1,3-4"})
    assert several.status_code == 200


def test_asking_how_large_it_is_delivers_nothing(cast, hand_off):
    for where in (address(hand_off), package_of(hand_off)):
        answer = client_of(cast, "wang").head(where)
        assert int(answer["Content-Length"]) > 0 and body(answer) == b""
    assert not Receipt.objects.exists()


def test_a_reader_that_goes_away_has_received_as_much_as_it_took(cast, hand_off, monkeypatch):
    monkeypatch.setattr("config.files.storages.PIECE", 100)
    answer = client_of(cast, "wang").get(address(hand_off, "图像/样品 1.tif"))
    content = answer._iterator
    next(content), next(content)  # the second is on its way
    content.close()
    row = Receipt.objects.get()
    assert (row.reached, row.completed_at) == (100, None)
    assert HandOff.objects.get().state == "released"


@pytest.mark.parametrize(
    ("name", "start"),
    [("Cryo-EM (Titan / 300 kV)", "cryo-em-titan-300-kv-"), ("冷冻电镜 一号", "冷冻电镜-一号-")],
)
def test_the_package_is_named_after_instrument_and_booking(cast, hand_off, name, start):
    booking = hand_off.reservation
    Instrument.objects.filter(pk=booking.instrument_id).update(name=name)
    answer = client_of(cast, "wang").get(package_of(hand_off))
    day = booking.start_at.astimezone(ZoneInfo(booking.instrument.facility.time_zone)).date()
    said = unquote(answer["Content-Disposition"]).rstrip('"')
    assert said.endswith(f"{start}{day}-{booking.pk.hex[-8:]}.zip")


def test_the_package_is_a_bag_and_a_crate_of_stated_length(cast, hand_off, tmp_path):
    client = client_of(cast, "wang")
    answer = client.get(package_of(hand_off))
    content = body(answer)
    assert len(content) == int(answer["Content-Length"])
    again = client.get(package_of(hand_off))
    assert body(again) == content and again["ETag"] == answer["ETag"]
    part = client.get(package_of(hand_off), headers={"Range": "bytes=700-1999"})
    assert body(part) == content[700:2000]
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        assert read.testzip() is None
        read.extractall(tmp_path / "out")
    (folder,) = (tmp_path / "out").iterdir()
    bagit.Bag(str(folder)).validate()
    assert (folder / "data/files/图像/样品 1.tif").read_bytes() == TIFF
    assert crate_problems(folder / "data") == []
    action = ROCrate(folder / "data").dereference("#session")
    assert action["agent"]["name"] == "Wang Li"
    assert action["instrument"]["name"] == cast.microscope.name
    assert HandOff.objects.get().state == "collected"


# By a link


def test_a_link_shows_what_it_is_for_without_signing_in(cast, hand_off):
    link = link_to(cast, hand_off, uses=3)
    answer = Client().get(collected(link))
    page = page_of(answer)
    assert "图像/样品 1.tif" in page and "spectrum.csv" in page and hand_off.manifest_digest in page
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"] and "no-store" in answer["Cache-Control"]
    # Whose booking it was is nobody's business.
    assert "Wang" not in page
    link.refresh_from_db()
    assert (link.uses_left, link.first_used_at) == (3, None)  # looking is no use


def test_whoever_has_a_link_collects(cast, hand_off):
    link = link_to(cast, hand_off)
    answer = Client().get(collected(link, "-package"))
    assert zipfile.ZipFile(io.BytesIO(body(answer))).testzip() is None
    file = hand_off.files.get(path="spectrum.csv")
    assert body(Client().get(collected(link, file=file))) == CSV
    assert {(r.link, r.user, r.path) for r in Receipt.objects.all()} == {
        (link, None, ""),
        (link, None, "spectrum.csv"),
    }
    assert HandOff.objects.get().state == "collected"


def test_a_link_to_one_file_is_to_no_other_and_not_to_the_package(cast, hand_off):
    mine, other = hand_off.files.order_by("path")
    link = link_to(cast, hand_off, file_id=mine.pk)
    page = page_of(Client().get(collected(link)))
    assert mine.path in page and other.path not in page and hand_off.manifest_digest not in page
    assert Client().get(collected(link, file=other)).status_code == 404
    assert Client().get(collected(link, "-package")).status_code == 404
    assert Client().get(collected(link, file=mine)).status_code == 200


def test_a_revoked_link_is_dead_at_the_next_request_with_all_its_addresses(cast, hand_off):
    link = link_to(cast, hand_off)
    file = hand_off.files.first()
    addresses = [collected(link), collected(link, "-package"), collected(link, file=file)]
    assert [Client().head(each).status_code for each in addresses] == [200] * 3
    link_revoke(By(cast.actor("wang"), NOW), link_id=link.pk)
    assert [Client().get(each).status_code for each in addresses] == [404] * 3
    part = Client().get(addresses[1], headers={"Range": "bytes=10-"})
    assert part.status_code == 404
    assert not Receipt.objects.exists()


def test_a_link_revoked_during_a_download_ends_it(cast, hand_off, monkeypatch):
    monkeypatch.setattr("config.files.storages.PIECE", 100)
    monkeypatch.setattr(delivering, "WATCHED", 0)
    link = link_to(cast, hand_off)
    answer = Client().get(collected(link, file=hand_off.files.get(path="图像/样品 1.tif")))
    content = iter(answer.streaming_content)
    assert next(content) == TIFF[:100]
    link_revoke(By(cast.actor("zhao"), NOW), link_id=link.pk)
    with pytest.raises(delivering.Revoked):
        next(content)
    assert (Receipt.objects.get().reached, Receipt.objects.get().completed_at) == (100, None)


def test_a_link_used_up_gives_no_more_and_goes_on_with_what_broke_off(cast, hand_off):
    link = link_to(cast, hand_off, uses=1)
    where = collected(link, file=hand_off.files.get(path="图像/样品 1.tif"))
    first = body(Client().get(where, headers={"Range": "bytes=0-99"}))
    assert Client().get(where).status_code == 404
    rest = Client().get(where, headers={"Range": "bytes=100-"})
    assert first + body(rest) == TIFF
    assert Client().get(where, headers={"Range": "bytes=100-"}).status_code == 404
    assert "Downloads left" in page_of(Client().get(collected(link)))


def test_nobody_reads_all_again_with_a_download_that_never_ends(cast, hand_off):
    link = link_to(cast, hand_off, uses=1)
    where = collected(link, file=hand_off.files.get(path="图像/样品 1.tif"))
    almost = Client().get(where, headers={"Range": f"bytes=0-{len(TIFF) - 2}"})
    assert body(almost) == TIFF[:-1]
    for asked in ("bytes=1-", f"bytes=1-{len(TIFF) - 2}"):
        assert Client().get(where, headers={"Range": asked}).status_code == 404
    # What was on its way is sent again, as little as that is.
    last = Client().get(where, headers={"Range": f"bytes={len(TIFF) - 50}-"})
    assert body(last) == TIFF[-50:]
    assert Receipt.objects.get().completed_at == NOW


def test_readers_at_once_share_what_one_download_may_send(cast, hand_off):
    link = link_to(cast, hand_off, uses=1)
    where = collected(link, file=hand_off.files.get(path="图像/样品 1.tif"))
    body(Client().get(where, headers={"Range": "bytes=0-9"}))
    # Both are let in before either has sent a byte.
    ours, theirs = (Client().get(where, headers={"Range": "bytes=10-"}) for _ in range(2))
    assert body(ours) == TIFF[10:]
    with pytest.raises(delivering.Revoked):
        body(theirs)


def test_an_expired_link_is_as_one_that_never_was(cast, hand_off, monkeypatch):
    link = link_to(cast, hand_off)
    monkeypatch.setattr(timezone, "now", lambda: NOW + DAY)
    expired = Client().get(collected(link))
    never = Client().get(reverse("bookings:collect", args=["x" * 43]))
    assert (expired.status_code, never.status_code) == (404, 404)
    # Each page has secrets of its own.
    shown = [re.sub(r"[\w-]{20,}", "", page_of(each, 404)) for each in (expired, never)]
    assert shown[0] == shown[1]


def test_who_guesses_is_held_up_and_who_has_a_link_is_not(cast, hand_off, monkeypatch):
    from bookings.results.views.collecting import Guesses

    monkeypatch.setitem(Guesses.THROTTLE_RATES, "guesses", "3/min")
    guesses = [Client().get(reverse("bookings:collect", args=[f"{n}" * 43])) for n in range(5)]
    assert [each.status_code for each in guesses] == [404, 404, 404, 429, 429]
    assert Client().get(collected(link_to(cast, hand_off))).status_code == 200


def test_logs_have_no_token():
    token = "k3J" * 14
    line = f'GET /collect/{token}/package/ 200 "next=%2Fcollect%2F{token}%2F"'
    assert token not in mask(line) and "/collect/..." in mask(line)


# By a file server


def test_a_proxy_is_told_which_file_it_sends_each_time_anew(cast, hand_off, settings):
    settings.RESULTS_FROM = "proxy"
    file = hand_off.files.get(path="spectrum.csv")
    answer = client_of(cast, "wang").get(address(hand_off))
    inside = f"/results-of-the-platform/{hand_off.pk}/{file.pk}"
    assert (answer["X-Accel-Redirect"], body(answer)) == (inside, b"")
    assert answer["Content-Disposition"] == 'attachment; filename="spectrum.csv"'
    row = Receipt.objects.get()
    assert (row.way, row.completed_at) == ("handed_out", None)
    assert HandOff.objects.get().state == "released"
    # A link with counted uses is sent, and counted, by the platform.
    link = link_to(cast, hand_off, uses=1)
    counted = Client().get(collected(link, file=file))
    assert "X-Accel-Redirect" not in counted and body(counted) == CSV
    link = link_to(cast, hand_off)
    assert "X-Accel-Redirect" in Client().get(collected(link, file=file))
    link_revoke(By(cast.actor("zhao"), NOW), link_id=link.pk)
    assert Client().get(collected(link, file=file)).status_code == 404


# Many at once


def test_one_link_person_and_address_have_so_many_transfers(cast, hand_off, settings):
    settings.TRANSFERS_PER_LINK, settings.TRANSFERS_PER_ADDRESS = 1, 2
    link, other = (link_to(cast, hand_off, uses=5) for _ in range(2))
    first = Client().get(collected(link, "-package"))
    refused = Client().get(collected(link, "-package"))
    assert (refused.status_code, refused["Retry-After"]) == (429, "10")
    second = client_of(cast, "wang").get(package_of(hand_off))
    for client, where in (
        (client_of(cast, "wang"), address(hand_off)),
        (Client(), collected(other, "-package")),
    ):
        assert client.get(where).status_code == 429
        assert client.get(where, REMOTE_ADDR="192.0.2.7").status_code == (
            429 if "collect" not in where else 200
        )
    link.refresh_from_db()
    other.refresh_from_db()
    assert (link.uses_left, other.uses_left) == (4, 4)  # what is refused is no use
    assert first.status_code == second.status_code == 200
    for answer in (first, second):  # one is taken to its end, one left
        body(answer) if answer is first else answer._iterator.close()
    assert Client().get(collected(link, "-package")).status_code == 200


# Ranges that mean to hide or to burden


@pytest.mark.parametrize(
    "order",
    [
        ["bytes=-1", "bytes=0-398"],
        ["bytes=200-", "bytes=100-250", "bytes=0-99"],
        ["bytes=0-0", "bytes=2-", "bytes=1-1", "bytes=0-0"],
        ["bytes=399-999", "bytes=0-398"],
    ],
)
def test_who_takes_the_last_byte_first_has_taken_everything(cast, hand_off, order):
    client, where = client_of(cast, "wang"), address(hand_off, "图像/样品 1.tif")
    for asked in order:
        answer = client.get(where, headers={"Range": asked})
        assert answer.status_code == 206 and body(answer)
    row = Receipt.objects.get()
    assert (row.reached, row.size, row.completed_at) == (400, 400, NOW)
    assert TrailEntry.objects.filter(action="handoff.deliver").count() == 1


def test_the_same_byte_again_and_again_and_bytes_that_never_touch(cast, hand_off):
    client, where = client_of(cast, "wang"), address(hand_off, "图像/样品 1.tif")
    for _ in range(20):
        body(client.get(where, headers={"Range": "bytes=7-7"}))
    row = Receipt.objects.get()
    assert (row.reached, row.parts) == (1, [[7, 8]])
    for start in range(9, 2 * MOST_PARTS + 7, 2):
        assert body(client.get(where, headers={"Range": f"bytes={start}-{start}"}))
    assert len(Receipt.objects.get().parts) == MOST_PARTS
    # One more piece would be too many: a server may give the whole instead.
    answer = client.get(where, headers={"Range": "bytes=399-"})
    assert (answer.status_code, body(answer)) == (200, TIFF)
    row = Receipt.objects.get()
    assert (row.reached, row.parts, row.completed_at) == (400, [[0, 400]], NOW)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=0-0,-1", 200),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(10_000)), 200),
        ("bytes=-0", 416),
        ("bytes=-5-3", 200),
        ("bytes=400-401", 416),
        ("bytes=999999999999999999-", 416),
    ],
)
def test_odd_ranges_are_the_whole_or_nothing(cast, hand_off, asked, status):
    client, where = client_of(cast, "wang"), address(hand_off, "图像/样品 1.tif")
    answer = client.get(where, headers={"Range": asked})
    assert (answer.status_code, body(answer)) == (status, TIFF if status == 200 else b"")
    assert Receipt.objects.count() == (status == 200)


# On the page


def test_what_the_host_downloads_by_its_link_is_shown_as_that(cast, hand_off):
    link = link_to(cast, hand_off, "zhao", label="Wang Li")
    body(Client().get(collected(link, "-package")))
    here = reverse("bookings:result", args=[hand_off.pk])
    for who in ("wang", "zhao"):
        page = page_of(client_of(cast, who).get(here))
        assert "created by Zhao Min" in page and "not a delivery" in page
        assert ">delivered<" not in page
        # Its address is for the side that made it.
        assert (collect_token(link.pk) in page) == (who == "zhao")
    assert "do not prove delivery" in page
    ours = link_to(cast, hand_off, "wang")
    assert collect_token(ours.pk) not in page_of(client_of(cast, "zhao").get(here))
    assert HandOff.objects.get().state == "released"


def test_a_download_of_who_loses_their_role_ends(cast, hand_off, monkeypatch):
    monkeypatch.setattr("config.files.storages.PIECE", 100)
    monkeypatch.setattr(delivering, "WATCHED", 0)
    where = address(hand_off, "图像/样品 1.tif")
    ours, own = (iter(client_of(cast, who).get(where).streaming_content) for who in ("chen", "wang"))
    assert next(ours) == next(own) == TIFF[:100]
    leave(cast, "chen")
    leave(cast, "wang")
    with pytest.raises(delivering.Revoked):
        next(ours)
    assert b"".join(own) == TIFF[100:]  # the person keeps their results


def test_a_link_of_who_left_is_dead_also_while_it_is_used(cast, hand_off, monkeypatch):
    monkeypatch.setattr("config.files.storages.PIECE", 100)
    monkeypatch.setattr(delivering, "WATCHED", 0)
    link = link_to(cast, hand_off, "chen")
    where = collected(link, file=hand_off.files.get(path="图像/样品 1.tif"))
    content = iter(Client().get(where).streaming_content)
    assert next(content) == TIFF[:100]
    leave(cast, "chen")
    with pytest.raises(delivering.Revoked):
        next(content)
    for each in (where, collected(link), collected(link, "-package")):
        assert Client().get(each).status_code == 404
    page = page_of(client_of(cast, "wang").get(reverse("bookings:result", args=[hand_off.pk])))
    assert "its creator may no longer read these results" in page


def test_the_page_gives_a_link_and_takes_it_back(cast, hand_off):
    client, here = client_of(cast, "wang"), reverse("bookings:result", args=[hand_off.pk])
    made = client.post(
        reverse("bookings:result-link", args=[hand_off.pk]),
        {"label": "Li", "file": "", "days": "3", "uses": "1"},
    )
    assert made.status_code == 302
    link = CollectLink.objects.get()
    assert (link.uses_left, link.expires_at) == (1, NOW + 3 * DAY)
    assert collect_token(link.pk) in page_of(client.get(here))
    assert collect_token(link.pk) not in page_of(client_of(cast, "auditor").get(here))
    wrong = client.post(reverse("bookings:result-link", args=[hand_off.pk]), {"label": "", "days": "999"})
    assert wrong.status_code == 400 and CollectLink.objects.count() == 1
    client.post(reverse("bookings:result-link-revoke", args=[link.pk]))
    page = page_of(client.get(here))
    assert "revoked" in page and collect_token(link.pk) not in page


def test_the_page_shows_receipts_and_takes_a_confirmation(cast, hand_off):
    client, here = client_of(cast, "wang"), reverse("bookings:result", args=[hand_off.pk])
    page = page_of(client.get(here))
    assert "Nothing has been collected yet." in page
    assert f'name="manifest_digest" value="{hand_off.manifest_digest}"' in page
    body(client.get(address(hand_off)))
    confirm = reverse("bookings:result-confirm", args=[hand_off.pk])
    assert client.post(confirm, {"manifest_digest": "0" * 64}).status_code == 400
    assert client.post(confirm, {"manifest_digest": hand_off.manifest_digest}).status_code == 302
    page = page_of(client.get(here))
    assert "Confirm receipt" not in page
    assert "received and checked" in page and "delivered" in page
