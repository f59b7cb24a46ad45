"""The command: what it prints, what it refuses, and that nothing half-written is left."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from cl_seg.datasets import masks
from cl_seg.datasets.dataset import DatasetOptions, parse_classes
from cl_seg.datasets.registry import DATASETS
from cl_seg.datasets.write import write_dataset
from cl_seg.messages.errors import InputError

from .conftest import ingested, invoke, organ
from .test_amos22 import miniature as amos22
from .test_totalsegmentator import miniature as totalsegmentator


def test_every_set_has_a_reader_and_a_page():
    text = (Path(__file__).parents[2] / "docs/how-to/public-data.md").read_text()
    for name, entry in DATASETS.items():
        assert callable(import_module(entry.module).read)
        assert f"cl-seg dataset {name} " in text
        for option in entry.takes:
            assert option in text


def test_the_printed_command_can_be_run_as_it_is(tmp_path):
    folder = amos22(tmp_path)
    out = tmp_path / "with space"
    printed = invoke("dataset", "amos22", folder, out)
    assert "GE Optima CT660" in printed
    assert "left out, 1: magnetic resonance, not CT (first " in printed
    expected = (
        f"cl-seg ingest '{out}/manifest.csv' '{out}.store' --label liver=6 "
        "--label background=1-5,7-15"
    )
    assert printed.splitlines()[-1].strip() == expected


def test_class_options_of_the_command(tmp_path):
    folder = totalsegmentator(tmp_path)
    printed = invoke(
        "dataset", "totalsegmentator", folder, tmp_path / "out", "--class", "liver=liver",
        "--slices-of", "vertebrae_L3",
    )  # fmt: skip
    assert printed.rstrip().endswith("--label liver=1 --label ignore=255")


def test_a_set_of_links_is_named_by_its_links(tmp_path, write):
    folder = amos22(tmp_path)
    (tmp_path / "objects").mkdir()
    for number, path in enumerate(sorted(folder.rglob("amos_*.nii.gz"))):
        path.symlink_to(path.rename(tmp_path / "objects" / str(number)))
    (tmp_path / "link").symlink_to(folder)
    written = write("amos22", tmp_path / "link")
    assert (
        written.manifest.read_text()
        .splitlines()[1]
        .startswith("../amos22/imagesTr/amos_0001.nii.gz,../amos22/labelsTr/amos_0001.nii.gz,")
    )
    assert len(ingested(written).scanners) == 2


@pytest.mark.parametrize("interrupted", [KeyboardInterrupt, OSError(28, "No space left")])
def test_what_stops_half_way_leaves_nothing(tmp_path, write, monkeypatch, interrupted):
    folder = totalsegmentator(tmp_path)

    def stop(*_):
        raise interrupted

    monkeypatch.setattr(masks.nifti, "save", stop)
    with pytest.raises((KeyboardInterrupt, InputError)):
        write("totalsegmentator", folder)


def test_an_existing_folder_is_kept(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="exists already"):
        write_dataset("amos22", amos22(tmp_path), tmp_path / "out", DatasetOptions())


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("amos", {}, "no set named amos: expected one of totalsegmentator, amos22"),
        ("amos22", {"slices_of": "x"}, "--slices-of means nothing for AMOS22"),
        ("msd", {"classes": {"a": ("b",)}}, "--class means nothing for Medical"),
        ("saros", {"scanners": "x.csv"}, "--scanners means nothing for SAROS"),
        ("nnunet", {"aliases": "x.yaml"}, "--aliases means nothing for nnU-Net"),
        ("msd", {}, "gone is not a folder: download and unpack"),
    ],
)
def test_what_means_nothing_is_refused(tmp_path, write, name, options, message):
    with pytest.raises(InputError, match=message):
        write(name, tmp_path / "gone", DatasetOptions(**options))


@pytest.mark.parametrize(
    "options",
    [["liver"], ["1=liver"], ["a="], ["a=b,,c"], ["a=b", "a=c"], ["a=b", "c=b"], ["a=b,b"],
     ["ignore=b"], ["background=b"]],
)  # fmt: skip
def test_malformed_classes_are_refused(options):
    with pytest.raises(InputError, match="--class"):
        parse_classes(options)


def test_classes_are_read_in_their_order():
    read = parse_classes(["vein=Portal vein, Cava", "liver=Liver"])
    assert list(read.items()) == [("vein", ("Portal vein", "Cava")), ("liver", ("Liver",))]


def test_a_mistake_is_one_line_and_exit_code_2(tmp_path):
    code = (
        "import sys; from cl_seg.cli import main\n"
        "try: main()\n"
        "finally: assert not {'torch', 'avalanche', 'monai'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, "dataset", "amos22", ".", "out"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "imagesTr" in done.stderr
    assert not list(tmp_path.iterdir())


def test_miniatures_have_organs():
    assert organ().any() and organ([0]).sum() * 6 == organ().sum()
