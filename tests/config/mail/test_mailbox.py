"""The mail page of the demonstration."""

from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage as DjangoMessage
from django.test import Client

from accounts.adapters.allauth import MAIL_ADDRESS_KEY
from accounts.models.keys import new_id
from config.mail import mailbox
from config.mail.backend import FolderBackend
from config.mail.mailbox import list_mail, read_mail
from tests.accounts.pages import page_of
from tests.factories.cast import Cast


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.LOCAL_MAIL = tmp_path
    return tmp_path


def send(folder: Path, to: str, subject: str = "Hello", body: str = "Text", **more: Any) -> str:
    """A message as the platform leaves it; the name of its file."""
    before = set(folder.glob("*.eml"))
    message = DjangoMessage(subject, body, "no-reply@localhost", [to], **more)
    FolderBackend(folder=folder).send_messages([message])
    (path,) = set(folder.glob("*.eml")) - before
    return path.stem


def test_nobody_signs_in_first(client: Client, db: None) -> None:
    assert client.get("/mail/")["Location"] == "/accounts/login/?next=/mail/"


def test_own_mail_newest_first_and_no_other(client: Client, cast: Cast, folder: Path) -> None:
    wang = cast.people["wang"]
    send(folder, wang.email.upper(), "First")
    send(folder, wang.email, "Second")
    foreign = send(folder, "sun@ustc.example", "Not yours")
    client.force_login(wang)
    html = page_of(client.get("/mail/"))
    assert html.index("Second") < html.index("First") and "Not yours" not in html
    page_of(client.get("/mail/", {"message": foreign}), 404)


def test_administrators_read_all(client: Client, cast: Cast, folder: Path) -> None:
    stem = send(folder, "sun@ustc.example", "To Sun")
    client.force_login(cast.people["admin"])
    assert "To Sun" in page_of(client.get("/mail/"))
    assert "To Sun" in page_of(client.get("/mail/", {"message": stem}))


def test_one_message_with_links_and_without_markup(client: Client, cast: Cast, folder: Path) -> None:
    wang = cast.people["wang"]
    body = "See http://127.0.0.1:8000/bookings/1/ <script>alert(1)</script>\n\n预约已确认"
    stem = send(folder, wang.email, "预约 <b>", body)
    client.force_login(wang)
    html = page_of(client.get("/mail/", {"message": stem}))
    assert '<a href="http://127.0.0.1:8000/bookings/1/"' in html
    assert "&lt;script&gt;alert(1)" in html and "预约已确认" in html and "预约 &lt;b&gt;" in html
    assert "no-reply@localhost" in html and wang.email in html


@pytest.mark.parametrize(
    "name", ["../secret", "..%2Fsecret", "/etc/passwd", "a/b", "", "a\0b", "x" * 200, "nothing"]
)
def test_no_other_file_is_read(client: Client, cast: Cast, folder: Path, name: str) -> None:
    (folder.parent / "secret.eml").write_text(f"To: {cast.people['admin'].email}\n\nsecret")
    client.force_login(cast.people["admin"])
    assert "secret\n" not in page_of(client.get("/mail/", {"message": name}), 404)
    assert read_mail(folder, name) is None


def test_broken_files_are_passed_by(client: Client, cast: Cast, folder: Path) -> None:
    wang = cast.people["wang"]
    (folder / "a.eml").write_bytes(b"\xff\xfe\x00garbage")
    (folder / "b.eml").mkdir()
    (folder / "c.eml").write_bytes(b"To: =?utf-8?b?%%%?= <\n\n")
    (folder / "d.part").write_text("unfinished")
    odd = f"To: {wang.email}\nSubject: Odd\nContent-Type: text/plain; charset=nonsense\n\nreadable"
    (folder / "e.eml").write_text(odd)
    client.force_login(wang)
    assert "Odd" in page_of(client.get("/mail/"))
    assert "readable" in page_of(client.get("/mail/", {"message": "e"}))
    client.force_login(cast.people["admin"])
    page_of(client.get("/mail/"))


def test_a_message_without_text_says_so(client: Client, cast: Cast, folder: Path) -> None:
    message = EmailMessage()
    message["To"] = cast.people["wang"].email
    message.set_content("<p>only</p>", subtype="html")
    (folder / "html.eml").write_bytes(bytes(message))
    client.force_login(cast.people["wang"])
    html = page_of(client.get("/mail/", {"message": "html"}))
    assert "This message has no text." in html and "(no subject)" in html


def test_without_mail_it_says_what_to_do(client: Client, cast: Cast) -> None:
    client.force_login(cast.people["wang"])
    assert "No mail yet" in page_of(client.get("/mail/"))


def test_a_newcomer_reads_the_mail_of_their_own_sign_up(client: Client, db: None, folder: Path) -> None:
    session = client.session
    session[MAIL_ADDRESS_KEY] = "nora@new.example"
    session.save()
    stem = send(folder, "nora@new.example", "Confirm")
    foreign = send(folder, "else@new.example", "Other")
    html = page_of(client.get("/mail/"))
    assert "Confirm" in html and "Other" not in html
    page_of(client.get("/mail/", {"message": stem}))
    page_of(client.get("/mail/", {"message": foreign}), 404)


@pytest.mark.parametrize(
    ("address", "owner", "is_verified", "reads"),
    [
        ("Wang@fudan.example", None, False, False),  # Wang Li signs in with it
        ("second@fudan.example", "wang", True, False),
        ("second@fudan.example", "wang", False, True),  # nobody's yet
        ("new@nowhere.example", None, False, True),
    ],
)
def test_an_unconfirmed_address_of_somebody_else_shows_nothing(
    client: Client, cast: Cast, folder: Path, address: str, owner: str | None, is_verified: bool, reads: bool
) -> None:
    if owner:
        EmailAddress.objects.create(
            user=cast.people[owner], email=address, verified=is_verified, primary=False
        )
    EmailAddress.objects.create(user=cast.people["alice"], email=address, verified=False, primary=False)
    send(folder, address, "For the owner")
    client.force_login(cast.people["alice"])
    assert ("For the owner" in page_of(client.get("/mail/"))) is reads


def test_there_is_no_such_page_elsewhere(client: Client, cast: Cast, folder: Path, settings: Any) -> None:
    client.force_login(cast.people["admin"])
    settings.LOCAL_MODE = False
    page_of(client.get("/mail/"), 404)


def test_at_most_two_hundred_are_shown(tmp_path: Path) -> None:
    for _ in range(205):
        (tmp_path / f"{new_id()}.eml").write_text("To: a@b.example\nSubject: x\n\ny")
    assert len(list_mail(tmp_path, frozenset({"a@b.example"}))) == 200


def test_only_the_mail_of_the_page_is_read(
    client: Client, cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        send(folder, cast.people["wang" if number % 2 else "chen"].email, f"No. {number}")
    read: list[str] = []
    whole = mailbox.read_mail
    monkeypatch.setattr(mailbox, "read_mail", lambda folder, stem: read.append(stem) or whole(folder, stem))
    client.force_login(cast.people["admin"])
    page = page_of(client.get("/mail/"))
    assert "No. 59" in page and "No. 35" in page and "No. 34" not in page
    assert len(read) == 25
