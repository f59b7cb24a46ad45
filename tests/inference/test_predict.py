"""Masks on the pixels of a series, with a network whose answer is known."""

from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cl_seg.inference.predict import Copies, _probabilities, _transforms, predict_slices
from cl_seg.metrics.segmentation import dice
from cl_seg.records.model_card import Input
from cl_seg.scans.nifti import load_labels, save
from cl_seg.scans.series import Volume

SEEN = Input(grid_size=128, spacing_mm=2.0, size=64, window_hu=(-160.0, 240.0))


class Bright(nn.Module):
    """Class 1 where the image is above 60 HU, class 2 where it is above 160 HU."""

    def forward(self, images: Tensor) -> Tensor:
        hu = images * 400 - 160
        low, high = (torch.sigmoid((hu - bound) / 10) for bound in (60.0, 160.0))
        return torch.cat([1 - low, low * (1 - high), high], dim=1).clamp(1e-6).log()


def series(spacing: tuple[float, float], origin: tuple[float, float]) -> tuple[Volume, np.ndarray]:
    """A disc of 110 HU with a disc of 230 HU in it, off centre, and its labels."""
    shape = (round(200 / spacing[0]), round(220 / spacing[1]))
    y = origin[0] + spacing[0] * np.arange(shape[0])[:, None]
    x = origin[1] + spacing[1] * np.arange(shape[1])[None]
    middle = origin[0] + 100, origin[1] + 110
    truth = np.zeros(shape, np.uint8)
    truth[np.hypot(y - middle[0] - 5, x - middle[1] + 8) < 60] = 1
    truth[np.hypot(y - middle[0] + 10, x - middle[1] - 10) < 25] = 2
    hu = np.array([0, 110, 230], np.int16)[truth]
    body = np.hypot(y - middle[0], x - middle[1]) < 95
    return Volume(
        np.where(body, hu, -1000)[None].astype(np.int16), np.zeros(1), spacing, origin
    ), truth


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.7, 0.9), (3.0, 2.5)])
@pytest.mark.parametrize("origin", [(0.0, 0.0), (-130.5, 42.25)])
def test_masks_lie_where_the_structure_is(
    spacing: tuple[float, float], origin: tuple[float, float]
) -> None:
    volume, truth = series(spacing, origin)
    (found,) = predict_slices([Bright()], SEEN, volume, n_augmentations=4)
    for label in (1, 2):
        assert dice(found.labels == label, truth == label) > 0.93
    for augmented in found.augmented_labels:
        assert dice(augmented > 0, truth > 0) > 0.95, "augmentations are transformed back"


def test_without_augmentation_the_one_network_decides() -> None:
    volume, _ = series((1.0, 1.0), (0.0, 0.0))
    (found,) = predict_slices([Bright()], SEEN, volume)
    assert found.augmented_labels.shape == (1, *found.labels.shape)
    assert (found.augmented_labels[0] == found.labels).all()


@pytest.mark.parametrize("n_augmentations", [1, 2, 3, 4, 5])
def test_no_augmentation_is_the_image_itself(n_augmentations: int) -> None:
    transforms = _transforms(n_augmentations)
    assert len(transforms) == n_augmentations + 1 and (transforms[0] == torch.eye(2)).all()
    assert all((transform - torch.eye(2)).abs().max() > 0.02 for transform in transforms[1:])
    assert (
        len({tuple(transform.flatten().tolist()) for transform in transforms})
        == n_augmentations + 1
    )


def test_labels_go_to_disk_and_back_on_the_same_pixels(tmp_path: Path) -> None:
    volume, truth = series((0.7, 0.9), (-130.5, 42.25))
    volume = Volume(np.repeat(volume.hu, 3, axis=0), np.array([-10.0, -5, 0]), *_geometry(volume))
    labels = np.stack([truth, truth * 0, truth])
    save(tmp_path / "labels.nii.gz", labels, volume)
    again, geometry = load_labels(tmp_path / "labels.nii.gz")
    assert (again == labels).all()
    np.testing.assert_allclose(geometry.z_mm, volume.z_mm)
    np.testing.assert_allclose(geometry.origin_mm, volume.origin_mm, atol=1e-4)
    np.testing.assert_allclose(geometry.spacing_mm, volume.spacing_mm, atol=1e-5)


def _geometry(volume: Volume) -> tuple[tuple[float, float], tuple[float, float]]:
    return volume.spacing_mm, volume.origin_mm


def test_the_middle_of_an_image_is_inside_of_every_variant() -> None:
    class Ramp(nn.Module):
        """Of every variant another answer."""

        def forward(self, images: Tensor) -> Tensor:
            share = torch.linspace(0, 1, len(images))[:, None, None, None]
            return torch.cat([share, 1 - share], dim=1).expand(-1, -1, *images.shape[2:])

    copies = Copies(_transforms(4), 64)
    shares = _probabilities(Ramp(), torch.zeros(1, 1, 64, 64), copies)[:, 0, 16:48, 16:48]
    assert (shares.flatten(1).std(dim=1) < 1e-5).all()
    assert shares[1:].mean(dim=(1, 2)).min() > shares[0].mean()
