"""What settings will read: decided here, written to `.local/env`, handed to every child."""

from collections.abc import Mapping

from config.local.checkout import ENV_FILE, LOCAL, kept_secret, read_env, write_env
from config.local.console import Failed
from config.local.ports import LOOPBACK, first_free
from config.local.servers import Servers

DEFAULT_PORT = 8000
DEV = {"DEBUG": "1"}


def preferred_port(given: Mapping[str, str]) -> int:
    text = given.get("PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Failed(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def is_local(servers: Servers) -> bool:
    """Demonstration mode, which needs that no real server is named."""
    return len(servers.bundled) == 2


def check_given(given: Mapping[str, str], servers: Servers) -> None:
    """Where a real server is named nothing is made up; says what is missing."""
    missing = [name for name in ("SECRET_KEY", "SITE_URL") if not given.get(name)]
    if missing and not is_local(servers):
        raise Failed(
            "DATABASE_URL or REDIS_URL names a server of your own, so nothing is made up: "
            f"please set {' and '.join(missing)} in the environment too."
        )


def for_demo(given: Mapping[str, str], servers: Servers, port: int | None) -> dict[str, str]:
    """The environment of "make run" and of commands beside it; also writes the file.

    `port` is None for a command that does not know it: what was written stays.
    """
    if is_local(servers):
        before = read_env(ENV_FILE)
        at = str(port or before.get("PORT") or DEFAULT_PORT)
        ours = {
            "LOCAL_MODE": "1",
            "SECRET_KEY": kept_secret(LOCAL / "secret-key"),
            "PORT": at,
            "SITE_URL": given.get("SITE_URL") or f"http://{LOOPBACK}:{at}",
        }
    else:
        ours = {"PORT": str(port)} if port else {}
    ours = servers.addresses() | ours
    write_env(ENV_FILE, ours)
    return _joined(given, ours)


def with_uploads(env: Mapping[str, str], port: int) -> dict[str, str]:
    """Where uploads have a process of their own beside the web's: no proxy is in front that would
    lead to it."""
    at = first_free(port + 1)
    url = "" if env.get("SITE_URL") != f"http://{LOOPBACK}:{port}" else f"http://{LOOPBACK}:{at}"
    return {"UPLOADS_PORT": str(at), "UPLOADS_URL": url}


def for_tests(given: Mapping[str, str], servers: Servers) -> dict[str, str]:
    """The same for everybody: a test must not depend on what somebody has set."""
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
    """For what reads the code and tries its rules: settings load, but no server answers."""
    nowhere = {
        "DATABASE_URL": f"postgresql://nobody@{LOOPBACK}:9/none",
        "REDIS_URL": f"redis://{LOOPBACK}:9/0",
        "SECRET_KEY": "for-checks-only-" + "0" * 40,
        "SITE_URL": "https://checks.example",
    }
    return _joined(given, nowhere)


def _joined(given: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """Ours goes before what was given: empty values there mean unset. LOCAL_MODE is ours alone."""
    rest = {name: value for name, value in given.items() if name != "LOCAL_MODE"}
    # A start is quick where compiled modules are kept.
    return {**rest, **ours, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": ""}
