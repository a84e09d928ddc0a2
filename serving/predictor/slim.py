"""Import kserve without its Kubernetes client.

``import kserve`` (0.21) always loads ``KServeClient``, which deploys InferenceServices, and with it the whole
``kubernetes`` package: 60 MB and a quarter of the start-up time that a predictor never uses.
"""

from __future__ import annotations

import sys
from types import ModuleType

_CLIENT = "kserve.api.kserve_client"


def leave_out_kubernetes() -> None:
    """Call before the first import of kserve; without effect afterwards."""
    if "kserve" not in sys.modules:
        placeholder = ModuleType(_CLIENT)
        placeholder.KServeClient = None  # type: ignore[attr-defined]
        sys.modules[_CLIENT] = placeholder
