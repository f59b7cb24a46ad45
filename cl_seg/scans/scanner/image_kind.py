"""Kind of a CT image by its header: plain, or computed from several energies or images.

Virtual monoenergetic images, virtual non-contrast and the like have other HU than a plain CT of the
same body: liver with contrast agent has 330 HU at 40 keV and 60 HU at 190 keV. The words are those
of ImageType (0008,0008), the defined terms of value 4 (DICOM PS3.3 C.8.2.1.1.1 and C.8.16.1) and
what vendors write there besides.
"""

import math
import re
from collections.abc import Sequence

from cl_seg.scans.series import UnusableError

CONE_BEAM = "cone-beam CT"
MONOENERGETIC = "monoenergetic"
NO_ENERGY = f"{MONOENERGETIC} of unknown energy"
UNKNOWN_SPECTRAL = "spectral image of unknown kind"

_TUBE_KV = {70, 80, 90, 100, 110, 120, 130, 135, 140, 150}
"""Usual tube voltages: another number in KVP of a monoenergetic image is its keV."""
_KEV = (30, 250)  # energies of monoenergetic images (engineering value)

_MODIFIED = {
    "virtual non-calcium": r"\bVNCA\b|NON ?CALCIUM|CALCIUM ?SUPP|\bCA ?SUPP",
    "virtual non-contrast": r"\bVNC|\bVNI\b|\bVUE\b|VIRTUAL ?(?:NON|UN) ?(?:CON|ENH|IOD)",
    "material removed": r"\bMAT REMOVED\b",
    "material modified": r"\bMAT MODIFIED\b",
}
"""HU of a body without one of its materials, or with a changed one."""

_NO_HU = {
    "an electron density map": r"ELECTRON ?DENS|\bE ?DENSITY|\bRHO\b",
    "a map of effective atomic numbers": r"\bEFF ATOMIC|\bZ ?EFF|\bEFF(?:ECTIVE)? ?Z\b|\bRHO ?Z",
    "an iodine map": r"\bIODINE|\bIOD ?MAP|\bPBV\b|PERFUSED BLOOD|CONTRAST (?:MAP|OVERLAY)",
    "a material map": r"\bMAT (?:SPECIFIC|FRACTIONAL|VALUE)|\bMATERIAL ?DENS|\bGSI MD\b|"
    r"\bMD (?:WATER|CALCIUM|FAT|HAP)|URIC ?ACID|\bFAT ?(?:FRACTION|MAP)|\bCALCIUM ?MAP",
    "a perfusion map": r"\bR?(?:CBF|CBV|MTT|TTP|TTS|TTD|TMAX)\b|BLOOD ?(?:FLOW|VOLUME)|PERMEAB|"
    r"\bDERIVED\b.*\bPERFUSION",
    "computed from several images": r"\bSUBTRACT|\bSTD DEVIATION|\bT TEST|\bZ SCORE|\bDIVISION\b|"
    r"\bMULTIPLICATION\b",
    "a rendering": r"\bVRT\b|\bSSD\b|\bRENDER|\bVOLUME RENDER",
}
"""Images whose values are no HU of a body."""

_MONO = re.compile(r"\bVMI|\bMONO(?!CHROME)|\bDEMEP\b|\d ?KEV\b|\bKEV ?\d")
_WEIGHTED = re.compile(r"\bMIXED\b|\b[MF] ?(0?\.\d+)\b|\bENERGY PROP WT\b|\bBLEND|\bOPT.*CONTRAST")
_PROJECTIONS = {
    "maximum intensity projection": r"\bMIP\b|\bMAX ?IP\b|\bMAXIMUM\b",
    "minimum intensity projection": r"\bMIN ?IP\b|\bMINIMUM\b",
}
_SPECTRAL = re.compile(r"\bGSI\b|\bSPECTRAL|\bDUAL ?ENERGY|\bMULTI ?ENERGY|\bDECT\b")


def image_kind(words: Sequence[str], kev: float, kvp: float) -> str:
    """The kind of a CT image, "" for a plain one.

    Args:
        words: of ImageType, in capitals.
        kev: MonoenergeticEnergyEquivalent (0018,937C) in keV, NaN when absent.
        kvp: KVP (0018,0060), NaN when absent.

    Raises:
        UnusableError: its values are no HU.
    """
    text = " ".join(re.sub(r"[^A-Z0-9.]+", " ", " ".join(words)).split())
    energy = _energy(text, kev)
    if kind := _first(_MODIFIED, text):
        return f"{kind}, {energy:g} keV" if energy else kind
    if kind := _first(_NO_HU, text):
        raise UnusableError(f"its values are not HU: {kind} (ImageType {' '.join(words)[:64]})")
    if energy or _MONO.search(text):
        if not energy and _KEV[0] <= kvp <= _KEV[1] and kvp not in _TUBE_KV:
            energy = kvp
        return f"{energy:g} keV {MONOENERGETIC}" if energy else NO_ENERGY
    return _of_several_energies(text) or _first(_PROJECTIONS, text)


def kind_note(kind: str) -> str:
    """A note for the user on images of a kind, "" for plain ones."""
    if not kind:
        return ""
    if kind.startswith(CONE_BEAM):
        return "cone-beam CT: its HU are not calibrated, and do not compare with those of a CT"
    return "no plain CT, its HU do not compare with those of other images of the device"


def why_ambiguous(kind: str) -> str:
    """Reason why two images of a kind may not have comparable HU, "" where they have."""
    if NO_ENERGY in kind:
        unknown = "monoenergetic images, but no header field tells their keV, and HU depend on it"
    elif UNKNOWN_SPECTRAL in kind:
        unknown = "images computed from several energies, but no header field tells how"
    else:
        return ""
    return f"{unknown}: list them in a manifest, each kind with a name in the column `scanner`"


def _first(kinds: dict[str, str], text: str) -> str:
    return next((kind for kind, pattern in kinds.items() if re.search(pattern, text)), "")


def _energy(text: str, kev: float) -> float:
    """Energy of a monoenergetic image in keV, 0 when unknown."""
    written = re.search(r"(\d+(?:\.\d+)?) ?KEV|\b(?:VMI|MONO[A-Z]*|KEV) ?(\d+(?:\.\d+)?)", text)
    candidates = [
        kev,
        *(float(number) for number in (written.groups() if written else ()) if number),
    ]
    return next(
        (energy for energy in candidates if math.isfinite(energy) and _KEV[0] <= energy <= _KEV[1]),
        0.0,
    )


def _of_several_energies(text: str) -> str:
    """Images of one or both tubes of a dual-source scan, of one threshold of a counting detector.

    SNRG says that both tubes had one voltage; T1 and T3D are plain images of a counting detector.
    """
    if weighted := _WEIGHTED.search(text):
        weight = f" {float(weighted[1]):g}" if weighted[1] else ""
        return f"mix of energies{weight}"
    if (tube := re.search(r"\bDET (AB?|B)\b", text)) and "SNRG" not in text:
        return "mix of energies" if tube[1] == "AB" else f"tube {tube[1]} of two"
    if "THRESHOLD" in text and (threshold := re.search(r"\bT([2-9])\b", text)):
        return f"energy threshold {threshold[1]}"
    return UNKNOWN_SPECTRAL if _SPECTRAL.search(text) else ""
