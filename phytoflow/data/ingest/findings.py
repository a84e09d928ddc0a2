"""What was found in a folder of photos, in words and with file names."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Level = Literal["note", "warning", "excluded"]


class Finding(BaseModel):
    """One kind of thing found.

    Attributes:
        kind: Short and stable, e.g. ``"exact duplicate"``.
        level: ``excluded``: these files are not used; ``warning``: look at it; ``note``: good to know.
        count: How many.
        text: What it is, for the reader, without the count.
        files: Every file or class it is about.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    level: Level
    count: int
    text: str
    files: tuple[str, ...] = ()


class Findings(BaseModel):
    """Everything found.

    Attributes:
        files: Files in the folder.
        used: Photos that are used.
        classes: Used photos by label.
        imbalance_ratio: Photos of the largest class over those of the smallest.
        findings: Exclusions first, then warnings, then notes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: int
    used: int
    classes: dict[str, int]
    imbalance_ratio: float
    findings: tuple[Finding, ...]

    def of(self, kind: str) -> Finding | None:
        """The finding of that kind, if there is one."""
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def lines(self, names: int = 3) -> list[str]:
        """The findings as lines of text, each with its first few file names."""
        lines = [f"{self.used} of {self.files} files are used, in {len(self.classes)} classes."]
        for finding in self.findings:
            more = ", ..." if len(finding.files) > names else ""
            some = f" ({', '.join(finding.files[:names])}{more})" if finding.files else ""
            lines.append(f"{finding.level}: {finding.text}: {finding.count}{some}")
        return lines
