"""Folders and files by URI: a local path, ``file://``, ``s3://`` or an ``https://`` archive.

S3 is any server that speaks its API: the endpoint and credentials come from the usual environment
variables (``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast
from urllib.parse import unquote, urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException

from phytoflow.errors import StorageError
from phytoflow.storage.atomic import atomic_file, atomic_folder

_TIMEOUT = urllib3.Timeout(connect=5, read=60)
_RETRIES = urllib3.Retry(total=3, backoff_factor=0.3, status_forcelist=(500, 502, 503, 504))


def is_local(uri: str | Path) -> bool:
    """Whether the URI names a place in this machine's file system."""
    return urlsplit(str(uri)).scheme in ("", "file")


def local_path(uri: str | Path) -> Path:
    """The path of a local URI; raises StorageError for any other."""
    if not is_local(uri):
        raise StorageError(f"{uri} is not a local path", remedy="give a folder of this machine")
    text = str(uri)
    return Path(unquote(urlsplit(text).path) if text.startswith("file:") else text)


def join(uri: str | Path, *parts: str) -> str:
    """Appends path segments to a URI."""
    return "/".join([str(uri).rstrip("/"), *parts])


def exists(uri: str | Path) -> bool:
    """Whether a file, a folder, or an object or prefix with objects is there."""
    if is_local(uri):
        return local_path(uri).exists()
    with _explained(str(uri)) as (client, bucket, prefix):
        return any(True for _ in client.list_objects(bucket, prefix=prefix, recursive=True))


def fetch_folder(uri: str | Path, to: Path) -> Path:
    """Brings a folder here; a local one is returned where it is.

    Args:
        uri: The folder.
        to: Where a remote folder is written, whole or not at all.

    Raises:
        StorageError: It is not there, or the store cannot be reached.
    """
    if is_local(uri):
        path = local_path(uri)
        if not path.is_dir():
            raise StorageError(f"no folder at {path}", remedy="check the path")
        return path
    with _explained(str(uri)) as (client, bucket, prefix), atomic_folder(to) as aside:
        names = [
            o.object_name
            for o in client.list_objects(bucket, prefix=prefix.rstrip("/") + "/", recursive=True)
        ]
        if not names:
            raise StorageError(f"nothing at {uri}", remedy="check the bucket and prefix")
        for name in names:
            client.fget_object(bucket, name, str(_inside(aside, name[len(prefix.rstrip("/")) + 1 :])))
    return to


def list_folder(uri: str) -> list[str]:
    """One line an object below a remote folder, with its entity tag: changes when the content does."""
    with _explained(uri) as (client, bucket, prefix):
        found = client.list_objects(bucket, prefix=prefix.rstrip("/") + "/", recursive=True)
        return [f"{o.object_name} {o.etag}" for o in found]


def put_folder(folder: Path, uri: str | Path) -> None:
    """Copies a folder to a URI; locally it appears whole, remotely its files appear one by one.

    Raises:
        StorageError: The store cannot be written.
    """
    if is_local(uri):
        with atomic_folder(local_path(uri)) as aside:
            shutil.copytree(folder, aside, dirs_exist_ok=True)
        return
    with _explained(str(uri)) as (client, bucket, prefix):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            client.fput_object(
                bucket, join(prefix, path.relative_to(folder).as_posix()).lstrip("/"), str(path)
            )


def put_file(path: Path, uri: str | Path) -> None:
    """Copies one file to a URI; raises StorageError if that cannot be written."""
    if is_local(uri):
        with atomic_file(local_path(uri)) as aside:
            shutil.copyfile(path, aside)
        return
    with _explained(str(uri)) as (client, bucket, key):
        client.fput_object(bucket, key, str(path))


def read_bytes(uri: str | Path) -> bytes:
    """A file's content; raises StorageError if it is not there."""
    if is_local(uri):
        try:
            return local_path(uri).read_bytes()
        except OSError as error:
            raise StorageError(f"cannot read {uri}: {error.strerror}", remedy="check the path") from error
    with _explained(str(uri)) as (client, bucket, key):
        response = client.get_object(bucket, key)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()


@contextmanager
def open_uri(uri: str | Path) -> Iterator[IO[bytes]]:
    """Opens a file to be read from its start on, in memory bounded by what is asked for at a time.

    A remote file cannot seek. Raises StorageError if the file is not there, or the store breaks off.
    """
    if is_local(uri):
        try:
            file = local_path(uri).open("rb")
        except OSError as error:
            raise StorageError(f"cannot read {uri}: {error.strerror}", remedy="check the path") from error
        with file:
            yield file
        return
    with _explained(str(uri)) as (client, bucket, key):
        response = client.get_object(bucket, key)
        try:
            yield cast("IO[bytes]", response)
        finally:
            response.close()
            response.release_conn()


def _inside(folder: Path, name: str) -> Path:
    """A path below ``folder``; an object name may hold ``..``."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise StorageError(f"object name leaves its folder: {name}", remedy="rename the object")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def _explained(uri: str) -> Iterator[tuple[Minio, str, str]]:
    """Client, bucket and key of an ``s3://`` URI; its errors in words."""
    parts = urlsplit(uri)
    if parts.scheme != "s3":
        raise StorageError(
            f"cannot read {uri}: unknown scheme {parts.scheme}",
            remedy="use a local path or s3://bucket/prefix",
        )
    try:
        yield _client(), parts.netloc, parts.path.lstrip("/")
    except (MinioException, urllib3.exceptions.HTTPError) as error:
        remedy = (
            "check AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that the bucket exists"
        )
        raise StorageError(f"{uri}: {error}", remedy=remedy) from error


def _client() -> Minio:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get(
        "AWS_ENDPOINT_URL", "https://s3.amazonaws.com"
    )
    parts = urlsplit(endpoint)
    return Minio(
        endpoint=parts.netloc,
        access_key=os.environ.get("AWS_ACCESS_KEY_ID"),
        secret_key=os.environ.get("AWS_SECRET_ACCESS_KEY"),
        region=os.environ.get("AWS_REGION", "us-east-1"),
        secure=parts.scheme == "https",
        http_client=urllib3.PoolManager(timeout=_TIMEOUT, retries=_RETRIES),
    )
