"""Models that are part of the package, named where a model folder is expected."""

from pathlib import Path

from cl_seg.messages.errors import InputError

BASE = "base"
"""Name of the model that training starts from where no other is named."""
FOLDER = Path(__file__).parents[1] / "base_models"
NONE_SHIPPED = (
    f"no model is shipped as `{BASE}` with this version of cl_seg, and no folder of that name is "
    "here: name a model folder; to begin with random weights, run a suite and save its network "
    "with `cl-seg model save`"
)


def find_model_folder(given: Path) -> Path:
    """The folder of a model: the one that is given, or where none is there a shipped one.

    Args:
        given: folder, or the name of a shipped model, as :data:`BASE`.

    Raises:
        InputError: it is the base model, and none is shipped.
    """
    if given.exists() or len(given.parts) != 1:
        return given
    shipped = FOLDER / given
    if shipped.is_dir():
        return shipped
    if str(given) == BASE:
        raise InputError(NONE_SHIPPED)
    return given
