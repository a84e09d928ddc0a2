"""Folders and files by URI: a local path, ``file://``, ``s3://`` or ``gs://``.

The S3 client is imported only when a URI needs it: a predictor of a local bundle starts without it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from phytoflow.errors import StorageError
from phytoflow.storage.atomic import atomic_file, atomic_folder


def is_local(uri: str | Path) -> bool:
    """Tells whether a URI names a place in this machine's file system; ``a:b`` is the name of a file."""
    scheme, separator, _ = str(uri).partition("://")
    return not separator or not scheme.isalnum() or scheme == "file"


def local_path(uri: str | Path) -> Path:
    """The path of a local URI.

    Raises:
        StorageError: The URI is not local.
    """
    if not is_local(uri):
        raise StorageError(f"{uri} is not a local path", remedy="give a folder of this machine")
    text = str(uri)
    return Path(unquote(urlsplit(text).path) if text.startswith("file://") else text)


def join(uri: str | Path, *parts: str) -> str:
    """Appends path segments to a URI."""
    return "/".join([str(uri).rstrip("/"), *parts])


def base_name(uri: str | Path) -> str:
    """The last segment of a path or URI, for people; a query, which may hold a secret, is left out."""
    path = str(local_path(uri)) if is_local(uri) else unquote(urlsplit(str(uri)).path)
    return path.rstrip("/").rpartition("/")[2]


def exists(uri: str | Path) -> bool:
    """Tells whether there is such a file or folder, object or prefix with objects."""
    if is_local(uri):
        return local_path(uri).exists()
    from phytoflow.storage import s3

    return s3.exists(str(uri))


def fetch_folder(uri: str | Path, to: Path) -> Path:
    """Copies a remote folder to this machine; a local folder is used where it is.

    Args:
        uri: The folder.
        to: The copy of a remote folder, whole or not at all.

    Returns:
        The local folder.

    Raises:
        StorageError: There is no such folder, or the store cannot be reached.
    """
    if is_local(uri):
        path = local_path(uri)
        if not path.is_dir():
            raise StorageError(f"no folder at {path}", remedy="check the path")
        return path
    from phytoflow.storage import s3

    names = s3.list_objects(str(uri))
    if not names:
        raise StorageError(f"nothing at {uri}", remedy="check the bucket and prefix")
    with atomic_folder(to) as aside:
        for name in names:
            s3.download(join(uri, name), _inside(aside, name))
    return to


def list_folder(uri: str) -> list[str]:
    """One line for each object below a remote folder: its name and its entity tag, with a space between."""
    from phytoflow.storage import s3

    return [f"{name} {tag}" for name, tag in s3.list_objects(uri).items()]


def list_sizes(uri: str) -> dict[str, int]:
    """Size in bytes of each object below a remote folder, by its name in it."""
    from phytoflow.storage import s3

    return s3.list_sizes(uri)


def put_folder(folder: Path, uri: str | Path) -> None:
    """Copies a folder to a URI; locally it appears whole, remotely its files appear one by one.

    Raises:
        StorageError: The store cannot be written.
    """
    if is_local(uri):
        with atomic_folder(local_path(uri)) as aside:
            shutil.copytree(folder, aside, dirs_exist_ok=True)
        return
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        put_file(path, join(uri, path.relative_to(folder).as_posix()))


def put_file(path: Path, uri: str | Path) -> None:
    """Copies one file to a URI.

    Raises:
        StorageError: The place cannot be written.
    """
    if is_local(uri):
        with atomic_file(local_path(uri)) as aside:
            shutil.copyfile(path, aside)
        return
    from phytoflow.storage import s3

    s3.upload(path, str(uri))


def put_bytes(content: bytes, uri: str | Path) -> None:
    """Writes a file with this content; it is whole or as it was.

    Raises:
        StorageError: The place cannot be written.
    """
    if is_local(uri):
        with atomic_file(local_path(uri)) as aside:
            aside.write_bytes(content)
        return
    from phytoflow.storage import s3

    s3.put(content, str(uri))


def remove_file(uri: str | Path) -> None:
    """Removes a file; nothing happens if there is none."""
    if is_local(uri):
        local_path(uri).unlink(missing_ok=True)
        return
    from phytoflow.storage import s3

    s3.remove(str(uri))


def read_bytes(uri: str | Path) -> bytes:
    """The content of a file.

    Raises:
        StorageError: There is no such file, or the store cannot be reached.
    """
    with open_uri(uri) as file:
        return file.read()


@contextmanager
def open_uri(uri: str | Path) -> Iterator[IO[bytes]]:
    """Opens a file as a stream; memory is bounded by what is read at a time. A remote file cannot seek.

    Raises:
        StorageError: There is no such file, or the store breaks off.
    """
    if not is_local(uri):
        from phytoflow.storage import s3

        with s3.open_object(str(uri)) as stream:
            yield stream
        return
    try:
        file = local_path(uri).open("rb")
    except OSError as error:
        denied = isinstance(error, PermissionError)
        remedy = "give this user the right to read it" if denied else "check the path"
        raise StorageError(f"cannot read {uri}: {error.strerror}", remedy=remedy) from error
    with file:
        yield file


def _inside(folder: Path, name: str) -> Path:
    """The path of an object below ``folder``; refuses a name with ``..`` that leads out of it."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise StorageError(f"object name leaves its folder: {name}", remedy="rename the object")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
