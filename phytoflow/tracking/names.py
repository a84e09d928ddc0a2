"""Names that MLflow accepts for metrics, parameters, tags and models, made from any text without collisions.

Names of classes reach MLflow within the names of metrics, and may hold anything a folder's name may.
"""

from __future__ import annotations

import hashlib
import posixpath
import re

_MAX_KEY = 250  # MLflow's own limit
_SLASH = ":2f:"
_REFUSED = re.compile(r"[^/\w.\- ]")  # MLflow also accepts ":", which marks what is replaced here
_REFUSED_IN_MODEL_NAMES = re.compile(r"[/:.%\"'\s]+")


def key_name(text: str, *, groups: bool = True) -> str:
    """Name of a metric, parameter or tag; different texts give different names.

    A character that MLflow refuses becomes its code point between colons: ``a#b`` is ``a:23:b``. A slash
    stays, because MLflow groups metrics by it, unless the name is no clean path (``a//b``, ``../a``).

    Args:
        text: Any text.
        groups: Whether a slash makes a group of charts; otherwise it is replaced, too.
    """
    name = _REFUSED.sub(_code_point, text)
    if not groups:
        name = name.replace("/", _SLASH)
    if posixpath.normpath(name) != name or name == "." or name.startswith(("/", "..")):
        name = name.replace("/", _SLASH).replace(".", ":2e:")
    if len(name) <= _MAX_KEY:
        return name
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]  # two long names may share their beginning
    return f"{name[: _MAX_KEY - len(digest) - 1]}-{digest}"


def model_name(text: str) -> str:
    """Name of a logged model, e.g. of a network's name with dots."""
    return _REFUSED_IN_MODEL_NAMES.sub("_", text).strip("_")[:_MAX_KEY] or "model"


def _code_point(match: re.Match[str]) -> str:
    return f":{ord(match.group()):x}:"
