"""The networks: a registry of MONAI networks in 2D with named size presets."""
