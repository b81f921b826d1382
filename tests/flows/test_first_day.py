"""The first day of a real installation, over HTTP: from an empty database to a paid statement; and
what `doctor` says of it when all is well, and when something is not."""

import os
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from pypdf import PdfReader

from tests.factories.cards import CARD
from tests.flows.installation import HOST, LINK, PASSWORD, installed, manage, psql, until

pytestmark = pytest.mark.django_db  # one of them; so all are near one another


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One for all, in the order of this file: the first day moves the clock ahead, the last test breaks
    what it finds."""
    with installed(tmp_path_factory.mktemp("installation")) as found:
        yield found


SETUP = """
site: {name: Instrument sharing of Anhui, name_zh: 安徽省仪器共享, languages: [zh-hans, en]}
regions: [{scheme: iso-3166-2, code: CN-AH, shares: true}]
organisations:
  - {code: first-university, name: First University, name_zh: 第一大学, kind: university,
     region: CN-AH}
administrator: {email: admin@example.org, name: Administrator}
"""


def test_the_first_day(place, tmp_path):
    admin = the_administrator(place, tmp_path)
    with suppress(AssertionError):  # said below, by what is wrong
        until(lambda: not wrong(place), "an installation that is well")
    assert wrong(place) == ""
    the_first_day(place, admin)


def the_first_day(place, admin):
    """From what an administrator enters first to a statement that is paid, by five people and more."""
    shanghai = admin.api("POST", "regions/", {"scheme": "iso-3166-2", "code": "CN-SH"}, 201)
    assert (shanghai["time_zone"], shanghai["currency"]) == ("Asia/Shanghai", "CNY")
    admin.api("PATCH", "regions/CN-SH/", {"shares": True})

    # A coordinator of the new region enters an organisation there, but not elsewhere.
    lin = place.person("lin")
    given = {"user": lin.email, "role": "coordinator", "region": "CN-SH"}
    offer = admin.submit("/people/roles/", status=400, **given)
    assert "该邮箱尚无账号" in offer.text
    admin.submit("/people/roles/", create="1", **given)
    open_account(lin, LINK.search(place.post.to(lin.email))[0])
    lin.set_up_second_factor()
    host = {
        "code": "second-institute",
        "name": "Second Institute",
        "name_zh": "第二研究所",
        "kind": "institute",
        "region": "CN-SH",
    }
    lin.api("POST", "organisations/", host | {"region": "CN-AH"}, 403)
    host = lin.api("POST", "organisations/", host, 201)

    # Its first manager is invited; so is that of the first university.
    zhao, xu = place.person("zhao"), place.person("xu")
    by_code = {row["code"]: row for row in lin.api("GET", "organisations/")["results"]}
    first = by_code["first-university"]
    for sender, guest, organisation in ((lin, zhao, host), (admin, xu, first)):
        invite(sender, guest, organisation, ["manager"])
    lin.api(
        "POST",
        "invitations/",
        {"organisation": host["code"], "email": "more@example.org", "roles": ["manager"]},
        403,
    )

    # The manager publishes an instrument.
    facility = {"organisation": host["code"], "name": "Mass spectrometry", "time_zone": "Asia/Shanghai"}
    facility = zhao.api("POST", "facilities/", facility, 201)
    instrument = publish(zhao, facility)

    # Somebody of the other region joins, finds it, books it.
    wang = place.person("wang")
    wang.sign_up()
    wang.submit(f"/organisations/{first['id']}/join/", text="Proteomics")
    (asked,) = xu.api("GET", "join-requests/")["results"]
    xu.api("POST", f"join-requests/{asked['id']}/approve/", {"roles": ["researcher"]})
    (found,) = wang.api("GET", "instruments/?q=质谱")["results"]
    assert found["id"] == instrument["id"]
    day = (place.now() + timedelta(days=2)).date()
    while day.weekday() > 4:
        day += timedelta(days=1)
    wish = {
        "instrument": instrument["id"],
        "start": f"{day}T10:00:00+08:00",
        "end": f"{day}T12:00:00+08:00",
        "organisation": first["code"],
        "service_mode": "self",
        "purpose": {"code": "research", "text": "蛋白质组"},
    }
    booked = wang.api("POST", "reservations/", wish, 201)
    assert booked["state"] == "requested"
    it = f"reservations/{booked['id']}/"
    zhao.api("POST", f"{it}approve/", {})
    place.post.to(wang.email, "Mass spectrometer")

    # Use, and what it costs.
    start = place.now().fromisoformat(wish["start"])
    place.wait(start - place.now())
    wang.api("POST", f"{it}check-in/", {})
    place.wait(timedelta(minutes=100))
    assert wang.api("POST", f"{it}check-out/", {})["state"] == "completed"
    place.manage("retry_failed")  # nothing fails
    (charge,) = until(lambda: wang.api("GET", "charges/")["results"], "the charge, which a worker makes")
    assert charge["payable"]["amount"] == booked["quote"]["payable"]

    # The month is over: the host's statement, with both parties' details.
    gao, jin = place.person("gao"), place.person("jin")
    invite(zhao, gao, host, ["finance"])
    invite(xu, jin, first, ["finance"])
    details = {
        "legal_name": "第二研究所（上海）有限公司",
        "address": "1 Science Road\nShanghai",
        "tax_number": "91310000MA1FL0000X",
        "bank_account": "Bank of Science\n6222 0000 1111",
        "invoice_email": "invoices@second.example",
    }
    gao.submit(f"/organisations/{host['id']}/invoice-details/", **details)
    place.wait(timedelta(days=46))
    place.manage("draw_statements")
    (statement,) = jin.api("GET", "statements/")["results"]
    one = f"/money/statements/{statement['id']}/"
    pdf = jin.ask("GET", f"{one}pdf/").content
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    for said in ("91310000MA1FL0000X", "6222 0000 1111", statement["number"]):
        assert said in text, text
    for said in ("第二研究所（上海）有限公司", "First University"):
        assert said in text, text

    # The payer says that it has paid, the host finds the money.
    open_amount = statement["payable"]["amount"]
    notice = jin.api(
        "POST",
        f"statements/{statement['id']}/payment-notices/",
        {"amount": open_amount, "paid_on": str(place.now().date()), "reference": "AH-1"},
        201,
    )
    jin.api("POST", f"payment-notices/{notice['id']}/match/", {}, 403)
    gao.api("POST", f"payment-notices/{notice['id']}/match/", {})
    assert jin.api("GET", f"statements/{statement['id']}/")["state"] == "paid"
    assert "AH-1" in gao.ask("GET", "/api/v1/payments/csv/").text
    commands = ("check_statements", "replay_fees", "seal_trail", "verify_trail")
    call = "from django.core.management import call_command"
    place.manage("shell", "-v0", "-c", "; ".join([call, *(f"call_command({c!r})" for c in commands)]))


def written(folder):
    file = folder / "setup.yaml"
    file.write_text(SETUP, "utf-8")
    return file


def the_administrator(place, folder):
    """Set up from the file, twice; the link on the last line opens the account."""
    file = written(folder)
    visitor = place.person("visitor")
    assert "setup" in visitor.get("/").text
    link = place.manage("setup", str(file)).splitlines()[-1]
    assert LINK.fullmatch(link), link
    again = place.manage("setup", str(file))
    link = again.splitlines()[-1]
    admin = place.person("admin")
    open_account(admin, link)
    admin.set_up_second_factor()
    assert "安徽省仪器共享" in admin.get("/").text
    return admin


def open_account(person, link):
    """Set a password by the link that was sent, and sign in."""
    page = person.get(link.removeprefix(f"https://{HOST}"))
    (form,) = [f for f in page.forms if "password1" in f["values"]]
    values = form["values"] | {"password1": PASSWORD, "password2": PASSWORD}
    person.ask("POST", form["action"] or link, 200, data=values)
    person.sign_in()


def invite(sender, guest, organisation, roles):
    """By address; the link in the mail leads to signing up, and to membership."""
    body = {"organisation": organisation["code"], "email": guest.email, "roles": roles}
    sender.api("POST", "invitations/", body, 201)
    text = guest.place.post.to(guest.email)
    link = next(path for path in LINK.findall(text) if "/invitations/" in path)
    assert organisation["name"] in guest.get(link).text
    guest.sign_up(invitation=link)
    if set(roles) & {"manager", "finance"}:
        guest.set_up_second_factor()


def publish(manager, facility):
    made = {
        "facility": facility["id"],
        "name": "Mass spectrometer",
        "name_zh": "质谱仪",
        "manufacturers": [{"name": "Bruker"}],
        "description": "21 tesla.",
        "service_modes": ["self"],
        "techniques": [],
    }
    made = manager.api("POST", "instruments/", made, 201)
    one = f"instruments/{made['id']}/"
    weekly = [{"weekday": d, "opens": "09:00", "closes": "18:00"} for d in range(1, 6)]
    hours = {"weekly": weekly, "overrides": [], "observes_holidays": False}
    manager.api("PUT", f"{one}opening-hours/", hours)
    manager.api("PUT", f"{one}policy/", {"slot_minutes": 60, "approval": "manual"})
    manager.api("POST", f"{one}rate-cards/", CARD | {"publish": True}, 201)
    manager.api("POST", f"{one}publish/", {})
    return made


FAULTS = [  # put in together: statements of a superuser, the environment, what doctor says
    (
        [
            "GRANT UPDATE ON accounts_trailentry TO {name}_web",
            "ALTER TABLE bookings_posting DISABLE TRIGGER posting_append_only",
            "ALTER ROLE {name}_web SET statement_timeout = '5s'",
            "ALTER ROLE {name}_web SET synchronous_commit = local",
            "ALTER ROLE {name}_web SET default_transaction_read_only = on",
            "DROP EXTENSION pg_trgm CASCADE",
            "DELETE FROM accounts_installation",
        ],
        {"MAIL_PORT": "1", "MEDIA_ROOT": "/tmp/nowhere-else", "STATIC_ROOT": "/nowhere"},
        [
            "may change the trail",
            "the guard posting_append_only on bookings_posting is missing",
            "statement_timeout is 5s",
            "synchronous_commit is local",
            "default_transaction_read_only is on",
            "pg_trgm is missing",
            "the platform is not set up",
            "mail: 127.0.0.1:1",
            "is not the place where another machine",
            "static files are not collected",
        ],
    ),
    (
        [
            "REVOKE UPDATE ON bookings_reservation FROM {name}_web",
            "DELETE FROM django_migrations WHERE name LIKE '0001_squashed_%'",
        ],
        {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0", "MEDIA_ROOT": "/dev/null/media"},
        [
            "may not write bookings_reservation",
            "migrations are not applied",
            "workers: cannot be checked",
            "files: cannot be checked",
        ],
    ),
    ([], {"DATABASE_URL": "owner"}, ["{name}_owner owns"]),
    (
        [],
        {"DATABASE_URL": "postgresql://x:secret@127.0.0.1:1/x"},
        ["database: cannot be checked", "installation: cannot be checked"],
    ),
]


def test_doctor_names_each_fault(place, tmp_path):
    place.manage("setup", str(written(tmp_path)))
    root = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{place.name}").geturl()
    for statements, env, words in FAULTS:
        psql(root, *(one.format(name=place.name) for one in statements))
        if env.get("DATABASE_URL") == "owner":
            env = {"DATABASE_URL": place.owner}
        found = wrong(place, **env)
        missed = [word for word in words if word.format(name=place.name) not in found]
        assert missed == [], found
        assert "secret" not in found


def wrong(place, **env):
    """The lines of doctor that name something wrong; it ends with 1 where there are any."""
    done = manage(place.env | env, "doctor")
    lines = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert done.returncode == bool(lines), done.stderr
    return "\n".join(lines)
