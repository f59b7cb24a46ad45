"""Every seed of the fuzzer, and seeds cut and flipped in many places, end in the reader's words."""

from pathlib import Path

import numpy as np
import pytest

from tests.scans.conftest import ct_dataset, save

from .targets import TARGETS

SEEDS = Path(__file__).parent / "seeds"
FILES = sorted(path for path in SEEDS.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_seed_is_read_or_refused(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_seeds() -> None:
    assert {path.parent.name for path in FILES} == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_a_damaged_seed_is_read_or_refused(name: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    whole = [path.read_bytes() for path in FILES if path.parent.name == name]
    if name == "dicom_header":
        image = save(ct_dataset(0), tmp_path / "x.dcm").read_bytes()[:1500]
        whole += [image, image[132:], image[132 + 12 + image[140] :]]
    for content in whole:
        for _ in range(30):
            damaged = bytearray(content[: random.integers(len(content) + 1)])
            for at in random.integers(len(damaged), size=4) if damaged else ():
                damaged[at] = random.integers(256)
            TARGETS[name](bytes(damaged))
