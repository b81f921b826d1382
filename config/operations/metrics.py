"""Serve metrics to Prometheus: requests of all web processes, and gauges read from the database.

Each web process counts into files of its own under `PROMETHEUS_MULTIPROC_DIR` (settings), and the process
that answers adds up those of all, so the numbers do not depend on who answers. Gauges are read from the
database at that moment. Without a token the page does not exist and nothing is counted.
"""

import hmac
import time
from collections.abc import Callable, Iterable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram, exposition
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from accounts.replica import ALIAS, MOST_LAG, follower
from accounts.selectors.jobs import failing_by_job
from bookings.operations.selectors.operations import load_operations
from config.env import Misconfigured

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_HERE = CollectorRegistry()  # of this process; what is shown comes from the files of all
REQUESTS = Counter("commons_http_requests", "Requests.", ["method", "route", "status"], registry=_HERE)
SECONDS = Histogram(
    "commons_http_request_seconds", "Time to answer.", ["route"], buckets=BUCKETS, registry=_HERE
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MetricsMiddleware:
    """Counts requests by the name of their route, never by their address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        try:
            settings.METRICS_FOLDER.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            words = "METRICS_FOLDER must be a folder that web processes may write to"
            raise Misconfigured(f"{words}: {problem}") from None
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.view_name if match and match.view_name else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(route).observe(time.perf_counter() - began)
        return response


def metrics(request: HttpRequest) -> HttpResponse:
    """Send the metrics to callers with METRICS_TOKEN as bearer token; to nobody if it is not set."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(Clock())
    text = exposition.generate_latest(registry)
    return HttpResponse(text, content_type=exposition.CONTENT_TYPE_LATEST)


class Clock:
    """Collects gauges of the outbox and the timetable."""

    def collect(self) -> Iterable[Metric]:
        now = timezone.now()
        state = load_operations(now)
        outbox = _gauge("commons_outbox", "Effects by kind and state.", "kind", "state")
        age = _gauge("commons_outbox_oldest_seconds", "How long the oldest has been due.", "kind")
        for queue in state.queues:
            for name in ("due", "later", "retried", "failed"):
                outbox.add_metric([queue.kind, name], getattr(queue, name))
            since = (now - queue.oldest).total_seconds() if queue.oldest else 0
            age.add_metric([queue.kind], since)
        due = _gauge("commons_job_due", "What of a job is due.", "job")
        late = _gauge("commons_job_oldest_seconds", "How long the oldest has been due.", "job")
        for work in state.work:
            due.add_metric([work.name], work.count)
            since = (now - work.oldest).total_seconds() if work.oldest else 0
            late.add_metric([work.name], since)
        last = _gauge("commons_job_run_age_seconds", "Since an entry last ran.", "job")
        took = _gauge("commons_job_run_seconds", "How long its last run took.", "job")
        overdue = _gauge("commons_job_overdue", "Whether an entry is overdue.", "job")
        for entry in state.entries:
            overdue.add_metric([entry.name], entry.is_overdue)
            if run := entry.run:
                last.add_metric([entry.name], (now - run.started_at).total_seconds())
                if run.ended_at:
                    seconds = (run.ended_at - run.started_at).total_seconds()
                    took.add_metric([entry.name], seconds)
        failures = _gauge("commons_failures", "What failed and is tried again or given up.", "name")
        counts = {queue.kind: queue.retried + queue.failed for queue in state.queues}
        for name, count in (counts | failing_by_job()).items():
            failures.add_metric([name], count)
        behind = _gauge("commons_replica_behind_seconds", "At most; infinite while it is away.")
        most = _gauge("commons_replica_most_behind_seconds", "Beyond which it is not read.")
        if ALIAS in connections:
            behind.add_metric([], follower.behind())
            most.add_metric([], MOST_LAG)
        return [outbox, age, due, late, last, took, overdue, failures, behind, most]


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, labels=labels)
