"""Folders as people really have them: each is used or refused in words, and no file gets lost uncounted."""

from __future__ import annotations

import os
import unicodedata
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.ingest.findings import Findings
from phytoflow.data.ingest.inspect import check
from phytoflow.data.prepare import FINDINGS_FILE, prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import DataError, PhytoflowError
from tests.support import bad_files as bad
from tests.support.photo_folder import encoded, picture, write

Make = Callable[[Path], object]
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Löwenzahn") for form in ("NFC", "NFD"))
ODD = ["NA", "-1", "健康 🌿", "Löwenzahn #1 <b>&\"q'", "null", "1e5", "a$b^2$", "%s {0} {{x}}", "..."]


class Used(NamedTuple):
    """A layout that is used.

    Attributes:
        make: Makes the folder.
        classes: Used photos by class.
        kinds: Kinds of finding, but for tiny classes.
        settings: Other than the default.
        files: How many files there are, if links make them more than lie in the folder.
    """

    make: Make
    classes: dict[str, int]
    kinds: set[str] = frozenset()  # type: ignore[assignment]
    settings: dict[str, object] = {}  # noqa: RUF012
    files: int | None = None


class Refused(NamedTuple):
    """A layout that is refused, with what the message and the remedy say."""

    make: Make
    message: str
    remedy: str
    settings: dict[str, object] = {}  # noqa: RUF012


@cache
def photo(seed: int) -> bytes:
    return encoded(picture(seed), quality=92)


def seed_of(folder: str, number: int) -> int:
    return zlib.crc32(f"{folder} {number}".encode("utf-8", "surrogateescape"))


def photos(*folders: str, count: int = 4) -> Make:
    """Makes so many photos in each folder, each its own picture."""

    def make(root: Path) -> None:
        root.mkdir(exist_ok=True)
        for folder in folders:
            for number in range(count):
                write(root / folder / f"{number}.jpg", photo(seed_of(folder, number)))

    return make


def together(*makes: Make) -> Make:
    return lambda root: [make(root) for make in makes] and None


def file(path: str, content: bytes = b"words") -> Make:
    return lambda root: write(root / path, content)


def empty(path: str) -> Make:
    return lambda root: (root / path).mkdir(parents=True)


def link(path: str, target: str) -> Make:
    def make(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)

    return make


def away(*folders: str) -> Make:
    """Photos outside of the folder, next to it."""
    return lambda root: photos(*folders)(root.parent / "away")


def below(*parts: str, classes: str = "healthy rust") -> list[str]:
    return [f"{part}/{label}" for part in parts for label in classes.split()]


def labels(text: str) -> Make:
    return file("labels.csv", text.encode())


HEALTHY_RUST = {"healthy": 4, "rust": 4}
PLAIN = photos("healthy", "rust")
SPLIT = photos(*below("train", "valid", "test"))
GIVEN = {"given split"}
CSV = "path,label\n" + "".join(f"mixed/{at}.jpg,{'rust' if at % 2 else 'a/b'}\n" for at in range(8))
MIXED = photos("mixed", count=8)


def leaking_split(photos_of_each: int) -> Make:
    """A split in which some training photos are test photos saved again, or copied."""

    def make(root: Path) -> None:
        photos(*below("train", "test"), count=8)(root)
        for at in range(photos_of_each):
            again = encoded(picture(seed_of("test/healthy", at)), quality=50)
            write(root / "train" / "healthy" / f"{at}.jpg", again)
        write(root / "train" / "rust" / "copy.jpg", (root / "test" / "rust" / "1.jpg").read_bytes())

    return make


USED: dict[str, Used] = {
    "plain": Used(PLAIN, HEALTHY_RUST),
    "sorted by date": Used(photos("healthy/2024", "healthy/2025", "rust/2024"), {"healthy": 8, "rust": 4}),
    "sorted by plant": Used(
        photos(*below("healthy", "rust", classes="plant1 plant2")), {"healthy": 8, "rust": 8}
    ),
    "wrapped in themselves": Used(photos("healthy/healthy", "rust/rust"), HEALTHY_RUST),
    "train, valid, test": Used(SPLIT, {"healthy": 12, "rust": 12}, GIVEN),
    "train and test only": Used(photos(*below("train", "test")), {"healthy": 8, "rust": 8}, GIVEN),
    "train and dev only": Used(photos(*below("train", "dev")), {"healthy": 8, "rust": 8}, GIVEN),
    "Training, Validation, Testing": Used(
        photos(*below("Training", "Validation", "Testing")), {"healthy": 12, "rust": 12}, GIVEN
    ),
    "train_images, test_images": Used(
        photos(*below("train_images", "test_images")), {"healthy": 8, "rust": 8}, GIVEN
    ),
    "split below two folders": Used(
        together(photos(*below("set/v1/train", "set/v1/test")), file("README.md")),
        {"healthy": 8, "rust": 8},
        GIVEN | {"not in a class folder"},
    ),
    "train/train": Used(photos(*below("train/train", "test/test")), {"healthy": 8, "rust": 8}, GIVEN),
    "classes below train alone": Used(photos(*below("train")), HEALTHY_RUST),
    "parts inside of classes": Used(
        photos(*below("healthy", "rust", classes="train test")), {"healthy": 8, "rust": 8}, GIVEN
    ),
    "split ignored": Used(
        together(photos(*below("train", "test")), file("test/1.jpg", photo(1))),
        {"healthy": 8, "rust": 8},
        {"not in a class folder"},
        {"predefined_split": "ignore"},
    ),
    "photos in two parts": Used(
        leaking_split(2), {"healthy": 14, "rust": 16}, GIVEN | {"in two parts of the split"}
    ),
    "macOS and Windows files": Used(
        together(
            PLAIN,
            *(
                file(p)
                for p in ("__MACOSX/healthy/._0.jpg", "healthy/._0.jpg", ".DS_Store", "rust/Thumbs.db")
            ),
            *(file(p) for p in ("rust/desktop.ini", "rust/.picasa.ini", "healthy/Icon\r")),
        ),
        HEALTHY_RUST,
        {"hidden or system file"},
    ),
    "Synology's thumbnails": Used(
        together(PLAIN, photos("healthy/@eaDir/0.jpg", "rust/@eaDir/0.jpg")),
        HEALTHY_RUST,
        {"hidden or system file"},
    ),
    "a git repository": Used(
        together(PLAIN, photos(".git/objects/aa", ".git"), file("README.md"), file("LICENSE")),
        HEALTHY_RUST,
        {"hidden or system file", "not in a class folder"},
    ),
    "an empty class folder": Used(together(PLAIN, empty("scab")), HEALTHY_RUST, {"empty class"}),
    "a folder of notes": Used(
        together(PLAIN, file("docs/notes.txt"), file("docs/table.csv")),
        HEALTHY_RUST,
        {"empty class", "not a photo"},
    ),
    "notes among the photos": Used(
        together(PLAIN, file("rust/notes.txt"), file("rust/LICENSE"), file("rust/empty.md", b"")),
        HEALTHY_RUST,
        {"not a photo"},
    ),
    "loose photos": Used(together(PLAIN, file("1.jpg", photo(1))), HEALTHY_RUST, {"not in a class folder"}),
    "two Unicode forms of a name": Used(
        photos(COMPOSED, DECOMPOSED, "rust"), {COMPOSED: 8, "rust": 4}, {"merged classes"}
    ),
    "names that differ in case": Used(
        photos("Rust", "rust", "scab"), {"Rust": 4, "rust": 4, "scab": 4}, {"similar classes"}
    ),
    "names that differ in spaces": Used(
        photos("leaf rust", "leaf  rust ", "scab"),
        {"leaf rust": 4, "leaf  rust ": 4, "scab": 4},
        {"similar classes"},
    ),
    "similar names merged": Used(
        photos("Rust", "rust ", "scab"),
        {"Rust": 8, "scab": 4},
        {"merged classes"},
        {"merge_similar_classes": True},
    ),
    "odd names": Used(photos(*ODD[:-1], "...x"), {**dict.fromkeys(ODD[:-1], 4)}, {"hidden or system file"}),
    "names that are numbers": Used(
        photos("0", "-1", "007", "1.0"), dict.fromkeys(["0", "-1", "007", "1.0"], 4)
    ),
    "names that are not UTF-8": Used(
        together(
            photos("healthy", os.fsdecode(b"r\xfcst")), file(os.fsdecode(b"healthy/bl\xe4tt.jpg"), photo(1))
        ),
        {"healthy": 5, r"r\xfcst": 4},
    ),
    "names that look alike once they are printed": Used(
        together(
            photos("healthy", "rust"),
            file(os.fsdecode(b"rust/a\xe4.jpg"), photo(1)),
            file(r"rust/a\xe4.jpg", photo(2)),
        ),
        {"healthy": 4, "rust": 6},
    ),
    "names with line breaks and escape codes": Used(
        photos("he\nalthy\t\"'", "r\x1b[2Just"), {"he\nalthy\t\"'": 4, "r\x1b[2Just": 4}
    ),
    "names of 255 bytes": Used(photos("a" * 255, "b" * 255), {"a" * 255: 4, "b" * 255: 4}),
    "folders named as photos": Used(photos("healthy/x.jpg", "rust.png"), {"healthy": 4, "rust.png": 4}),
    "folders in folders": Used(photos("healthy/" + "d/" * 200, "rust"), HEALTHY_RUST),
    "class folders that are links": Used(
        together(away("h", "r"), link("healthy", "../away/h"), link("rust", "../away/r")),
        HEALTHY_RUST,
        {"outside the folder"},
        files=8,
    ),
    "links to parent folders": Used(
        together(PLAIN, link("rust/up", ".."), link("all", "."), link("rust/root", "/")),
        HEALTHY_RUST,
        {"symbolic link loop"},
        files=11,
    ),
    "a folder linked twice into a class": Used(
        together(PLAIN, away("more"), link("rust/a", "../../away/more"), link("rust/b", "../../away/more")),
        {"healthy": 4, "rust": 8},
        {"outside the folder", "link to a folder that is read already"},
        files=13,
    ),
    "links that lead nowhere": Used(
        together(PLAIN, link("rust/x.jpg", "nowhere"), link("rust/y.jpg", "y.jpg")),
        HEALTHY_RUST,
        {"broken link"},
    ),
    "pipes, sockets and devices": Used(
        together(
            PLAIN,
            lambda root: bad.make_fifo(root / "rust" / "pipe.jpg"),
            lambda root: bad.make_socket(root / "rust" / "socket.jpg"),
            link("rust/zero.jpg", "/dev/zero"),
        ),
        HEALTHY_RUST,
        {"not a regular file"},
    ),
    "copies in a class": Used(
        together(PLAIN, file("rust/9.jpg", photo(seed_of("rust", 0)))), HEALTHY_RUST, {"exact duplicate"}
    ),
    "one photo in two classes": Used(
        together(PLAIN, file("healthy/x.jpg", photo(1)), file("rust/x.jpg", photo(1))),
        HEALTHY_RUST,
        {"label conflict"},
    ),
    "a class inside of a class": Used(
        together(PLAIN, photos("rust/healthy", count=0), file("rust/healthy/9.jpg", photo(1))),
        {"healthy": 4, "rust": 5},
        {"repeated folder name"},
    ),
    "species with diseases": Used(
        photos("apple/healthy", "apple/scab", "grape/healthy", "grape/rot"),
        {"apple": 8, "grape": 8},
        {"repeated folder name", "class with sub-folders"},
    ),
    "variants, on request": Used(
        photos(*below("color", "gray")), {"color": 8, "gray": 8}, set(), {"check_layout": False}
    ),
    "a class called train": Used(photos("bus", "train"), {"bus": 4, "train": 4}, {"unusual class name"}),
    "labels in a CSV file": Used(
        together(MIXED, labels(CSV)),
        {"a/b": 4, "rust": 4},
        {"not in data.labels_csv"},
        {"labels_csv": "labels.csv"},
    ),
    "labels in a CSV file with gaps": Used(
        together(MIXED, labels(CSV + "gone.jpg,rust\nmixed/1.jpg,rust\n"), file("mixed/new.jpg", photo(1))),
        {"a/b": 4, "rust": 4},
        {"not in data.labels_csv", "labelled file missing", "repeated label"},
        {"labels_csv": "labels.csv"},
    ),
}

REFUSED: dict[str, Refused] = {
    "nothing": Refused(lambda root: root.mkdir(), "no class folders", "one sub-folder a class"),
    "only hidden folders": Refused(photos(".cache"), "no class folders", "one sub-folder a class"),
    "only empty folders": Refused(empty("a/b"), "holds no files", "one sub-folder a class"),
    "all photos loose": Refused(photos("."), "4 photos in .* lie side by side", "data.labels_csv"),
    "classes one level deeper": Refused(photos(*below("set")), "one class only in .*, set", "give .*/set"),
    "photos in one folder with a CSV file of labels": Refused(
        together(photos("images"), file("train.csv", b"path,label")),
        "one class only in .*, images",
        "labels_csv, e.g. to train.csv",
    ),
    "one class": Refused(photos("rust"), "one class only in .*, rust", "another class"),
    "a class of two photos": Refused(
        together(photos("healthy"), photos("rust", count=2)),
        "too few photos .* rust",
        "groups_csv|add photos",
    ),
    "a class of damaged photos": Refused(
        together(photos("healthy"), file("rust/1.jpg", photo(1)[:300])),
        r"no photo of the class rust in .* can be used: 1 \w+ \(rust/1.jpg\)",
        "image viewer",
    ),
    "unlabelled test": Refused(
        together(photos(*below("train", "valid")), photos("test_images")),
        "test_images of .* 4 photos lie in no class folders",
        "move test_images out",
    ),
    "train_images and unlabelled test_images": Refused(
        together(photos(*below("train_images")), photos("test_images")),
        "lie in no class folders",
        "move test_images out",
    ),
    "an empty part": Refused(
        together(photos(*below("train")), empty("test")), "holds no photo", "remove the folder"
    ),
    "a class missing in the test": Refused(
        photos(*below("train"), "test/rust"), "test has no photos of healthy", "predefined_split=ignore"
    ),
    "two training parts": Refused(
        photos(*below("train", "training", "test")),
        "both named as the train part",
        "put their photos together",
    ),
    "no training part": Refused(
        photos(*below("valid", "test")), "none is for training", "name the training part"
    ),
    "a split among classes": Refused(
        together(PLAIN, photos(*below("train", "test"))),
        r"a split \(test, train\) and other folders",
        "check_layout=false",
    ),
    "unlabelled test among classes": Refused(
        together(PLAIN, photos("test")), r"a split \(test\) and other folders", "check_layout=false"
    ),
    "folds": Refused(photos(*below("fold_1", "fold_2")), "folds of a cross-validation", "check_layout=false"),
    "color, grayscale, segmented": Refused(
        photos(*below("color", "grayscale", "segmented")),
        "hold the same folders, healthy, rust",
        "give .*/color",
    ),
    "sites": Refused(photos(*below("north", "south")), "variants or sites", "give .*/north"),
    "with and without augmentation": Refused(
        photos(*below("leaves_with_augmentation", "leaves_without_augmentation")),
        "hold the same folders",
        "give one",
    ),
    "a copy inside": Refused(
        together(PLAIN, photos(*below("old/2023"))), "old/2023 is a data set inside", "move it out"
    ),
    "a split data set inside": Refused(
        together(PLAIN, photos(*below("plantdoc/train", "plantdoc/test", classes="blight mildew"))),
        "plantdoc is a data set inside",
        "move it out",
    ),
    "parts inside of one class": Refused(
        together(photos("healthy"), photos("rust/train", "rust/test")),
        "rust is a data set inside",
        "move it out",
    ),
    "images and masks": Refused(
        photos("images", "masks"), "variants or accessories", "one sub-folder a class"
    ),
    "an object-detection set": Refused(
        together(photos("images/train", "images/val"), file("labels/train/0.txt"), file("labels/val/0.txt")),
        "lie in no class folders",
        "one folder a class",
    ),
    "original and augmented": Refused(
        photos("original", "augmented"), "variants or accessories", "check_layout"
    ),
    "the same photos in each class": Refused(
        lambda root: [write(root / c / f"{n}.jpg", photo(n)) for c in ("a", "b") for n in range(4)] and None,
        r"8 label conflict \(a/0.jpg: the same content as b/0.jpg, which is labelled b",
        "keep each photo in the class that is right",
    ),
    "one folder linked into two classes": Refused(
        together(away("x"), link("healthy", "../away/x"), link("rust", "../away/x")),
        "label conflict",
        "the class that is right",
    ),
    "training photos that are all test photos": Refused(
        leaking_split(8),
        "the parts of the given split show the same things: .* shows the same as test/healthy",
        "ignore",
    ),
    "several labels a photo": Refused(
        together(MIXED, labels(CSV.replace("0.jpg,a/b", "0.jpg,a/b|rust"))),
        "multi-label data set",
        "one label",
        {"labels_csv": "labels.csv"},
    ),
    "labels that contradict": Refused(
        together(MIXED, labels(CSV + "mixed/0.jpg,rust\n")),
        r"mixed/0.jpg \(a/b and rust\)",
        "keep the row",
        {"labels_csv": "labels.csv"},
    ),
}


def count_files(root: Path) -> int:
    """Everything in the folder that is no folder, as ``find`` counts it."""
    return sum(
        len(names) + sum((Path(folder) / inner).is_symlink() for inner in inners)
        for folder, inners, names in os.walk(root)
    )


def settings_of(**other: object) -> DataSettings:
    return DataSettings(threads=1, **other)  # type: ignore[arg-type]


def test_there_are_enough_of_them() -> None:
    assert len(USED) + len(REFUSED) >= 40


@pytest.mark.parametrize("kind", USED)
def test_used(tmp_path: Path, kind: str) -> None:
    layout = USED[kind]
    layout.make(tmp_path / "photos")
    prepare(
        str(tmp_path / "photos"), settings_of(**layout.settings), Preprocessing(size=32), 0, tmp_path / "out"
    )
    findings = Findings.model_validate_json((tmp_path / "out" / FINDINGS_FILE).read_text())
    assert findings.classes == layout.classes
    assert {finding.kind for finding in findings.findings} - {"tiny class"} == set(layout.kinds)
    files = layout.files or count_files(tmp_path / "photos")
    assert findings.used + findings.skipped + findings.refused == findings.files == files
    for level in ("skipped", "refused"):
        counts = sum(finding.count for finding in findings.findings if finding.level == level)
        assert counts == getattr(findings, level), f"every {level} file is in a finding"
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.table["files"].sum() == files
    assert sum(dataset.count(split) for split in ("train", "validation", "test")) == findings.used
    assert {photo.label for photo in dataset.photos("train")} == set(layout.classes) == set(dataset.classes)
    assert set(dataset.table.loc[dataset.table["reason"] == "", "label"]) == set(layout.classes)


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(tmp_path: Path, kind: str) -> None:
    layout = REFUSED[kind]
    layout.make(tmp_path / "photos")
    with pytest.raises(DataError, match=layout.message) as refusal:
        prepare(
            str(tmp_path / "photos"),
            settings_of(**layout.settings),
            Preprocessing(size=32),
            0,
            tmp_path / "out",
        )
    assert pytest.raises and __import__("re").search(layout.remedy, refusal.value.remedy), (
        refusal.value.remedy
    )
    assert not (tmp_path / "out").exists()


def test_a_given_split_is_kept_and_a_missing_part_drawn_from_training(tmp_path: Path) -> None:
    photos(*below("train", "test"), count=8)(tmp_path)
    table = check(tmp_path, settings_of(), seed=0).table
    part = table["path"].str.partition("/")[0]
    assert (table.loc[part == "test", "split"] == "test").all()
    assert set(table.loc[part == "train", "split"]) == {"train", "validation"}


_NAMES = st.sampled_from(
    ["healthy", "rust", "Rust", "train", "test", "val", "color", "images", "fold1", "1", "2024", "NA", "a b"]
) | st.sampled_from(
    [COMPOSED, DECOMPOSED, ".git", "__MACOSX", "notes.txt", "x.jpg", "🌿", os.fsdecode(b"\xff")]
)
_FILES = st.sampled_from(
    ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "notes.txt", ".hidden", "broken.jpg", "Thumbs.db"]
)
_PATHS = st.tuples(st.lists(_NAMES, max_size=4), _FILES).map(lambda path: "/".join([*path[0], path[1]]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_PATHS, max_size=25, unique=True))
def test_any_tree_is_used_or_refused_in_words_and_every_file_is_counted(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for number, path in enumerate(paths):
        target = root / path
        if any(parent.is_file() for parent in target.parents) or target.is_dir():
            continue
        write(target, b"" if "broken" in path else photo(2000 + number))
    try:
        findings = check(root, settings_of(), seed=0).findings
    except PhytoflowError as refusal:
        assert (refusal.remedy and str(root) in refusal.message) or "too few photos" in refusal.message
        return
    assert findings.used + findings.skipped + findings.refused == findings.files == count_files(root)
