"""Decide which variables settings will read; they are written to `.local/env` and passed to every child
process."""

from collections.abc import Mapping

from config.local.checkout import ENV_FILE, LOCAL, kept_secret, read_env, write_env
from config.local.console import Failed
from config.local.ports import LOOPBACK, first_free
from config.local.servers import Servers

DEFAULT_PORT = 8000
DEMO_ZONE = "Asia/Shanghai"  # of most regions of the demonstration
DEV = {"DEBUG": "1"}


def preferred_port(given: Mapping[str, str]) -> int:
    text = given.get("PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Failed(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def is_local(servers: Servers) -> bool:
    """Return whether this is demonstration mode, which requires that no real server is named."""
    return len(servers.bundled) == 2


def check_given(given: Mapping[str, str], servers: Servers) -> None:
    """Raise `Failed` with the names of missing variables if a real server is named: then no value is
    invented."""
    missing = [name for name in ("SECRET_KEY", "SITE_URL") if not given.get(name)]
    if missing and not is_local(servers):
        raise Failed(
            "DATABASE_URL or REDIS_URL names a server of your own, so nothing is made up: "
            f"please set {' and '.join(missing)} in the environment too."
        )


def for_demo(given: Mapping[str, str], servers: Servers, port: int | None) -> dict[str, str]:
    """Return the environment of "make run" and of commands beside it, and write the file.

    `port` is None for a command that does not know it: then the port in the file is kept.
    """
    if is_local(servers):
        before = read_env(ENV_FILE)
        at = str(port or before.get("PORT") or DEFAULT_PORT)
        ours = {
            "LOCAL_MODE": "1",
            "SECRET_KEY": kept_secret(LOCAL / "secret-key"),
            "PORT": at,
            "SITE_URL": given.get("SITE_URL") or f"http://{LOOPBACK}:{at}",
            "TIME_ZONE": given.get("TIME_ZONE") or DEMO_ZONE,
        }
    else:
        ours = {"PORT": str(port)} if port else {}
    ours = servers.addresses() | ours
    write_env(ENV_FILE, ours)
    return _joined(given, ours)


def with_uploads(env: Mapping[str, str], port: int) -> dict[str, str]:
    """Return the variables for the separate upload process, on a free port after the web's. No proxy leads to
    it, so browsers get its own address."""
    at = first_free(port + 1)
    url = "" if env.get("SITE_URL") != f"http://{LOOPBACK}:{port}" else f"http://{LOOPBACK}:{at}"
    return {"UPLOADS_PORT": str(at), "UPLOADS_URL": url}


def for_tests(given: Mapping[str, str], servers: Servers) -> dict[str, str]:
    """Return the environment of tests, the same for everybody: a test must not depend on a person's
    variables."""
    not_theirs = ("CELERY_BROKER_URL", "SENTRY_", "OTEL_")
    given = {name: value for name, value in given.items() if not name.startswith(not_theirs)}
    ours = servers.addresses() | {
        "LOCAL_MODE": "1",
        "SECRET_KEY": "for-tests-only-" + "0" * 40,
        "SITE_URL": f"http://{LOOPBACK}:{DEFAULT_PORT}",
        "STATIC_ROOT": str(LOCAL / "test-static"),
    }
    return _joined(given, ours)


def for_checks(given: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for reading the code and testing its rules: settings load, but no server
    answers."""
    nowhere = {
        "DATABASE_URL": f"postgresql://nobody@{LOOPBACK}:9/none",
        "REDIS_URL": f"redis://{LOOPBACK}:9/0",
        "SECRET_KEY": "for-checks-only-" + "0" * 40,
        "SITE_URL": "https://checks.example",
    }
    return _joined(given, nowhere)


def _joined(given: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """Return the given variables, overridden by ours even where ours are empty, which means unset. A given
    LOCAL_MODE is dropped."""
    rest = {name: value for name, value in given.items() if name != "LOCAL_MODE"}
    always = {
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "",  # a start is quick where compiled modules are kept
        "OMP_NUM_THREADS": "1",  # threads that wait for one another take four times as long
    }
    return {**rest, **ours, **always}
