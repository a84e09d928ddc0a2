import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from phytoflow.data.ingest.walk import FoundFile, walk
from phytoflow.errors import DataError
from tests.support.photo_folder import write


def skipped(root: Path) -> dict[str, str]:
    return {entry.path: entry.skipped for entry in walk(root)}


def test_files_come_folder_by_folder_sorted_by_name(tmp_path: Path) -> None:
    for path in ("rust/z.jpg", "rust/deep/er/a.jpg", "healthy/1.jpg", "loose.jpg", "healthy.jpg"):
        write(tmp_path / path, b"")
    found = list(walk(tmp_path))
    paths = ["healthy/1.jpg", "healthy.jpg", "loose.jpg", "rust/deep/er/a.jpg", "rust/z.jpg"]
    assert [entry.path for entry in found] == paths
    assert [entry.file for entry in found] == [tmp_path / path for path in paths]
    assert found[3].parts == ("rust", "deep", "er", "a.jpg")
    assert not any(entry.skipped or entry.outside for entry in found)


def test_a_folder_is_listed_only_when_it_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million photos are never in memory at once."""
    for number in range(3):
        write(tmp_path / f"class{number}" / "1.jpg", b"")
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or scandir(path))
    found = walk(tmp_path)
    next(found)
    assert not any("class1" in path or "class2" in path for path in listed)
    assert len(list(found)) == 2


def test_links_out_of_the_folder_are_followed_and_say_so(tmp_path: Path) -> None:
    root, away = tmp_path / "root", tmp_path / "away"
    for path in (away / "rust" / "1.jpg", away / "one.jpg", root / "healthy" / "2.jpg"):
        write(path, b"")
    (root / "rust").symlink_to(away / "rust")
    (root / "healthy" / "1.jpg").symlink_to(away / "one.jpg")
    (root / "healthy" / "3.jpg").symlink_to("2.jpg")
    assert {entry.path: entry.outside for entry in walk(root)} == {
        "healthy/1.jpg": True,
        "healthy/2.jpg": False,
        "healthy/3.jpg": False,
        "rust/1.jpg": True,
    }


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path / "disk" / "rust" / "1.jpg", b"")
    (tmp_path / "photos").symlink_to(tmp_path / "disk")
    assert list(walk(tmp_path / "photos")) == [
        FoundFile("rust/1.jpg", tmp_path / "photos" / "rust" / "1.jpg")
    ]


@pytest.mark.parametrize("target", [".", "..", "../..", "/", "../rust"])
def test_a_link_to_a_folder_that_contains_it_or_the_root_is_not_followed(tmp_path: Path, target: str) -> None:
    root = tmp_path / "photos"
    write(root / "rust" / "1.jpg", b"")
    (root / "rust" / "again").symlink_to(target)
    assert skipped(root) == {"rust/1.jpg": "", "rust/again": "symbolic link loop"}


def test_two_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        write(tmp_path / one / "1.jpg", b"")
        (tmp_path / one / "link").symlink_to(tmp_path / other)
    paths = [entry.path for entry in walk(tmp_path)]
    assert paths == ["a/1.jpg", "a/link/1.jpg", "a/link/link", "b/1.jpg", "b/link/1.jpg", "b/link/link"]


@pytest.mark.timeout(20)
def test_folders_that_all_link_to_one_another_take_no_factorial_time(tmp_path: Path) -> None:
    """Without a bound, twelve folders have 12! ways through their links."""
    for one, other in itertools.permutations(range(12), 2):
        write(tmp_path / str(one) / "1.jpg", b"")
        (tmp_path / str(one) / f"to{other}").symlink_to(tmp_path / str(other))
    found = skipped(tmp_path)
    read = [path for path, reason in found.items() if not reason]
    assert len(read) == 12 * 12, "each folder once in each class"
    assert set(found.values()) == {"", "symbolic link loop", "link to a folder that is read already"}


@pytest.mark.timeout(20)
def test_a_ladder_of_double_links_takes_no_exponential_time(tmp_path: Path) -> None:
    for step in range(30):
        write(tmp_path / "away" / str(step) / "1.jpg", b"")
        for side in "lr":
            (tmp_path / "away" / str(step) / side).symlink_to(tmp_path / "away" / str(step + 1))
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "rust").symlink_to(tmp_path / "away" / "0")
    assert sum(not reason for reason in skipped(tmp_path / "root").values()) == 30


def test_a_folder_linked_into_two_classes_is_read_in_both(tmp_path: Path) -> None:
    """Which label is right is for the check of label conflicts to ask."""
    write(tmp_path / "away" / "1.jpg", b"")
    for label in ("healthy", "rust"):
        (tmp_path / "root" / label).mkdir(parents=True)
        (tmp_path / "root" / label / "linked").symlink_to(tmp_path / "away")
    assert skipped(tmp_path / "root") == {"healthy/linked/1.jpg": "", "rust/linked/1.jpg": ""}


@pytest.fixture
def nested(tmp_path: Path) -> Iterator[Callable[[str, int], Path]]:
    """Makes a folder in a folder in a folder ..., one by one: their whole path is longer than mkdir takes."""
    here, root = Path.cwd(), tmp_path / "nested"

    def make(name: str, depth: int) -> Path:
        root.mkdir()
        os.chdir(root)
        for _ in range(depth):
            Path(name).mkdir()
            os.chdir(name)
        Path("1.jpg").write_bytes(b"")
        os.chdir(here)
        return root

    yield make
    os.chdir(here)
    subprocess.run(["rm", "-rf", str(root)], check=True)  # shutil.rmtree calls itself a folder at a time


def test_folders_nested_deeper_than_python_calls(nested: Callable[[str, int], Path]) -> None:
    (entry,) = walk(nested("d", 1200))
    assert entry.path == "d/" * 1200 + "1.jpg" and not entry.skipped


def test_a_path_longer_than_linux_opens_is_listed(nested: Callable[[str, int], Path]) -> None:
    (entry,) = walk(nested("d" * 250, 20))
    assert entry.skipped == "unreadable folder: File name too long"


def test_hidden_folders_are_counted_and_not_listed(tmp_path: Path) -> None:
    for path in (
        ".git/a/1",
        ".git/2",
        "__MACOSX/._a.jpg",
        "rust/Thumbs.db",
        "rust/._1.jpg",
        "@eaDir/x/y.jpg",
    ):
        write(tmp_path / path, b"")
    assert {entry.path: (entry.skipped, entry.files) for entry in walk(tmp_path)} == {
        ".git": ("hidden or system file", 2),
        "@eaDir": ("hidden or system file", 1),
        "__MACOSX": ("hidden or system file", 1),
        "rust/._1.jpg": ("hidden or system file", 1),
        "rust/Thumbs.db": ("hidden or system file", 1),
    }


def test_an_empty_folder_stands_for_no_file(tmp_path: Path) -> None:
    (tmp_path / "rust").mkdir()
    (entry,) = walk(tmp_path)
    assert (entry.path, entry.skipped, entry.files) == ("rust", "empty folder", 0)


def test_an_empty_root_has_nothing(tmp_path: Path) -> None:
    assert list(walk(tmp_path)) == []


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    (tmp_path / "null.jpg").symlink_to("/dev/null")
    assert skipped(tmp_path) == {
        "gone.jpg": "broken link",
        "null.jpg": "not a regular file",
        "self.jpg": "broken link",
    }


def test_names_that_are_not_utf8_stay_different(tmp_path: Path) -> None:
    names = [b"a\xe4.jpg", b"a\xfc.jpg", b"a\\xe4.jpg", b"a\\\\xe4.jpg", "aä.jpg".encode(), b"a\\b.jpg"]
    for name in names:
        write(tmp_path / os.fsdecode(name), b"")
    paths = [entry.path for entry in walk(tmp_path)]
    assert len(set(paths)) == len(names)
    assert {r"a\xe4.jpg", r"a\\xe4.jpg", r"a\b.jpg", "aä.jpg"} <= set(paths)
    for path in paths:
        path.encode("utf-8")


def test_no_such_folder_and_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no folder of photos at .*none"):
        walk(tmp_path / "none")
    with pytest.raises(DataError, match="file is a file, not a folder of photos"):
        walk(write(tmp_path / "file", b""))


@pytest.fixture
def not_root() -> Iterator[None]:
    """Root may read everything."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    yield
    if is_root:
        os.seteuid(0)


@pytest.fixture
def locked(open_folder: Path) -> Iterator[Path]:
    folder = write(open_folder / "photos" / "rust" / "1.jpg", b"").parent
    folder.chmod(0)
    yield folder.parent
    folder.chmod(0o755)


def test_a_folder_that_may_not_be_read_is_said(locked: Path, not_root: None) -> None:
    assert skipped(locked) == {"rust": "unreadable folder: Permission denied"}
    with pytest.raises(DataError, match="cannot be listed: Permission denied"):
        walk(locked / "rust")
