import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PARENT = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from cl_seg.workers import interrupts_blocked, leave_with_parent

def sleep(seconds):
    time.sleep(seconds)

def identify():
    return os.getpid()

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, spawn, initializer=leave_with_parent)
    with interrupts_blocked():
        worker = pool.submit(identify)
    print(worker.result(), flush=True)
    pool.submit(sleep, 60)
    time.sleep(60)
"""

# The first worker of all, with nothing of multiprocessing running before it.
FIRST = """
import multiprocessing, time
from cl_seg.workers import interrupts_blocked, leave_with_parent

def work():
    leave_with_parent()
    time.sleep(60)

if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=work)
    with interrupts_blocked():
        process.start()
    print(process.pid, flush=True)
    time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture(params=[PARENT, FIRST], ids=["pool", "first"])
def parent(request: pytest.FixtureRequest, tmp_path: Path):
    script = tmp_path / "parent.py"
    script.write_text(request.param)
    command = [sys.executable, str(script)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    yield process
    process.kill()
    process.wait()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads process states from /proc")
def test_workers_leave_when_their_parent_is_killed(parent: subprocess.Popen[bytes]) -> None:
    worker = int(parent.stdout.readline())
    assert is_running(worker)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 20
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(worker)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads process states from /proc")
def test_interrupts_do_not_reach_workers(parent: subprocess.Popen[bytes]) -> None:
    worker = int(parent.stdout.readline())
    os.kill(worker, signal.SIGINT)
    time.sleep(1)
    assert is_running(worker)
