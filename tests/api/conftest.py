"""A folder with everything the examples of the API name: a store, DICOM, a suite, a model."""

import json
import shutil
from pathlib import Path

import pytest

import cl_seg
from tests.conftest import write_store

SUITE = {
    "kind": "stream",
    "name": "quick",
    "data": {"store": "tiny.store"},
    "image": {"size": 32},
    "split": {"test": 0.3, "validation": 0.2},
    "models": ["vnet", {"name": "unet", "learning_rate": 0.002}],
    "strategies": ["naive", {"name": "ewc", "settings": {"fisher_images": 2}}],
    "orders": [["alpha", "beta"]],
    "training": {"steps": 2, "batch_size": 2, "curve_every": 1, "device": "cpu"},
}


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; tests only read it, but for new names of their own."""
    folder = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "disabled")
        patch.chdir(folder)
        write_store(Path("tiny.store"))
        Path("quick.yaml").write_text(json.dumps(SUITE))
        Path("experiments").mkdir()
        Path("experiments/quick.yaml").write_text(json.dumps(SUITE))
        for file_format in ("dicom", "nifti"):
            cl_seg.simulate_scans(f"{file_format}-scans", ["ge_like"], file_format=file_format)
        shutil.copytree("dicom-scans/images", "dicom")
        shutil.copy(min(Path("nifti-scans/images").iterdir()), "ct.nii.gz")
        results = cl_seg.run("quick.yaml", workers=0, log=lambda line: None)
        results.save_model("VNet", "EWC", "model")
    return folder


@pytest.fixture
def in_workspace(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.chdir(workspace)
    return workspace
