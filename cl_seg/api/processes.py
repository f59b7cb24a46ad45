"""The processes of this machine that compute stages: on cores, or on GPUs."""

from collections.abc import Sequence
from dataclasses import dataclass

from cl_seg.messages.errors import InputError
from cl_seg.planning.gpus import CPU, gpus_of, visible_gpus
from cl_seg.runtime.workers import CORES


@dataclass(frozen=True)
class Processes:
    """The processes of this machine that compute stages.

    Attributes:
        workers: processes on the CPU side by side, for simulating and for suites on the CPU; by
            default as many as the cores allow. Without effect on suites on GPUs, so that one
            command fits machines with and without them. 0 for the calling process alone, on the
            CPU or the first GPU.
        gpus: numbers of the GPUs to use, by default all that this process sees.
        per_gpu: processes on each GPU, by default one.
    """

    workers: int | None = None
    gpus: Sequence[int] | None = None
    per_gpu: int | None = None

    def on_cpu(self, threads: int) -> int:
        """Processes of some threads each on the CPU side by side."""
        return max(1, CORES // threads if self.workers is None else self.workers)

    def devices(self, suite_devices: Sequence[str], threads: int) -> list[str]:
        """The devices of the processes to start, each a value for ``CUDA_VISIBLE_DEVICES``.

        Args:
            suite_devices: ``cpu``, ``cuda`` or ``cuda:N`` of every suite.
            threads: CPU threads of each process.

        Returns:
            Every GPU as often as it has processes, the GPUs in turn; "" for a process on the CPU.

        Raises:
            InputError: these choices do not go together, or one of them is invalid.
        """
        if len(set(suite_devices)) > 1:
            named = " and ".join(dict.fromkeys(suite_devices))
            raise InputError(f"suites for {named} in one command: run them one by one")
        device = suite_devices[0]
        self._check(device != "cpu")
        if device == "cpu":
            return [CPU] * self.on_cpu(threads)
        return self._chosen_gpus(device) * (self.per_gpu or 1)

    def _check(self, on_gpu: bool) -> None:
        for_gpus = self.gpus is not None or self.per_gpu is not None
        if self.workers is not None and self.workers < 0:
            raise InputError(
                f"workers is {self.workers}: expected 0 for this process, or how many to start"
            )
        if self.per_gpu is not None and self.per_gpu < 1:
            raise InputError(f"per_gpu is {self.per_gpu}: expected 1 or more processes")
        if for_gpus and self.workers == 0:
            raise InputError(
                "`gpus` and `per_gpu` (--gpus, --per-gpu) start processes, but workers is 0, which "
                "computes in this process: leave them out, and write `device: cuda:N` to choose "
                "the GPU"
            )
        if for_gpus and not on_gpu:
            mended = "write `device: cuda`" if visible_gpus() else "install torch's CUDA build"
            raise InputError(
                "`gpus` and `per_gpu` (--gpus, --per-gpu) are for GPUs, but the suite is computed "
                f"on the CPU: leave them out, or {mended}"
            )

    def _chosen_gpus(self, device: str) -> list[str]:
        if self.gpus is None:
            return gpus_of(device)
        if ":" in device:
            raise InputError(
                f"`gpus` (--gpus): the suite names a GPU itself (`device: {device}`): leave one of "
                "them out"
            )
        visible = visible_gpus()
        if not self.gpus or not set(self.gpus) <= set(range(len(visible))):
            raise InputError(
                f"`gpus` is {list(self.gpus)} (--gpus): expected some of the GPUs that this "
                f"process sees, {list(range(len(visible)))}"
            )
        return [visible[number] for number in dict.fromkeys(self.gpus)]
