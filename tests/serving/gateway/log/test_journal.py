"""The journal loses nothing of what it accepted."""

import subprocess
import sys
from pathlib import Path

from serving.gateway.log.journal import Journal, read_segment


def records(journal: Journal) -> list[int]:
    return [record["n"] for segment in journal.segments() for record in read_segment(segment)]


def test_records_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 10_000)
    assert all(journal.append({"n": n}) for n in range(5))
    assert records(journal) == [0, 1, 2, 3, 4]
    assert journal.append({"n": 5})
    assert records(journal) == [0, 1, 2, 3, 4, 5]


def test_a_removed_segment_does_not_come_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 10_000)
    journal.append({"n": 1})
    (segment,) = journal.segments()
    journal.remove(segment)
    journal.append({"n": 2})
    assert records(journal) == [2]


def test_a_full_journal_refuses(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 25)
    assert journal.append({"n": 1}) and journal.append({"n": 2}) and journal.append({"n": 3})
    assert not journal.append({"n": 4})
    for segment in journal.segments():
        journal.remove(segment)
    assert journal.append({"n": 5})


def test_what_a_killed_process_left_is_found(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from serving.gateway.log.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), 10_000)\n"
        "journal.append({'n': 7}); os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[4]
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, check=False)
    assert records(Journal(tmp_path, 10_000)) == [7]


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    first, second = Journal(tmp_path, 10_000), Journal(tmp_path, 10_000)
    first.append({"n": 1})
    second.append({"n": 2})
    assert records(second) == [2]
    first.close()
    assert records(second) == [1, 2]


def test_a_line_that_was_cut_off_costs_only_itself(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 10_000)
    journal.append({"n": 1})
    (segment,) = journal.segments()
    with segment.open("ab") as file:
        file.write(b'{"n": 2')
    journal.append({"n": 3})
    assert records(journal) == [1, 3]
    assert segment.stat().st_mode & 0o077 == 0
