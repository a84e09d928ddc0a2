"""Import kserve without what a predictor never uses.

``import kserve`` (0.21) loads its deploying client with the whole ``kubernetes`` package, a hundred models
of Kubernetes resources, a client of other predictors with httpx, pandas for tables that it offers as inputs,
and yaml for a file that configures logging; uvicorn adds what restarts it when a file changes. Left in, they
more than double the time and the memory of a start.
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
def slim_imports() -> Iterator[None]:
    """While it lasts, imports of the unused packages give placeholders; later ones give the real packages."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in finder.given:
            sys.modules.pop(name, None)


class _Absent:
    """Stands for whatever is imported from a package left out; nothing is an instance of it."""


class _Placeholder(ModuleType):
    __path__: list[str] = []  # noqa: RUF012 (of the module: it may have submodules)

    def __getattr__(self, name: str) -> type[_Absent]:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent


class _Finder(MetaPathFinder, Loader):
    def __init__(self) -> None:
        self.given: list[str] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not any(fullname == unused or fullname.startswith(f"{unused}.") for unused in _UNUSED):
            return None
        self.given.append(fullname)
        return ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Placeholder(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass
