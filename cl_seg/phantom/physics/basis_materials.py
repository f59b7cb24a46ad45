"""Basis materials: every tissue as a sum of water, cortical bone and iodine.

Three line integrals then hold all that a polychromatic scanner needs (Alvarez & Macovski 1976).
"""

import csv
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from cl_seg.phantom.tissues import COMPOSITION, IODINE, TISSUES

Floats = npt.NDArray[np.float64]

# Basis materials in the order of every array axis named "basis" in this package.
BASIS = ("water", "bone", "iodine")
AIR_DENSITY = 0.0012  # of air relative to water


def attenuation_table() -> dict[str, Floats]:
    """Linear attenuation in 1/mm by material (iodine: per mg/mL), and "energy_kev" (125,)."""
    return read_table("attenuation.csv")


@cache
def read_table(name: str) -> dict[str, Floats]:
    """Columns of a CSV table in ``cl_seg/phantom/physics/data``."""
    with (files("cl_seg.phantom.physics") / "data" / name).open(encoding="utf-8") as file:
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
    return np.array([*water_bone_fit(COMPOSITION.get(tissue, tissue)), iodine])


def basis_maps(
    fractions: npt.NDArray[np.float32], phase: str, enhancement: float = 1.0
) -> npt.NDArray[np.float32]:
    """Amounts (3, N, N) of the basis materials of tissue fractions (tissues, N, N)."""
    maps = np.zeros((len(BASIS), *fractions.shape[1:]), np.float32)
    for tissue, fraction in zip(TISSUES, fractions, strict=True):
        if not fraction.any():
            continue
        for basis, amount in enumerate(basis_amounts(tissue, phase, enhancement)):
            if amount:
                maps[basis] += np.float32(amount) * fraction
    return maps
