"""The tus protocol, and what is sent to it that should not be."""

import base64
import hashlib
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.api.transfers import TRANSFERS
from accounts.models import ApiToken, User
from bookings.models import HandOff, ResultFile
from bookings.results.api import uploads as upload_api
from bookings.results.services import uploads
from bookings.results.services.uploads import files_check
from tests.factories.api import Clock, Program
from tests.factories.cast import NOW, Cast
from tests.factories.results import PIECE, TUS, announced, begin, metadata, send, uploaded

type Programs = Callable[..., Program]


@pytest.fixture
def hand_off(cast: Cast, clock: Clock, settings: Any, tmp_path: Any) -> HandOff:
    settings.MEDIA_ROOT = tmp_path / "media"
    return announced(cast)


@pytest.fixture
def zhao(program: Programs, hand_off: HandOff) -> Program:
    return program("zhao", scopes=["upload"])


def test_a_file_in_two_pieces(zhao: Program, hand_off: HandOff) -> None:
    content = b"1,2\n3,4\n"
    digest = hashlib.sha256(content).hexdigest()
    made = begin(zhao, hand_off, "谱图/a.csv", len(content), sha256=digest)
    assert (made.status, made.headers["Upload-Offset"]) == (201, "0")
    assert made.headers["Tus-Resumable"] == "1.0.0"
    assert made.headers["Upload-Expires"] == "Thu, 12 Mar 2026 04:00:00 GMT"
    where = made.headers["Location"]
    assert where.startswith("/api/v1/uploads/")
    first = send(zhao, where, 0, content[:5])
    assert (first.status, first.headers["Upload-Offset"]) == (204, "5")
    told = zhao.send("HEAD", where, **TUS)
    assert (told.status, told.body) == (200, b"")
    assert (told.headers["Upload-Offset"], told.headers["Upload-Length"]) == ("5", "8")
    assert told.headers["Cache-Control"] == "private, no-store"
    last = send(zhao, where, 5, content[5:])
    assert last.headers["Upload-Offset"] == "8" and "Upload-Expires" not in last.headers
    row = ResultFile.objects.get()
    assert (row.path, row.state, row.sha256_stated) == ("谱图/a.csv", "checking", digest)


def test_created_with_its_first_piece(zhao: Program, hand_off: HandOff) -> None:
    named = metadata(hand_off=str(hand_off.pk), path="a")
    headers = PIECE | {"Upload_Length": "3", "Upload_Metadata": named}
    made = zhao.send("POST", "uploads/", b"abc", **headers)
    assert (made.status, made.headers["Upload-Offset"]) == (201, "3")
    assert ResultFile.objects.get().state == "checked"


def test_a_piece_too_many_at_a_time_changes_nothing(zhao: Program, hand_off: HandOff, settings: Any) -> None:
    settings.TRANSFERS_PER_ADDRESS = 1
    where = begin(zhao, hand_off, "b", 3).headers["Location"]
    headers = PIECE | {"Upload_Length": "3", "Upload_Metadata": metadata(hand_off=str(hand_off.pk), path="a")}
    with TRANSFERS.take({"address 127.0.0.1": 1}):
        patched = send(zhao, where, 0, b"abc")
        for refused in (patched, zhao.send("POST", "uploads/", b"abc", **headers)):
            assert (refused.status, refused.code) == (429, "too-many-transfers")
            assert refused.headers["Retry-After"] == "10"
        assert ResultFile.objects.get().received == 0
    assert send(zhao, where, 0, b"abc").status == 204
    assert zhao.send("POST", "uploads/", b"abc", **headers).status == 201


def test_what_this_server_can_do() -> None:
    told = Client().options("/api/v1/uploads/")
    assert told.status_code == 204
    assert told.headers["Tus-Version"] == "1.0.0"
    assert told.headers["Tus-Extension"] == ("creation,creation-with-upload,termination,checksum,expiration")
    assert told.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert told.headers["Tus-Max-Size"] == str(100 << 30)
    assert "Access-Control-Allow-Origin" not in told.headers


def test_elsewhere_pages_of_the_site_may_ask_and_no_others(settings: Any) -> None:
    settings.UPLOADS_URL = "https://uploads.example.org"
    told = Client().options("/api/v1/uploads/", headers={"Origin": "https://evil.example"})
    assert told["Access-Control-Allow-Origin"] == settings.SITE_URL


def test_a_piece_says_where_it_belongs(zhao: Program, hand_off: HandOff) -> None:
    where = begin(zhao, hand_off, "a", 6).headers["Location"]
    assert send(zhao, where, 0, b"abc").status == 204
    for lie in (0, 1, 4, 6, 7):
        answer = send(zhao, where, lie, b"d")
        assert (answer.status, answer.code) == (409, "offset-differs")
        assert answer.body["offset"] == 3
    for lie in ("-1", "x", "", "1e3", "٣", "9" * 30):
        assert send(zhao, where, 0, b"d", Upload_Offset=lie).status == 400
    assert ResultFile.objects.get().received == 3


def test_lengths_that_are_lies(zhao: Program, hand_off: HandOff, settings: Any) -> None:
    for lie in ("-1", "", "x", "1.5", "9" * 30, str(settings.RESULTS_MOST_BYTES + 1)):
        assert begin(zhao, hand_off, "a", lie).status == 400
    assert not ResultFile.objects.exists()
    where = begin(zhao, hand_off, "a", 2).headers["Location"]
    more = send(zhao, where, 0, b"abc")
    assert (more.status, more.code, more.body["most"]) == (413, "piece-too-large", 2)
    assert ResultFile.objects.get().received == 0


def test_a_piece_of_any_length_within_the_files(zhao: Program, hand_off: HandOff) -> None:
    where = begin(zhao, hand_off, "a", 40 << 20).headers["Location"]
    content = random.Random(3).randbytes((40 << 20) + 1)
    assert send(zhao, where, 0, content).status == 413
    assert ResultFile.objects.get().received == 0
    last = send(zhao, where, 0, content[:-1])
    assert (last.status, last.headers["Upload-Offset"]) == (204, str(40 << 20))
    assert files_check(now=NOW) == 1
    row = ResultFile.objects.get()
    assert (row.state, row.sha256) == ("checked", hashlib.sha256(content[:-1]).hexdigest())


def test_a_long_piece_ends_with_its_senders_right(
    cast: Cast, zhao: Program, hand_off: HandOff, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, at_once = uploads.upload_write, []

    def write_and_revoke(by: Any, **how: Any) -> Any:
        row = write(by, **how)
        at_once.append(len(how["data"]))
        ApiToken.objects.filter(user=cast.people["zhao"]).update(revoked_at=NOW)
        return row

    monkeypatch.setattr(uploads, "upload_write", write_and_revoke)
    where = begin(zhao, hand_off, "a", 40 << 20).headers["Location"]
    assert send(zhao, where, 0, bytes(40 << 20)).status == 401
    assert ResultFile.objects.get().received == 16 << 20 == at_once[0]
    assert len(at_once) == 1


class Slow:
    """A body that comes so slowly that `happens` before its last byte."""

    def __init__(self, content: bytes, happens: Callable[[], object]) -> None:
        self.left, self.happens = content, happens

    def read(self, size: int = -1) -> bytes:
        piece, self.left = self.left[:1], self.left[1:]
        if not self.left and piece:
            self.happens()
        return piece

    readline = read


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize("loses", ["token", "scope", "account", "session"])
def test_a_slow_piece_is_stored_for_who_may_still_send_it(
    cast: Cast, zhao: Program, hand_off: HandOff, clock: Clock, loses: str, checked: bool
) -> None:
    where = begin(zhao, hand_off, "a", 6).headers["Location"]
    person = cast.people["zhao"]

    def happens() -> None:
        clock.now += upload_api.SLOW
        tokens, people = ApiToken.objects.filter(user=person), User.objects.filter(pk=person.pk)
        {
            "token": lambda: tokens.update(revoked_at=NOW),
            "scope": lambda: tokens.update(scopes=["read"]),
            "account": lambda: people.update(is_active=False),
            "session": lambda: people.update(is_active=False),
        }[loses]()

    if loses == "session":
        client = Client()
        client.force_login(person)
    else:
        client = Client(headers={"Authorization": f"Bearer {zhao.token}"})
    request = {
        "wsgi.input": Slow(b"abc", happens),
        "CONTENT_LENGTH": "3",
        "CONTENT_TYPE": "application/offset+octet-stream",
        "HTTP_TUS_RESUMABLE": "1.0.0",
        "HTTP_UPLOAD_OFFSET": "0",
    }
    if checked:
        request["HTTP_UPLOAD_CHECKSUM"] = "sha1 " + base64.b64encode(hashlib.sha1(b"abc").digest()).decode()
    answer = client.generic("PATCH", where, **request)
    assert answer.status_code in (401, 403, 404), answer.content
    assert ResultFile.objects.get().received == 0


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum_is_held_against_the_piece(
    zhao: Program, hand_off: HandOff, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a long one, of which nothing is stored before."""
    monkeypatch.setattr(upload_api, "PIECE_BYTES", 2)
    where = begin(zhao, hand_off, "a", 6).headers["Location"]
    right = f"{algorithm} " + base64.b64encode(hashlib.new(algorithm, b"abcde").digest()).decode()
    wrong = send(zhao, where, 0, b"abcdf", Upload_Checksum=right)
    assert (wrong.status, wrong.code) == (460, "checksum-differs")
    for unknown in ("crc32 AAAA", "", "sha512 x"):
        refused = send(zhao, where, 0, b"abc", Upload_Checksum=unknown)
        assert refused.problems == [("Upload-Checksum", "unknown-value")]
    with monkeypatch.context() as patched:
        patched.setattr(upload_api, "CHECKED_BYTES", 4)
        long = send(zhao, where, 0, b"abcde", Upload_Checksum=right)
        assert (long.status, long.code, long.body["most"]) == (413, "piece-too-large", 4)
    assert ResultFile.objects.get().received == 0
    assert send(zhao, where, 0, b"abcde", Upload_Checksum=right).headers["Upload-Offset"] == "5"


def test_pieces_in_chunks_whose_length_nobody_says(zhao: Program, hand_off: HandOff) -> None:
    where = begin(zhao, hand_off, "a", 6).headers["Location"]
    client = Client(headers={"Authorization": f"Bearer {zhao.token}"})

    def sent(at: int, data: bytes) -> int:
        request = {
            "wsgi.input": Broken(data, False),
            "CONTENT_LENGTH": "",
            "CONTENT_TYPE": "application/offset+octet-stream",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "HTTP_TUS_RESUMABLE": "1.0.0",
            "HTTP_UPLOAD_OFFSET": str(at),
        }
        return client.generic("PATCH", where, **request).status_code

    assert sent(0, b"abc") == 204
    assert sent(3, b"defg") == 413
    assert ResultFile.objects.get().received == 3
    assert sent(3, b"def") == 204
    assert ResultFile.objects.get().received == 6


def test_other_protocols(zhao: Program, hand_off: HandOff) -> None:
    where = begin(zhao, hand_off, "a", 6).headers["Location"]
    other = zhao.send("HEAD", where, Tus_Resumable="0.2.2")
    assert (other.status, other.headers["Tus-Version"]) == (412, "1.0.0")
    assert zhao.send("PATCH", where, b"abc", Upload_Offset="0").status == 412
    kind = send(zhao, where, 0, b"abc", Content_Type="application/octet-stream")
    assert (kind.status, kind.code) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "named",
    [
        "",
        "hand_off",
        "hand_off !!!",
        "hand_off é",
        metadata(hand_off="7"),
        metadata(hand_off="00000000-0000-0000-0000-000000000000").replace("hand_off", "other"),
    ],
)
def test_metadata_that_says_nothing(zhao: Program, named: str) -> None:
    headers = TUS | {"Upload_Length": "1", "Upload_Metadata": named}
    assert zhao.send("POST", "uploads/", **headers).status == 400


def test_other_peoples_uploads_are_not_there(
    cast: Cast, zhao: Program, hand_off: HandOff, program: Programs
) -> None:
    where = begin(zhao, hand_off, "a", 6).headers["Location"]
    for name, status in {"wang": 403, "chen": 403, "gao": 403, "sun": 404, "hu": 404}.items():
        other = program(name)
        assert begin(other, hand_off, "b", 1).status == status
        assert other.send("HEAD", where, **TUS).status == status
        assert send(other, where, 0, b"abc").status == status
        assert other.send("DELETE", where, **TUS).status == status
    nobody = Program()
    assert begin(nobody, hand_off, "b", 1).status == 401
    assert send(nobody, where, 0, b"abc").status == 401
    reader = program("zhao", scopes=["read", "book", "manage"])
    assert reader.send("HEAD", where, **TUS).status == 403
    assert send(reader, where, 0, b"abc").code == "scope-missing"
    row = ResultFile.objects.get()
    assert (row.path, row.received) == ("a", 0)


def test_a_token_for_uploads_does_nothing_else(zhao: Program, hand_off: HandOff) -> None:
    assert zhao.get(f"results/{hand_off.pk}/").code == "scope-missing"
    assert zhao.post(f"results/{hand_off.pk}/seal/").code == "scope-missing"


def test_taken_away_again(zhao: Program, hand_off: HandOff) -> None:
    where = begin(zhao, hand_off, "a", 6).headers["Location"]
    assert zhao.send("DELETE", where, **TUS).status == 204
    assert zhao.send("HEAD", where, **TUS).status == 404
    assert send(zhao, where, 0, b"abc").status == 404
    assert begin(zhao, hand_off, "a", 6).status == 201


def test_a_path_that_is_taken_says_by_which_upload(cast: Cast, zhao: Program, hand_off: HandOff) -> None:
    row = uploaded(cast, hand_off, "Data.csv")
    again = begin(zhao, hand_off, "data.CSV", 6)
    assert (again.status, again.code) == (409, "path-taken")
    assert (again.body["path"], again.body["upload"]) == ("Data.csv", str(row.pk))


def test_a_browser_brings_its_secret(cast: Cast, hand_off: HandOff) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.people["zhao"])
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "1",
        "Upload-Metadata": metadata(hand_off=str(hand_off.pk), path="a"),
    }
    kind = "application/offset+octet-stream"
    answer = browser.post("/api/v1/uploads/", b"", content_type=kind, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert not ResultFile.objects.exists()
    secret = browser.get(f"/results/{hand_off.pk}/upload/").context["csrf_token"]
    headers |= {"X-CSRFToken": str(secret), "Upload-Length": "3"}
    with_piece = browser.post("/api/v1/uploads/", b"abc", content_type=kind, headers=headers)
    assert (with_piece.status_code, with_piece["Upload-Offset"]) == (201, "3")


class Broken:
    """A body of which the connection brings only a part."""

    def __init__(self, content: bytes, error: bool) -> None:
        self.left, self.error = content, error

    def read(self, size: int = -1) -> bytes:
        piece, self.left = self.left[:size], self.left[size:]
        if not piece and self.error:
            raise OSError("gone")
        return piece

    readline = read


@pytest.mark.parametrize("error", [False, True])
def test_what_came_before_the_connection_broke_is_kept(zhao: Program, hand_off: HandOff, error: bool) -> None:
    where = begin(zhao, hand_off, "a", 10).headers["Location"]
    client = Client(headers={"Authorization": f"Bearer {zhao.token}"})
    request = {
        "wsgi.input": Broken(b"abcd", error),
        "CONTENT_LENGTH": "10",
        "CONTENT_TYPE": "application/offset+octet-stream",
        "HTTP_TUS_RESUMABLE": "1.0.0",
        "HTTP_UPLOAD_OFFSET": "0",
    }
    client.generic("PATCH", where, **request)
    assert zhao.send("HEAD", where, **TUS).headers["Upload-Offset"] == "4"
    # With a checksum nobody knows whether the part is right.
    request |= {
        "wsgi.input": Broken(b"ef", error),
        "CONTENT_LENGTH": "6",
        "HTTP_UPLOAD_OFFSET": "4",
        "HTTP_UPLOAD_CHECKSUM": "sha256 " + base64.b64encode(bytes(32)).decode(),
    }
    assert client.generic("PATCH", where, **request).status_code == 460
    assert zhao.send("HEAD", where, **TUS).headers["Upload-Offset"] == "4"
