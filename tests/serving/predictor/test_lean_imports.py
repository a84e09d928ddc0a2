"""kserve without the packages that a predictor never uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.services.servers import ROOT


def run(code: str) -> str:
    """Output of a new process, whose imports are its own."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


def test_within_the_block_there_are_placeholders_and_after_it_the_real_package() -> None:
    code = (
        "import sys\n"
        "from serving.predictor.lean_imports import skip_unused_imports\n"
        "with skip_unused_imports():\n"
        "    import yaml, pandas.core\n"
        "    print(isinstance(1, yaml.AnyName), yaml.__file__ if hasattr(yaml, '__file__') else 'none')\n"
        "print('yaml' in sys.modules, 'pandas.core' in sys.modules)\n"
        "import yaml\n"
        "print(yaml.safe_load('[1]'))\n"
    )
    assert run(code).splitlines() == ["False none", "False False", "[1]"]


def test_other_packages_are_not_touched() -> None:
    code = (
        "from serving.predictor.lean_imports import skip_unused_imports\n"
        "with skip_unused_imports():\n"
        "    import json, pandasx_is_missing\n"
    )
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run(code)
    assert failed.value.returncode == 1


def test_an_error_within_the_block_leaves_no_placeholder() -> None:
    code = (
        "import sys\n"
        "from serving.predictor.lean_imports import skip_unused_imports\n"
        "try:\n"
        "    with skip_unused_imports():\n"
        "        import yaml\n"
        "        raise KeyError\n"
        "except KeyError:\n"
        "    print('yaml' in sys.modules, len([f for f in sys.meta_path if 'lean' in type(f).__module__]))\n"
    )
    assert run(code) == "False 0"
