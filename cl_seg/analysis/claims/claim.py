"""Claims: contrasts between runs of a suite, each with two sides and a score."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator

from cl_seg.spec.faults import require_distinct
from cl_seg.spec.part import Spec

IN_WORDS = {"scratch": "from scratch", "Joint": "joint training", "Naive": "fine-tuning"}
"""Names of strategies in tables → what they are."""
UNSEEN = "unseen Dice"
"""Mean Dice on the scanners held out after the last stage, ``unseen_after`` of the summary."""


class Side(Spec):
    """One side of a contrast; several networks and tools are averaged.

    Attributes:
        networks: names of networks in tables.
        strategy: name of the strategy in tables.
        tools: names of tools, as suites name them.
        seed_images: number of SEED images, in a seed curve; 0 for a saved model as it is.
        by: method by which they were chosen, where the suite has several.
    """

    networks: list[str] = Field(default=[])
    strategy: str = ""
    tools: list[str] = Field(default=[])
    seed_images: int | None = None
    by: str = ""

    def __str__(self) -> str:
        """Networks and tools, in words."""
        parts = [*(f"{n} {self.strategy}" for n in self.networks), *self.tools]
        images = f" with {self.seed_images} SEED images" if self.seed_images is not None else ""
        images += f" by {self.by}" if self.by else ""
        return (parts[0] if len(parts) == 1 else f"mean({', '.join(parts)})") + images

    @property
    def in_words(self) -> tuple[str, str, str]:
        """Networks and tools, strategy, and SEED images, each "" where there is none."""
        who = " and ".join(name.replace("_", " ") for name in (*self.networks, *self.tools))
        words = IN_WORDS | ({"Naive": "transfer"} if self.seed_images else {})
        how = words.get(self.strategy, self.strategy)
        images = f"{self.seed_images} SEED images" if self.seed_images else ""
        return who, how, images + (f" by {self.by.replace('_', ' ')}" if self.by else "")


class Contrast(Spec):
    """The claim that a score of ``a`` is more than that of ``b``, by more than ``margin``.

    Attributes:
        suite: name of the folder of its results.
        score: score whose difference, ``a`` minus ``b``, is judged; ``unseen Dice`` is that on
            the scanners held out after the last stage.
        structure: class the score is of, "" for the mean over classes.
        a: side that is said to be better.
        b: side that is said to be worse.
        margin: bound that the difference must exceed.
    """

    suite: str
    score: Literal["ACC", "BWT", "plasticity", "unseen Dice"]
    structure: str = ""
    a: Side
    b: Side
    margin: float = 0.0

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both sides."""
        return self.a, self.b

    def __str__(self) -> str:
        """Suite, score, both sides, and the margin where it is not 0."""
        score = f"{self.suite}, {self.score} {self.structure}".strip()
        margin = f" > {self.margin:g}".replace("-", "−") if self.margin else ""
        return f"{score}: {self.a} − {self.b}{margin}"

    @property
    def in_words(self) -> str:
        """Both sides, what they share said once in front, then the score and the suite."""
        parts = list(zip(self.a.in_words, self.b.in_words, strict=True))
        shared = ", ".join(a for a, b in parts if a == b and a)
        sides = (", ".join(filter(None, side)) for side in zip(*_different(parts), strict=True))
        score = f"{self.score} {self.structure}".strip()
        suite = self.suite.replace("_", " ")
        return f"{shared}{': ' * bool(shared)}{' − '.join(sides)} ({score}, {suite})"


def _different(parts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(a, b) for a, b in parts if a != b] or list(parts)


class Claim(Spec):
    """A claim of somebody.

    Attributes:
        name: short name.
        says: the claim in words.
        source: author of the claim.
        contrasts: contrasts that must all hold.
        descriptive: contrasts shown with the claim, without a say in its verdict.
    """

    name: str
    says: str
    source: str
    contrasts: list[Contrast] = Field(min_length=1)
    descriptive: list[Contrast] = Field(default=[])


class Claims(Spec):
    """A file of claims."""

    claims: list[Claim] = Field(min_length=1)

    @field_validator("claims")
    @classmethod
    def _names_differ(cls, value: list[Claim]) -> list[Claim]:
        return require_distinct(value, [one.name for one in value], "each needs a name of its own")
