"""Simulated CT scanners: bodies drawn from a seed, scanned with x-ray physics, stored as slices.

``anatomy`` paints tissue fractions in mm → ``physics`` scans them and reconstructs HU → ``series``
adds labels and z positions → ``simulate`` resamples the series into a slice store; ``export``
writes them as DICOM (``dicom``) or NIfTI, ``sheet`` as a picture. ``profiles`` describe scanners,
``randomised`` ranges that ``drawn_profile`` draws one from, ``scanners`` finds both by name;
``protocol`` says how patients lie, ``simulated_scan`` lists the bodies each scans, ``tissues`` the
tissues and contrast phases; ``truth`` brings painted labels to the pixels of an image.
"""
