"""A bucket of one test, served over HTTP on loopback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any
from uuid import uuid4

import boto3
from django.core.files.storage import default_storage
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


@dataclass(frozen=True)
class Bucket:
    """`options`: of `config.files.buckets.Bucket`; `stop`: the server is away from then on."""

    options: dict[str, Any]
    stop: Callable[[], None]


@contextmanager
def serve_bucket() -> Iterator[Bucket]:
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    where = {"endpoint_url": f"http://127.0.0.1:{server.port}", "region_name": "us-east-1"}
    name = f"uploads-{uuid4().hex[:12]}"
    boto3.client("s3", aws_access_key_id="key", aws_secret_access_key="secret", **where).create_bucket(
        Bucket=name
    )
    options = where | {
        "bucket_name": name,
        "addressing_style": "auto",
        "access_key": "key",
        "secret_key": "secret",
    }
    try:
        yield Bucket(options, stop)
    finally:
        stop()


def stored(folder: str = "") -> list[str]:
    """The names of all files in the storage of uploads."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    below = [name for each in folders for name in stored(f"{folder}{each}/")]
    return sorted([f"{folder}{name}" for name in files] + below)
