"""``python -m scripts.house``: prints the shape of the repository; fails if it is not as agreed.

``tests/test_structure.py`` holds the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from scripts.house.mirror import mirror
from scripts.house.shape import WIDEST, check_contracts, circle_of_files, widest_folder
from scripts.house.words import retired_words


def main() -> int:
    """Prints figures and faults; returns the exit status."""
    circle = circle_of_files()
    kept, output = check_contracts()
    folder, files = widest_folder()
    tests, words = mirror(), retired_words()
    print(f"circles of imports between files: {int(bool(circle))}")
    print(f"contracts on layers and folders: {_summary(output)}")
    print(f"widest folder: {folder}, {files} Python files of at most {WIDEST}")
    print(f"modules with a test of their name: {tests.tested}")
    print(f"modules without one, for a listed reason: {tests.listed}; without a reason: {len(tests.missing)}")
    print(f"retired words: {len(words)}")
    faults = [*_circle(circle), *([] if kept else [output]), *tests.missing, *tests.stale]
    faults += [f"{hit.place}: {hit.word}; instead: {hit.instead}" for hit in words]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults or files > WIDEST else 0


def _summary(output: str) -> str:
    return next((line for line in output.splitlines() if line.startswith("Contracts:")), "not checked")


def _circle(modules: list[str]) -> Iterator[str]:
    if modules:
        yield "circle: " + " -> ".join(modules)


if __name__ == "__main__":
    sys.exit(main())
