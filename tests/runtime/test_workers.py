import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cl_seg.messages.errors import InputError
from cl_seg.runtime.workers import map_in_order

PARENT = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from cl_seg.runtime.workers import interrupts_blocked, exit_with_parent

def sleep(seconds):
    time.sleep(seconds)

def identify():
    return os.getpid()

if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, spawn, initializer=exit_with_parent)
    with interrupts_blocked():
        worker = pool.submit(identify)
    print(worker.result(), flush=True)
    pool.submit(sleep, 60)
    time.sleep(60)
"""

# The first worker of all, with nothing of multiprocessing running before it.
FIRST = """
import multiprocessing, time
from cl_seg.runtime.workers import interrupts_blocked, exit_with_parent

def work():
    exit_with_parent()
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


def doubled(number: int) -> int:
    time.sleep(0.02 * (number % 3))
    if number == 13:
        raise InputError("13")
    if number == 99:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def test_results_come_in_the_order_of_the_jobs() -> None:
    for workers in (1, 2):
        with map_in_order(doubled, range(12), workers) as results:
            assert list(results) == list(range(0, 24, 2))


def test_few_results_wait_however_many_jobs_there_are() -> None:
    asked = []

    def jobs() -> Iterator[int]:
        for number in range(12):
            asked.append(number)
            yield number

    with map_in_order(doubled, jobs(), 2) as results:
        assert next(results) == 0
        assert len(asked) == 5
    assert len(asked) == 5


def test_an_error_of_a_worker_is_raised_and_its_death_told() -> None:
    with pytest.raises(InputError, match="13"), map_in_order(doubled, [1, 13, 2], 2) as results:
        list(results)
    with pytest.raises(InputError, match="killed"), map_in_order(doubled, [1, 99, 2], 2) as results:
        list(results)


def test_a_script_without_a_guard_is_not_run_again_by_its_workers(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from cl_seg.runtime.workers import map_in_order\n"
        "print('begin')\n"
        "with map_in_order(abs, [-1, -2, -3], 2) as results:\n"
        "    print(list(results))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "begin\n[1, 2, 3]\n", done.stderr
