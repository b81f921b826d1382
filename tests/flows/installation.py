"""A real installation for a test: an empty database with the documented roles, the documented
processes outside local mode, a mail server, and people who come to it over HTTP."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import psycopg
import requests
from aiosmtpd.controller import Controller
from redis import Redis

from config.local.ports import LOOPBACK, any_free
from tests.flows.reader import Page

ROOT = Path(__file__).parents[2]
HOST = "instruments.example.org"
PATIENCE = 120.0  # beat begins after a minute
PASSWORD = "a long sentence of mine"
LINK = re.compile(rf"https://{re.escape(HOST)}(/\S+)")


class Post:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.hangs = False  # takes a mail and does not say so

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        while self.hangs:
            await asyncio.sleep(0.1)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(SimpleNamespace(to=envelope.rcpt_tos, mail=mail))
        return "250 OK"

    def to(self, address: str, subject: str = "") -> str:
        """The text of the newest mail to an address whose subject has these words; waits for it."""

        def newest() -> str | None:
            for got in reversed(self.mails):
                if address in got.to and subject in got.mail["Subject"]:
                    return str(got.mail.get_body(("plain",)).get_content())
            return None

        return until(newest, f"a mail to {address} about {subject!r}")


def until(ask: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """What `ask` gives as soon as it gives anything; fails after `patience` seconds."""
    end = time.monotonic() + patience
    while not (answer := ask()) and time.monotonic() < end:
        time.sleep(0.1)
    assert answer, f"waited in vain for {what}"
    return answer


class Installation:
    """Where it is served, its mail, its clock, and its commands."""

    def __init__(self, address: str, env: dict[str, str], owner: str, post: Post, ahead: Path) -> None:
        self.address, self.env, self.owner = address, env, owner
        self.name = urlsplit(owner).path[1:]  # of its database, and what its roles begin with
        self.post, self._ahead = post, ahead
        self.people: list[Person] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self._ahead.read_text()))

    def wait(self, span: timedelta) -> None:
        """So much time passes; everybody looks in at least every ten days, so that their sessions
        go on."""
        while span > timedelta(0):
            step = min(span, timedelta(days=10))
            gone = float(self._ahead.read_text()) + step.total_seconds()
            self._ahead.write_text(str(gone))
            span -= step
            for person in self.people:
                person.get("/profile/")

    def manage(self, *words: str, code: int = 0, **more: str) -> str:
        """What a command of manage.py prints."""
        done = manage(self.env | more, *words)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def person(self, name: str) -> "Person":
        self.people.append(Person(self, name))
        return self.people[-1]


class Person:
    """Somebody at a browser without scripts."""

    def __init__(self, place: Installation, name: str) -> None:
        self.place, self.name, self.email = place, name, f"{name}@example.org"
        self.web = requests.Session()
        self.web.trust_env = False
        # As the proxy in front of it would say.
        self.web.headers.update({"Host": HOST, "X-Forwarded-Proto": "https"})
        self.web.headers.update({"Referer": f"https://{HOST}/", "Accept-Language": "en"})

    def ask(self, method: str, path: str, status: int = 200, **how: Any) -> requests.Response:
        path = path.removeprefix(f"https://{HOST}")
        answer = self.web.request(method, self.place.address + path, allow_redirects=False, **how)
        for cookie in self.web.cookies:
            cookie.secure = False  # TLS ends at the proxy, which this test stands for
        if answer.is_redirect and status == 200:
            return self.ask("GET", answer.headers["Location"])
        assert answer.status_code == status, (method, path, answer.status_code, answer.text[:3000])
        return answer

    def get(self, path: str, status: int = 200) -> Page:
        return Page(self.ask("GET", path, status))

    def submit(self, path: str, action: str = "", status: int = 200, **values: Any) -> Page:
        """Fill in the form of a page that goes to `action` (else to the page), and send it."""
        files = values.pop("files", None)
        page = self.get(path)
        here = {form["action"] for form in page.forms} >= {""} and not action
        form = page.form("") if here else page.form(action or path.partition("?")[0])
        target = action if action.startswith("/") else path
        return Page(self.ask("POST", target, status, data=form | values, files=files))

    def api(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """The same session at the API."""
        headers = {"X-CSRFToken": self.web.cookies.get("csrftoken", domain="") or self._token()}
        answer = self.ask(method, f"/api/v1/{path}", status, json=body, headers=headers)
        return answer.json() if answer.content else None

    def _token(self) -> str:
        return next(c.value or "" for c in self.web.cookies if "csrftoken" in c.name)

    # Signing up and in

    def sign_up(self, invitation: str = "") -> None:
        """By the page. The address is confirmed by the invitation, else by the link in a mail."""
        passwords = {"password1": PASSWORD, "password2": PASSWORD}
        name = self.name.title()
        if invitation:
            self.submit(f"/accounts/signup/?next={invitation}", name=name, **passwords)
            return
        self.submit("/accounts/signup/", name=name, email=self.email, **passwords)
        text = self.place.post.to(self.email, "onfirm")
        link = next(path for path in LINK.findall(text) if "confirm-email" in path)
        page = self.get(link)  # whose form has a key of its own second
        (action,) = (form["action"] for form in page.forms if "confirm-email" in form["action"])
        self.ask("POST", action, data=page.form(action))
        self.sign_in()

    def sign_in(self) -> None:
        self.submit("/accounts/login/", login=self.email, password=PASSWORD)

    def set_up_second_factor(self) -> None:
        from allauth.mfa.totp.internal import auth as totp  # needs settings; the rest does not

        path = "/accounts/2fa/totp/activate/"
        page = self.get(path)
        found = re.findall(r"<code>([A-Z2-7]{32})</code>", page.html)
        assert found, page.text
        (secret,) = found
        counter = next(iter(totp.yield_hotp_counters_from_time()))
        code = totp.format_hotp_value(totp.hotp_value(secret, counter))
        self.ask("POST", path, 302, data=page.form(path) | {"code": code})


def manage(env: dict[str, str], *words: str, patience: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        env=env, cwd=ROOT, text=True, capture_output=True, timeout=patience, check=False,
    )  # fmt: skip


@contextmanager
def database(name: str) -> Iterator[tuple[str, str]]:
    """An empty database: its address for its owner, who is no superuser, and for the role of the
    web, which owns nothing."""
    server = urlsplit(os.environ["DATABASE_URL"])
    root = server._replace(path="/postgres").geturl()
    gone = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    gone_too = [f"DROP ROLE IF EXISTS {name}_{word}" for word in ("owner", "web", "backup")]
    # As durable as a real one; the server of tests is not.
    durable = f'ALTER DATABASE "{name}" SET synchronous_commit = on'
    psql(root, gone, *gone_too)
    try:
        addresses = make_database(name, root)
        psql(root, durable)
        yield addresses
    finally:
        psql(root, gone, *gone_too)


def make_database(name: str, root: str) -> tuple[str, str]:
    """With its roles, by the superuser's address, of one host or several."""
    made = f"CREATE DATABASE \"{name}\" OWNER {name}_owner ENCODING 'UTF8' TEMPLATE template0"
    psql(root, documented(name)[0], made)
    server = urlsplit(root)
    hosts = server.netloc.rpartition("@")[2]
    owner, web = (
        server._replace(path=f"/{name}", netloc=f"{name}_{role}:choose-one@{hosts}").geturl()
        for role in ("owner", "web")
    )
    return owner, web


def documented(name: str) -> tuple[str, str]:
    """What a superuser does first, but for the database, and what its owner does after `migrate`
    (deploy/postgresql): with roles of this database's own."""
    first, second = (
        path.read_text("utf-8").replace("commons_", f"{name}_")
        for path in sorted((ROOT / "deploy/postgresql").glob("*.sql"))
    )
    return first.partition("CREATE DATABASE")[0], second


@contextmanager
def installed(
    folder: Path, front: Callable[[str], AbstractContextManager[str]] = nullcontext
) -> Iterator[Installation]:
    """Migrated by the owner, served as docs/operations.md says, with nothing in it. Tests that run
    beside one another have one each. `front` gives the address of the database that the processes
    are told, for that of the web's role."""
    name = f"installed_{number()}"
    with database(name) as (owner, web), front(web) as told, served(folder, name, owner, told) as place:
        yield place


def number() -> int:
    """Of the process among those that run tests beside one another."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@contextmanager
def served(
    folder: Path, name: str, owner: str, web: str, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Installation]:
    """The same on an empty database that has its roles; `more` of the environment."""
    ahead, post = folder / "ahead", Post()
    ahead.write_text("0")
    mail_port = any_free()
    with ExitStack() as stack:
        port = stack.enter_context(held_port())
        mail = Controller(post, hostname=LOOPBACK, port=mail_port)
        mail.start()
        stack.callback(mail.stop)
        redis = emptied(f"/{8 + number()}")
        dropped = ("LOCAL_MAIL", "LOG_LEVEL", "SECOND_FACTOR_REQUIRED")
        env = {k: v for k, v in os.environ.items() if k not in dropped} | {
            "LOCAL_MODE": "0",
            "DJANGO_SETTINGS_MODULE": "tests.flows.ahead",
            "AHEAD": str(ahead),
            "DATABASE_URL": web,
            "REDIS_URL": redis,
            "CELERY_BROKER_URL": redis,
            "SECRET_KEY": "known to this test alone " * 3,
            "SITE_URL": f"https://{HOST}",
            "ALLOWED_HOSTS": HOST,
            "BEHIND_TLS_PROXY": "1",
            "MAIL_HOST": "127.0.0.1",
            "MAIL_PORT": str(mail_port),
            "STATIC_ROOT": str(folder / "static"),
            "MEDIA_ROOT": str(folder / "media"),
            "MAINTENANCE_FILE": str(folder / "maintenance.json"),
            "METRICS_FOLDER": str(folder / "metrics"),
            "BEAT_FILE": str(folder / "beat"),
            **more,
        }
        as_owner = env | {"DATABASE_URL": owner}
        for words in (("migrate", "-v", "0"), ("import_techniques",)):
            done = manage(as_owner, *words)
            assert done.returncode == 0, done.stderr
        psql(owner, documented(name)[1])
        done = manage(env, "collectstatic", "--noinput", "-v", "0")
        assert done.returncode == 0, done.stderr
        web_words = "granian --interface wsgi --blocking-threads 8 config.wsgi:application"
        worker = "celery -A config worker -Q celery,letters,calls --concurrency 2"
        beat = "celery -A config beat --pidfile="
        for process, words in (("web", f"{web_words} --port {port}"), ("worker", worker), ("beat", beat)):
            stack.enter_context(running(words.split(), env, folder / f"{process}.log"))
        address = f"http://127.0.0.1:{port}"
        until(lambda: answers(address), "the web process")
        yield Installation(address, env, owner, post, ahead)


@contextmanager
def held_port() -> Iterator[int]:
    """A port that nobody else is given meanwhile. Granian listens where others do, and each gets
    some of the requests: a port that was free a minute ago may be that of another installation."""
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as granian does
        ours.bind((LOOPBACK, 0))
        yield ours.getsockname()[1]


def emptied(path: str) -> str:
    """The address of one of Valkey's databases, without what an earlier run has left there."""
    address = urlsplit(os.environ["REDIS_URL"])._replace(path=path).geturl()
    with Redis.from_url(address) as wire:
        wire.flushdb()
    return address


def psql(address: str, *statements: str) -> None:
    with psycopg.connect(address, autocommit=True) as link:
        for statement in statements:
            link.execute(statement)


def answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthz", headers={"Host": HOST}, timeout=5).ok
    except requests.RequestException:  # not yet, or too busy to answer at once
        return False


@contextmanager
def running(
    words: list[str],
    env: dict[str, str],
    log: Path,
    python: tuple[str, ...] = (sys.executable, "-m"),
    cwd: Path = ROOT,
) -> Iterator[int]:
    """Within, the process runs; its number. Its log goes on from that of an earlier one."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*python, *words],
            env=env, cwd=cwd, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
