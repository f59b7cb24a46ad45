"""Simulated CT scanners: bodies drawn from a seed, scanned with x-ray physics, stored as slices.

Data walks one way: ``anatomy`` (tissue fractions in mm) → ``tissues`` (attenuation maps of three
basis materials) → ``projection`` (line integrals) → ``detection`` (noisy polychromatic counts) →
``corrections`` (water path lengths) → ``reconstruction`` (HU) → ``resampling`` (canonical grid) →
the slice store. ``profiles`` says what a scanner is; ``scanner`` runs the chain for one slice;
``simulate`` is the public entry.
"""
