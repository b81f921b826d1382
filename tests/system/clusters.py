"""Several PostgreSQL servers that follow one another, on loopback, and whoever kills them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests

from config.local.account import Account, find_account, remove
from config.local.ports import LOOPBACK, any_free
from config.local.postgres import Postgres, _installation
from config.local.processes import run_to_end, start
from tests.flows.installation import ROOT, psql, running, until

EXAMPLE = ROOT / "deploy/patroni/patroni.yaml"


def kill_server(data: Path) -> None:
    """PostgreSQL with all its children, as a power cut does."""
    pid = int((data / "postmaster.pid").read_text().split()[0])
    with suppress(psutil.NoSuchProcess):
        server = psutil.Process(pid)
        all_of_it = [server, *server.children(recursive=True)]
        for process in all_of_it:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(all_of_it, 20)


# --- PostgreSQL alone


@dataclass(frozen=True)
class Pair:
    """A primary and a synchronous standby, by PostgreSQL's own replication."""

    primary: Postgres
    standby: Postgres

    @property
    def url(self) -> str:
        """Of both, for whoever writes."""
        first, second = (server.url.rpartition("@") for server in (self.primary, self.standby))
        hosts = ",".join(each[2].partition("/")[0] for each in (first, second))
        return f"{first[0]}@{hosts}/postgres?target_session_attrs=read-write"

    def kill_primary(self) -> None:
        kill_server(find_account(_installation(), self.primary.home).home / "data")

    def kill_standby(self) -> None:
        kill_server(find_account(_installation(), self.standby.home).home / "data")

    def promote(self) -> None:
        """As an operator does; the new primary has no standby, and waits for none."""
        psql(self.standby.url, "SELECT pg_promote()")

    def take_writes(self, does: bool) -> None:
        """Of the standby that was promoted; its sessions stay alive."""
        read_only = "off" if does else "on"
        words = f"ALTER SYSTEM SET default_transaction_read_only = {read_only}"
        psql(self.standby.url, words, "SELECT pg_reload_conf()")


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """Both on durable settings."""
    primary, standby = (
        Postgres(folder / name, folder / f"{name}.log", durable=True) for name in ("one", "two")
    )
    env = dict(os.environ)
    try:
        primary.start(env)
        standby.home.mkdir()
        account = find_account(_installation(), standby.home)
        account.make_folder(account.home / "data")
        words = account.as_owner("pg_basebackup", "-D", account.home / "data", "-R", "-X", "stream")
        words += ["--checkpoint=fast", "-d", primary.url.rpartition("/")[0] + "/postgres"]
        run_to_end("pg_basebackup", words, env, standby.log, cwd=account.home, **account.options)
        for file in ("password", "made-by"):
            (standby.home / file).write_bytes((primary.home / file).read_bytes())
        standby.start(env)
        psql(primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        yield Pair(primary, standby)
    finally:
        for server in (standby, primary):
            server.stop()


# --- Patroni


@dataclass
class Node:
    """A machine with PostgreSQL and Patroni."""

    name: str
    port: int
    rest: int
    data: Path
    words: list[str]
    options: dict[str, Any]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        env = {name: v for name, v in os.environ.items() if not name.startswith("PG")}
        self.process = start(self.words, self.log, env, self.data.parent, **self.options)

    def kill(self) -> None:
        """As a power cut does."""
        if self.process:
            self.process.kill()
            self.process.wait()
        if (self.data / "postmaster.pid").is_file():
            kill_server(self.data)

    def cluster(self) -> dict[str, str]:
        """The role of each node as this one sees it; nothing where it does not answer."""
        try:
            told = requests.get(f"http://{LOOPBACK}:{self.rest}/cluster", timeout=5).json()
        except requests.RequestException:
            return {}
        well = ("running", "streaming")
        return {m["name"]: m["role"] for m in told["members"] if m["state"] in well}


@dataclass(frozen=True)
class Trio:
    """Three of them."""

    nodes: list[Node]

    @property
    def url(self) -> str:
        hosts = ",".join(f"{LOOPBACK}:{node.port}" for node in self.nodes)
        return f"postgresql://postgres:choose-one@{hosts}/postgres?target_session_attrs=read-write"

    def settle(self) -> Node:
        """The leader, once two standbys follow it, one of which is synchronous: only that one may
        take its place."""
        roles = ["leader", "replica", "sync_standby"]

        def led() -> Node | None:
            told = self.nodes[0].cluster()
            by_role = {role: name for name, role in told.items()}
            whole = sorted(told.values()) == roles
            return next((n for n in self.nodes if whole and n.name == by_role["leader"]), None)

        node: Node = until(led, "a leader and two standbys")
        return node


@contextmanager
def trio(folder: Path) -> Iterator[Trio]:
    """Three nodes by deploy/patroni/patroni.yaml, with the addresses and folders of the test, and
    one etcd beside them."""
    account = find_account(_installation(), folder)
    account.make_folder(account.home / "nodes")
    etcd, peer = any_free(), any_free()
    addresses = [f"http://{LOOPBACK}:{port}" for port in (etcd, peer)]
    words = ["etcd", "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync", "--log-level=warn"]
    words += [f"--listen-client-urls={addresses[0]}", f"--advertise-client-urls={addresses[0]}"]
    words += [f"--listen-peer-urls={addresses[1]}", f"--initial-cluster=default={addresses[1]}"]
    words += [f"--initial-advertise-peer-urls={addresses[1]}"]
    nodes = [_node(folder, account, number, etcd) for number in (1, 2, 3)]
    with running(words, dict(os.environ), folder / "etcd.log", python=(), cwd=folder):
        try:
            for node in nodes:
                node.start()
            cluster = Trio(nodes)
            cluster.settle()
            yield cluster
        finally:
            for node in nodes:
                node.kill()
            remove(account.home / "nodes")


def _node(folder: Path, account: Account, number: int, etcd: int) -> Node:
    name, port, rest = f"db{number}", any_free(), any_free()
    home = account.home / "nodes" / name
    account.make_folder(home)
    text = EXAMPLE.read_text("utf-8")
    for old, new in {
        "name: db1": f"name: {name}",
        "10.0.0.11:2379,10.0.0.12:2379,10.0.0.13:2379": f"{LOOPBACK}:{etcd}",
        "10.0.0.11:8008": f"{LOOPBACK}:{rest}",
        "10.0.0.11:5432": f"{LOOPBACK}:{port}",
        "10.0.0.0/24": f"{LOOPBACK}/32",
        "/var/lib/postgresql/17/instrument-commons": str(home / "data"),
        "/usr/lib/postgresql/17/bin": str(account.installation / "bin"),
        "/var/lib/postgresql/.pgpass-patroni": str(home / "pgpass"),
        "unix_socket_directories: /run/postgresql": "unix_socket_directories: ''",
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    account.write(home / "patroni.yaml", text)
    words = [*account.prefix, sys.executable, "-m", "patroni", str(home / "patroni.yaml")]
    log = folder / f"{name}.log"
    return Node(name, port, rest, home / "data", words, account.options, log)
