"""What a check of the photos reports; the schema of ``findings.json``.

Kept apart from ``collect_findings``, which needs pandas: the layout of folders and files of labels report
findings as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from phytoflow.data.ingest.file_names import for_terminal

Level = Literal["refused", "warning", "skipped", "note"]
LEVELS: tuple[Level, ...] = ("refused", "warning", "skipped", "note")


class Finding(BaseModel):
    """One kind of observation.

    Attributes:
        kind: Short and stable, e.g. ``"exact duplicate"``.
        level: ``refused``: photos that are not used; ``skipped``: files that were not read as photos;
            ``warning``: to be looked at; ``note``: good to know.
        count: How many files, classes or pairs it is about.
        text: What it is, in words, without the count.
        files: The files, classes or pairs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    level: Level
    count: int
    text: str
    files: tuple[str, ...] = ()

    @classmethod
    def of_names(cls, kind: str, level: Level, text: str, names: Iterable[str]) -> Finding:
        """A finding that counts the names it lists."""
        files = tuple(names)
        return cls(kind=kind, level=level, count=len(files), text=text, files=files)


class Findings(BaseModel):
    """Everything that a check found; ``used + skipped + refused`` is ``files``.

    Attributes:
        files: Files in the folder, those in hidden folders included.
        used: Photos that are used.
        skipped: Files that were not read as photos: hidden and system files, notes, unlabelled photos.
        refused: Photos that cannot be used, and copies.
        classes: Used photos by label.
        imbalance_ratio: Photos of the largest class divided by those of the smallest.
        findings: In the order of ``LEVELS``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: int
    used: int
    skipped: int = 0
    refused: int = 0
    classes: dict[str, int]
    imbalance_ratio: float
    findings: tuple[Finding, ...]

    def of(self, kind: str) -> Finding | None:
        """The finding of that kind, if there is one."""
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def lines(self, names: int = 3) -> list[str]:
        """The findings as lines of text, each with its first few file names."""
        counts = f"{self.used} of {self.files} files are used, in {len(self.classes)} classes"
        lines = [f"{counts}; {self.skipped} skipped, {self.refused} refused."]
        for finding in self.findings:
            more = ", ..." if len(finding.files) > names else ""
            some = f" ({', '.join(finding.files[:names])}{more})" if finding.files else ""
            lines.append(for_terminal(f"{finding.level}: {finding.text}: {finding.count}{some}"))
        return lines
