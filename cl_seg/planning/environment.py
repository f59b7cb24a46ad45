"""The environment: packages, source, device and processor that a result depends on.

All of it is found without importing torch, so that planning stays fast.
"""

import os
import platform
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import cl_seg
from cl_seg.models.registry import NETWORKS
from cl_seg.planning.gpus import gpu_model, visible_gpus
from cl_seg.planning.source import callable_hash, stage_source_hash
from cl_seg.planning.source_roots import SOURCES
from cl_seg.planning.weights import weights_hash
from cl_seg.spec.choices import ModelChoice, StrategyChoice
from cl_seg.spec.settings import Training
from cl_seg.strategies.registry import find_strategy

PACKAGES = ("torch", "monai", "avalanche-lib", "numpy", "scipy")
CPUINFO = Path("/proc/cpuinfo")
BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16")


def find_environment(
    models: Sequence[ModelChoice],
    strategies: Sequence[StrategyChoice],
    training: Training,
    kernel_target: str = "",
) -> dict[str, str]:
    """Everything that determines results besides settings and data, by name.

    Args:
        models: networks that are trained.
        strategies: that train them.
        training: settings of the suite, among them the device and the precision.
        kernel_target: of the machine that will compute, from :func:`kernel_target_of` there; ""
            for this machine's.

    Raises:
        InputError: the device names GPUs of several models.
    """
    words = (kernel_target or kernel_target_of(training.device)).split(" ")
    for_bfloat16 = [word for word in words if word in BFLOAT16_INSTRUCTIONS]
    # Kernels of float32 do not depend on them.
    named = {} if training.precision == "float32" else {"bfloat16": " ".join(for_bfloat16)}
    return {
        **versions(),
        "device": device_name(training.device),
        "processor": " ".join(word for word in words if word not in for_bfloat16),
        **named,
        **_sources(models, strategies),
    }


def _sources(models: Sequence[ModelChoice], strategies: Sequence[StrategyChoice]) -> dict[str, str]:
    builders = {m.label: NETWORKS[m.name].builder if m.name in NETWORKS else m.name for m in models}
    needs = {m.label: v for m in models if (v := _package_version(m))}
    loads = {m.label: m for m in models if m.load}
    plugins = {s.label: find_strategy(s.name).plugin for s in strategies}
    return {
        **{f"source of {kind}": stage_source_hash(kind) for kind in SOURCES},
        **{f"source of network {label}": callable_hash(t) for label, t in builders.items()},
        **{f"source of package of {label}": v for label, v in needs.items()},
        **{f"source of weights of {label}": weights_hash(m) for label, m in loads.items()},
        **{f"source of strategy {label}": callable_hash(t) for label, t in plugins.items() if t},
    }


def _package_version(model: ModelChoice) -> str:
    return NETWORKS[model.name].package_version() if model.name in NETWORKS else ""


@cache
def versions() -> dict[str, str]:
    """Versions of the packages that determine numbers."""
    return {name: version(name) for name in PACKAGES}


def device_name(wanted: str) -> str:
    """``cpu`` or ``cuda`` for a suite's ``device``; ``auto`` looks for a GPU of this machine.

    Results do not depend on which GPU of a model it is: ``cuda:1`` is ``cuda``. A suite that is
    planned where there is no GPU and run where there is one says ``cuda``.
    """
    if wanted != "auto":
        return wanted.partition(":")[0]
    return "cuda" if visible_gpus() else "cpu"


@cache
def cpu_name() -> str:
    """Model name of this machine's CPU."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def kernel_target_of(device: str) -> str:
    """The CPU's vector instructions, or the GPU model: they decide which compiled kernels run.

    The option ``--processor`` holds this; an environment holds the instructions for bfloat16 in an
    entry of their own, and only if the precision is not float32. The ``processor`` of a record is
    :func:`cpu_name`, or the GPU model.

    Raises:
        InputError: the device names GPUs of several models.
    """
    if device_name(device) == "cuda":
        return gpu_model(device) or "cuda"
    flags = _cpuinfo().get("flags", "").split()
    vectors = next((name for name in ("avx512f", "avx2") if name in flags), "baseline")
    chosen = os.environ.get("ATEN_CPU_CAPABILITY", vectors)
    for_bfloat16 = [name for name in BFLOAT16_INSTRUCTIONS if name in flags]
    return " ".join([platform.machine(), _cpuinfo().get("vendor_id", ""), chosen, *for_bfloat16])


@cache
def git_commit() -> str:
    """Commit of the source tree, marked when it has changes; "" outside a repository."""
    root = Path(cl_seg.__file__).parents[1]

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        return done.stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
        return commit + (" with changes" if commit and git("status", "--porcelain") else "")
    except OSError:
        return ""


@cache
def _cpuinfo() -> dict[str, str]:
    try:
        lines = CPUINFO.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}
