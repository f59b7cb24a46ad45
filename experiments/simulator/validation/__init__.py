"""Physical laws the simulated scanners must obey, and patients the bodies must be like, as checks.

``phantoms`` builds and scans test objects; ``measure`` reads physical quantities from images;
``theory`` says what they should be. ``hu_laws``, ``noise_laws`` and ``geometry_laws`` compare the
two, one function per law; ``composition_laws`` and ``attenuation_laws`` compare bodies with
published patients; ``run`` calls them all. ``page`` draws the results with the panels of
``panels`` and ``body_panels``; ``gallery`` shows one body on every scanner; ``report`` writes it.
``python -m experiments.simulator.validation`` calls it from the root of a checkout.
"""
