import json
import subprocess
import sys
from pathlib import Path

from phytoflow.steps.context import FAILURE_VARIABLE
from tests.support.disks import small_disk

_BODY = """
import logging, sys
from phytoflow.errors import DataError
from phytoflow.steps.context import step
with step("train"):
    logging.getLogger("phytoflow.x").info("epoch 1 of 2")
    if sys.argv[1] == "full":
        raise OSError(28, "No space left on device")
    if sys.argv[1] == "fail":
        raise DataError("only one class", remedy="add another")
"""


def _run(argument: str, failure: Path) -> subprocess.CompletedProcess[str]:
    environment = {FAILURE_VARIABLE: str(failure)}
    command = [sys.executable, "-c", _BODY, argument]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_a_step_says_its_name_with_every_line(tmp_path: Path) -> None:
    done = _run("well", tmp_path / "failure.json")
    assert done.returncode == 0 and done.stdout == "[train] epoch 1 of 2\n"
    assert not (tmp_path / "failure.json").exists()


def test_a_failed_step_leaves_word_and_ends_with_the_errors_code(tmp_path: Path) -> None:
    done = _run("fail", tmp_path / "failure.json")
    word = json.loads((tmp_path / "failure.json").read_text())
    assert done.returncode == word["exit_code"] == 3
    assert (word["step"], word["message"], word["remedy"]) == ("train", "only one class", "add another")
    assert "Traceback" not in done.stdout + done.stderr


def test_a_full_disk_is_that_of_the_run_where_the_error_names_no_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        done = _run("full", disk / "failure.json")
        word = json.loads((disk / "failure.json").read_text())
    assert done.returncode == word["exit_code"] == 5
    assert word["message"] == f"no space left to write {disk}"
    assert f"free some space on {disk} (" in word["remedy"]


def test_a_step_reaches_the_clusters_own_services_without_its_proxy() -> None:
    body = (
        'import os\nfrom phytoflow.steps.context import step\nwith step("x"): print(os.environ["NO_PROXY"])'
    )
    environment = {"HTTP_PROXY": "http://proxy.invalid:3128", "NO_PROXY": "example.org"}
    command = [sys.executable, "-c", body]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert {"example.org", "localhost", "127.0.0.1", ".svc"} <= set(done.stdout.strip().split(","))
