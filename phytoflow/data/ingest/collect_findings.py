"""Collects everything worth knowing about a folder of photos, with file names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phytoflow.data.images.color import UNREADABLE
from phytoflow.data.ingest.findings import LEVELS, Finding, Findings, Level
from phytoflow.data.ingest.labels import NO_CLASS_FOLDER, NOT_LABELLED
from phytoflow.data.ingest.scan import NOT_A_PHOTO
from phytoflow.data.ingest.validate import CONFLICT, DUPLICATE, LEAK, in_words, kind_of, partner_of
from phytoflow.data.ingest.walk import HIDDEN
from phytoflow.data.sample_depth import find_sample_bits

TINY_CLASS = 20  # photos; below this a test part has fewer than five
_DEEP = 16  # bits a sample that a file of more than 8 has in full
IMBALANCE = 10.0  # largest class to smallest; from here on accuracy says little of the small class
_TEXTS = {
    DUPLICATE: "Copies of another photo, which is used",
    CONFLICT: "Photos with the same content as one of another class: which class is right?",
    LEAK: "Photos that show the same as a photo in another part of the given split; left out, so that the "
    "test stays honest",
    HIDDEN: "Hidden files and files of the operating system",
    NOT_A_PHOTO: "Files that are not photos",
    NO_CLASS_FOLDER: "Files that lie in no class folder",
    NOT_LABELLED: "Files without a row in data.labels_csv",
}


def collect_findings(
    table: pd.DataFrame,
    classes: Iterable[str],
    near: NDArray[np.int64],
    more: Iterable[Finding] = (),
) -> Findings:
    """Collects everything worth saying.

    Args:
        table: Every file, with its reason.
        classes: Labels of the class folders or of the CSV file.
        near: int64 [P, 2], near-duplicates as pairs of index labels of ``table``.
        more: Findings about the folders or the CSV file.
    """
    used = table[table["reason"] == ""]
    sizes = used.groupby("label").size()
    findings = [
        *more,
        *_left_out(table),
        *_about_classes(sizes, classes),
        *_about_photos(used),
        *_about_near_duplicates(table, near),
    ]
    return Findings(
        files=int(table["files"].sum()),
        used=len(used),
        skipped=int(table.loc[table["skipped"], "files"].sum()),
        refused=int(((table["reason"] != "") & ~table["skipped"]).sum()),
        classes={str(label): int(count) for label, count in sizes.items()},
        imbalance_ratio=round(float(sizes.max() / sizes.min()), 3) if len(sizes) else 0.0,
        findings=tuple(sorted(findings, key=lambda finding: LEVELS.index(finding.level))),
    )


def _left_out(table: pd.DataFrame) -> Iterator[Finding]:
    rows = table[table["reason"] != ""]
    for kind, same in rows.groupby(rows["reason"].map(kind_of)):
        yield Finding(
            kind=str(kind),
            level="skipped" if same["skipped"].all() else "refused",
            count=int(same["files"].sum()),
            text=_TEXTS.get(str(kind), f"Files that cannot be used: {in_words(str(kind))}"),
            files=tuple(_name_rows(str(kind), same)),
        )


def _name_rows(kind: str, rows: pd.DataFrame) -> list[str]:
    """The files; copies and contradictions with the file that they are the same as."""
    if kind == CONFLICT:  # one entry a content: every file of it, with its class
        return [
            " = ".join(f"{path} ({label})" for path, label in zip(same["path"], same["label"], strict=True))
            for _, same in rows.groupby("sha256", sort=False)
        ]
    if kind == DUPLICATE:
        return [f"{path} = {partner_of(reason)}" for path, reason in _pairs(rows)]
    if kind == LEAK:
        return [f"{path} ~ {partner_of(reason)}" for path, reason in _pairs(rows)]
    return list(rows["path"])


def _pairs(rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    return zip(rows["path"], rows["reason"], strict=True)


def _about_classes(sizes: pd.Series, classes: Iterable[str]) -> Iterator[Finding]:
    empty = [name for name in classes if name not in sizes.index]
    tiny = [f"{label}: {count}" for label, count in sizes.items() if count < TINY_CLASS]
    ratio = sizes.max() / sizes.min() if len(sizes) else 1
    unequal = [f"{label}: {count}" for label, count in sizes.sort_values().items()]
    yield from _if_any("empty class", "warning", "Folders without photos, which make no class", empty)
    yield from _if_any("tiny class", "warning", f"Classes of fewer than {TINY_CLASS} photos", tiny)
    if ratio >= IMBALANCE:
        text = f"Unequal classes: the largest is {ratio:.1f} times the smallest"
        yield from _if_any("imbalance", "warning", text, unequal)


def _about_photos(used: pd.DataFrame) -> Iterator[Finding]:
    text = "Photos of another format than their names say; used all the same"
    yield from _if_any("wrong extension", "note", text, used.loc[used["misnamed"], "path"])
    text = "Photos of several frames, of which the first is used"
    yield from _if_any("animated", "note", text, used.loc[used["animated"], "path"])
    text = "Photos that lie outside of the folder and were reached through links"
    yield from _if_any("outside the folder", "note", text, used.loc[used["outside"], "path"])
    yield from _about_colors(used)
    yield from _about_depth(used)


def _about_colors(used: pd.DataFrame) -> Iterator[Finding]:
    ignored = used["profile"] == UNREADABLE
    names = ", ".join(sorted(set(used.loc[~ignored, "profile"]) - {""}))
    text = f"Photos with a colour profile other than sRGB ({names}), which are converted to sRGB"
    yield from _if_any("colour profile", "note", text, used.loc[(used["profile"] != "") & ~ignored, "path"])
    text = "Photos whose colour profile cannot be read; they are used as if they were in sRGB"
    yield from _if_any("unreadable colour profile", "warning", text, used.loc[ignored, "path"])


def _about_depth(used: pd.DataFrame) -> Iterator[Finding]:
    stated, bits = used["stated_bits"] > 0, find_sample_bits(used)
    text = "Photos whose files state fewer than 16 bits a sample; they are brightened accordingly"
    yield from _if_any("stated depth", "note", text, used.loc[stated & (used["stated_bits"] < 16), "path"])
    unknown = used[(used["used_bits"] > 0) & ~stated]
    if bits and bits < _DEEP:
        text = f"Photos of 16-bit samples, of which the whole set uses {bits} bits; brightened accordingly"
        yield from _if_any("low depth", "note", text, unknown["path"])
    darker = unknown["used_bits"] < (bits or 0)
    text = (
        f"Photos that use fewer bits a sample than others of the set ({bits}), and are dark: if they come "
        "from another camera, let their files state the depth (PNG: sBIT, TIFF: MaxSampleValue)"
    )
    named = [f"{path}: {own} bits" for path, own in zip(unknown["path"], unknown["used_bits"], strict=True)]
    yield from _if_any("mixed depth", "warning", text, pd.Series(named, dtype=object)[darker.to_numpy()])


def _about_near_duplicates(table: pd.DataFrame, near: NDArray[np.int64]) -> Iterator[Finding]:
    used = [(a, b) for a, b in near if not table["reason"][a] and not table["reason"][b]]
    across = [(a, b) for a, b in used if table["label"][a] != table["label"][b]]
    pairs = [f"{table['path'][a]} ~ {table['path'][b]}" for a, b in used]
    mixed = [
        f"{table['path'][a]} ({table['label'][a]}) ~ {table['path'][b]} ({table['label'][b]})"
        for a, b in across
    ]
    text = "Pairs of photos that look the same; each pair stays in one split"
    yield from _if_any("near-duplicate", "note", text, pairs)
    text = "Pairs of photos that look the same under two labels: is one of them wrong?"
    yield from _if_any("near-duplicate across labels", "warning", text, mixed)


def _if_any(kind: str, level: Level, text: str, names: Iterable[str]) -> Iterator[Finding]:
    finding = Finding.of_names(kind, level, text, names)
    if finding.count:
        yield finding
