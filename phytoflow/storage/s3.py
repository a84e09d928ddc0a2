"""The one place that talks to an object store, through the S3 API.

The endpoint and credentials come from the usual environment variables: ``AWS_ENDPOINT_URL_S3`` or
``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``. A ``gs://`` URI is
Google Cloud Storage through its S3 interface (endpoint ``GS_ENDPOINT_URL``), with an HMAC key as credentials.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.datatypes import Object
from minio.error import MinioException, S3Error
from minio.helpers import check_bucket_name

from phytoflow.errors import StorageError

_TIMEOUT = urllib3.Timeout(connect=5, read=60)  # seconds
_RETRIES = urllib3.Retry(total=3, backoff_factor=0.3, status_forcelist=(500, 502, 503, 504))
_CONNECTIONS = 32  # kept open: parts of a file, or photos, at a time
_VARIABLES = "AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_REMEDIES = {
    "NoSuchBucket": "make the bucket, or check its name and AWS_ENDPOINT_URL",
    "NoSuchKey": "check the path within the bucket",
    "AccessDenied": "give the key of AWS_ACCESS_KEY_ID the right to read and write this bucket",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID, and that AWS_ENDPOINT_URL names the store it belongs to",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
}


def list_objects(uri: str) -> dict[str, str]:
    """Entity tag of each object below a prefix, by its name in it; the tag changes with the content."""
    return {name: str(item.etag) for name, item in _items(uri)}


def list_sizes(uri: str) -> dict[str, int]:
    """Size in bytes of each object below a prefix, by its name in it."""
    return {name: int(item.size or 0) for name, item in _items(uri)}


def exists(uri: str) -> bool:
    """Tells whether there is such an object, or a prefix with objects."""
    with _connect(uri) as (client, bucket, key):
        names = (item.object_name for item in client.list_objects(bucket, prefix=key, recursive=True))
        return any(not key or name == key or name.startswith(f"{key.rstrip('/')}/") for name in names)


def download(uri: str, path: Path) -> None:
    """Copies one object to a local file."""
    with _connect(uri) as (client, bucket, key):
        client.fget_object(bucket, key, str(path))


def upload(path: Path, uri: str) -> None:
    """Copies one local file to an object."""
    with _connect(uri) as (client, bucket, key):
        client.fput_object(bucket, key, str(path))


def put(content: bytes, uri: str) -> None:
    """Writes one object."""
    with _connect(uri) as (client, bucket, key):
        client.put_object(bucket, key, BytesIO(content), len(content))


def remove(uri: str) -> None:
    """Removes one object; nothing happens if it is not there."""
    with _connect(uri) as (client, bucket, key):
        client.remove_object(bucket, key)


def modified(uri: str) -> dict[str, datetime]:
    """Objects below a prefix, relative to it, with the time at which each was last written."""
    return {name: cast(datetime, item.last_modified) for name, item in _items(uri)}


@contextmanager
def open_object(uri: str) -> Iterator[IO[bytes]]:
    """Opens an object as a stream that cannot seek."""
    with _connect(uri) as (client, bucket, key):
        response = client.get_object(bucket, key)
        try:
            yield cast("IO[bytes]", response)
        finally:
            response.close()
            response.release_conn()


def _items(uri: str) -> Iterator[tuple[str, Object]]:
    """The objects below a prefix, each with its name in it; a page of the listing in memory at a time."""
    with _connect(uri) as (client, bucket, key):
        prefix = f"{key.rstrip('/')}/" if key else ""
        for item in client.list_objects(bucket, prefix=prefix, recursive=True):
            yield str(item.object_name)[len(prefix) :], item


@contextmanager
def _connect(uri: str) -> Iterator[tuple[Minio, str, str]]:
    """Client, bucket and key of an ``s3://`` URI; turns the store's errors into words.

    The URI is not parsed as an address: ``#``, ``?`` and ``%`` are characters of a key like any other.
    """
    scheme, _, place = uri.partition("://")
    bucket, _, key = place.partition("/")
    remedy = "use a local path, s3://bucket/prefix or gs://bucket/prefix"
    if scheme not in ("s3", "gs"):
        raise StorageError(f"cannot read {uri}: unknown scheme {scheme}", remedy=remedy)
    try:
        check_bucket_name(bucket)
    except ValueError as error:
        raise StorageError(f"cannot read {uri}: {error}", remedy=remedy) from error
    try:
        yield _client(_endpoint(scheme)), bucket, key.lstrip("/")
    except S3Error as error:
        what = f"{uri}: the store answers {error.code}: {error.message}"
        raise StorageError(what, remedy=_REMEDIES.get(error.code or "", f"check {_VARIABLES}")) from error
    except (MinioException, urllib3.exceptions.HTTPError) as error:
        raise StorageError(f"{uri}: {error}", remedy=f"check {_VARIABLES}, and the connection") from error


def _endpoint(scheme: str) -> str:
    if scheme == "gs":
        return os.environ.get("GS_ENDPOINT_URL") or "https://storage.googleapis.com"
    named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return named or "https://s3.amazonaws.com"


def _client(endpoint: str) -> Minio:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
    return _lasting_client(os.getpid(), endpoint, *(os.environ.get(name) for name in names))


@lru_cache(maxsize=4)
def _lasting_client(
    process: int, endpoint: str, access_key: str | None, secret_key: str | None, region: str | None
) -> Minio:
    """A client whose connections are used again; a forked process makes its own, as ``process`` differs."""
    parts = urlsplit(endpoint)
    return Minio(
        endpoint=parts.netloc,
        access_key=access_key,
        secret_key=secret_key,
        region=region or "us-east-1",
        secure=parts.scheme == "https",
        http_client=urllib3.PoolManager(timeout=_TIMEOUT, retries=_RETRIES, maxsize=_CONNECTIONS),
    )
