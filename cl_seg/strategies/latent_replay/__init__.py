"""Latent replay: features of earlier scanners are kept and replayed instead of their images."""

from cl_seg.strategies.shared.memory_settings import MemorySettings
from cl_seg.strategies.strategy import Strategy


class LatentReplaySettings(MemorySettings):
    """Replay of what the decoder reads of stored slices (Pellegrini et al. 2020, arXiv 1912.01100).

    Images are not kept: of every stored slice, the memory holds its mask and those outputs of the
    encoder that the decoder reads, skip connections among them. The encoder is frozen after the
    first scanner, so that stored features stay exactly those that the network would compute.

    Attributes:
        encoder: regular expression of the beginning of the names of the encoder's parameters; the
            default is right for the networks of the registry.
    """

    encoder: str = ""


STRATEGY = Strategy(
    title="Latent replay",
    settings=LatentReplaySettings,
    plugin="cl_seg.strategies.latent_replay.plugin:LatentReplay",
    settings_unused_by_consolidation=frozenset({"batch_share", "batch"}),
)
