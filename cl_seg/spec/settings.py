"""The parts of a suite other than networks and strategies: data, split, image and training."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from cl_seg.spec.faults import require_distinct
from cl_seg.spec.part import Spec
from cl_seg.spec.style import StyleAugmentation

DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")


class DrawnScanners(Spec):
    """Simulated scanners that are drawn at random, each once for all of its patients.

    They are called after track, seed and number: ``realistic-29-01``, ``realistic-29-02``, ….

    Attributes:
        track: what the profiles span that they are drawn from: ``realistic`` scanners differ as
            current ones do, ``stress`` ones by more. See docs/simulator.md.
        scanners: how many; more of them leave the first ones as they are.
        seed: of the draw; another one gives others, as for choosing settings.
    """

    track: Literal["realistic", "stress"]
    scanners: PositiveInt
    seed: NonNegativeInt = 0

    @property
    def names(self) -> list[str]:
        """Names of the scanners, in the order of their numbers."""
        numbers = range(1, self.scanners + 1)
        return [f"{self.track}-{self.seed}-{number:02d}" for number in numbers]


class PhantomData(Spec):
    """The embedded benchmark: bodies scanned by simulated scanners.

    Attributes:
        scanners: profile names or paths, in stream order.
        drawn: scanners drawn at random, after those.
        own_bodies: bodies scanned by one scanner only, per scanner (training and validation).
        shared_bodies: bodies scanned by every scanner (test).
        size: pixels per side of a stored slice.
        spacing_mm: pixel size of a stored slice in mm.
        seed: seed of anatomy and noise.
        pool: set that bodies are drawn from; the pools share none. ``development`` is for choosing
            settings, so that no choice sees a body that ``benchmark`` tests.
        slices: neighbouring slices per level of the body; of the trunk, slices per body.
        levels: ``trunk`` for slices at random heights of the body, from the sacrum to above the
            liver; without it, the third lumbar vertebra and the liver.
        intramuscular_fat: whether the muscle label holds the fat inside muscle.
    """

    scanners: list[str] = Field(default=[])
    drawn: DrawnScanners | None = None
    own_bodies: PositiveInt
    shared_bodies: PositiveInt
    size: PositiveInt = 320
    spacing_mm: PositiveFloat = 1.6
    seed: NonNegativeInt = 0
    pool: Literal["benchmark", "development"] = "benchmark"
    slices: PositiveInt = 1
    levels: Literal["trunk"] | None = None
    intramuscular_fat: bool = False

    @field_validator("scanners")
    @classmethod
    def _scanners_differ(cls, value: list[str]) -> list[str]:
        return require_distinct(value, value)

    @model_validator(mode="after")
    def _some_scanner(self) -> "PhantomData":
        if not self.all_scanners:
            text = "no scanner is named: list some, or let some be drawn (`drawn`)"
            raise PydanticCustomError("no_scanner", "{text}", {"text": text, "in": ["scanners"]})
        require_distinct(self.all_scanners, self.all_scanners)
        return self

    @property
    def all_scanners(self) -> list[str]:
        """Names or paths of the scanners, the drawn ones last."""
        return [*self.scanners, *(self.drawn.names if self.drawn else ())]


class Data(Spec):
    """Source of the slices: exactly one of a store on disk or the embedded benchmark.

    Attributes:
        store: folder made by ``cl-seg ingest`` or ``cl-seg phantom simulate``.
        phantom: the embedded benchmark, simulated when the suite is run.
    """

    store: Path | None = None
    phantom: PhantomData | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Data":
        if (self.store is None) == (self.phantom is None):
            raise PydanticCustomError(
                "one_source", "give either `store` or `phantom`, and only one of them"
            )
        return self


class Split(Spec):
    """Division of slices into training, validation and test.

    Attributes:
        by: ``patient`` never shares a patient between parts; ``within_case`` cuts every case into
            contiguous blocks of slices and is not a generalisation result.
        test: share of a scanner's patients (or of a case's slices) kept for the test stream; or
            ``shared``, all patients that were seen on every scanner of the store, as the shared
            bodies of simulated data are, and no others.
        validation: likewise for validation; with ``shared``, share of the other patients.
        seed: seed of the draw, one for all runs of a suite so that their scores are paired.
    """

    by: Literal["patient", "within_case"] = "patient"
    test: Annotated[float, Field(gt=0, lt=1)] | Literal["shared"] = 0.25
    validation: float = Field(default=0.1, gt=0, lt=1)
    seed: NonNegativeInt = 0

    @field_validator("test", mode="before")
    @classmethod
    def _share_or_shared(cls, value: Any) -> Any:
        if value != "shared" and not (isinstance(value, int | float) and 0 < value < 1):
            raise PydanticCustomError(
                "share",
                "expected a share above 0 and below 1, or shared, not {value}",
                {"value": repr(value)},
            )
        return value

    @model_validator(mode="after")
    def _leaves_training(self) -> "Split":
        if self.test == "shared":
            if self.by == "within_case":
                text = "`test: shared` is of whole patients: leave `by: within_case` out"
                raise PydanticCustomError("split", "{text}", {"text": text})
        elif self.test + self.validation >= 1:
            raise PydanticCustomError("split", "test + validation must stay below 1")
        return self


class Image(Spec):
    """The image that networks see.

    Attributes:
        size: height and width in pixels, at most the store's; slices are averaged down. Networks
            are scored on the pixels of the store, whatever they see.
        window_hu: HU mapped to 0 and to 1, clipped outside.
    """

    size: PositiveInt
    window_hu: tuple[float, float] = (-160.0, 240.0)

    @field_validator("window_hu")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] >= value[1]:
            raise PydanticCustomError("window", "expected [low, high] in HU with low < high")
        return value


class Later(Spec):
    """Training on experiences from the second on, relative to the first.

    It applies where a network that is trained already is trained further. Strategies that start
    from scratch are trained as on the first experience: ``single``, ``joint``, and ``cumulative``
    with ``restart``.

    Attributes:
        rate_factor: multiple of the network's peak learning rate.
        steps_factor: multiple of the optimiser steps, the same for every strategy.
    """

    rate_factor: PositiveFloat = 1.0
    steps_factor: PositiveFloat = 1.0


class Training(Spec):
    """Training on every experience; the optimiser starts anew with each.

    Attributes:
        steps: optimiser steps per experience, the same for every strategy; for joint training see
            its settings.
        later: learning rate and steps from the second experience on; as for the first unless given.
        batch_size: slices per step, old and new together unless a strategy has `batch: added`.
        weight_decay: AdamW weight decay.
        warmup: share of the steps in which the one-cycle rate rises.
        gradient_clip: largest gradient norm, 0 for none.
        flip, rotate_degrees, scale, shift_hu: ranges of the batched augmentation.
        augment: random changes of style after it, none by default.
        curve_every: validation Dice of the scanners seen so far every so many steps, 0 for never.
        precision: arithmetic of the forward pass. ``auto`` is bfloat16 for networks that were seen
            to learn the same in it, on a CPU with instructions for it, else float32; see
            docs/networks.md.
        device: ``cpu``; ``cuda``, any GPU that is free; ``cuda:1``, the second GPU; ``auto``, a GPU
            where there is one.
        threads: CPU threads of one run; results depend on it.
    """

    steps: PositiveInt
    # Left out where it changes nothing, as in plans and records from before there was a choice.
    later: Later = Field(default=Later(), exclude_if=lambda later: later == Later())
    batch_size: PositiveInt = 8
    weight_decay: float = Field(default=1e-4, ge=0)
    warmup: float = Field(default=0.25, gt=0, lt=1)
    gradient_clip: float = Field(default=1.0, ge=0)
    flip: bool = False
    rotate_degrees: float = Field(default=10.0, ge=0, le=180)
    scale: float = Field(default=0.1, ge=0, lt=1)
    shift_hu: float = Field(default=0.0, ge=0)
    # Not said where there is none, so that keys and records are those from before there was any.
    augment: StyleAugmentation = Field(
        default=StyleAugmentation(), exclude_if=lambda chosen: chosen.is_off
    )
    curve_every: NonNegativeInt = 50
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    device: str = Field(default="auto", json_schema_extra={"pattern": f"^({DEVICE.pattern})$"})
    threads: PositiveInt = 1

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        if value.startswith("mps"):
            raise PydanticCustomError(
                "mps",
                "mps (Apple's GPUs) is not supported: training is not tested to be deterministic "
                "there; write cpu",
            )
        if not DEVICE.fullmatch(value):
            raise PydanticCustomError(
                "device",
                "expected auto, cpu, cuda or a numbered GPU such as cuda:1, not {value}",
                {"value": value},
            )
        return value
