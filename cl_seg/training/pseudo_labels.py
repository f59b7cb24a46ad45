"""Pseudo-labels for slices that are labelled for some of the classes only.

Background of a slice that is labelled for the liver alone may be muscle. To learn it as background
unlearns muscle, to ignore it leaves the network free to see liver or muscle anywhere; labels that
the network itself predicts keep what it knows (pseudo-labels, as in PLOP; Douillard et al., CVPR
2021, arXiv 2011.11390).
"""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd
import torch
from torch import Tensor, nn

from cl_seg.benchmark.preprocess import windowed
from cl_seg.benchmark.task_images import CHUNK, TaskImages, memory_mapped
from cl_seg.runtime.eval_mode import eval_mode


def with_pseudo_labels(
    images: TaskImages, rows: pd.DataFrame, model: nn.Module
) -> tuple[TaskImages, pd.DataFrame]:
    """Slices with labels for all classes, those that are missing predicted by a network.

    A pixel without a label of a class the slice is labelled for becomes what the model finds most
    likely of background and the classes it is not labelled for.

    Args:
        images: the store as the task sees it; is not changed.
        rows: slices, each labelled for some class of the task.
        model: the network, as it is before it is trained on them; keeps its mode.

    Returns:
        The images with these labels, and the rows, now labelled for all classes.
    """
    classes = images.task.classes
    missing = [frozenset(classes) - set(named.split(",")) for named in rows["labelled"]]
    if not any(missing):
        return images, rows
    completed: dict[str, Tensor] = {}
    for scanner in pd.unique(rows["scanner"]):
        hu, masks = images.images_and_masks(scanner)
        chunks = (chunk.cpu() for chunk in masks.split(CHUNK))  # type: ignore[no-untyped-call]
        masks = memory_mapped(chunks, "uint8", tuple(masks.shape)).to(masks.device)
        of_scanner = (rows["scanner"] == scanner).to_numpy()
        for absent in set(missing):
            same = [of_it and one == absent for of_it, one in zip(of_scanner, missing, strict=True)]
            chosen = torch.from_numpy(rows.loc[same, "row"].to_numpy("int64", copy=True))
            possible = [0, *(label for label, c in enumerate(classes, start=1) if c in absent)]
            for index in chosen.split(CHUNK) if absent else ():  # type: ignore[no-untyped-call]
                seen = windowed(images.on_device(hu[index]), images.task.window_hu)
                guess = _likeliest(model, seen, possible).to(masks.device)
                masks[index] = torch.where(masks[index] == 0, guess, masks[index])
        completed[str(scanner)] = masks
    return images.relabelled(completed), rows.assign(labelled=",".join(classes))


def _likeliest(model: nn.Module, images: Tensor, labels: list[int]) -> Tensor:
    """(B, 1, S, S) images → (B, S, S) uint8, the most likely of some labels."""
    with eval_mode(model), torch.no_grad():
        best = model(images)[:, labels].argmax(1)
    return torch.tensor(labels, dtype=torch.uint8, device=best.device)[best]
