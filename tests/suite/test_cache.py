"""Results of stages on disk: whole, verified, and one process at a time."""

import errno
import hashlib
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from cl_seg.files.write import write_json
from cl_seg.messages.errors import InputError
from cl_seg.suite.cache import METADATA, DamagedStage, StageCache

KEY = hashlib.sha256(b"a").hexdigest()


def never() -> bool:
    return False


def finish(cache: StageCache, content: bytes = b"weights") -> None:
    with cache.claim(KEY, never) as folder:
        assert folder is not None
        (folder / "state.pt").write_bytes(content)
        write_json(folder / METADATA, {"kind": "train"})


@pytest.fixture
def cache(tmp_path: Path) -> StageCache:
    return StageCache(tmp_path / "stages")


def test_a_finished_stage_is_read_back(cache: StageCache) -> None:
    assert not cache.has(KEY) and cache.keys() == set()
    finish(cache)
    assert cache.has(KEY) and cache.keys() == {KEY}
    assert cache.read(KEY, "state.pt") == b"weights"
    assert cache.metadata(KEY)["kind"] == "train"
    assert not list((cache.folder / "partial").iterdir())


def test_a_finished_stage_is_not_claimed_again(cache: StageCache) -> None:
    finish(cache)
    with cache.claim(KEY, never) as folder:
        assert folder is None


def test_nothing_is_kept_of_a_stage_that_failed_but_its_checkpoint(cache: StageCache) -> None:
    with pytest.raises(RuntimeError), cache.claim(KEY, never) as folder:
        assert folder is not None
        (folder / "state.pt").write_bytes(b"half")
        raise RuntimeError
    assert not cache.has(KEY) and not list((cache.folder / "partial").iterdir())
    with pytest.raises(RuntimeError), cache.claim(KEY, never):
        (cache.working_folder(KEY) / "checkpoint.pt").write_bytes(b"step 3")
        raise RuntimeError
    assert [p.name for p in cache.working_folder(KEY).iterdir()] == ["checkpoint.pt"]
    finish(cache)
    assert not list((cache.folder / "partial").iterdir())


@pytest.mark.parametrize("name", ["state.pt", METADATA])
@pytest.mark.parametrize("how", ["flipped", "truncated", "removed"])
def test_damage_is_set_aside_and_never_used(cache: StageCache, name: str, how: str) -> None:
    finish(cache)
    file = cache.folder_of(KEY) / name
    content = bytearray(file.read_bytes())
    if how == "removed":
        file.unlink()
    else:
        content[3] ^= 1
        file.write_bytes(content[:2] if how == "truncated" else content)
    with pytest.raises(DamagedStage) as caught:
        cache.read(KEY, "state.pt")
    assert caught.value.key == KEY and not cache.has(KEY)
    assert len(list((cache.folder / "damaged").iterdir())) == 1
    finish(cache)
    assert cache.read(KEY, "state.pt") == b"weights"


def test_what_is_missing_is_told_like_damage(cache: StageCache) -> None:
    with pytest.raises(DamagedStage):
        cache.read(KEY, "state.pt")
    assert not cache.folder.exists(), "nothing is made of a mistyped folder"


def test_a_file_in_the_way_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "stages").write_text("a file")
    cache = StageCache(tmp_path / "stages")
    with pytest.raises((InputError, OSError), match="stages"), cache.claim(KEY, never):
        pass


def test_a_full_disk_is_one_clear_line_and_keeps_the_checkpoint(cache: StageCache) -> None:
    with pytest.raises(InputError, match="No space left") as caught, cache.claim(KEY, never):
        (cache.working_folder(KEY) / "checkpoint.pt").write_bytes(b"step 3")
        raise OSError(28, "No space left on device")
    assert str(cache.folder) in str(caught.value)
    assert [p.name for p in cache.working_folder(KEY).iterdir()] == ["checkpoint.pt"]


def _compute(folder: Path, order: "multiprocessing.SimpleQueue[str]", name: str) -> None:
    cache = StageCache(folder)
    with cache.claim(KEY, never) as results:
        if results is None:
            order.put(f"{name} found it")
            return
        order.put(f"{name} begins")
        time.sleep(1)
        (results / "state.pt").write_bytes(b"weights")
        write_json(results / METADATA, {"kind": "train"})


def test_two_processes_compute_a_stage_once(cache: StageCache) -> None:
    context = multiprocessing.get_context("spawn")
    order = context.SimpleQueue()
    both = [
        context.Process(target=_compute, args=(cache.folder, order, name)) for name in ("a", "b")
    ]
    for process in both:
        process.start()
    for process in both:
        process.join()
    said = sorted([order.get(), order.get()], key=lambda text: "found" in text)
    assert said[0].endswith("begins") and said[1].endswith("found it")
    assert cache.read(KEY, "state.pt") == b"weights"
    assert not list((cache.folder / "partial").iterdir())


def _die(folder: Path) -> None:
    with StageCache(folder).claim(KEY, never) as results:
        assert results is not None
        (results / "state.pt").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_claim_ends_with_its_process(cache: StageCache) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_die, args=(cache.folder,))
    process.start()
    process.join()
    assert not cache.has(KEY) and cache.working_folder(KEY).exists()
    finish(cache)
    assert cache.read(KEY, "state.pt") == b"weights"


def test_who_waits_gives_up_when_asked_to_stop(cache: StageCache) -> None:
    with pytest.raises(RuntimeError), cache.claim(KEY, never):
        with cache.claim(KEY, lambda: True) as second:
            assert second is None
        raise RuntimeError
    assert not cache.has(KEY)


def test_leftovers_beside_finished_stages_are_tidied(cache: StageCache) -> None:
    finish(cache)
    (cache.working_folder(KEY) / "results").mkdir(parents=True)
    other = hashlib.sha256(b"b").hexdigest()
    cache.working_folder(other).mkdir()
    assert cache.unfinished() == {KEY: False, other: False}
    cache.working_folder(KEY).with_suffix(".lock").touch()
    cache.remove_leftovers()
    assert [p.name for p in (cache.folder / "partial").iterdir()] == [other]


def test_what_is_not_kept_is_pruned_but_not_what_is_worked_on(cache: StageCache) -> None:
    finish(cache)
    other = hashlib.sha256(b"b").hexdigest()
    with pytest.raises(RuntimeError), cache.claim(other, never):
        assert cache.unfinished() == {other: True}
        cache.prune({KEY})
        assert cache.has(KEY) and cache.working_folder(other).exists()
        cache.prune(set())
        assert not cache.has(KEY) and cache.working_folder(other).exists()
        raise RuntimeError
    assert not list((cache.folder / "partial").iterdir())
    assert not (cache.folder / "damaged").exists() and cache.sizes() == {}


def test_what_cannot_be_read_is_not_taken_for_damaged(cache: StageCache) -> None:
    finish(cache)
    (cache.folder_of(KEY) / "state.pt").unlink()
    (cache.folder_of(KEY) / "state.pt").mkdir()
    with pytest.raises(InputError, match=r"cannot read .*state\.pt"):
        cache.read(KEY, "state.pt")
    assert cache.has(KEY)


def test_what_is_written_says_what_it_is(cache: StageCache) -> None:
    finish(cache)
    about = json.loads((cache.folder_of(KEY) / METADATA).read_text())
    assert about["key"] == KEY
    assert about["files"] == {"state.pt": hashlib.sha256(b"weights").hexdigest()}


def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with (
        pytest.raises(InputError, match="cannot lock files"),
        StageCache(tmp_path).claim("ab" * 32, lambda: False),
    ):
        pass
