"""Imports kserve without the packages that a predictor never uses.

``import kserve`` (0.21) loads its deployment client with the ``kubernetes`` package and a hundred models of
Kubernetes resources, a client of other predictors with httpx, pandas for tables as inputs, and yaml for a
logging configuration file; uvicorn adds its reloaders. With them, startup takes more than twice the time and
memory.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_UNUSED = (
    "kserve.api",
    "kserve.api_client",
    "kserve.configuration",
    "kserve.models",
    "pandas",
    "httpx",
    "uvicorn.supervisors",
    "yaml",
)


@contextmanager
def skip_unused_imports() -> Iterator[None]:
    """Gives placeholders for the unused packages within the block; later imports get the real packages."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in finder.imported:
            sys.modules.pop(name, None)


class _Absent:
    """Stands for every name imported from a placeholder; nothing is an instance of it."""


class _Placeholder(ModuleType):
    __path__: list[str] = []  # noqa: RUF012 (marks the module as a package)

    def __getattr__(self, name: str) -> type[_Absent]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent


class _Finder(MetaPathFinder, Loader):
    def __init__(self) -> None:
        self.imported: list[str] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not any(fullname == unused or fullname.startswith(f"{unused}.") for unused in _UNUSED):
            return None
        self.imported.append(fullname)
        return ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Placeholder(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass
