"""The scanner: x-ray physics from tissue fractions to the image in HU.

``basis_materials`` (attenuation of tissues) and ``couch`` → ``spectrum`` (tube, filters, bowtie) →
``projection`` (line integrals) → ``detection`` (noisy polychromatic counts) → ``corrections`` (beam
hardening) → ``reconstruction`` (filtered back-projection with a kernel given by its MTF) →
``postprocessing`` (calibration, hybrid iterative appearance, padding). ``scanner`` runs the chain
for one slice; ``noise`` says by theory how noisy its image is. ``data`` holds the tables of
attenuation and tube spectra; they are made by ``experiments/simulator/xray_tables.py``.
"""
