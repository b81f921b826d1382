"""What the environment may say, and what is refused with a sentence before anything starts."""

import os
import re
import runpy
import ssl
import subprocess
import sys
import traceback
from pathlib import Path
from unittest import mock

import pytest
import redis
from kombu import Connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import env
from config.web import caches
from tests.factories.tls import untrusted

ROOT = Path(__file__).parents[2]
GOOD = {
    "LOCAL_MODE": "0",
    "SECRET_KEY": "known to this test alone " * 3,
    "SITE_URL": "https://x.example",
    "ALLOWED_HOSTS": "x.example",
    "DATABASE_URL": "postgresql://web:secret@db.example/commons",
    "REDIS_URL": "redis://cache.example",
    "DEBUG": "0",
}
BUCKET = {"MEDIA_BUCKET": "uploads"}
OTLP = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
# A browser of another test leaves the last one.
DROPPED = ("DJANGO_ALLOW_ASYNC_UNSAFE", "CELERY_BROKER_URL", "LOCAL_MAIL", "CALLS_LOOPBACK")


def real(**given):
    """An environment like a real one."""
    chosen = GOOD | given
    kept = {name: os.environ[name] for name in os.environ.keys() - chosen.keys() - set(DROPPED)}
    return kept | {name: value for name, value in chosen.items() if value is not None}


def said(*words, **given):
    """What a process says that starts so."""
    return subprocess.run(
        [sys.executable, *words], env=real(**given), cwd=ROOT, check=False,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_the_documented_settings_are_clean():
    done = said("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"SECRET_KEY": "short"}, "at least 50"),
        ({"SECRET_KEY": "ab" * 40}, "at least 50"),
        ({"SITE_URL": "http://x.example"}, "https"),
        ({"SITE_URL": "https://x.example/commons"}, "SITE_URL must look like"),
        ({"SITE_URL": "x.example"}, "SITE_URL must look like"),
        ({"SITE_URL": None}, "SITE_URL is not set"),
        ({"ALLOWED_HOSTS": "other.example"}, "ALLOWED_HOSTS must name x.example"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS must name x.example"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"DATABASE_URL": "mysql://db.example/x"}, "postgresql://"),
        ({"DATABASE_URL": "postgresql://db.example"}, "names no database"),
        ({"DATABASE_URL": "postgresql://db.example/x?sslmood=full"}, "sslmood"),
        ({"DATABASE_URL": "postgresql://db.example/x?options=-cjit%3Don"}, "sets options"),
        ({"DATABASE_URL": "postgresql://web:hidden%zz@db.example/x"}, "written as %XX"),
        ({"DATABASE_URL": "postgresql://web:hidden@[db.example/x"}, "written as %XX"),
        ({"DATABASE_REPLICA_URL": "mysql://db.example/x"}, "DATABASE_REPLICA_URL must look like"),
        ({"DATABASE_REPLICA_MOST_LAG": "2"}, "a whole number, 3 or more"),
        ({"REDIS_URL": "redis://cache.example/hidden@"}, "REDIS_URL must look like"),
        ({"REDIS_URL": "redis://:hidden@[cache.example"}, "written as %XX"),
        ({"REDIS_URL": "redis://:hidden@cache.example:x"}, "REDIS_URL must look like"),
        ({"MAIL_FROM": ""}, "MAIL_FROM must hold an address"),
        ({"MAIL_FROM": "Instrument Commons"}, "MAIL_FROM must hold an address"),
        ({"REDIS_URL": "amqp://cache.example"}, "REDIS_URL must look like"),
        ({"REDIS_URL": "rediss://cache.example?ssl_cert_reqs=none"}, "certificate"),
        ({"CELERY_BROKER_URL": "rediss://b.example?ssl_cert_reqs=optional"}, "certificate"),
        ({"MAIL_TLS": "1", "MAIL_SSL": "1"}, "exclude one another"),
        ({"MAIL_PORT": "smtp"}, "whole number"),
        ({"MAIL_PORT": "70000"}, "MAIL_PORT must be from 1 to 65535"),
        ({"MAIL_TLS": "1", "MAIL_SSL": "1", "MAIL_PORT": "abc"}, "MAIL_PORT must be a whole number"),
        ({"DATABASE_URL": "postgresql://web:hidden@db.example:99999/x"}, "DATABASE_URL must have a port"),
        ({"PROXIES": "-1"}, "PROXIES must be a whole number, 0 or more"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be one of"),
        ({"THROTTLE_USER": "3000"}, "THROTTLE_USER must look like 600/min"),
        ({"UPLOADS_URL": "uploads.example.org"}, "UPLOADS_URL must look like"),
        ({"OPEN_DATA_LICENCE": "CC-BY-4.0"}, "OPEN_DATA_LICENCE must look like"),
        ({"CSRF_TRUSTED_ORIGINS": "x.example"}, "CSRF_TRUSTED_ORIGINS must look like"),
        ({"SENTRY_DSN": "sentry.example/1"}, "SENTRY_DSN must look like"),
        ({"SENTRY_DSN": "https://sentry.example/1"}, "SENTRY_DSN must look like"),
        ({"SENTRY_DSN": "https://secret@sentry.example/project"}, "SENTRY_DSN must look like"),
        ({"SENTRY_DSN": "https://secret@sentry.example:x/1"}, "SENTRY_DSN must look like"),
        ({"SENTRY_DSN": "https://secret@[::1/1"}, "SENTRY_DSN must look like"),
        ({"SENTRY_TRACES_SAMPLE_RATE": "2"}, "from 0 to 1"),
        ({"SENTRY_TRACES_SAMPLE_RATE": "nan"}, "from 0 to 1"),
        ({"SENTRY_TRACES_SAMPLE_RATE": "all"}, "from 0 to 1"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"}, "ENDPOINT must look like"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "grpc://collector:4317"}, "ENDPOINT must look like"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:port"}, "ENDPOINT must look like"),
        (OTLP | {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "/v1/traces"}, "ENDPOINT must look like"),
        (OTLP | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "must be http/protobuf"),
        (OTLP | {"OTEL_EXPORTER_OTLP_HEADERS": "secret"}, "name=value"),
        (OTLP | {"OTEL_SDK_DISABLED": "perhaps"}, "OTEL_SDK_DISABLED must be 1 or 0"),
        ({"DATABASE_URL_FILE": "/nowhere"}, "both set"),
        ({"MEDIA_BUCKET": "uploads", "MEDIA_ROOT": "/media"}, "MEDIA_ROOT and MEDIA_BUCKET"),
        ({"MEDIA_ENDPOINT": "https://s3.example"}, "MEDIA_ENDPOINT is set, MEDIA_BUCKET is not"),
        ({"MEDIA_SECRET_KEY": "secret"}, "MEDIA_SECRET_KEY is set, MEDIA_BUCKET is not"),
        (BUCKET | {"MEDIA_ACCESS_KEY": "key"}, "both or neither"),
        (BUCKET | {"MEDIA_SECRET_KEY": "secret"}, "both or neither"),
        ({"MEDIA_BUCKET": "s3://uploads"}, "MEDIA_BUCKET must be"),
        (BUCKET | {"MEDIA_ADDRESSING": "host"}, "auto, path or virtual"),
        (BUCKET | {"MEDIA_ENDPOINT": "http://s3.example"}, "MEDIA_ENDPOINT must begin with"),
        (BUCKET | {"MEDIA_ENDPOINT": "s3.example"}, "MEDIA_ENDPOINT must look like"),
        (BUCKET | {"MEDIA_ENDPOINT": "https://a:secret@s3.example"}, "must look like https://s3"),
        (BUCKET | {"MEDIA_ENDPOINT": "https://s3.example/uploads"}, "must look like https://s3"),
        ({"RESULTS_FROM": "nginx"}, "RESULTS_FROM must be platform, proxy or bucket"),
        ({"RESULTS_FROM": "bucket"}, "RESULTS_FROM=bucket, but MEDIA_BUCKET is not set"),
        (BUCKET | {"RESULTS_FROM": "proxy"}, "RESULTS_FROM=proxy, but MEDIA_BUCKET is set"),
        ({"SECRET_KEY": None, "SECRET_KEY_FILE": "/nowhere"}, "cannot be read"),
    ],
)
def test_nothing_starts_with(given, words):
    with (
        mock.patch.dict(os.environ, real(**given), clear=True),
        pytest.raises(env.Misconfigured, match=re.escape(words)) as failed,
    ):
        runpy.run_path(str(ROOT / "config/settings.py"))
    shown = "".join(traceback.format_exception(failed.value))
    assert "secret@" not in shown
    assert "hidden" not in shown


@pytest.mark.parametrize("given", [{"OTEL_PROPAGATORS": "unknown"}, {"OTEL_BSP_SCHEDULE_DELAY": "-1"}])
def test_nothing_starts_with_what_opentelemetry_refuses(given):
    done = said("-c", "import config.wsgi", **OTLP, **given)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("OpenTelemetry cannot start"), done.stderr
    assert "Traceback" not in done.stderr


GRANIAN = ["-m", "granian", "--interface", "wsgi", "--port", "0", "config.wsgi:application"]


@pytest.mark.parametrize(
    "words",
    [
        ["manage.py", "doctor"],
        ["-m", "celery", "-A", "config", "worker"],
        ["-m", "celery", "-A", "config", "beat"],
        GRANIAN,
    ],
    ids=["command", "worker", "beat", "web"],
)
def test_every_process_names_all_wrong_settings_at_once_and_shows_no_code(words):
    wrong = {"SITE_URL": None, "SECRET_KEY": "short", "MAIL_PORT": "smtp", "SIGN_IN_OIDC": "{"}
    done = said(*words, **wrong, HSTS_SECONDS="long", MEDIA_ACCESS_KEY="k", MEDIA_BUCKET="uploads")
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if not line.startswith("[")]
    assert told[0] == "6 settings are wrong:"
    names = [line.split()[1].rstrip(":") for line in told[1:7]]
    assert sorted(names) == [
        "HSTS_SECONDS", "MAIL_PORT", "MEDIA_ACCESS_KEY", "SECRET_KEY", "SIGN_IN_OIDC", "SITE_URL",
    ]  # fmt: skip
    assert "- SITE_URL is not set. It must look like https://instruments.example.org" in told
    assert "Traceback" not in done.stderr


def test_an_empty_list_of_hosts_is_the_sites_own(monkeypatch):
    monkeypatch.setenv("SITE_URL", "https://x.example/")
    monkeypatch.delenv("ALLOWED_HOSTS", raising=False)
    assert env.site(local=False) == ("https://x.example", ["x.example"])
    monkeypatch.setenv("ALLOWED_HOSTS", ".example")
    assert env.site(local=False) == ("https://x.example", [".example"])


def test_secrets_come_from_files(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("läuft nicht ab\n", "utf-8")
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    monkeypatch.setenv("MAIL_PASSWORD_FILE", str(tmp_path / "secret"))
    assert env.mail()["password"] == "läuft nicht ab"


@pytest.mark.parametrize(
    ("url", "parts", "options"),
    [
        (
            "postgresql://web:p%40ss@a.example:5433,b.example/commons"
            "?target_session_attrs=read-write&sslmode=verify-full&sslrootcert=/ca.pem",
            ("a.example,b.example", "5433,", "p@ss"),
            {"target_session_attrs": "read-write", "sslmode": "verify-full",
             "sslrootcert": "/ca.pem"},
        ),
        ("postgresql://web@/commons?host=/run/postgresql", ("/run/postgresql", "", ""), {}),
        ("postgresql://web@[::1]:5432/c?connect_timeout=9", ("::1", "5432", ""),
         {"connect_timeout": "9"}),
    ],
)  # fmt: skip
def test_an_address_of_the_database_is_read_whole(url, parts, options):
    given = env.database(url, {"application_name": "x"})
    assert (given["HOST"], given["PORT"], given["PASSWORD"]) == parts
    ours = {"connect_timeout": 5, **env.SILENCE, "application_name": "x"}
    assert given["OPTIONS"] == ours | options


def test_a_bucket_is_named_with_keys_from_files_or_boto3s_own(monkeypatch, tmp_path):
    assert env.bucket(local=False) is None
    monkeypatch.setenv("MEDIA_BUCKET", "uploads")
    monkeypatch.setenv("MEDIA_ROOT", "")  # as where an image has named a folder
    assert env.bucket(local=False) == {
        "bucket_name": "uploads",
        "endpoint_url": None,
        "region_name": None,
        "addressing_style": "auto",
    }
    (tmp_path / "secret").write_text("the secret\n")
    monkeypatch.setenv("MEDIA_ACCESS_KEY", "key")
    monkeypatch.setenv("MEDIA_SECRET_KEY_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("MEDIA_ADDRESSING", "virtual")
    for address in ("http://127.0.0.1:9000", "http://[::1]:9000", "https://s3.example/"):
        monkeypatch.setenv("MEDIA_ENDPOINT", address)
        options = env.bucket(local=False)
        assert options["endpoint_url"] == address
    assert (options["access_key"], options["secret_key"]) == ("key", "the secret")
    assert (options["addressing_style"], options["security_token"]) == ("virtual", None)
    monkeypatch.setenv("MEDIA_ENDPOINT", "http://minio:9000")
    assert env.bucket(local=True)["endpoint_url"] == "http://minio:9000"


def test_mail_by_tls_at_once_and_by_starttls(monkeypatch):
    monkeypatch.delenv("MAIL_PORT", raising=False)
    monkeypatch.setenv("MAIL_SSL", "1")
    assert (env.mail()["port"], env.mail()["use_ssl"], env.mail()["use_tls"]) == (465, True, False)
    monkeypatch.setenv("MAIL_SSL", "0")
    monkeypatch.setenv("MAIL_TLS", "1")
    assert (env.mail()["port"], env.mail()["use_ssl"], env.mail()["use_tls"]) == (587, False, True)


@pytest.mark.parametrize("to", ["cache", "broker"])
def test_nobody_is_trusted_with_sessions_or_jobs_who_shows_no_certificate(to, tmp_path, monkeypatch):
    monkeypatch.setattr(caches, "_quiet_until", 0.0)
    patience = {"socket_timeout": 3, "socket_connect_timeout": 3}
    with untrusted(tmp_path) as port:
        if to == "cache":
            once = Retry(NoBackoff(), 0)
            link = caches.TlsConnection(host="localhost", port=port, retry=once, **patience)
        else:
            broker = Connection(
                f"rediss://localhost:{port}",
                ssl={"ssl_cert_reqs": ssl.CERT_REQUIRED},  # as config/settings.py has it
                transport_options=patience | {"max_retries": 0},
            )
        with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            link.connect() if to == "cache" else broker.channel()


def test_the_cache_speaks_tls_where_its_address_says_so():
    for scheme, kind in (("redis", caches.Connection), ("rediss", caches.TlsConnection)):
        assert caches.Cache(f"{scheme}://x", {})._options["connection_class"] is kind
