"""Finds ``components``, ``pipelines`` and ``serving``, the packages around this one.

In a checkout and in an image they stand next to ``phytoflow``. Their names are too general for site-packages,
so a wheel carries them in ``phytoflow/_outer``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from phytoflow.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "_outer", _PACKAGE.parent)
"""Of an installed wheel; of a checkout or an image."""


def outer_folder(package: str) -> Path:
    """Returns the folder that holds an outer package.

    Args:
        package: ``components``, ``pipelines`` or ``serving``.

    Raises:
        ConfigError: This installation does not have it, as the predictor's image has no ``pipelines``.
    """
    for folder in _PLACES:
        if (folder / package / "__init__.py").exists():
            return folder
    remedy = "install phytoflow's wheel, or run it from a checkout or the project's pipeline image"
    raise ConfigError(f"the `{package}` package is not part of this installation", remedy=remedy)


def make_importable(package: str) -> None:
    """Lets this process import an outer package.

    Raises:
        ConfigError: This installation does not have it.
    """
    if (folder := str(outer_folder(package))) not in sys.path:
        sys.path.insert(0, folder)


def environment_for(package: str) -> Mapping[str, str]:
    """Returns environment variables with which a new Python process imports an outer package.

    Raises:
        ConfigError: This installation does not have it.
    """
    paths = [str(outer_folder(package)), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
