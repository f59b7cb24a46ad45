"""Profiles of simulated scanners: YAML files, checked before anything is computed."""

import re
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError
from cl_seg.messages.pydantic_errors import dotted

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Model = TypeVar("Model", bound=BaseModel)

USUAL_IMAGE_SIZE = 512  # pixels
RANDOMISED = "randomised"
"""The built-in scanner that draws a profile in every case."""


def _simulated(name: str) -> str:
    if not name.endswith("(simulated)"):
        raise ValueError('must end in "(simulated)", so that nobody takes it for a real scanner')
    return name


SimulatedName = Annotated[str, AfterValidator(_simulated)]


class Section(BaseModel):
    """A part of the description of a scanner."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Tube(Section):
    """X-ray tube and its filters.

    Attributes:
        kvp: tube voltage in kV, one of the frozen spectra.
        aluminium_mm: flat filtration beside the inherent one.
        copper_mm: further flat filtration.
        bowtie_mm: thickness of the bowtie filter (aluminium) at the edge of its radius.
        bowtie_radius_mm: radius of the bowtie's circular profile at the isocentre.
        mas: tube current times rotation time in mAs.
        modulation: strength of the tube-current modulation: 0 constant, 1 the square root of the
            largest attenuation of each view, which is optimal (Gies et al. 1999).
    """

    kvp: Literal[70, 80, 90, 100, 110, 120, 130, 140]
    aluminium_mm: NonNegative
    copper_mm: NonNegative
    bowtie_mm: NonNegative
    bowtie_radius_mm: Annotated[float, Field(ge=256)]
    mas: Positive
    modulation: Fraction


class Detector(Section):
    """Detector and geometry.

    Attributes:
        source_isocentre_mm: distance.
        source_detector_mm: distance.
        slice_mm: slice thickness at the isocentre.
        aperture_mm: width of a ray at the isocentre.
        fill: active fraction of the detector's area.
        efficiency: quantum detection efficiency, 0 to 1.
        swank: excess variance of the absorbed energy, relative to its mean square.
        electronic_noise_kev: standard deviation per reading.
        ring: standard deviation of the channel gains relative to 1, which makes rings.
        scatter: scatter before correction, as a fraction of the forward-scatter potential; the
            vendor's correction leaves some of its cupping, and nothing of its mean.
    """

    source_isocentre_mm: Positive
    source_detector_mm: Positive
    slice_mm: Positive
    aperture_mm: Positive
    fill: Fraction
    efficiency: Fraction
    swank: NonNegative
    electronic_noise_kev: NonNegative
    ring: NonNegative
    scatter: NonNegative


class Reconstruction(Section):
    """Kernel, hybrid iterative appearance and field of view.

    Attributes:
        kernel: name written into the store.
        mtf50_per_mm: frequency at which the in-plane MTF is one half.
        mtf10_per_mm: frequency at which it is one tenth.
        edge_boost: relative height of an edge enhancing bump of the MTF.
        iterative_blend: fraction of the total-variation denoised image, 0 for plain FBP.
        iterative_strength: weight of the total variation in units of the noise.
        hu_gain: calibration error, factor on HU.
        hu_offset: calibration error in HU.
        fov_margin_mm: field of view beyond the width of the body.
        image_size: width of the image in pixels.
    """

    kernel: str
    mtf50_per_mm: Positive
    mtf10_per_mm: Positive
    edge_boost: NonNegative
    iterative_blend: Fraction
    iterative_strength: NonNegative
    hu_gain: Positive
    hu_offset: float
    fov_margin_mm: NonNegative
    # Left out where it is the usual one, as in stores from before there was a choice.
    image_size: Annotated[int, Field(ge=128, le=1024)] = Field(
        default=USUAL_IMAGE_SIZE, exclude_if=lambda size: size == USUAL_IMAGE_SIZE
    )


class PatientMix(Section):
    """The patients of this scanner, and how they are scanned.

    Attributes:
        contrast: contrast phase.
        iodine: dose of contrast medium relative to the usual one.
        oral_contrast: fraction of patients who drank contrast medium.
        arms_lowered: fraction of patients whose arms lie beside the trunk.
        off_centre_mm: where the middle of the body lies, to the patient's left and to the back of
            the isocentre, on average.
        centring_sd_mm: how far patients lie from that, standard deviation per axis.
        implants: fraction of patients with pedicle screws after a spinal fusion.
    """

    contrast: Literal["native", "arterial", "portal_venous"]
    iodine: Positive
    oral_contrast: Fraction
    arms_lowered: Fraction
    off_centre_mm: tuple[float, float]
    centring_sd_mm: NonNegative
    implants: Fraction


class Profile(Section):
    """One simulated scanner and its patients.

    Attributes:
        display_name: shown in tables and figures; ends in "(simulated)".
        track: how realistic it is: "realistic" differs as current scanners do, "stress" by more,
            "randomised" is drawn from ranges that span both.
        couch: shape of the table.
    """

    display_name: SimulatedName
    track: Literal["realistic", "stress", "randomised"]
    couch: Literal["curved", "flat", "none"]
    protocol: PatientMix
    tube: Tube
    detector: Detector
    reconstruction: Reconstruction


def scanner_names() -> list[str]:
    """Names of the built-in scanners, sorted."""
    folder = files("cl_seg.phantom") / "profiles"
    return sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".yaml"))


def profile_names() -> list[str]:
    """Names of the built-in profiles, sorted: of all scanners but the randomised one."""
    return [name for name in scanner_names() if name != RANDOMISED]


def scanner_name(name_or_path: str) -> str:
    """Folder name of a scanner: the profile's name, or the stem of its file.

    Raises:
        InputError: the stem cannot be a folder name in a store, or is "shared", as the bodies are
            that every scanner sees.
    """
    stem = Path(name_or_path).stem
    if not re.fullmatch(r"[A-Za-z0-9_-]+", stem) or stem == "shared":
        raise InputError(
            f"a scanner cannot be called {stem!r}: name the profile's file with letters, digits, "
            '- and _, and not "shared"'
        )
    return stem


def load_profile(name_or_path: str) -> Profile:
    """Read a built-in profile by name, or one's own by the path of its YAML file.

    Raises:
        InputError: no such profile or file, not YAML, or a field is missing, unknown or wrong.
    """
    return validated(YamlFile.parse(scanner_file(name_or_path)), Profile)


def validated(tree: YamlFile, model: type[Model]) -> Model:
    """What a file holds, as a model.

    Raises:
        InputError: a field is missing, unknown or wrong.
    """
    try:
        return model.model_validate(tree.value)
    except ValidationError as error:
        faults = tree.explain(error, model, name=lambda key_path: dotted(key_path) or "the file")
        rest = f" (and {len(faults) - 1} more)" if faults[1:] else ""
        raise InputError(faults[0] + rest) from error


def scanner_file(name_or_path: str) -> Path:
    """The file of a built-in scanner by name, or a path.

    Raises:
        InputError: no built-in scanner has this name.
    """
    if name_or_path in scanner_names():
        return Path(str(files("cl_seg.phantom") / "profiles" / f"{name_or_path}.yaml"))
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        return path
    close = get_close_matches(name_or_path, scanner_names(), n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}? " if close else ""
    raise InputError(
        f"no simulated scanner is called {name_or_path!r}: {hint}there are "
        f"{', '.join(scanner_names())}, drawn ones such as realistic-0-01, or give the path of a "
        "profile .yaml of your own"
    )
