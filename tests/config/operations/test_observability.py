"""What is sent to Sentry and to a collector of traces, read by servers that play them."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.db import connection

from accounts.models import JobFailure
from config import env
from config.settings import VERSION
from tests.config.test_env import ROOT, said
from tests.factories.failing import MAIL, PERSON, SECRET, VISITOR

SERVE = [sys.executable, "-c", "from tests.factories.failing import serve; serve()"]
WORK = [
    *(sys.executable, "-m", "celery", "-A", "config", "worker", "-I", "tests.factories.failing"),
    *("-c", "1", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
]
pytestmark = pytest.mark.django_db
ANSWERS = ["500", "500", "302", "403", "404", "400", "200"]


class Sink:
    """Plays the servers of Sentry and of OpenTelemetry, and keeps what it is sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.events: list[dict] = []
        self.spans: list[tuple[str, object]] = []  # with the name of the service
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                sink.texts.append(f"{self.path} {self.headers} {body.decode('utf-8', 'replace')}")
                if self.path == "/v1/traces":
                    sink.keep_spans(body)
                else:
                    sink.keep_events(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def keep_spans(self, body: bytes) -> None:
        for resource in read_spans(body):
            of = {one.key: one.value.string_value for one in resource.resource.attributes}
            assert of["service.version"] == VERSION
            for scope in resource.scope_spans:
                self.spans += [(of["service.name"], span) for span in scope.spans]

    def keep_events(self, body: bytes) -> None:
        _envelope, *lines = body.split(b"\n")
        for head, item in zip(lines[::2], lines[1::2], strict=False):
            assert json.loads(head)["type"] in {"event", "transaction"}, head
            self.events.append(json.loads(item))

    def of_services(self, name: str) -> list:
        return [span for service, span in self.spans if service == name]


def read_spans(body: bytes) -> Any:
    sys.modules.pop("opentelemetry")  # off in this process (config/settings.py)
    try:
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

        return trace_service_pb2.ExportTraceServiceRequest.FromString(body).resource_spans
    finally:
        sys.modules["opentelemetry"] = None


def environment(**given: str) -> dict[str, str]:
    """That of a process on the database of this test, with a broker to itself."""
    server, broker = urlsplit(os.environ["DATABASE_URL"]), urlsplit(os.environ["REDIS_URL"])
    ours = {
        "DATABASE_URL": server._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "CELERY_BROKER_URL": broker._replace(path="/15").geturl(),
    }
    return os.environ | ours | given


def both(address: str) -> dict[str, str]:
    return {
        "SENTRY_DSN": f"http://key@{address}/1",
        "SENTRY_ENVIRONMENT": "trial",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}",
    }


@pytest.fixture(scope="module")
def sink(django_db_setup, django_db_blocker):
    """What a web process and a worker sent that served failing pages and jobs."""
    sink = Sink()
    given = environment(**both(sink.address), SENTRY_TRACES_SAMPLE_RATE="1")
    redis.Redis.from_url(given["CELERY_BROKER_URL"]).flushdb()  # what no worker took before
    worker = subprocess.Popen(WORK, env=given, cwd=ROOT)
    try:
        web = subprocess.run(SERVE, env=given, cwd=ROOT, capture_output=True, text=True, timeout=180)
        until = time.monotonic() + 120
        while not {"RuntimeError", "LookupError"} <= kinds(sink).keys() and time.monotonic() < until:
            time.sleep(0.2)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)
        with django_db_blocker.unblock():
            JobFailure.objects.filter(job="tests").delete()
    assert [line[:3] for line in web.stdout.splitlines()] == ANSWERS, web.stderr[-3000:]
    yield sink
    sink.server.shutdown()


def kinds(sink: Sink) -> dict[str, list[dict]]:
    """Events, by the error that they end with."""
    of: dict[str, list[dict]] = {}
    for event in [event for event in sink.events if event.get("type") != "transaction"]:
        of.setdefault(event["exception"]["values"][-1]["type"], []).append(event)
    return of


def test_each_failure_is_reported_once_and_no_refusal(sink):
    assert {kind: len(events) for kind, events in kinds(sink).items()} == {
        "ValueError": 1,  # a page
        "ArithmeticError": 1,  # an endpoint
        "RuntimeError": 1,  # a job
        "LookupError": 1,  # one thing of a job, tried twice
    }
    (page,), (thing,) = kinds(sink)["ValueError"], kinds(sink)["LookupError"]
    assert page["transaction"] == "/calendar/{token}.ics"
    assert page["request"] == {
        "method": "POST", "url": "http://127.0.0.1/calendar/...",
    }  # fmt: skip
    assert (page["release"], page["environment"]) == (VERSION, "trial")
    assert len(page["tags"]["request_id"]) == 36
    errors = page["exception"]["values"]
    assert [e["type"] for e in errors] == ["NotNullViolation", "IntegrityError", "ValueError"]
    lines = [frame["context_line"].strip() for frame in errors[-1]["stacktrace"]["frames"]]
    assert lines[-1] == "raise ValueError(password) from error"
    assert thing["logentry"]["message"] == "%s failed for %s"


def test_sentry_gets_traces_only_where_a_share_is_named(sink, monkeypatch):
    (page,) = [one for one in sink.events if one.get("transaction") == "/calendar/{token}.ics"
               and one.get("type") == "transaction"]  # fmt: skip
    statements = [span["description"] for span in page["spans"] if span["op"] == "db"]
    assert statements[-1] == "INSERT INTO django_session (session_key) VALUES (%s)"
    monkeypatch.setenv("SENTRY_DSN", "https://key@sentry.example.org/1")
    monkeypatch.delenv("SENTRY_TRACES_SAMPLE_RATE", raising=False)
    assert env.sentry()["traces_sample_rate"] is None


def test_no_secret_nor_person_leaves(sink):
    assert len(sink.texts) >= 6
    sent = "\n".join(sink.texts)
    for text in (SECRET, PERSON, MAIL, VISITOR, "csrftoken", "Zhang", "campus.example"):
        assert text not in sent, sent[max(0, sent.index(text) - 300) :][:600]


def test_a_request_is_traced_to_its_statements_and_jobs(sink):
    web, worker = (sink.of_services(f"instrument-commons-{name}") for name in ("web", "worker"))
    (page,) = [span for span in web if span.name == "POST calendar/<str:token>.ics"]
    values = {one.key: one.value.string_value for one in page.attributes}
    assert values["http.route"] == "calendar/<str:token>.ics"
    assert values["http.url"] == "http://127.0.0.1/calendar/..."
    within = {span.name: span for span in web if span.parent_span_id == page.span_id}
    statement = {one.key: one.value.string_value for one in within["INSERT"].attributes}
    assert statement["db.statement"] == "INSERT INTO django_session (session_key) VALUES (%s)"
    (error,) = within["INSERT"].events
    assert [one.key for one in error.attributes] == ["exception.type"]
    (job,) = [span for span in worker if span.name == "run/tests.fail"]
    assert (job.trace_id, job.parent_span_id) == (page.trace_id, within["apply_async/tests.fail"].span_id)
    (other,) = [span for span in worker if span.name == "run/tests.fail_within"]
    assert {"INSERT", "UPDATE"} <= {span.name for span in worker if span.parent_span_id == other.span_id}
    assert not [span for span in web if "readyz" in span.name]


@pytest.mark.parametrize("answers", [False, True])
def test_nothing_waits_for_a_server_that_is_dead(django_db_setup, answers):
    """It takes connections and says nothing, or takes none."""
    with socket.create_server(("127.0.0.1", 0)) as dead:
        address = f"127.0.0.1:{dead.getsockname()[1]}"
        if not answers:
            dead.close()
        done = subprocess.run(
            SERVE, env=environment(**both(address)), cwd=ROOT,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert [line[:3] for line in done.stdout.splitlines()] == ANSWERS, done.stderr[-3000:]
    assert done.returncode == 0


START = """
import sys, config.wsgi
from celery import signals
signals.celeryd_init.send(sender=None)
signals.worker_process_init.send(sender=None)
loaded = {name.partition(".")[0] for name, module in sys.modules.items() if module}
print(sorted(loaded & {"sentry_sdk", "opentelemetry"}))
"""


@pytest.mark.parametrize(
    ("given", "loaded"),
    [
        ({}, []),
        ({"SENTRY_DSN": "", "OTEL_EXPORTER_OTLP_ENDPOINT": ""}, []),
        ({"SENTRY_ENVIRONMENT": "trial", "OTEL_SERVICE_NAME": "x"}, []),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}, []),
        ({"SENTRY_DSN": "http://key@127.0.0.1:1/1"}, ["sentry_sdk"]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, ["opentelemetry"]),
    ],
)
def test_what_is_off_is_not_even_loaded(given, loaded):
    done = said("-c", START, **given)
    assert done.stdout.strip().splitlines()[-1:] == [str(loaded)], done.stderr[-3000:]
