"""Which files `phytoflow predict` reads: from a folder those that training reads, and no others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from phytoflow.data.images.decode import open_photo
from phytoflow.data.images.limits import Limits
from phytoflow.data.ingest.file_names import is_photo_name, printable
from phytoflow.data.ingest.walk import FoundFile, walk
from phytoflow.errors import PhotoError

NOT_A_PHOTO = "not a photo"
_EXAMPLES = 3  # names shown of the files skipped for one reason


@dataclass(frozen=True)
class InputFile:
    """A file to classify, or to skip.

    Attributes:
        path: For people: valid UTF-8 whatever bytes the name holds.
        file: The path to open.
        skipped: Why it is not read; empty for a photo.
        count: How many files it stands for; a hidden folder counts its files.
    """

    path: str
    file: Path
    skipped: str = ""
    count: int = 1


def list_files(paths: Iterable[Path]) -> Iterator[InputFile]:
    """Lists files given by name, and all files of folders, sorted by name within each folder.

    Raises:
        DataError: A folder cannot be listed.
    """
    for path in paths:
        if path.is_dir():
            yield from (_from_folder(path, found) for found in walk(path) if found.files)
        else:
            yield InputFile(printable(str(path)), path)


def _from_folder(folder: Path, found: FoundFile) -> InputFile:
    path = f"{printable(str(folder)).rstrip('/')}/{found.path}"
    return InputFile(path, found.file, found.skipped or _refuse_other_files(found.file), found.files)


def _refuse_other_files(file: Path) -> str:
    """The reason to skip a file that neither is an image nor is named like one; as training does."""
    if is_photo_name(file.name):
        return ""
    try:
        with file.open("rb") as stream:
            open_photo(stream.read(Limits().max_bytes), Limits())
    except (PhotoError, OSError):
        return NOT_A_PHOTO
    return ""


def describe_skipped(skipped: Iterable[InputFile]) -> list[str]:
    """One line for each reason, with the number of files and the first names."""
    groups: dict[str, list[InputFile]] = defaultdict(list)
    for entry in skipped:
        groups[entry.skipped].append(entry)
    return [_describe(reason, group) for reason, group in sorted(groups.items())]


def _describe(reason: str, group: list[InputFile]) -> str:
    count = sum(entry.count for entry in group)
    names = ", ".join(entry.path for entry in group[:_EXAMPLES])
    more = ", ..." if len(group) > _EXAMPLES else ""
    return f"skipped {count} {'file' if count == 1 else 'files'}, {reason}: {names}{more}"
