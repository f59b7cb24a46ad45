"""Semi-automatic tools by name, to be looked up without importing them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DeclaredTool:
    """A tool a suite can name.

    Attributes:
        title: name in tables.
        structure: class it finds.
        target: ``module:callable``, from a :class:`cl_seg.semi_automatic.tools.Slice` to an
            :class:`~cl_seg.semi_automatic.tools.Outcome`.
    """

    title: str
    structure: str
    target: str


_MODULE = "cl_seg.semi_automatic.tools"
TOOLS: dict[str, DeclaredTool] = {
    "window_and_wall": DeclaredTool(
        "HU window near wall and spine", "muscle", f"{_MODULE}:window_and_wall"
    ),
    "clicks": DeclaredTool("Random walker, up to 12 clicks", "muscle", f"{_MODULE}:clicks"),
    "rough_region": DeclaredTool(
        "Rough polygon and HU window", "muscle", f"{_MODULE}:rough_region"
    ),
    "level_set": DeclaredTool("Region growing and level set", "liver", f"{_MODULE}:level_set"),
}
