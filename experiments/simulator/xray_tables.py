"""The simulator's tables of attenuation and tube spectra, made with xraylib and spekpy.

Needs ``pip install cl_seg[physics]``; writes into ``cl_seg/phantom/physics/data`` or a folder::

    python -m experiments.simulator.xray_tables [FOLDER]

- ``attenuation.csv``: linear attenuation in 1/mm per material at every energy; iodine is per
  1 mg/mL;
- ``spectra.csv``: photons per keV, mAs and cm² at 1 m from a tungsten anode (7°, 0.8 mm Ti
  inherent filtration) per tube voltage, before the scanner's own filtration.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import spekpy
import xraylib

Floats = npt.NDArray[np.float64]

DATA = Path(__file__).parents[2] / "cl_seg/phantom/physics/data"

ENERGIES = np.arange(15.5, 140.5, 1.0)  # keV, centres of 1 keV bins
VOLTAGES = (70, 80, 90, 100, 110, 120, 130, 140)  # kV
ANODE_ANGLE = 7.0  # degrees, typical of CT tubes (engineering value)
INHERENT_TITANIUM = 0.8  # mm (engineering value)

WATER = {1: 0.1119, 8: 0.8881}

# Elemental mass fractions by atomic number, and density in g/cm³, after the tissues of ICRU report
# 44 (1989), not checked digit by digit; densities are engineering values near them. `bowel_wall`
# is like its GI tract, fluids are water at the density of the fluid.
MATERIALS: dict[str, tuple[dict[int, float], float]] = {
    "water": (WATER, 1.0),
    "aluminium": ({13: 1.0}, 2.70),
    "copper": ({29: 1.0}, 8.96),
    "titanium": ({22: 1.0}, 4.51),
    "iodine": ({53: 1.0}, 1e-3),
    "fluid": (WATER, 1.015),
    "csf": (WATER, 1.007),
    "muscle": (
        {1: .102, 6: .143, 7: .034, 8: .710, 11: .001, 15: .002, 16: .003, 17: .001, 19: .004},
        1.055,
    ),
    "adipose": ({1: .114, 6: .598, 7: .007, 8: .278, 11: .001, 16: .001, 17: .001}, 0.929),
    "skin": (
        {1: .100, 6: .204, 7: .042, 8: .645, 11: .002, 15: .001, 16: .002, 17: .003, 19: .001},
        1.08,
    ),
    "bowel_wall": (
        {1: .106, 6: .115, 7: .022, 8: .751, 11: .001, 15: .001, 16: .001, 17: .002, 19: .001},
        1.035,
    ),
    "liver": (
        {1: .102, 6: .139, 7: .030, 8: .716, 11: .002, 15: .003, 16: .003, 17: .002, 19: .003},
        1.064,
    ),
    "spleen": (
        {1: .103, 6: .113, 7: .032, 8: .741, 11: .001, 15: .003, 16: .002, 17: .002, 19: .003},
        1.05,
    ),
    "kidney": (
        {1: .103, 6: .132, 7: .030, 8: .724, 11: .002, 15: .002, 16: .002, 17: .002, 19: .002,
         20: .001},
        1.033,
    ),
    "pancreas": (
        {1: .106, 6: .169, 7: .022, 8: .694, 11: .002, 15: .002, 16: .001, 17: .002, 19: .002},
        1.04,
    ),
    "blood": (
        {1: .102, 6: .110, 7: .033, 8: .745, 11: .001, 15: .001, 16: .002, 17: .003, 19: .002,
         26: .001},
        1.045,
    ),
    "marrow": (
        {1: .110, 6: .529, 7: .021, 8: .335, 15: .001, 16: .002, 17: .001, 19: .001},
        1.005,
    ),
    "bone": (
        {1: .034, 6: .155, 7: .042, 8: .435, 11: .001, 12: .002, 15: .103, 16: .003, 20: .225},
        1.92,
    ),
}  # fmt: skip


def attenuation(fractions: dict[int, float], density: float) -> Floats:
    """Linear attenuation in 1/mm at ``ENERGIES`` by the mixture rule (xraylib cross sections)."""
    per_cm = [
        density * sum(f * xraylib.CS_Total(z, energy) for z, f in fractions.items())
        for energy in ENERGIES
    ]
    return np.array(per_cm) / 10


def spectrum(kvp: int) -> Floats:
    """Photons per keV, mAs and cm² at 1 m, at ``ENERGIES`` (spekpy)."""
    tube = spekpy.Spek(kvp=kvp, th=ANODE_ANGLE, z=100, dk=1.0, mas=1.0)
    tube.filter("Ti", INHERENT_TITANIUM)
    energies, fluence = tube.get_spectrum(edges=False)
    photons: Floats = np.interp(ENERGIES, energies, fluence, left=0, right=0)
    return photons


def write_table(path: Path, columns: dict[str, Floats]) -> None:
    """Write columns over ``ENERGIES`` with seven significant digits."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["energy_kev", *columns])
        for i, energy in enumerate(ENERGIES):
            writer.writerow([energy, *(f"{column[i]:.7g}" for column in columns.values())])


def main(folder: Path) -> None:
    """Write both tables into ``folder``."""
    write_table(
        folder / "attenuation.csv", {name: attenuation(*m) for name, m in MATERIALS.items()}
    )
    write_table(folder / "spectra.csv", {str(kvp): spectrum(kvp) for kvp in VOLTAGES})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
