"""MONAI reads what is exported, and sees what our own inference sees."""

import json
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser

from cl_seg.benchmark.preprocess import downsampled, windowed
from cl_seg.inference.bundle import export_bundle
from cl_seg.inference.saved_model import read_model_folder, save_model
from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model
from cl_seg.scans import nifti
from cl_seg.scans.resample import centre_grid, resample_image
from cl_seg.scans.series import Volume
from cl_seg.scans.store import Grid

from .test_saved_model import CONTENT


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = build_model("vnet", "small", {}, 3, 32)
    save_model(tmp_path / "model", model.state_dict(), CONTENT)
    export_bundle(tmp_path / "model", tmp_path / "bundle")
    return tmp_path / "bundle"


def parsed(bundle: Path) -> ConfigParser:
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    parser.read_meta(str(bundle / "configs" / "metadata.json"))
    return parser


def test_the_network_gives_the_same_bits(bundle: Path) -> None:
    network = parsed(bundle).get_parsed_content("network")
    weights = torch.load(bundle / "models" / "model.pt", weights_only=True)
    network.load_state_dict(weights)
    ours, card = read_model_folder(bundle.parent / "model")
    images = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(network(images), ours(images))
    meta = json.loads((bundle / "configs" / "metadata.json").read_text())
    channels = meta["network_data_format"]["outputs"]["pred"]["channel_def"]
    assert list(channels.values()) == ["background", *card.classes]
    assert "Not a medical device" in (bundle / "docs" / "README.md").read_text()


def test_preprocessing_shows_the_network_what_ours_does(bundle: Path, tmp_path: Path) -> None:
    y, x = np.mgrid[:150, :180]
    disc = np.hypot(y - 60, x - 110) < 40
    hu = np.where(disc, 80, -1000)
    hu[np.hypot(y - 50, x - 120) < 12] = 200
    volume = Volume(np.stack([hu, hu]).astype(np.int16), np.array([0.0, 5]), (1.5, 1.5), (-80, -90))
    nifti.save(tmp_path / "ct.nii.gz", volume.hu, volume)
    parser = parsed(bundle)
    theirs = parser.get_parsed_content("preprocessing")({"image": str(tmp_path / "ct.nii.gz")})
    _, card = read_model_folder(bundle.parent / "model")
    grid = Grid(card.input.grid_size, card.input.spacing_mm)
    stored = resample_image(volume.hu[0], volume, centre_grid(volume, grid), grid)
    ours = windowed(downsampled(torch.from_numpy(stored)[None], 32), card.input.window_hu)[0, 0]
    image = theirs["image"][0, :, :, 0]
    assert image.shape == ours.shape
    # Their pixels are picked, ours averaged: edges differ, places do not.
    overlap = ((image > 0.5) & (ours > 0.5)).sum() * 2 / ((image > 0.5).sum() + (ours > 0.5).sum())
    assert overlap > 0.9
    outside = parser.get_parsed_content("inferer")
    with torch.no_grad():
        logits = outside(theirs["image"][None], parser.get_parsed_content("network"))
    labels = parser.get_parsed_content("postprocessing")({"pred": logits[0]})["pred"]
    assert labels.shape == (1, 32, 32, 2)


def test_nothing_is_overwritten(bundle: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        export_bundle(bundle.parent / "model", bundle)
