"""Everything that all stages of a plan share, small enough to be sent with each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cl_seg.messages.errors import InputError
from cl_seg.models.registry import NETWORKS
from cl_seg.planning.digests import fingerprint
from cl_seg.planning.environment import find_environment
from cl_seg.planning.split import Rows
from cl_seg.scans.rows import parse_ranges
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.settings import Image, Split, Training
from cl_seg.spec.update import Margins


@dataclass(frozen=True)
class StageContext:
    """Settings and data that all stages of a plan share.

    Attributes:
        name: of the suite.
        classes: structures that are learned together.
        image: what the networks see.
        training: how every stage is trained.
        models: networks that are trained.
        strategies: that train them.
        store: folder of the slices.
        scanners: the ones its runs use.
        rows: scanner → part → rows of the scanner's arrays, empty before they are simulated.
        digests: (scanner, part) → hash of the slices, labels and patients of that part.
        fingerprint: of the store's files, which shows a change meanwhile; "" before there are any.
        environment: packages, source, device and processor, by name.
        split: how the slices were divided; None where all of them are for training.
        learned_dice: class → Dice from which on a scanner counts as learned.
        evaluate: scanners that are tested after every experience, see
            :class:`cl_seg.spec.suite.StreamSuite`.
        held_out: scanners that are tested after every experience and never trained on.
        margins: of an update, how much worse a scanner may become.
    """

    name: str
    classes: Sequence[str]
    image: Image
    training: Training
    models: Sequence[ModelChoice]
    strategies: Sequence[StrategyChoice]
    store: Path
    scanners: Sequence[str]
    rows: Rows
    digests: Mapping[tuple[str, str], str]
    fingerprint: str
    environment: Mapping[str, str]
    split: Split | None = None
    learned_dice: Mapping[str, float] = field(default_factory=dict)
    evaluate: str = "all"
    held_out: Sequence[str] = ()
    margins: Margins | None = None

    def training_of(self, model: ModelChoice) -> Training:
        """How a network is trained: the settings, with ``precision: auto`` decided."""
        if self.training.precision != "auto":
            return self.training
        network = NETWORKS.get(model.name)
        learns = network is not None and network.presets[model.preset].learns_in_bfloat16
        precision = "bfloat16" if learns and self.environment["bfloat16"] else "float32"
        return self.training.model_copy(update={"precision": precision})

    @property
    def device(self) -> str:
        """``training.device``, where ``auto`` is what was found when this was planned."""
        wanted = self.training.device
        return self.environment["device"] if wanted == "auto" else wanted

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Scanner → part → number of slices."""
        return {
            scanner: {part: len(parse_ranges(rows)) for part, rows in parts.items()}
            for scanner, parts in self.rows.items()
        }


def check_as_planned(context: StageContext) -> None:
    """Refuse to go on in another environment or with other data than was planned with.

    Raises:
        InputError: naming the difference.
    """
    check_same_environment(context)
    if fingerprint(context.store) != context.fingerprint:
        raise InputError(f"{context.store} has changed since the suite was planned: run it again")


def check_same_environment(context: StageContext) -> None:
    """Refuse other packages, source, device or processor than was planned with.

    Raises:
        InputError: naming the difference.
    """
    here = find_environment(context.models, context.strategies, context.training)
    kernel_target = " ".join(filter(None, (here["processor"], here.get("bfloat16"))))
    for name, planned in context.environment.items():
        if here[name] == planned:
            continue
        if name == "processor":
            raise InputError(
                f"the suite was planned for the processor {planned}, this machine has "
                f"{here[name]}: run the command with --processor '{kernel_target}'"
            )
        if name == "bfloat16":
            raise InputError(
                f"the suite was planned for a CPU with {planned or 'no instructions'} for "
                f"bfloat16, this machine has {here[name] or 'none'}: run the command with "
                f"--processor '{kernel_target}'"
            )
        if name == "device":
            raise InputError(
                f"the suite was planned for the device {planned}, this machine has "
                f"{here[name]}: write `device: {here[name]}` under `training`"
            )
        raise InputError(
            f"{name}: {here[name][:40]} here, {planned[:40]} where the suite was planned: run it "
            "again"
        )
