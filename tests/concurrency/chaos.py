"""Real workers, a real broker and a real mail server, and whoever breaks them."""

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from aiosmtpd.controller import Controller
from celery import current_app
from django.db import connection
from kombu import Connection

from config.local.ports import any_free
from config.local.valkey import Valkey

ROOT = Path(__file__).parents[2]
LOST = 37  # every so many accepted mails the server's yes is lost
REFUSED = 23  # every so many mails are put off
ENTRIES = (
    "lapse_reservations",
    "complete_reservations",
    "finalise_charges",
    "carry_out_effects",
    "deliver_messages",
)


class MailServer:
    """Accepts mail and remembers by Message-ID how often. Now and then it puts one off, and now
    and then its yes does not reach who sent it; never once it `is_calm`."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.asked = self.lost = 0
        self.is_calm = False
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self.port = any_free()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.asked += 1
        if not self.is_calm and self.asked % REFUSED == 0:
            return "451 Try again later"
        text = envelope.content.decode("utf-8", "replace")
        (named,) = [
            line.split("<")[1].split(">")[0]
            for line in text.splitlines()
            if line.lower().startswith("message-id:")
        ]
        self.accepted[named] += 1
        if not self.is_calm and self.asked % LOST == 0:
            self.lost += 1
            return "451 Its yes was lost on the way"
        return "250 OK"

    def stop(self) -> None:
        self._controller.stop()


class Chaos:
    """Workers on the tests' database with a broker of their own. The timetable is read out by
    two at once, as if beat had been started twice."""

    def __init__(self, folder: Path, *, workers: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.mail = MailServer()
        self.broker = Valkey(folder / "valkey", folder / "valkey.log", durable=False)
        self.broker.start(dict(os.environ))
        self.log = folder / "workers.log"
        self.happened: Counter[str] = Counter()
        self._stopped = threading.Event()
        self._workers = [self._worker() for _ in range(workers)]
        self._beats = [threading.Thread(target=self._beat) for _ in range(2)]
        for beat in self._beats:
            beat.start()

    def _worker(self) -> "subprocess.Popen[bytes]":
        address = urlsplit(os.environ["DATABASE_URL"])
        name = connection.settings_dict["NAME"]
        env = os.environ | {
            "DATABASE_URL": urlunsplit(address._replace(path=f"/{name}")),
            "REDIS_URL": self.broker.url,
            "LOCAL_MODE": "0",
            "SITE_URL": "https://commons.example",
            "ALLOWED_HOSTS": "commons.example",
            "MAIL_HOST": "127.0.0.1",
            "MAIL_PORT": str(self.mail.port),
        }
        env.pop("CELERY_BROKER_URL", None)
        command = ["celery", "-A", "config", "worker", "--concurrency", "2", "-l", "WARNING"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with self.log.open("ab") as sink:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                env=env,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )

    def _beat(self) -> None:
        while not self._stopped.wait(0.2):
            try:
                shortly = {"socket_connect_timeout": 0.3, "socket_timeout": 0.3}
                with Connection(self.broker.url, transport_options=shortly) as wire:
                    for name in ENTRIES:
                        current_app.send_task(
                            f"bookings.tasks.{name}", connection=wire, retry=False, expires=5,
                            headers={"timetable": name},
                        )  # fmt: skip
            except Exception:  # the broker is down: the next minute asks again
                self.happened["timetable unheard"] += 1

    def children(self) -> list[int]:
        found = []
        for worker in self._workers:
            with suppress(OSError):
                path = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
                found += [int(pid) for pid in path.read_text().split()]
        return found

    def kill_child(self) -> None:
        """One process of a pool, in the middle of whatever it does."""
        if alive := self.children():
            with suppress(ProcessLookupError):
                os.kill(self.random.choice(alive), signal.SIGKILL)
                self.happened["processes killed"] += 1

    def kill_worker(self) -> None:
        """A whole worker with its pool; another is started in its place."""
        worker = self._workers.pop(self.random.randrange(len(self._workers)))
        self._kill(worker)
        self.happened["workers killed"] += 1
        self._workers.append(self._worker())

    def restart_broker(self, seconds: float) -> None:
        """With all that was queued in it gone."""
        self.broker.stop()
        time.sleep(seconds)
        self.broker.start(dict(os.environ))
        self.happened["broker stopped"] += 1

    def cut_sessions(self) -> None:
        """What a restart of the database does to everybody at work."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND application_name = 'instrument-commons' AND xact_start IS NOT NULL"
            )
            self.happened["sessions cut"] += int(cursor.fetchone()[0])

    def _kill(self, worker: "subprocess.Popen[bytes]") -> None:
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def stop_workers(self) -> None:
        self._stopped.set()
        for beat in self._beats:
            beat.join()
        for worker in self._workers:
            self._kill(worker)
        self._workers = []

    def close(self) -> None:
        self.stop_workers()
        self.broker.stop()
        self.mail.stop()
