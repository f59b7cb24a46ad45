"""Saved tensors come back on the device of their kind."""

import torch

from cl_seg.runtime.serialise import _as_it_was, from_bytes, to_bytes


def test_what_was_on_a_gpu_comes_to_the_gpu_of_this_process() -> None:
    class Storage:
        def cuda(self) -> str:
            return "on the current GPU"

    for location in ("cuda:0", "cuda:3"):
        assert _as_it_was(Storage(), location) == "on the current GPU"
    there = from_bytes(to_bytes({"x": torch.ones(2), "y": torch.empty(2, device="meta")}), None)
    assert there["x"].device.type == "cpu" and there["y"].device.type == "meta"
