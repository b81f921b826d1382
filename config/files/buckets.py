"""Store uploads in a bucket of an S3-compatible service (`MEDIA_BUCKET`).

This module is imported only if a bucket is named, because boto3 costs every process time and memory.
"""

import io
from collections.abc import Iterator
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from config.files.storages import NOTHING_TAKEN, PIECE, BytesLost, Reached, Taken, reaching

PROBLEMS = (BotoCoreError, ClientError, Boto3Error, OSError)
LEAST_PART, MOST_PARTS = 5 << 20, 9_000  # what services take, but for the last part
OPAQUE = "application/octet-stream"


class Bucket(Reached, S3Storage):  # type: ignore[misc]
    """A storage in a bucket. Objects are private and never overwritten; their keys are the paths below
    `MEDIA_ROOT`."""

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
            object_parameters={"ContentType": OPAQUE},
            **options,
        )
        # One client for all threads, which may share it: each would take 17 MB.
        self._connections = SimpleNamespace()

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        """Return the object as a stream, so that neither memory nor disk ever holds all of it."""
        client = self.connection.meta.client
        key = self._normalize_name(clean_name(name))
        try:
            answer = client.get_object(Bucket=self.bucket_name, Key=key)
        except client.exceptions.NoSuchKey:
            raise FileNotFoundError(name) from None
        body = _Body(answer["Body"], answer["ContentLength"])
        return File(io.BufferedReader(body, 65536), name)

    def receive(self, name: str, data: bytes, *, at: int, size: int, taken: Taken = NOTHING_TAKEN) -> Taken:
        """Store the next piece of an object of `size` bytes, of which the service already has `at`. Services
        take at most 10,000 parts of at least 5 MiB; a smaller remainder waits in an object beside it
        (`.rest`) for the next piece. Raise `BytesLost` if the service has fewer bytes."""
        key, rest = self._keys(name)
        there = {"Bucket": self.bucket_name, "Key": key}
        with reaching(*PROBLEMS):
            try:
                return self._receive(there, rest, data, at, size, taken)
            except (ClientError, BytesLost):
                # Whole already, by a process that died before it could say so?
                if at + len(data) == size and self._is_whole(there, size):
                    return taken
                raise

    def _receive(
        self, there: dict[str, str], rest: str, data: bytes, at: int, size: int, taken: Taken
    ) -> Taken:
        client, (upload_id, parts) = self.connection.meta.client, taken
        waiting = at - sum(part for _, _, part in parts)
        is_last = at + len(data) == size
        if waiting:
            data = self._waiting(rest, waiting) + data
        if not is_last and len(data) < max(LEAST_PART, size // MOST_PARTS + 1):
            client.put_object(Bucket=self.bucket_name, Key=rest, Body=data)
        elif is_last and not parts:
            client.put_object(**there, Body=data, ContentType=OPAQUE)
        else:
            upload_id, parts = self._send_part(there, data, upload_id, parts)
            if is_last:
                tags = [{"PartNumber": number, "ETag": tag} for number, tag, _ in parts]
                client.complete_multipart_upload(**there, UploadId=upload_id, MultipartUpload={"Parts": tags})
        if is_last:
            client.delete_object(Bucket=self.bucket_name, Key=rest)
        return upload_id, parts

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `end` in pieces; raise `BytesLost` if the object is shorter."""
        if start == end:
            return
        client, key, _ = self.connection.meta.client, *self._keys(name)
        with reaching(*PROBLEMS):
            try:
                answer = client.get_object(Bucket=self.bucket_name, Key=key, Range=f"bytes={start}-{end - 1}")
            except client.exceptions.NoSuchKey:
                raise FileNotFoundError(name) from None
        with closing(answer["Body"]) as body:
            while start < end:
                with reaching(*PROBLEMS):
                    piece = body.read(min(PIECE, end - start))
                if not piece:
                    raise BytesLost(name)
                start += len(piece)
                yield piece

    def lend(self, name: str, disposition: str, seconds: int) -> str:
        """Return an address at the storage service under which anybody who has it can read an object for a
        limited time."""
        there = {"Bucket": self.bucket_name, "Key": self._keys(name)[0]}
        answer = {"ResponseContentDisposition": disposition, "ResponseContentType": OPAQUE}
        address: str = self.connection.meta.client.generate_presigned_url(
            "get_object", Params=there | answer, ExpiresIn=seconds
        )
        return address

    def drop(self, name: str, upload_id: str = "") -> None:
        """Delete an object that was received completely or in part."""
        client, key, rest = self.connection.meta.client, *self._keys(name)
        with reaching(*PROBLEMS):
            if upload_id:
                with suppress(client.exceptions.NoSuchUpload):
                    client.abort_multipart_upload(Bucket=self.bucket_name, Key=key, UploadId=upload_id)
            for each in (key, rest):
                client.delete_object(Bucket=self.bucket_name, Key=each)

    def _keys(self, name: str) -> tuple[str, str]:
        key = self._normalize_name(clean_name(name))
        return key, f"{key}.rest"

    def _waiting(self, rest: str, size: int) -> bytes:
        client = self.connection.meta.client
        try:
            answer = client.get_object(Bucket=self.bucket_name, Key=rest, Range=f"bytes=0-{size - 1}")
        except client.exceptions.NoSuchKey:
            raise BytesLost(rest) from None
        data: bytes = answer["Body"].read()
        if len(data) < size:
            raise BytesLost(rest)
        return data

    def _send_part(self, there: dict[str, str], data: bytes, upload_id: str, parts: list[list[Any]]) -> Taken:
        client, number = self.connection.meta.client, len(parts) + 1
        if not upload_id:
            upload_id = client.create_multipart_upload(**there, ContentType=OPAQUE)["UploadId"]
        try:
            sent = client.upload_part(**there, UploadId=upload_id, PartNumber=number, Body=data)
        except client.exceptions.NoSuchUpload:
            raise BytesLost(there["Key"]) from None
        return upload_id, [*parts, [number, sent["ETag"], len(data)]]

    def _is_whole(self, there: dict[str, str], size: int) -> bool:
        client = self.connection.meta.client
        try:
            return bool(client.head_object(**there)["ContentLength"] == size)
        except ClientError as problem:
            if problem.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise


class _Body(io.RawIOBase):
    """An object that is being downloaded. Its length is known beforehand, so a caller such as `FileResponse`
    can measure it by seeking to the end and back; no other seeking is possible."""

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
