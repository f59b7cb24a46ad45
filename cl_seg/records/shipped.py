"""Models that are part of the package, named where a model folder is expected."""

from pathlib import Path

BASE = "base"
"""Name of the model that training starts from where no other is named."""
FOLDER = Path(__file__).parents[1] / "base_models"


def find_model_folder(given: Path) -> Path:
    """The folder of a model: the one that is given, or where none is there a shipped one.

    Args:
        given: folder, or the name of a shipped model, as :data:`BASE`.
    """
    shipped = FOLDER / given
    return shipped if not given.exists() and len(given.parts) == 1 and shipped.is_dir() else given
