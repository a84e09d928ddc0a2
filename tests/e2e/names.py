"""Names of objects that the cluster tests create and delete: no user's object can have one of them."""

from __future__ import annotations

import uuid

PREFIX = "phytoflow-test-"
_RUN = uuid.uuid4().hex[:6]  # two runs of the tests on one cluster do not meet


def own_name(kind: str) -> str:
    """Returns a name for a test's object of this kind, the same within one run of the tests."""
    return f"{PREFIX}{_RUN}-{kind}"
