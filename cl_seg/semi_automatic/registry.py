"""The list of semi-automatic tools, without importing them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tool:
    """A tool a suite can name.

    Attributes:
        title: name in tables.
        structure: class it finds.
        target: ``module:callable``, from a :class:`cl_seg.semi_automatic.tools.ToolInput` to an
            :class:`~cl_seg.semi_automatic.tools.Outcome`.
    """

    title: str
    structure: str
    target: str


_MODULE = "cl_seg.semi_automatic.tools"
TOOLS: dict[str, Tool] = {
    "window_and_wall": Tool(
        "HU window near wall and spine", "muscle", f"{_MODULE}:window_and_wall"
    ),
    "clicks": Tool("Random walker, up to 12 clicks", "muscle", f"{_MODULE}:clicks"),
    "rough_region": Tool("Rough polygon and HU window", "muscle", f"{_MODULE}:rough_region"),
    "level_set": Tool("Region growing and level set", "liver", f"{_MODULE}:level_set"),
}
