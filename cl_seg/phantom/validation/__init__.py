"""Physical laws the simulated scanners must obey, as measured checks.

``phantoms`` builds and scans test objects; ``measure`` reads physical quantities from images;
``theory`` says what they should be. ``hu_laws``, ``noise_laws`` and ``geometry_laws`` compare the
two, one function per law; ``run`` calls them all; ``page`` draws what they found.
"""
