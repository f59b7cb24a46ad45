"""Saved models that predict together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
from torch import nn

from cl_seg.inference.monitor import Monitor, read_monitor
from cl_seg.inference.saved_model import read_model_folder
from cl_seg.messages.errors import InputError
from cl_seg.records.model_card import ModelCard
from cl_seg.records.shipped import find_model_folder
from cl_seg.scans.scanner.identity import Scanner

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Ensemble:
    """Networks of the same classes and input, whose probabilities are averaged.

    Attributes:
        models: the networks.
        cards: of each.
        monitor: of the first one, None where its folder has none. Of several networks it has no
            calibration, which is of the agreement of one alone.
    """

    models: list[nn.Module]
    cards: list[ModelCard]
    monitor: Monitor | None = None

    @property
    def classes(self) -> list[str]:
        """Names of the labels 1, 2, …."""
        return self.cards[0].classes

    def trained_on_scanner(self, identities: Sequence[Scanner]) -> str:
        """Whether every network was trained on a scanner: "yes", "no" or "unknown".

        Args:
            identities: the scanner in every identity it may be stored as.
        """

        def all_of(is_stored: Callable[[Scanner, str, str], bool]) -> bool:
            return all(
                any(
                    is_stored(identity, *known)
                    for identity in identities
                    for known in card.scanners.items()
                )
                for card in self.cards
            )

        if all_of(Scanner.is_stored_as):
            return "yes"
        return UNKNOWN if all_of(Scanner.may_be_stored_as) else "no"

    @property
    def simulated(self) -> bool:
        """True where no network has seen any but simulated CT."""
        return all(card.simulated for card in self.cards)

    def limits(self, simulated: bool) -> list[str]:
        """What the networks were not made for, as notes on a series.

        Args:
            simulated: whether the series is.
        """
        notes = []
        if self.simulated and not simulated:
            notes.append("the model has seen simulated CT only: check its masks")
        levels = dict.fromkeys(card.about.levels for card in self.cards if card.about.levels)
        if levels:
            notes.append(f"the model was made for {' and '.join(levels)}: check masks elsewhere")
        return notes


def load_ensemble(folders: Sequence[Path], trusted_network: str = "") -> Ensemble:
    """Load model folders that predict together, see :func:`read_model_folder`.

    Raises:
        InputError: one is no model folder, or they differ in classes or input.
    """
    loaded = [read_model_folder(folder, trusted_network) for folder in folders]
    first = loaded[0][1]
    for folder, (_, card) in zip(folders, loaded, strict=True):
        if (card.classes, card.input) != (first.classes, first.input):
            raise InputError(
                f"{folder} has other classes or another input than {folders[0]}: only models of "
                "the same task predict together"
            )
    monitor = read_monitor(find_model_folder(folders[0]), first.weights_sha256)
    if monitor and len(folders) > 1:
        monitor = replace(monitor, calibration=None)
    return Ensemble([model for model, _ in loaded], [card for _, card in loaded], monitor)
