"""Nothing half-written is ever seen."""

import errno
import json
import os
import socket
import stat
from pathlib import Path

import pytest

from cl_seg.files.write import (
    check_new,
    new_folder,
    remove_abandoned,
    writable,
    write_bytes,
    write_json,
    write_text,
)
from cl_seg.messages.errors import InputError


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def fail(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_written_whole(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "Müller\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "Müller\n".encode()
    write_bytes(tmp_path / "new" / "a.txt", b"\x00\xff")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"\x00\xff"
    write_json(tmp_path / "new" / "b.json", {"a": [1, None]})
    assert json.loads((tmp_path / "new" / "b.json").read_text()) == {"a": [1, None]}
    assert names(tmp_path / "new") == ["a.txt", "b.json"]


def test_readable_as_the_umask_says(tmp_path):
    old = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "")
        with new_folder(tmp_path / "folder"):
            pass
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o750


@pytest.mark.parametrize("broken", [(os, "fsync"), (Path, "replace"), (Path, "chmod")])
def test_old_file_survives_a_failure(tmp_path, monkeypatch, broken):
    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(*broken, fail)
    with pytest.raises(InputError, match=r"No space .* free some space"):
        write_text(tmp_path / "a.txt", "new")
    monkeypatch.undo()
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_old_file_survives_an_interrupt(tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "a.txt", "new")
    assert names(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").read_text() == "old"


def test_json_refuses_nan_and_keeps_the_old(tmp_path):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", float("nan"))
    assert names(tmp_path) == ["a.json"] and (tmp_path / "a.json").read_text() == "1\n"


def test_folder_appears_only_when_whole(tmp_path):
    with new_folder(tmp_path / "deep" / "x") as building:
        (building / "a").write_text("1")
        assert building.parent == tmp_path / "deep"
        assert not (tmp_path / "deep" / "x").exists()
    assert names(tmp_path / "deep") == ["x"]
    assert (tmp_path / "deep" / "x" / "a").read_text() == "1"


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt(), InputError("x")])
def test_folder_leaves_nothing_on_error(tmp_path, error):
    with pytest.raises(type(error)), new_folder(tmp_path / "x") as building:
        (building / "sub").mkdir()
        (building / "sub" / "a").write_text("1")
        raise error
    assert names(tmp_path) == []


def test_full_disk_is_one_clear_line(tmp_path):
    with pytest.raises(InputError) as caught, new_folder(tmp_path / "x") as building:
        (building / "a").write_text("1")
        fail()
    message = str(caught.value)
    assert "\n" not in message and str(tmp_path / "x") in message and "No space" in message
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EACCES, "right to write there"),
        (errno.EPERM, "right to write there"),
        (errno.EROFS, "nothing was kept, choose another place"),
        (errno.ENOTDIR, "in the way"),
    ],
)
def test_the_hint_is_that_of_the_reason(tmp_path, code, hint):
    with pytest.raises(InputError, match=hint) as caught, writable(tmp_path / "x"):
        raise OSError(code, os.strerror(code), str(tmp_path))
    assert os.strerror(code) in str(caught.value)
    assert ("space" in str(caught.value)) == (code in {errno.ENOSPC, errno.EDQUOT})


def test_a_file_that_cannot_be_read_is_not_one_that_cannot_be_written(tmp_path):
    with pytest.raises(PermissionError), new_folder(tmp_path / "x"):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "read" / "1.dcm"))


def test_folder_that_cannot_be_begun(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"), new_folder(tmp_path / "file" / "x"):
        pytest.fail("must not be entered")


def test_failed_rename_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InputError, match="nothing was kept"), new_folder(tmp_path / "x"):
        pass
    monkeypatch.undo()
    assert names(tmp_path) == []


def test_existing_folder_is_never_touched(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "precious").write_text("1")
    with pytest.raises(InputError, match="exists already"), new_folder(tmp_path / "x"):
        pytest.fail("must not be entered")
    assert (tmp_path / "x" / "precious").read_text() == "1" and names(tmp_path) == ["x"]


def test_folder_that_appeared_meanwhile_is_kept(tmp_path):
    with pytest.raises(InputError, match="cannot write"), new_folder(tmp_path / "x"):
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "theirs").write_text("1")
    assert names(tmp_path) == ["x"] and (tmp_path / "x" / "theirs").read_text() == "1"


@pytest.mark.parametrize("other", ["gpu-node1", "node1-2", "login.node1", "node"])
def test_what_another_machine_is_writing_is_not_tidied(tmp_path, monkeypatch, other):
    monkeypatch.setattr(os, "getpid", lambda: 2**22 + 1)  # no process has it
    monkeypatch.setattr(socket, "gethostname", lambda: other)
    with new_folder(tmp_path / "store") as building:
        monkeypatch.setattr(socket, "gethostname", lambda: "node1")
        remove_abandoned(tmp_path)
        assert building.is_dir()
        monkeypatch.setattr(socket, "gethostname", lambda: other)
        remove_abandoned(tmp_path)
        assert not building.exists()
        building.mkdir()


def test_a_place_without_a_name_in_utf8_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no UTF-8"):
        check_new(Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9")))
