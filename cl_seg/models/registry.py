"""The list of networks, without torch: presets, learning rates, input sizes."""

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from cl_seg.messages.errors import InputError


@dataclass(frozen=True)
class Preset:
    """One named size of a network.

    Attributes:
        arguments: keyword arguments of the builder.
        learning_rate: peak AdamW learning rate, a setting of ours.
        rate_is_tuned: whether that is the best rate of one grid (3e-4 to 3e-2) at one budget,
            within the noise of seeds, on validation slices of one simulated scanner
            (``experiments/learning_rates.yaml``).
        learns_in_bfloat16: whether its Dice after learning in bfloat16 was seen to be that in
            float32 (``experiments/performance/precision.py``).
    """

    arguments: dict[str, object]
    learning_rate: float
    rate_is_tuned: bool = False
    learns_in_bfloat16: bool = False


@dataclass(frozen=True)
class Network:
    """A network of the registry.

    Attributes:
        title: name in tables and figures.
        builder: ``module:callable`` that makes it, given in_channels, out_channels, image_size
            and the arguments of a preset.
        size_multiple: height and width must be divisible by this.
        smallest_size: smallest height and width; below it the lowest level is a single pixel, which
            cannot be normalised.
        presets: named sizes.
        package: that it needs besides those of cl_seg, "" for none.
    """

    title: str
    builder: str
    size_multiple: int
    smallest_size: int
    presets: dict[str, Preset]
    package: str = ""

    def package_version(self) -> str:
        """Version of the package it needs, "" where it needs none.

        Raises:
            InputError: it is not installed, naming the command.
        """
        try:
            return version(self.package) if self.package else ""
        except PackageNotFoundError:
            raise InputError(
                f"{self.title} needs the package {self.package}, which is not installed: "
                f"pip install -c constraints.txt {self.package}"
            ) from None


NETWORKS: dict[str, Network] = {
    "vnet": Network(
        title="VNet",
        builder="cl_seg.models.vnet:build_vnet",
        size_multiple=16,
        smallest_size=32,
        presets={
            "small": Preset({"width": 8}, 1e-2, rate_is_tuned=True, learns_in_bfloat16=True),
            "large": Preset({"width": 16}, 1e-2),
            "small_instance": Preset({"width": 8, "norm": "instance"}, 1e-2),
        },
    ),
    "unet": Network(
        title="UNet",
        builder="cl_seg.models.monai_networks:build_unet",
        size_multiple=16,
        smallest_size=32,
        presets={
            "small": Preset(
                {"channels": (16, 32, 64, 128, 256)},
                1e-2,
                rate_is_tuned=True,
                learns_in_bfloat16=True,
            ),
            "large": Preset({"channels": (32, 64, 128, 256, 512)}, 3e-3),
            "small_batch": Preset({"channels": (16, 32, 64, 128, 256), "norm": "batch"}, 1e-2),
            "small_affine": Preset(
                {"channels": (16, 32, 64, 128, 256), "norm": "instance_affine"}, 1e-2
            ),
        },
    ),
    "unetr": Network(
        title="UNETR",
        builder="cl_seg.models.monai_networks:build_unetr",
        size_multiple=16,
        smallest_size=32,
        presets={
            "small": Preset(
                {"hidden_size": 192, "feature_size": 8, "num_heads": 6}, 3e-3, rate_is_tuned=True
            ),
            "large": Preset({"hidden_size": 768, "feature_size": 16, "num_heads": 12}, 3e-4),
        },
    ),
    "swin_unetr": Network(
        title="Swin-UNETR",
        builder="cl_seg.models.monai_networks:build_swin_unetr",
        size_multiple=32,
        smallest_size=64,
        presets={
            "small": Preset(
                {"feature_size": 12}, 1e-2, rate_is_tuned=True, learns_in_bfloat16=True
            ),
            "large": Preset({"feature_size": 48}, 3e-4),
        },
    ),
    "segresnet": Network(
        title="SegResNet",
        builder="cl_seg.models.segresnet:build_segresnet",
        size_multiple=8,
        smallest_size=16,
        presets={
            "small": Preset({"width": 16}, 3e-3, rate_is_tuned=True),
            "large": Preset({"width": 32}, 1e-3),
        },
    ),
    "attention_unet": Network(
        title="Attention U-Net",
        builder="cl_seg.models.attention_unet:build_attention_unet",
        size_multiple=16,
        smallest_size=32,
        presets={
            "small": Preset({"channels": (16, 32, 64, 128, 256)}, 3e-3, rate_is_tuned=True),
            "large": Preset({"channels": (32, 64, 128, 256, 512)}, 1e-3),
        },
    ),
    "mednext": Network(
        title="MedNeXt",
        builder="cl_seg.models.mednext:build_mednext",
        size_multiple=16,
        smallest_size=32,
        presets={
            "small": Preset({"width": 16}, 1e-2, rate_is_tuned=True),
            "large": Preset({"width": 32}, 1e-3),
        },
    ),
    "nnunet": Network(
        title="nnU-Net",
        builder="cl_seg.models.nnunet:build_nnunet",
        size_multiple=16,
        smallest_size=32,
        presets={
            "small": Preset({"channels": (16, 32, 64, 128, 256)}, 1e-2, rate_is_tuned=True),
            "large": Preset({"channels": (32, 64, 128, 256, 512)}, 1e-3),
        },
        package="dynamic-network-architectures",
    ),
    "nnunet_resenc": Network(
        title="nnU-Net ResEnc",
        builder="cl_seg.models.nnunet:build_nnunet_resenc",
        size_multiple=16,
        smallest_size=32,
        presets={
            "small": Preset({"channels": (16, 32, 64, 128, 256)}, 1e-2, rate_is_tuned=True),
            "large": Preset({"channels": (32, 64, 128, 256, 512)}, 1e-3),
        },
        package="dynamic-network-architectures",
    ),
}

OF_THE_STUDY = ("vnet", "unet", "unetr", "swin_unetr")
"""The networks of the study: what is checked, measured and compared unless others are asked for."""


def __getattr__(name: str) -> Any:
    # Bundles exported by earlier versions name the function here.
    if name == "build_model":
        return import_module("cl_seg.models.build").build_model
    raise AttributeError(f"module {__name__} has no attribute {name}")
