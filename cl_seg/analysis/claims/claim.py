"""A file of claims: what is said of which runs."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator

from cl_seg.analysis.claims.faults import explain_claims
from cl_seg.files.yaml_file import YamlFile
from cl_seg.messages.errors import InputError
from cl_seg.spec.faults import require_distinct
from cl_seg.spec.settings import Spec


class Side(Spec):
    """What stands on one side of a contrast; several are averaged.

    Attributes:
        networks: names as tables show them.
        strategy: likewise.
        tools: names of tools, as suites name them.
        seed_images: number of SEED images, in a seed curve.
        by: how they were chosen, where the suite has several ways.
    """

    networks: list[str] = Field(default=[])
    strategy: str = ""
    tools: list[str] = Field(default=[])
    seed_images: int | None = None
    by: str = ""


class Contrast(Spec):
    """Two sides, one score.

    Attributes:
        suite: folder of results below the one that is looked at.
        score: of ``ours`` minus that of ``theirs``.
        structure: class the score is of, "" for the mean over classes.
        ours: what the claim says is better.
        theirs: what it is better than.
        at_least: what the difference must be more than.
    """

    suite: str
    score: Literal["ACC", "BWT", "plasticity"]
    structure: str = ""
    ours: Side
    theirs: Side
    at_least: float = 0.0

    @property
    def sides(self) -> tuple[Side, Side]:
        """Ours and theirs."""
        return self.ours, self.theirs


class Claim(Spec):
    """What somebody claims.

    Attributes:
        name: short.
        says: in words.
        source: who says so.
        contrasts: all of which must hold.
        beside: shown with it, without a say in the verdict.
    """

    name: str
    says: str
    source: str
    contrasts: list[Contrast] = Field(min_length=1)
    beside: list[Contrast] = Field(default=[])


class Claims(Spec):
    """A file of claims."""

    claims: list[Claim] = Field(min_length=1)

    @field_validator("claims")
    @classmethod
    def _names_differ(cls, value: list[Claim]) -> list[Claim]:
        return require_distinct(value, [one.name for one in value], "each needs a name of its own")


def read_claims(path: Path) -> list[Claim]:
    """Read a file of claims.

    Raises:
        InputError: it is no such file, naming the line.
    """
    tree = YamlFile.parse(path)
    try:
        return Claims.model_validate(tree.value).claims
    except ValidationError as error:
        raise InputError("\n".join(explain_claims(tree, error, Claims))) from None


def contrast_text(contrast: Contrast) -> str:
    """Suite, score, the two sides of a contrast, and what their difference must be more than."""
    score = f"{contrast.suite}, {contrast.score} {contrast.structure}".strip()
    least = f" > {contrast.at_least:g}".replace("-", "−") if contrast.at_least else ""
    return f"{score}: {side_text(contrast.ours)} − {side_text(contrast.theirs)}{least}"


def side_text(side: Side) -> str:
    """Networks and tools of a side, in words."""
    parts = [*(f"{n} {side.strategy}" for n in side.networks), *side.tools]
    images = f" with {side.seed_images} SEED images" if side.seed_images else ""
    images += f" by {side.by}" if side.by else ""
    return (parts[0] if len(parts) == 1 else f"mean({', '.join(parts)})") + images
