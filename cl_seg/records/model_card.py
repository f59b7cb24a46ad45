"""The card of a saved model, a file ``card.json`` beside its weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationError,
    field_validator,
    model_validator,
)

from cl_seg.files.json_file import read_json
from cl_seg.messages.errors import InputError
from cl_seg.messages.pydantic_errors import explain_errors
from cl_seg.records.shipped import find_model_folder
from cl_seg.scans.store import MAX_SIZE, Grid

CARD, WEIGHTS = "card.json", "model.safetensors"
Pixels = Annotated[int, Field(ge=1, le=MAX_SIZE)]
PICKLED = {".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin"}
INTENDED_USE = "Research on CT segmentation. Not a medical device: not for diagnosis or treatment."


class CardModel(BaseModel):
    """Base of the parts of a card."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Network(CardModel):
    """How the network is built, see :func:`cl_seg.models.build.build_model`."""

    name: str
    preset: str
    arguments: dict[str, Any] = {}


class Input(CardModel):
    """Image the network sees.

    Attributes:
        grid_size: pixels per side of the canonical grid a slice is brought to first.
        spacing_mm: pixel size of that grid in mm.
        size: height and width of the network's image, at most ``grid_size``.
        window_hu: HU mapped to 0 and to 1.
    """

    grid_size: Pixels
    spacing_mm: PositiveFloat
    size: Pixels
    window_hu: tuple[float, float]

    @model_validator(mode="after")
    def _can_be_seen(self) -> "Input":
        if self.window_hu[0] >= self.window_hu[1]:
            raise ValueError("window_hu must be [low, high] with low < high")
        if self.size > self.grid_size:
            raise ValueError("size must be at most grid_size")
        return self


class About(CardModel):
    """What its makers say of a model that others use; "" where they say nothing.

    Attributes:
        trained_on: CT it was trained on.
        tested_on: CT it was tested on, and how well it did.
        levels: of the body that it was made for, such as "T9 to S1".
    """

    trained_on: str = ""
    tested_on: str = ""
    levels: str = ""


class ModelCard(CardModel):
    """Card of a saved model: network, classes, input, training data and scores.

    Attributes:
        format: version of the folder's layout.
        network: architecture, as needed to build it.
        classes: names of the labels 1, 2, ….
        input: image size and HU window that the network takes.
        scanners: scanners it was trained on, key → name.
        simulated: True where it was trained on simulated CT only.
        trained: record of the training: the spec of its run (:mod:`cl_seg.records.run_spec`), in
            which ``update.parent`` is the checksum of the model that was updated, if one was, and
            ``base_model`` tells what a SEED curve started from; after ``cl-seg seed train`` the
            base model's checksum, the new scanner with its slices and patients, the training
            settings, and under ``before`` the base model's own record.
        scores: scanner → class → Dice on test patients, None where there is none.
        weights_sha256: checksum of the weights file.
        versions: package → version it was trained with.
        git_commit: commit of the source it was trained with.
        intended_use: what it may be used for, and what not.
        about: in the words of its makers.
    """

    format: Literal[1] = 1
    network: Network
    classes: list[str] = Field(min_length=1, max_length=254)
    input: Input
    scanners: dict[str, str]
    simulated: bool
    trained: dict[str, Any]
    scores: dict[str, dict[str, float | None]]
    weights_sha256: str = ""
    versions: dict[str, str]
    git_commit: str
    intended_use: str = INTENDED_USE
    about: About = About()

    @field_validator("classes")
    @classmethod
    def _classes_differ(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("a class is named twice")
        return value


def read_card(folder: Path) -> ModelCard:
    """The card of a model folder alone.

    Args:
        folder: see :func:`cl_seg.records.shipped.find_model_folder`.

    Raises:
        InputError: no model folder, or a damaged card.
    """
    folder = find_model_folder(Path(folder))
    path = folder / CARD
    if not path.is_file():
        raise InputError(_no_model(folder))
    try:
        return ModelCard.model_validate(read_json(path))
    except ValidationError as error:
        fault = explain_errors(error, ModelCard)[0]
        raise InputError(f"{path}: {fault}: save the model again") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}): save the model again") from error


def check_known(
    folder: Path, card: ModelCard, networks: Mapping[str, Any], trusted_network: str
) -> None:
    """Refuse a card whose network is not known, or does not fit its input.

    Args:
        folder: of the model.
        card: of the model.
        networks: registered networks, each with ``presets``, ``size_multiple`` and
            ``smallest_size``.
        trusted_network: ``module:callable`` of a network outside the registry that may be imported.

    Raises:
        InputError: naming the network.
    """
    network, size = card.network, card.input.size
    known = networks.get(network.name)
    if known is None and network.name != trusted_network:
        raise InputError(
            f"{folder}: its network {network.name} is code outside this package: if you trust it, "
            f"say --trust-network {network.name}"
        )
    if known is not None and network.preset not in known.presets:
        raise InputError(
            f"{folder / CARD}: network {network.name} has no preset {network.preset}, it has "
            f"{', '.join(known.presets)}: was the model saved by another version?"
        )
    if known is not None and (size % known.size_multiple or size < known.smallest_size):
        raise InputError(
            f"{folder / CARD}: input.size {size} does not fit {network.name}, which needs a "
            f"multiple of {known.size_multiple} from {known.smallest_size} on"
        )


def check_grid(store: Path, grid: Grid, card: ModelCard, folder: Path) -> None:
    """Refuse a model that has learned on another grid than a store has.

    Raises:
        InputError: naming both.
    """
    own = card.input
    if (grid.size, grid.spacing_mm) != (own.grid_size, own.spacing_mm):
        raise InputError(
            f"{store} has {grid.size}² pixels of {grid.spacing_mm:g} mm, {folder} has "
            f"learned on {own.grid_size}² of {own.spacing_mm:g} mm: ingest "
            f"with --size {own.grid_size} --spacing-mm {own.spacing_mm:g}"
        )


def _no_model(path: Path) -> str:
    files = [path] if path.is_file() else sorted(path.glob("*")) if path.is_dir() else []
    pickled = [file.name for file in files if file.suffix.lower() in PICKLED]
    if pickled:
        return (
            f"{path} holds {pickled[0]}: pickled weights are not read, they can run code; a model "
            f"folder has {CARD} and {WEIGHTS}, `cl-seg model save` makes one"
        )
    return (
        f"{path} is no model folder ({CARD} and {WEIGHTS} in {path.absolute()}): `cl-seg "
        "model save` makes one"
    )
