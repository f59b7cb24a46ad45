"""NIfTI volumes come out in LPS axial order, or are refused with a reason."""

import gzip

import nibabel
import numpy as np
import pytest

from cl_seg.scans import nifti
from cl_seg.scans.series import UnusableError

from .conftest import SIZE, SPACING, volume, write_nifti


@pytest.mark.parametrize("codes", ["LPS", "RAS", "LAS", "RPI", "SPL", "ASR"])
def test_every_axis_order_gives_the_same_volume(tmp_path, codes):
    ct = volume(4)
    ct[2, 10, 20] = 1234
    loaded = nifti.load(write_nifti(tmp_path / "ct.nii.gz", ct, codes))
    assert np.array_equal(loaded.hu, np.clip(ct, -1024, 3071))
    assert loaded.hu.dtype == np.int16
    assert loaded.z_mm == pytest.approx([0, 5, 10, 15])
    assert loaded.spacing_mm == pytest.approx((SPACING, SPACING))
    assert loaded.origin_mm == pytest.approx((-SPACING * (SIZE - 1) / 2,) * 2)


def test_scaled_values_and_padding(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((4, 4, 2), np.int16), np.diag([-1.0, -1, 1, 1]))
    image.header.set_slope_inter(2.0, -1000.0)
    stored = np.full((4, 4, 2), 500, np.int16)
    stored[0, 0, 0] = -1100
    raw = nibabel.Nifti1Image(stored, image.affine, image.header)
    path = tmp_path / "ct.nii"
    nibabel.save(raw, path)
    header = bytearray(path.read_bytes())
    header[112:120] = np.array([2.0, -1000.0], "<f4").tobytes()
    header[352:] = stored.tobytes(order="F")
    path.write_bytes(header)
    hu = nifti.load(path).hu
    assert hu[0, 0, 0] == -1024  # 2 × -1100 - 1000 = -3200 is padding
    assert np.all(hu.ravel()[1:] == 0)


def refused(path):
    with pytest.raises(UnusableError) as error:
        nifti.find_volume(path, "name", "patient", "scanner").load()
    return str(error.value)


def test_refusals(tmp_path):
    path = tmp_path / "ct.nii.gz"
    with_nan = volume().astype(np.float32)
    with_nan[0, 0, 0] = np.nan
    assert "NaN" in refused(write_nifti(path, with_nan))
    assert "expected Hounsfield" in refused(write_nifti(path, volume() + 1024))
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 2, 2), np.int16), np.eye(4)), path)
    assert "4-D" in refused(path)
    turned = np.eye(4)
    turned[:2, :2] = [[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]]
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 2), np.int16), turned), path)
    assert "tilted by 5.7°" in refused(path)
    path.write_bytes(b"no image")
    assert "cannot be read" in refused(path)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path, share):
    path = write_nifti(tmp_path / "ct.nii.gz", np.random.default_rng(0).integers(
        -1000, 1000, (3, SIZE, SIZE), np.int16))  # fmt: skip
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "cannot be read" in refused(path)
    plain = tmp_path / "ct.nii"
    plain.write_bytes(gzip.decompress(content)[: int(share * 9600)])
    assert "cannot be read" in refused(plain)
