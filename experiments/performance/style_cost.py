"""Cost of style augmentation: a training step with it against the same step without.

Every image of every batch is changed (`probability: 1`). Blocks of steps with and without alternate
in one process, so that other load on the machine affects both equally.

    python experiments/performance/style_cost.py [--rounds 12] [--steps 6] [--size 64]
        [--network unet]
"""

import argparse
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from cl_seg.runtime import torch_setup  # isort: skip
from step_overhead import AUGMENTATION, alternate, our_loop, random_slices

from cl_seg.models.build import build_model
from cl_seg.models.registry import NETWORKS
from cl_seg.spec.style import StyleAugmentation
from cl_seg.training.style.style import Style

METHODS = list(StyleAugmentation.model_fields)
WINDOW_WIDTH_HU = 400.0


def main() -> None:
    """Print the ratio of the two, per method and for all together."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--network", choices=NETWORKS, default="unet")
    options = parser.parse_args()
    torch_setup.make_deterministic(threads=1)
    with tempfile.TemporaryDirectory() as folder:
        slices = random_slices(Path(folder) / "random.store", options.size)
        model = build_model(options.network, "small", {}, 3, options.size)
        print(f"{'style':15} {'ratio':>7}   its quartiles")
        for names in (*([name] for name in METHODS), METHODS):
            settings = StyleAugmentation.model_validate({n: {"probability": 1} for n in names})
            styled = replace(AUGMENTATION, style=Style(settings, WINDOW_WIDTH_HU))
            without = our_loop(model, slices, options.steps)
            with_it = our_loop(model, slices, options.steps, augmentation=styled)
            alternate(without, with_it, 0)
            pairs = [alternate(without, with_it, i) for i in range(options.rounds)]
            low, middle, high = statistics.quantiles([b / a for a, b in pairs], n=4)
            title = names[0] if len(names) == 1 else "all of them"
            print(f"{title:15} {middle:7.3f}   {low:.3f} to {high:.3f}", flush=True)


if __name__ == "__main__":
    main()
