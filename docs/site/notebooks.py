"""The notebooks of examples/: executed in a fresh kernel, and as pages of the site.

``python docs/site/notebooks.py`` executes them and keeps what they show.
"""

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbconvert.exporters import MarkdownExporter
from traitlets.config import Config

EXAMPLES = Path(__file__).parents[2] / "examples"
SETUP = "setup"  # tag of cells that the site leaves out
MINUTES = 10


def notebooks() -> list[Path]:
    """Their files."""
    return sorted(EXAMPLES.glob("*.ipynb"))


def executed(path: Path) -> Any:
    """A notebook after a run in a fresh kernel, without progress bars and times.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=60 * MINUTES, kernel_name="python3").execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            shown = [output for output in cell.outputs if output.get("name") != "stderr"]
            cell.outputs = shown
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def page(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook as Markdown, and the pictures in it by name."""
    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_cell_tags = {SETUP}
    config.ExtractOutputPreprocessor.enabled = True
    resources = {"unique_key": path.stem, "output_files_dir": "."}
    exporter = MarkdownExporter(config=config)
    text, found = exporter.from_filename(str(path), resources=resources)
    return text.lstrip(), {Path(name).name: data for name, data in found["outputs"].items()}


if __name__ == "__main__":
    for file in notebooks():
        nbformat.write(executed(file), file)
