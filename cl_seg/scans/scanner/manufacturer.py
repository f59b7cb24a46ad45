"""The maker's name within Manufacturer, apart from company forms and software beside it."""

import re
from collections.abc import Iterator

from cl_seg.scans.scanner.identity import fold

_COMPANY = {
    *("inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "limited", "llc"),
    *("gmbh", "ag", "kg", "bv", "b", "v", "nv", "sa", "spa", "srl", "oy", "ab", "plc", "pvt"),
    *("medical", "med", "systems", "system", "healthcare", "health", "healthineers", "imaging"),
    *("technologies", "technology", "electronics", "laboratories", "international", "group"),
    *("solutions", "products", "usa", "america", "americas", "europe", "japan", "china", "india"),
    *("korea", "germany", "deutschland", "france", "italy", "uk", "nederland", "netherlands"),
    *("switzerland", "austria", "finland", "sweden", "shanghai", "beijing", "suzhou", "shenzhen"),
}
"""Words at the end of a name that say what and where the company is, not who."""

_SOFTWARE = (
    *("mim software", "mim", "osirix", "horos", "3d slicer", "slicer", "velocity", "pinnacle"),
    *("eclipse", "aria", "monaco", "xio", "raystation", "raysearch", "syngo via", "syngo"),
    *("pydicom", "dcmtk", "gdcm", "itk", "vtk", "plastimatch", "clearcanvas", "terarecon"),
    *("vital images", "vitrea", "mirada", "efilm", "agfa", "synapse", "sectra", "conquest"),
    *("orthanc", "merge healthcare", "cms", "mevis", "matlab", "dicom", "pacs"),
    *("nucletron", "oncentra", "raycare", "workstation", "software"),
)
"""Programs that write themselves into Manufacturer when they save a series again."""

_NOBODY = {
    *("", "unknown", "none", "null", "nil", "anonymous", "anonymized", "anonymised", "anon"),
    *("removed", "deleted", "na", "n a", "not available", "not specified", "unspecified"),
    *("deidentified", "de identified", "no value", "manufacturer", "private", "hidden", "dummy"),
    *("x", "xx", "xxx", "xxxx", "other", "undefined", "redacted"),
}
_BETWEEN = re.compile(r"[/;,|()\[\]]|\s-\s|\s(?:by|via)\s")


def is_anonymised(manufacturer: str) -> bool:
    """Whether a Manufacturer is empty or a placeholder, as anonymising leaves it."""
    return fold(manufacturer) in _NOBODY


def split_manufacturer(manufacturer: str) -> list[str]:
    """Names that stand side by side in one entry, e.g. "SIEMENS" and "MIM Software"."""
    return [part.strip() for part in _BETWEEN.split(manufacturer) if fold(part)]


def is_software(name: str) -> bool:
    """Whether a name is that of a program, with or without version and company form."""
    forms = list(without_company_words(name))
    return any(re.fullmatch(rf"{re.escape(s)}( [v\d].*)?", one) for one in forms for s in _SOFTWARE)


def without_company_words(name: str) -> Iterator[str]:
    """A folded name, then the same with one company word less at its end, and so on."""
    words = fold(name).split()
    while words:
        yield " ".join(words)
        if words[-1] not in _COMPANY:
            return
        words = words[:-1]


def without_software(name: str) -> str:
    """A folded name without the program at its end."""
    folded = fold(name)
    return next((folded[: -len(s) - 1] for s in _SOFTWARE if folded.endswith(f" {s}")), folded)
