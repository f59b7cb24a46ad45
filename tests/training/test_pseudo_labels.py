"""Labels of some of the classes, completed by what a network says of the others."""

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from cl_seg.benchmark.task_images import Task, TaskImages
from cl_seg.scans.store import SliceStore
from cl_seg.training.pseudo_labels import with_pseudo_labels
from tests.conftest import CLASSES, SIZE, WINDOW


class Teacher(nn.Module):
    """Finds liver in the upper half, and muscle in the left quarter, background elsewhere."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, S, S) → (B, 3, S, S)."""
        assert not self.training
        logits = torch.zeros(len(images), 3, SIZE, SIZE)
        logits[:, 0] = 1
        logits[:, 1, :, : SIZE // 4] = 2
        logits[:, 2, : SIZE // 2] = 3
        return logits


@pytest.fixture
def images(store: SliceStore) -> TaskImages:
    """Both classes at the size of the store."""
    return TaskImages(store, Task(CLASSES, SIZE, WINDOW), torch.device("cpu"))


@pytest.fixture
def rows(store: SliceStore) -> pd.DataFrame:
    """A scanner's slices, in turn labelled for both classes, for liver and for muscle."""
    own = store.slices[store.slices["scanner"] == "beta"].reset_index(drop=True)
    return own.assign(labelled=[("muscle,liver", "liver", "muscle")[i % 3] for i in own.index])


def test_background_becomes_what_the_network_says_of_the_other_class(
    images: TaskImages, rows: pd.DataFrame
) -> None:
    before = images.images_and_masks("beta")[1].clone()
    teacher = Teacher()
    filled, all_labelled = with_pseudo_labels(images, rows, teacher)
    assert teacher.training, "its mode is left as it was"
    assert set(all_labelled["labelled"]) == {"muscle,liver"}
    assert torch.equal(images.images_and_masks("beta")[1], before), (
        "the store's labels are not changed"
    )
    hu, after = filled.images_and_masks("beta")
    assert torch.equal(hu, images.images_and_masks("beta")[0])
    left, upper = torch.zeros(2, SIZE, SIZE, dtype=torch.bool)
    left[:, : SIZE // 4], upper[: SIZE // 2] = True, True
    for row, labelled in zip(rows["row"], rows["labelled"], strict=True):
        truth, found = before[row], after[row]
        guess = {"liver": 1 * left, "muscle": 2 * upper, "muscle,liver": torch.zeros(SIZE, SIZE)}
        expected = torch.where(truth == 0, guess[labelled].to(torch.uint8), truth)
        assert torch.equal(found, expected), labelled
        assert ((found == 255) == (truth == 255)).all()


def test_nothing_is_done_where_all_is_labelled(images: TaskImages, rows: pd.DataFrame) -> None:
    whole = rows.assign(labelled="liver,muscle")
    same, unchanged = with_pseudo_labels(images, whole, Teacher())
    assert same is images and unchanged is whole
