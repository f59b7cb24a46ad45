"""Style augmentation under plain fine-tuning, on the scanners and the pair of development.yaml.

A network is trained with each kind of augmentation and two strengths of it on the first scanner of
the pair, then fine-tuned on the second. The table has the Dice on the test slices (bodies of the
pool ``development``): of the first scanner when it is learned, of the second before it is trained
on, of the two others, which are never trained on, at the end, the change on the first, and the mean
of the pair at the end, by which strategies are chosen.

    python experiments/strategies/styles.py --out results/reference/strategies/styles.md
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

import cl_seg
from cl_seg.analysis.tables import markdown
from cl_seg.files.write import write_text
from cl_seg.records.results import RunResult

DEVELOPMENT = Path(__file__).with_name("development.yaml")
HELD_OUT = ["siemens_like", "stress_arterial"]
STYLES: dict[str, dict[str, dict[str, float]]] = {
    "none": {},
    "GIN, blend 0.5": {"gin": {"probability": 0.5, "blend": 0.5}},
    "GIN": {"gin": {"probability": 0.5}},
    "amplitudes, ratio 0.5": {"amplitude_mix": {"probability": 0.5, "ratio": 0.5}},
    "amplitudes": {"amplitude_mix": {"probability": 0.5}},
    "kernel and noise": {"kernel_noise": {"probability": 0.5}},
    "kernel, noise 40 HU": {"kernel_noise": {"probability": 0.5, "noise_hu": 40}},
}
"""Each changes half of the images."""


def main() -> None:
    """Run what is missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--cache", type=Path, default=Path("data/stages"))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    rows = []
    for number, (style, augment) in enumerate(STYLES.items()):
        folder = options.results / f"style_{number}"
        results = cl_seg.run(
            suite(augment), results=folder, cache=options.cache, workers=options.workers
        )
        rows += [row(style, run) for run in results.runs]
    table = pd.DataFrame(rows).groupby(["network", "augmentation"], sort=False).mean()
    text = markdown(table.sort_index(level=0, sort_remaining=False).round(3).reset_index())
    print(text)
    if options.out:
        write_text(options.out, f"{text}\n")


def suite(augment: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Fine-tuning on the pair of development.yaml, with style augmentation in both trainings."""
    content = yaml.safe_load(DEVELOPMENT.read_text(encoding="utf-8"))
    return {
        **content,
        "name": "styles",
        "models": ["vnet", "unet"],
        "strategies": ["naive"],
        "held_out": HELD_OUT,
        "training": {**content["training"], **({"augment": augment} if augment else {})},
    }


def row(style: str, run: RunResult) -> dict[str, Any]:
    """Dice of a run on the pair, and on the scanners that are held out."""
    r, unseen = run.matrix(), run.on_held_out.matrix()
    return {
        "network": run.network,
        "augmentation": style,
        "first learned": r[1, 0],
        "second before": r[1, 1],
        "second learned": r[2, 1],
        "change on the first": r[2, 0] - r[1, 0],
        "both": r[2].mean(),
        "never trained on": unseen[2].mean(),
    }


if __name__ == "__main__":
    main()
