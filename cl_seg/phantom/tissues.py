"""What tissues are made of: attenuation tables and three basis materials.

Every tissue is a sum of water, cortical bone and iodine; three line integrals then hold all a
polychromatic scanner needs (Alvarez & Macovski 1976).
"""

import csv
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Basis materials in the order of every array axis named "basis" in this package.
BASIS = ("water", "bone", "iodine")

# Tissues of the anatomy, in the order of its fraction maps.
TISSUES = (
    "air", "skin", "adipose", "muscle", "bone", "marrow", "csf", "bowel_wall", "fluid",
    "oral_contrast", "liver", "spleen", "renal_cortex", "renal_medulla", "pancreas", "artery",
    "vein", "portal_vein", "titanium",
)  # fmt: skip

# Tissues that share the composition of another table entry.
_COMPOSITION = {
    "oral_contrast": "fluid",
    "renal_cortex": "kidney",
    "renal_medulla": "kidney",
    "artery": "blood",
    "vein": "blood",
    "portal_vein": "blood",
}

# Iodine in mg/mL by contrast phase (engineering values), set so that HU behind 30 cm of water at
# 120 kV are those of patients. Portal venous: liver 109, spleen 108, cortex 172, aorta 147, portal
# vein 159, muscle 55. Late arterial: liver 72, spleen 119, cortex 208, aorta 302, portal vein 118,
# vena cava 68. Oral contrast is there in every phase.
IODINE: dict[str, dict[str, float]] = {
    "native": {"oral_contrast": 9.0},
    "arterial": {
        "oral_contrast": 9.0,
        "liver": 0.9,
        "spleen": 3.3,
        "renal_cortex": 8.0,
        "renal_medulla": 2.2,
        "pancreas": 2.6,
        "bowel_wall": 2.6,
        "muscle": 0.12,
        "adipose": 0.08,
        "artery": 11.5,
        "vein": 1.2,
        "portal_vein": 3.4,
    },
    "portal_venous": {
        "oral_contrast": 9.0,
        "liver": 2.4,
        "spleen": 2.8,
        "renal_cortex": 6.4,
        "renal_medulla": 4.8,
        "pancreas": 1.9,
        "bowel_wall": 2.4,
        "muscle": 0.32,
        "adipose": 0.2,
        "artery": 4.7,
        "vein": 4.2,
        "portal_vein": 5.2,
    },
}
AIR_DENSITY = 0.0012  # of air relative to water


@cache
def attenuation_table() -> dict[str, Floats]:
    """Linear attenuation in 1/mm by material (iodine: per mg/mL), and "energy_kev" (125,)."""
    return read_table("attenuation.csv")


def read_table(name: str) -> dict[str, Floats]:
    """Columns of a CSV table in ``cl_seg/phantom/data``."""
    with (files("cl_seg.phantom.data") / name).open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return dict(zip(header, np.array(rows, float).T, strict=True))


def energies() -> Floats:
    """Centres of the 1 keV bins of every table, in keV (125,)."""
    return attenuation_table()["energy_kev"]


def basis_attenuation() -> Floats:
    """Linear attenuation of the basis materials in 1/mm, (3, 125)."""
    return np.stack([attenuation_table()[name] for name in BASIS])


@cache
def water_bone_fit(material: str) -> tuple[float, float]:
    """Amounts of water and cortical bone that attenuate like a material.

    Least squares on the relative error, weighted by a Gaussian of 22 keV about 62 keV, where the
    detected spectra are (engineering value).
    """
    if material == "air":
        return AIR_DENSITY, 0.0
    weight = np.exp(-(((energies() - 62) / 22) ** 2))
    basis = basis_attenuation()[:2] / attenuation_table()[material] * weight
    water, bone = np.linalg.lstsq(basis.T, weight)[0]
    return float(water), float(bone)


def basis_amounts(tissue: str, phase: str, enhancement: float = 1.0) -> Floats:
    """Amounts of water, bone and iodine (mg/mL) in a tissue, (3,).

    Args:
        tissue: one of ``TISSUES``.
        phase: contrast phase, a key of ``IODINE``.
        enhancement: the body's own factor on iodine uptake; oral contrast is not scaled.
    """
    iodine = IODINE[phase].get(tissue, 0.0)
    if tissue != "oral_contrast":
        iodine *= enhancement
    return np.array([*water_bone_fit(_COMPOSITION.get(tissue, tissue)), iodine])


def basis_maps(
    fractions: npt.NDArray[np.float32], phase: str, enhancement: float = 1.0
) -> npt.NDArray[np.float32]:
    """Tissue fractions (17, N, N) to basis amounts (3, N, N)."""
    maps = np.zeros((len(BASIS), *fractions.shape[1:]), np.float32)
    for tissue, fraction in zip(TISSUES, fractions, strict=True):
        for basis, amount in enumerate(basis_amounts(tissue, phase, enhancement)):
            if amount:
                maps[basis] += np.float32(amount) * fraction
    return maps
