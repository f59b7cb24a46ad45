"""A model folder as a MONAI bundle, for programs that read those.

Layout (MONAI bundle specification)::

    configs/metadata.json    what the network is, sees and gives
    configs/inference.json   network_def, preprocessing, inferer, postprocessing
    models/model.pt          its weights
    docs/README.md           the card in words
"""

import io
from pathlib import Path
from typing import Any

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import torch

import cl_seg
from cl_seg.files.write import new_folder, write_bytes, write_json, write_text
from cl_seg.inference.saved_model import read_model_folder
from cl_seg.records.model_card import ModelCard


def export_bundle(model: Path, out: Path, trusted_network: str = "") -> None:
    """Write a model folder as a MONAI bundle; the network is built by this package.

    Args:
        model: model folder.
        out: bundle to make.
        trusted_network: see :func:`cl_seg.inference.saved_model.read_model_folder`.

    Raises:
        InputError: no model folder, or ``out`` exists.
    """
    network, card = read_model_folder(model, trusted_network)
    weights = io.BytesIO()
    torch.save(network.state_dict(), weights)
    with new_folder(out) as building:
        write_json(building / "configs" / "metadata.json", _metadata(card, out.name))
        write_json(building / "configs" / "inference.json", _inference(card))
        write_bytes(building / "models" / "model.pt", weights.getvalue())
        write_text(building / "docs" / "README.md", _readme(card, out.name))


def _metadata(card: ModelCard, name: str) -> dict[str, Any]:
    network_input, size = card.input, card.input.size
    classes = {"0": "background", **{str(i): c for i, c in enumerate(card.classes, start=1)}}
    return {
        "version": cl_seg.__version__,
        "changelog": {cl_seg.__version__: "exported by cl_seg"},
        "monai_version": card.versions.get("monai", ""),
        "pytorch_version": card.versions.get("torch", ""),
        "numpy_version": card.versions.get("numpy", ""),
        "optional_packages_version": {"cl_seg": cl_seg.__version__},
        "name": name,
        "task": f"segmentation of {' and '.join(card.classes)} in axial CT slices",
        "description": f"{card.network.name} {card.network.preset} trained on "
        + ", ".join(card.scanners.values()),
        "intended_use": card.intended_use,
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "hounsfield",
                    "modality": "CT",
                    "num_channels": 1,
                    "spatial_shape": [size, size],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {
                        "0": f"{network_input.window_hu[0]:g} to {network_input.window_hu[1]:g} HU"
                    },
                }
            },
            "outputs": {
                "pred": {
                    "type": "image",
                    "format": "segmentation",
                    "num_channels": len(classes),
                    "spatial_shape": [size, size],
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": False,
                    "channel_def": classes,
                }
            },
        },
        "card": card.model_dump(mode="json"),
    }


def _inference(card: ModelCard) -> dict[str, Any]:
    network_input, network = card.input, card.network
    pixel = network_input.spacing_mm * network_input.grid_size / network_input.size
    low, high = network_input.window_hu
    window = {"a_min": low, "a_max": high, "b_min": 0.0, "b_max": 1.0, "clip": True}
    turn = {"_target_": "Orientationd", "keys": "image", "axcodes": "LPS"}
    return {
        "device": "$torch.device('cpu')",
        "network_def": {
            "_target_": "cl_seg.models.build.build_model",
            "name": network.name,
            "preset": network.preset,
            "arguments": network.arguments,
            "classes": len(card.classes) + 1,
            "image_size": network_input.size,
        },
        "network": "$@network_def.to(@device).eval()",
        # Rows are y and columns x in this package; MONAI reads (x, y, z).
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "LoadImaged", "keys": "image"},
                {"_target_": "EnsureChannelFirstd", "keys": "image"},
                turn,
                {"_target_": "Spacingd", "keys": "image", "pixdim": [pixel, pixel, -1.0]},
                {
                    "_target_": "ResizeWithPadOrCropd",
                    "keys": "image",
                    "spatial_size": [network_input.size, network_input.size, -1],
                    "value": -1024,
                },
                {"_target_": "ScaleIntensityRanged", "keys": "image", **window},
                {"_target_": "Transposed", "keys": "image", "indices": [0, 2, 1, 3]},
            ],
        },
        "inferer": {
            "_target_": "SliceInferer",
            "roi_size": [network_input.size, network_input.size],
            "spatial_dim": 2,
        },
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "Transposed", "keys": "pred", "indices": [0, 2, 1, 3]},
                {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
            ],
        },
    }


def _readme(card: ModelCard, name: str) -> str:
    scanners = "\n".join(f"- {shown}" for shown in card.scanners.values())
    simulated = "Simulated CT only; " if card.simulated else ""
    return (
        f"# {name}\n\n{card.intended_use}\n\n{simulated}trained on:\n\n{scanners}\n\n"
        f"Finds {' and '.join(card.classes)} in axial CT slices. The network is built by cl_seg "
        f"{cl_seg.__version__}, which must be installed.\n"
    )
