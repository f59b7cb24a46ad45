"""A model as a folder that anyone can load: weights as safetensors, and a card about them.

Layout::

    card.json             see :class:`ModelCard`
    model.safetensors     the network's parameters and buffers
    features.safetensors  of its training scanners (:mod:`cl_seg.inference.training_features`)
    calibration.json      of its Dice (:mod:`cl_seg.inference.dice_calibration`)

The last two are for the monitor; a folder without them is whole.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationError,
    field_validator,
    model_validator,
)
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from cl_seg.files.json_file import read_json
from cl_seg.files.write import new_folder, write_bytes, write_text
from cl_seg.inference.training_features import FEATURES, TrainingFeatures
from cl_seg.messages.errors import InputError, one_line
from cl_seg.messages.pydantic_errors import explain_errors
from cl_seg.models.build import build_model
from cl_seg.models.registry import NETWORKS
from cl_seg.runtime.weights import misfit
from cl_seg.scans.store import MAX_SIZE

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


class ModelCard(CardModel):
    """Card of a saved model: network, classes, input, training data and scores.

    Attributes:
        format: version of the folder's layout.
        network: architecture, as needed to build it.
        classes: names of the labels 1, 2, ….
        input: image size and HU window that the network takes.
        scanners: scanners it was trained on, key → name.
        simulated: True where it was trained on simulated CT only.
        trained: record of the training: the spec of its run (:mod:`cl_seg.records.run_spec`); after
            ``cl-seg seed train`` the base model's checksum, the new scanner with its slices and
            patients, the training settings, and under ``before`` the base model's own record.
        scores: scanner → class → Dice on test patients, None where there is none.
        weights_sha256: checksum of the weights file.
        versions: package → version it was trained with.
        git_commit: commit of the source it was trained with.
        intended_use: what it may be used for, and what not.
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

    @field_validator("classes")
    @classmethod
    def _classes_differ(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("a class is named twice")
        return value


def save_model(
    folder: Path,
    weights: Mapping[str, Tensor],
    card: ModelCard,
    features: TrainingFeatures | None = None,
) -> None:
    """Write a model folder, whole or not at all.

    Args:
        folder: to make; must not exist.
        weights: ``state_dict`` of the network.
        card: its checksum is filled in.
        features: of its training scanners, where they were measured.

    Raises:
        InputError: ``folder`` exists or cannot be written.
    """
    # Copies: of weights that share memory, as tied ones do, safetensors would keep none.
    content = save({n: tensor.detach().cpu().contiguous().clone() for n, tensor in weights.items()})
    card = card.model_copy(update={"weights_sha256": hashlib.sha256(content).hexdigest()})
    with new_folder(folder) as building:
        write_bytes(building / WEIGHTS, content)
        if features:
            write_bytes(building / FEATURES, features.to_bytes(card.weights_sha256))
        write_text(building / CARD, card.model_dump_json(indent=1) + "\n")


def read_model_folder(folder: Path, trusted_network: str = "") -> tuple[nn.Module, ModelCard]:
    """The network in eval mode on the CPU, and its card.

    Args:
        folder: of the model.
        trusted_network: ``module:callable`` of a network outside the registry that may be imported
            if the card names it; a card alone never makes code run.

    Raises:
        InputError: no model folder, a damaged card, a network that is not known, weights that are
            not those the card was written for or do not fit the network. Nothing is ever unpickled.
    """
    card = read_card(folder)
    _check_known(folder, card, trusted_network)
    try:
        content = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise InputError(f"{folder / WEIGHTS} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        raise InputError(
            f"{folder / WEIGHTS} is not what {CARD} was written for (SHA-256 differs): the file is "
            "damaged or was exchanged, copy the model again"
        )
    network = card.network
    model = build_model(
        network.name, network.preset, network.arguments, len(card.classes) + 1, card.input.size
    )
    try:
        weights = load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{folder / WEIGHTS} is damaged: {one_line(error)}") from error
    if fault := misfit(weights, model.state_dict()):
        raise InputError(
            f"{folder / WEIGHTS}: the weights do not fit the network {network.name}: {fault}"
        )
    model.load_state_dict(weights)
    return model.eval(), card


def read_card(folder: Path) -> ModelCard:
    """The card of a model folder alone.

    Raises:
        InputError: no model folder, or a damaged card.
    """
    path = Path(folder) / CARD
    if not path.is_file():
        raise InputError(_no_model(Path(folder)))
    try:
        return ModelCard.model_validate(read_json(path))
    except ValidationError as error:
        fault = explain_errors(error, ModelCard)[0]
        raise InputError(f"{path}: {fault}: save the model again") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}): save the model again") from error


def _check_known(folder: Path, card: ModelCard, trusted_network: str) -> None:
    network, size = card.network, card.input.size
    known = NETWORKS.get(network.name)
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


def _no_model(path: Path) -> str:
    files = [path] if path.is_file() else sorted(path.glob("*")) if path.is_dir() else []
    pickled = [file.name for file in files if file.suffix.lower() in PICKLED]
    if pickled:
        return (
            f"{path} holds {pickled[0]}: pickled weights are not read, they can run code; a model "
            f"folder has {CARD} and {WEIGHTS}, `cl-seg model save` makes one"
        )
    return f"{path} is no model folder ({CARD} and {WEIGHTS}): `cl-seg model save` makes one"
