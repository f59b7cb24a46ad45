"""Fields of a suite that determine one run, as records hold them.

The types are those of :mod:`cl_seg.spec` without its checks: the record of a run stays
readable when suites may no longer ask for such a run.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]


class RecordModel(BaseModel):
    """Base of the parts of a record: values never change."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class SuitePart(RecordModel):
    """A part of the suite; fields that only other versions of cl_seg know are kept."""

    model_config = ConfigDict(extra="allow")


class NetworkSpec(SuitePart):
    """The network, see :class:`cl_seg.spec.choices.ModelChoice`."""

    name: str
    label: str = ""
    preset: str = ""
    learning_rate: float | None = None
    arguments: dict[str, Any] = {}
    load: str = ""


class StrategySpec(SuitePart):
    """The strategy with all its settings, see :class:`cl_seg.spec.choices.StrategyChoice`."""

    name: str
    settings: dict[str, Any] = {}
    label: str = ""


class SplitSpec(SuitePart):
    """Split of the patients, see :class:`cl_seg.spec.settings.Split`."""

    by: Text


class ImageSpec(SuitePart):
    """Input of the networks, see :class:`cl_seg.spec.settings.Image`."""

    size: int
    window_hu: tuple[float, float] = (-160.0, 240.0)


class LaterSpec(SuitePart):
    """Training from the second experience on, see :class:`cl_seg.spec.settings.Later`."""

    rate_factor: float = 1.0
    steps_factor: float = 1.0


class TrainingSpec(SuitePart):
    """Training of every stage, see :class:`cl_seg.spec.settings.Training`.

    Fields with a default are missing in older files, or are only in those.
    """

    steps: int
    later: LaterSpec = LaterSpec()
    batch_size: int
    weight_decay: float | None = None
    warmup: float | None = None
    gradient_clip: float | None = None
    flip: bool | None = None
    rotate_degrees: float | None = None
    scale: float | None = None
    shift_hu: float | None = None
    augment: dict[str, Any] = {}
    curve_every: int = 1
    precision: str = ""
    device: str = ""
    threads: int


class SavedModelSpec(RecordModel):
    """A saved model that training starts from.

    Attributes:
        name: of its folder; "" where that is not known.
        weights_sha256: checksum of its weights.
        scanners: that its card names as those it was trained on, key → name.
        simulated: True where its card says that it has seen simulated CT only.
        levels: of the body that it was made for, by its card.
    """

    name: str = ""
    weights_sha256: str
    scanners: dict[str, str]
    simulated: bool
    levels: str


class SeedImagesSpec(RecordModel):
    """SEED images: the slices of the new scanner that were labelled, in a seed curve.

    Attributes:
        count: number of slices.
        by: method by which they were chosen.
        start: ``transfer`` where training on them started from the network of the base scanners or
            a saved model, ``scratch`` where from an untrained one.
        base: the base scanners; none with a saved model.
        base_model: the saved model that transfer started from.
    """

    count: int
    by: str
    start: str
    base: tuple[str, ...]
    base_model: SavedModelSpec | None = Field(default=None, exclude_if=lambda found: found is None)


class MarginsSpec(RecordModel):
    """Margins of an update, see :class:`cl_seg.spec.update.Margins`."""

    dice: float
    area: float


class UpdateSpec(RecordModel):
    """The update of a saved model: stage 1 is the model as it was, stage 2 after the update.

    Attributes:
        new: the new scanner, the last one of the order.
        old: scanners the model was trained on, all others of the order; there may be none.
        held_out: scanners that were tested only.
        budget: number of labelled slices of the new scanner.
        by: method by which they were chosen; "" where they are all there were for training.
        margins: how much worse a scanner may become and still count as not worse.
        parent: SHA-256 of the weights of the saved model.
        parent_scanners: scanners that its card names, key → name.
        parent_simulated: True where its card says that it has seen simulated CT only.
        parent_levels: levels of the body that it was made for, by its card.
    """

    new: str
    old: tuple[str, ...]
    held_out: tuple[str, ...]
    budget: int
    by: str = ""
    margins: MarginsSpec
    parent: str = ""
    parent_scanners: dict[str, str] = {}
    parent_simulated: bool = False
    parent_levels: str = ""


class RunSpec(SuitePart):
    """Everything of the suite that determines the result of one run.

    Attributes:
        order: scanners in stream order; one that the stream returns to is there again.
        model: network.
        learning_rate: peak learning rate of the first experience.
        strategy: strategy with its settings.
        seed: random seed of the run.
        classes: names of the foreground classes.
        split, image, training: settings of the suite.
        learned_dice: class → Dice right after learning from which a scanner counts as learned.
        evaluate: scanners that were tested after every experience, see
            :class:`cl_seg.spec.suite.StreamSuite`; R is NaN elsewhere.
        held_out: scanners that were tested after every experience and never trained on.
        months: of a stream by months: the scanners of each of them; the order names all of these.
        replicate: number of the replicate that the run is of; 0 in a suite of orders and seeds.
        seed_images: slices labelled of the last scanner, in a seed curve.
        update: what was updated with what, in an update of a saved model.
    """

    order: Texts
    model: NetworkSpec
    learning_rate: float | None = None
    strategy: StrategySpec
    seed: int
    classes: Texts
    split: SplitSpec
    image: ImageSpec
    training: TrainingSpec
    learned_dice: dict[str, float]
    evaluate: str = "all"
    held_out: tuple[Text, ...] = ()
    months: tuple[Texts, ...] = ()
    replicate: int = 0
    seed_images: SeedImagesSpec | None = None
    update: UpdateSpec | None = None

    @property
    def parent(self) -> SavedModelSpec | None:
        """The saved model that the run has trained further, if it has."""
        if (update := self.update) is not None:
            return SavedModelSpec(
                weights_sha256=update.parent,
                scanners=update.parent_scanners,
                simulated=update.parent_simulated,
                levels=update.parent_levels,
            )
        images = self.seed_images
        return images.base_model if images and images.start == "transfer" else None

    def as_suite_fields(self) -> dict[str, Any]:
        """Field of the suite → value, JSON-serialisable."""
        values = self.model_dump(mode="json", exclude_unset=True, exclude={"seed_images"})
        if self.months:
            values["experience"] = "months"
        if (images := self.seed_images) is not None:
            values |= {"seed_images": images.count, "by": images.by, "start": images.start}
            values["base"] = list(images.base)
            if images.base_model is not None:
                values["base_model"] = images.base_model.model_dump(mode="json")
        return values
