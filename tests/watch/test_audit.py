"""The audit log's database: what is wrong with it is said, without its password."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.errors import ConfigError, StorageError
from phytoflow.watch.audit import AuditLog


@pytest.mark.parametrize("url", ["sqlite:///a.db", "postgresql://u:p@h/d", "s3://bucket", "a.db", "x://h:b"])
def test_a_database_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="cannot be used") as refusal:
        AuditLog(url)
    assert "sqlite+aiosqlite" in refusal.value.remedy


@pytest.mark.parametrize(
    "url", ["postgresql+asyncpg://u:hidden@127.0.0.1:1/d", "sqlite+aiosqlite:///{folder}/missing/watch.db"]
)
async def test_a_database_that_does_not_answer_is_named(tmp_path: Path, url: str) -> None:
    audit = AuditLog(url.format(folder=tmp_path))
    with pytest.raises(StorageError, match="cannot open the audit log in") as refusal:
        await audit.open()
    assert "hidden" not in str(refusal.value)
    await audit.close()
