"""Send errors to Sentry and traces to an OpenTelemetry collector, if the environment names one.

Their packages are imported only then. What may be sent is listed below, so that a new version of theirs sends
nothing else: no query, body, header, cookie, network address, variable or parameter, and no message of an
exception, because PostgreSQL includes values of rows in it. Logs have all that, under the same `request_id`.
"""
# ruff: noqa: PLC0415 (see above)

import os
from collections.abc import Iterable, Mapping
from typing import Any

import django
from django.conf import settings
from structlog.contextvars import get_contextvars

from config.env import Misconfigured
from config.operations.logs import mask

_OURS = frozenset({"accounts", "bookings", "config", "instruments"})
# Loggers that repeat what is reported anyway, tell of bad requests, or of the collector.
_UNREPORTED = ("django_structlog.*", "django.security.*", "opentelemetry.*")
# Of an event of Sentry, of an exception in it, and of its spans
_EVENT = (
    "event_id", "type", "timestamp", "start_timestamp", "level", "logger", "platform", "release",
    "environment", "server_name", "sdk", "transaction_info",
)  # fmt: skip
_EXCEPTION = ("type", "module", "mechanism", "stacktrace")
_SPAN = (
    "trace_id", "span_id", "parent_span_id", "op", "origin", "status", "timestamp",
    "start_timestamp",
)  # fmt: skip
# Of a span of OpenTelemetry, by its older names and by those of OTEL_SEMCONV_STABILITY_OPT_IN
_ATTRIBUTES = (
    "http.method", "http.request.method", "http.route", "http.status_code",
    "http.response.status_code", "db.system", "db.system.name", "db.name", "db.namespace",
    "db.statement", "db.query.text", "celery.action", "celery.state", "celery.task_name",
    "celery.retries", "messaging.destination", "messaging.message.id",
)  # fmt: skip
_ADDRESSES = ("http.url", "http.target", "url.full", "url.path")
_SECONDS = 2  # at most for a batch of spans: a process that stops waits for the last


def start(process: str) -> None:
    """Start reporting errors and tracing for this process (web, worker, beat), as far as they are switched
    on."""
    report_errors()
    trace(process)


def report_errors() -> None:
    """Start to report errors to Sentry. A worker must call this before it forks."""
    if not settings.SENTRY:
        return
    import sentry_sdk
    from sentry_sdk.integrations import atexit, celery, dedupe, excepthook, logging
    from sentry_sdk.integrations.django import DjangoIntegration

    from accounts.domain.errors import Refused

    for name in _UNREPORTED:
        logging.ignore_logger(name)
    sentry_sdk.init(
        **settings.SENTRY,
        release=_version(),
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            DjangoIntegration(signals_spans=False),
            celery.CeleryIntegration(propagate_traces=False),
            logging.LoggingIntegration(level=None),
            excepthook.ExcepthookIntegration(),
            dedupe.DedupeIntegration(),
            atexit.AtexitIntegration(callback=lambda pending, seconds: None),
        ],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        trace_propagation_targets=[],
        ignore_errors=[Refused],
        before_send=_reported,
        before_send_transaction=_reported,
    )


def trace(process: str) -> None:
    """Start to send traces. Each working process must call this before it connects to the database and, in
    the web process, before Django loads its middleware."""
    if settings.OTLP:
        try:
            _trace(process, settings.OTLP)
        except ValueError as problem:  # one of its own variables
            raise Misconfigured(f"OpenTelemetry cannot start: {problem}") from None


def _trace(process: str, collector: Mapping[str, Any]) -> None:
    import opentelemetry.trace
    from celery import signals
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.celery import CeleryInstrumentor
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

    class Exporter(OTLPSpanExporter):
        def export(self, spans: Iterable[ReadableSpan]) -> SpanExportResult:
            return super().export([_traced(span) for span in spans])

    ours = {"service.name": f"instrument-commons-{process}", "service.version": _version()}
    waits = {"OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"} & os.environ.keys()
    provider = TracerProvider(resource=Resource.create(ours).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(
        BatchSpanProcessor(Exporter(**collector, timeout=None if waits else _SECONDS))
    )
    opentelemetry.trace.set_tracer_provider(provider)
    # A process of a pool ends without the usual end of a Python.
    signals.worker_process_shutdown.connect(lambda **_: provider.shutdown(), weak=False)
    # Probes come without the host's name, which it would look at.
    after = settings.MIDDLEWARE.index("config.operations.health.ProbeMiddleware") + 1
    DjangoInstrumentor().instrument(middleware_position=after)
    PsycopgInstrumentor().instrument()
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]


def _version() -> str:
    django.setup()  # the web process is not yet, and does not mind twice
    return str(settings.VERSION)


def _some(names: Iterable[str], of: Mapping[str, Any]) -> dict[str, Any]:
    return {name: of[name] for name in names if name in of}


def _reported(event: Any, hint: Mapping[str, Any]) -> Any:
    """Return the part of a Sentry event that may be sent."""
    contexts, request = event.get("contexts", {}), event.get("request", {})
    if event.get("transaction_info", {}).get("source") == "url":
        event, request = event | {"transaction": ""}, {}  # of no route: it may say anything
    sent = _some(_EVENT, event) | {
        "transaction": mask(event.get("transaction") or ""),
        "request": {"method": request.get("method"), "url": _address(request.get("url", ""))},
        "contexts": {"runtime": contexts.get("runtime"), "trace": _some(_SPAN, contexts.get("trace", {}))},
        "tags": _some(["request_id"], get_contextvars()),
        "spans": [
            _some(_SPAN, span) | {"description": mask(span.get("description") or "")}
            for span in event.get("spans", ())
        ],
        "exception": {"values": [_some(_EXCEPTION, e) for e in event.get("exception", {}).get("values", ())]},
    }
    if event.get("logger", "").partition(".")[0] in _OURS:
        # Ours are sentences with gaps; without what fills them. Others may have filled theirs.
        sent["logentry"] = {"message": event["logentry"]["message"]}
    return sent


def _traced(span: Any) -> Any:
    """Return the part of an OpenTelemetry span that may be sent."""
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Status

    # An address of no route may say anything.
    addresses = _some(_ADDRESSES, span.attributes) if "http.route" in span.attributes else {}
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        kind=span.kind,
        links=span.links,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
        attributes=_some(_ATTRIBUTES, span.attributes)
        | {name: _address(text) for name, text in addresses.items()},
        events=[
            Event(one.name, _some(["exception.type"], one.attributes), one.timestamp) for one in span.events
        ],
    )


def _address(text: str) -> str:
    """Return an address without its query and its secrets."""
    return mask(text.partition("?")[0])
