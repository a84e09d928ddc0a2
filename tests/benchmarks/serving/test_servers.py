"""A server that is measured leaves nothing behind: what goes on running takes CPU from the next."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil

from benchmarks.serving.servers import Server, _end

_WORKER = "import time; print('up', flush=True); time.sleep(60)"
_SERVER = f"""
import subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", {_WORKER!r}], start_new_session=True, stdout=subprocess.PIPE)
worker.stdout.readline()
print(worker.pid, flush=True)
time.sleep(60)
"""
_SPEND = """
import time
until = time.process_time() + 0.3
while time.process_time() < until:
    pass
"""
_PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {_SPEND!r}])
print("spent", flush=True)
input()
"""


def test_a_worker_with_a_session_of_its_own_is_ended_too() -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, start_new_session=True, text=True
    )
    assert server.stdout
    with server.stdout as said:
        worker = psutil.Process(int(said.readline()))
        _end(server)
    deadline = time.monotonic() + 5
    running = Server(0, worker, 0.0).runs
    while running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running()


def test_what_an_ended_child_spent_still_counts() -> None:
    """Or it would pass for what others took of the machine."""
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stdin
        process.stdout.readline()
        spent = Server(0, psutil.Process(process.pid), 0.0).cpu_seconds()
        process.stdin.close()
    assert spent >= 0.3
