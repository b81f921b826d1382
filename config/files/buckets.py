"""Uploads in a bucket of an S3-compatible service (`MEDIA_BUCKET`).

Imported only where one is named: boto3 costs every process time and memory.
"""

import io
from types import SimpleNamespace
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from config.files.storages import Reached, reaching

PROBLEMS = (BotoCoreError, ClientError, Boto3Error, OSError)


class Bucket(Reached, S3Storage):  # type: ignore[misc]
    """Objects are private and never overwritten; their keys are the paths below `MEDIA_ROOT`."""

    PROBLEMS = PROBLEMS

    def __init__(self, addressing_style: str, **options: Any) -> None:
        config = Config(
            # A call ends within 40 s, before the database ends a transaction that waits for it.
            connect_timeout=5,
            read_timeout=20,
            retries={"total_max_attempts": 2, "mode": "standard"},
            signature_version="s3v4",
            s3={"addressing_style": addressing_style},
            # Services other than Amazon's do not all know the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(
            file_overwrite=False,
            client_config=config,
            transfer_config=TransferConfig(use_threads=False),
            # No browser shows it, and no program unpacks it, whatever its name says.
            object_parameters={"ContentType": "application/octet-stream"},
            **options,
        )
        # One client for all threads, which may share it: each would take 17 MB.
        self._connections = SimpleNamespace()

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        """Read it as it comes: neither memory nor disk ever holds the whole."""
        client = self.connection.meta.client
        key = self._normalize_name(clean_name(name))
        try:
            answer = client.get_object(Bucket=self.bucket_name, Key=key)
        except client.exceptions.NoSuchKey:
            raise FileNotFoundError(name) from None
        body = _Body(answer["Body"], answer["ContentLength"])
        return File(io.BufferedReader(body, 65536), name)


class _Body(io.RawIOBase):
    """An object on its way. Its length is known beforehand, so it can be measured by going to the
    end and back, as `FileResponse` does; nothing else is sought."""

    def __init__(self, stream: Any, size: int) -> None:
        self._stream, self._size, self._position = stream, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + (self._size if whence == io.SEEK_END else 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position != self._stream.tell():
            raise io.UnsupportedOperation("An object is read from its beginning on.")
        with reaching(*PROBLEMS):
            count: int = self._stream.readinto(buffer)
        self._position += count
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()
