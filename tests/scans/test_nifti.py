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
    loaded = nifti.load_nifti_volume(write_nifti(tmp_path / "ct.nii.gz", ct, codes))
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
    hu = nifti.load_nifti_volume(path).hu
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


GOOD = np.diag([-3.0, -3.0, 5.0, 1.0])


def with_forms(path, sform, qform=None, pixdim=(3, 3, 5), units="mm"):
    """A file whose sform, qform and pixdim say what they are told to."""
    image = nibabel.Nifti1Image(np.full((6, 7, 4), -1000, np.int16), np.eye(4))
    image.set_sform(sform, code=0 if sform is None else 2)
    image.set_qform(qform, code=0 if qform is None else 1)
    image.header["pixdim"][1:4] = pixdim
    image.header.set_xyzt_units(units)
    nibabel.save(image, path)
    return path


def moved(affine, x=0.0, y=0.0, z=0.0):
    changed = affine.copy()
    changed[:3, 3] += x, y, z
    return changed


def turned(affine, degrees):
    angle = np.radians(degrees)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn @ affine


LOST, FLIPPED = np.diag([-1.0, -1.0, 1.0, 1.0]), np.diag([3.0, -3.0, 5.0, 1.0])
SIZES, TURNED = "its sform says voxels of", "its sform and its qform turn it differently"


@pytest.mark.parametrize(
    ("forms", "reason"),
    [
        ((LOST, GOOD), SIZES),  # the sform lost its scale
        ((LOST, None), SIZES),
        ((GOOD, None, (1, 1, 1)), SIZES),  # pixdim was never written
        ((GOOD, GOOD, (1, 1, 1)), SIZES),
        ((GOOD, None, (3, 3, 1)), SIZES),  # of the slices alone
        ((GOOD, None, (3, 3.1, 5)), SIZES),
        ((GOOD / 1e3 + np.diag([0, 0, 0, 0.999]), None, (3, 3, 5), "meter"), SIZES),
        ((FLIPPED, GOOD), TURNED),
        ((np.diag([-3.0, -3.0, -5.0, 1.0]), GOOD), TURNED),
        ((turned(GOOD, 0.5), turned(GOOD, -0.9)), TURNED),
    ],
)
def test_a_header_that_says_two_things_is_refused(tmp_path, forms, reason):
    path = with_forms(tmp_path / "ct.nii.gz", *forms)
    assert reason in refused(path)
    with pytest.raises(UnusableError, match=reason):
        nifti.load_labels(path)


@pytest.mark.parametrize(
    "forms",
    [
        (GOOD, GOOD),
        (GOOD, None),
        (None, GOOD),
        (GOOD, None, (3.004, 2.996, 5.001)),  # rounded in writing
        (turned(GOOD, 0.3), GOOD),
        (moved(GOOD, x=0.2), GOOD),
    ],
)
def test_headers_that_agree_but_for_rounding_are_read(tmp_path, forms):
    path = with_forms(tmp_path / "ct.nii.gz", *forms)
    series = nifti.find_volume(path, "name", "patient", "scanner")
    assert series.notes == ()
    assert nifti.load_labels(path)[1].spacing_mm == pytest.approx((3, 3), rel=1e-4)


def test_two_places_are_noted(tmp_path):
    path = with_forms(tmp_path / "ct.nii.gz", moved(GOOD, z=50), GOOD)
    (note,) = nifti.find_volume(path, "name", "patient", "scanner").notes
    assert note.startswith("its sform and its qform place it differently")
    assert nifti.load_labels(path)[1].z_mm[0] == 50


def test_a_qform_without_a_rotation_says_nothing(tmp_path):
    path = tmp_path / "ct.nii"
    with_forms(path, GOOD, GOOD)
    content = bytearray(path.read_bytes())
    content[256:268] = np.array([9, 9, 9], "<f4").tobytes()
    path.write_bytes(content)
    assert nifti.load_labels(path)[1].spacing_mm == (3, 3)


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, 1)])
def test_an_image_without_a_geometry_is_refused(tmp_path, signs):
    """Files written without a header of their own have voxels of 1 mm at position 0."""
    voxels = np.full((8, 9, 4), -1000, np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([*signs, 1])), tmp_path / "a.nii")
    with pytest.raises(UnusableError, match=r"identity matrix .* save it again with the spacing"):
        nifti.find_volume(tmp_path / "a.nii", "a", "p", "CT")
    moved = np.diag([*signs, 1.0])
    moved[:3, 3] = -100, -120, 30
    nibabel.save(nibabel.Nifti1Image(voxels, moved), tmp_path / "b.nii")
    assert nifti.find_volume(tmp_path / "b.nii", "b", "p", "CT").n_slices == 4
