"""What the platform is called here and allows: its page, and where it shows."""

import io
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.domain.errors import Invalid, NotPermitted, WrongVersion
from accounts.domain.roles import By
from accounts.letters.words import site_name
from accounts.models import Installation, TrailEntry
from accounts.selectors.installation import KEPT, Site, installation, site_of
from accounts.services.installation import installation_update
from accounts.services.invitations import invitation_send
from instruments.register.models import Instrument
from instruments.search.services.search import register_file
from tests.accounts.pages import mails, page_of
from tests.factories.cast import NOW, Cast

FORM = {
    "name": "Sharing of Anhui",
    "name_zh": "安徽共享",
    "languages": ["en", "zh-hans"],
    "usual": "zh-hans",
    "version": "0",
}


@pytest.fixture(autouse=True)
def _read_anew(db: None) -> Any:
    cache.delete(KEPT)
    yield
    cache.delete(KEPT)


def set_up(**values: Any) -> Installation:
    row = Installation.objects.create(
        **{"name": "Anhui", "languages": ["en", "zh-hans"], "created_at": NOW} | values
    )
    cache.set(KEPT, site_of(row))
    return row


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 100)) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, kind)
    return SimpleUploadedFile("logo.png", out.getvalue() + b"<script>alert(1)</script>")


@pytest.mark.usefixtures("either_storage")
def test_an_administrator_says_what_it_is_called(
    client: Client, cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(cast.people["admin"])
    assert "Instrument Commons" in page_of(client.get("/installation/"))
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/installation/", FORM | {"logo": picture()})
    assert answer["Location"] == "/installation/"
    row = Installation.objects.get()
    assert (row.name, row.languages, row.admits_strangers, row.version) == (
        *("Sharing of Anhui", ["zh-hans", "en"]),
        *(False, 1),
    )
    entry = TrailEntry.objects.get(action="installation.update")
    assert (entry.actor_id, entry.after["name"]) == (cast.people["admin"].pk, "Sharing of Anhui")
    html = page_of(client.get("/installation/?lang=en"))
    assert "· Sharing of Anhui</title>" in html
    assert '<img class="brand-logo" src="/installation/logo/?v=1"' in html
    assert "Instrument Commons" not in html
    assert "安徽共享" in page_of(Client().get("/?lang=zh"))
    logo = Client().get("/installation/logo/?v=1")
    content = b"".join(logo.streaming_content)
    assert (logo["Content-Type"], logo["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert "public" in logo["Cache-Control"] and "sandbox" in logo["Content-Security-Policy"]
    assert content.startswith(b"\x89PNG") and b"<script>" not in content
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/installation/", FORM | {"version": "1", "without_logo": "on"})
    assert Client().get("/installation/logo/").status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": " "}, 400),
        ({"languages": []}, 400),
        ({"languages": ["fr"]}, 400),
        ({"languages": ["en"]}, 400),  # the usual one is not among them
        ({"version": "7"}, 412),
        ({"logo": SimpleUploadedFile("a.png", b"<svg onload=alert(1)>")}, 400),
        ({"logo": SimpleUploadedFile("a.png", b"x" * 1_000_001)}, 400),
        ({"logo": picture("GIF")}, 400),
        ({"logo": picture(size=(4100, 4100))}, 400),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_written(
    client: Client, cast: Cast, change: dict[str, Any], status: int
) -> None:
    row = set_up()
    client.force_login(cast.people["admin"])
    html = page_of(client.post("/installation/", FORM | {"version": "1"} | change), status)
    assert 'role="alert"' in html or "is-invalid" in html or "aria-invalid" in html
    again = Installation.objects.get()
    assert (again.name, again.version, again.logo.name) == (row.name, 1, "")
    assert not TrailEntry.objects.filter(action="installation.update").exists()


def test_only_administrators_change_it(cast: Cast) -> None:
    row = set_up()
    values = {"name": "X", "name_zh": "", "languages": ["en"], "admits_strangers": True}
    for who in ("zhao", "coordinator", "auditor", "alice"):
        with pytest.raises(NotPermitted):
            installation_update(By(cast.actor(who), NOW), **values)
    with pytest.raises(WrongVersion):
        installation_update(By(cast.actor("admin"), NOW, 9), **values)
    with pytest.raises(Invalid):
        installation_update(By(cast.actor("admin"), NOW), **values | {"languages": []})
    row.refresh_from_db()
    assert (row.name, row.version) == ("Anhui", 1)


def test_it_is_remembered_and_read_again_after_a_change(
    cast: Cast, django_assert_num_queries: Any, django_capture_on_commit_callbacks: Any
) -> None:
    set_up()
    cache.delete(KEPT)
    with django_assert_num_queries(1):
        assert [installation().name, installation().name] == ["Anhui", "Anhui"]
    with django_capture_on_commit_callbacks(execute=True):
        installation_update(
            By(cast.actor("admin"), NOW),
            name="Wanbei",
            name_zh="皖北",
            languages=["en"],
            admits_strangers=True,
        )
    with django_assert_num_queries(1):
        assert installation() == Site("Wanbei", "皖北", ("en",), version=2, time_zone="Asia/Shanghai")


def test_one_language_is_no_choice(client: Client, cast: Cast) -> None:
    row = set_up(languages=["zh-hans"])
    answer = client.get("/?lang=en", headers={"accept-language": "en-GB"})
    assert answer["Content-Language"] == "zh-hans"
    assert "/language/" not in page_of(answer)
    assert client.post("/language/", {"language": "en", "next": "/"}).status_code == 400
    for languages in (["zh-hans", "en"], ["en", "zh-hans"]):
        row.languages = languages
        cache.set(KEPT, site_of(row))
        answer = client.get("/", headers={"accept-language": "fr"})
        assert answer["Content-Language"] == languages[0], "the usual one"


def test_mails_and_the_second_factor_carry_its_name(cast: Cast) -> None:
    set_up(name="Sharing of Anhui", name_zh="安徽共享")
    invitation_send(
        By(cast.actor("chen"), timezone.now()),
        organisation=cast.fudan,
        email="new@nowhere.example",
        roles=["researcher"],
    )
    mail = mails()[-1]
    html = mail.alternatives[0][0]
    assert "join Fudan University on Sharing of Anhui." in mail.body
    assert mail.body.rstrip().endswith("Sharing of Anhui")
    assert "Instrument Commons" not in mail.body + html
    assert site_name() == "Sharing of Anhui"


# The first page (of nobody in particular: tests/flows/test_first_page.py)


def test_an_administrator_sees_what_is_still_to_do(client: Client, cast: Cast) -> None:
    set_up()
    Instrument.objects.update(publication="draft")
    register_file()
    client.force_login(cast.people["admin"])
    html = page_of(client.get("/"))
    assert html.count("(done)") == 3, "regions, organisations, a manager"
    assert ">Set up a second factor for yourself</a>" in html
