"""The shape of the repository; ``python -m scripts.house`` prints the same figures."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.house.__main__ import main
from scripts.house.mirror import mirror, own_test
from scripts.house.shape import WIDEST, check_contracts, circle_of_files, widest_folder
from scripts.house.tree import ROOT
from scripts.house.words import retired_words

Repository = Callable[[dict[str, str]], Path]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Makes a git repository of the given files."""

    def make(files: dict[str, str]) -> Path:
        subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return make


def test_layers_are_kept_and_no_folders_import_each_other_in_a_circle() -> None:
    """The contracts stand in pyproject.toml under ``tool.importlinter``."""
    kept, output = check_contracts()
    assert kept, output


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circle_of_files() == []


def test_a_circle_is_found(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "ring/__init__.py": "",
        "ring/a.py": "from ring import b",
        "ring/b.py": "def f():\n    import ring.a\n",
    }
    monkeypatch.syspath_prepend(repository(files))
    assert set(circle_of_files(("ring",))) == {"ring.a", "ring.b"}


def test_no_folder_has_more_than_sixteen_files() -> None:
    folder, files = widest_folder()
    assert files <= WIDEST, folder


def test_the_widest_folder_is_found(repository: Repository) -> None:
    root = repository({f"phytoflow/data/m{number}.py": "" for number in range(17)} | {"serving/a.py": ""})
    assert widest_folder(root) == ("phytoflow/data", 17)


def test_every_module_has_a_test_of_its_name_or_a_listed_reason() -> None:
    """Reasons stand in scripts/house/untested.toml."""
    tests = mirror()
    assert not tests.missing
    assert not tests.stale


def test_a_module_without_a_test_and_a_wrong_entry_are_found(repository: Repository) -> None:
    listed = '[[exceptions]]\nreason = "x"\ntests = ["tests/test_gone.py"]\nmodules = ["phytoflow/gone.py"]\n'
    tested = {"phytoflow/a/b.py": "", "tests/a/test_b.py": ""}
    root = repository({"serving/c.py": "", "list.toml": listed, **tested})
    tests = mirror(root, root / "list.toml")
    assert (tests.tested, tests.listed) == (1, 0)
    assert tests.missing == ["serving/c.py: write tests/serving/test_c.py"]
    assert [fault.split()[0] for fault in tests.stale] == ["phytoflow/gone.py", "tests/test_gone.py"]


def test_tests_mirror_the_tree() -> None:
    assert own_test("phytoflow/data/ingest/walk.py") == "tests/data/ingest/test_walk.py"
    assert own_test("benchmarks/serving/__main__.py") == "tests/benchmarks/serving/test_main.py"


def test_no_retired_word_is_used() -> None:
    """The words and what to say instead stand in scripts/house/retired.toml."""
    assert not retired_words()


def test_a_retired_word_is_found_in_text_and_in_names(repository: Repository) -> None:
    first, second = "aske" + "rs", "la" + "ne"  # not spelt out: this file is searched too
    root = repository({"docs/a.md": f"Plain planes.\nSome {first.title()}.", "b.py": f"two_{second}s = 1"})
    hits = [(hit.place, hit.word) for hit in retired_words(root)]
    assert hits == [("b.py:1", f"{second}s"), ("docs/a.md:2", first.title())]


def test_the_command_prints_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0, capsys.readouterr().out
    printed = capsys.readouterr().out
    for line in (
        "circles of imports between files: 0",
        "0 broken",
        "without a reason: 0",
        "retired words: 0",
    ):
        assert line in printed


def test_the_library_names_the_predictor_in_one_place_only() -> None:
    """An import linter does not see ``python -m serving.predictor``."""
    named = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "phytoflow").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value == "serving.predictor"
    ]
    assert named == ["phytoflow/deploy/local/process.py"]
