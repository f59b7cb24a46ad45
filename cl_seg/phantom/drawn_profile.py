"""The profile of one case."""

import numpy as np

from cl_seg.phantom.physics.noise import mas_for_noise
from cl_seg.phantom.physics.scanner import GEOMETRY
from cl_seg.phantom.profiles import Profile
from cl_seg.phantom.scanners import Scanner


def draw_profile(scanner: Scanner, rng: np.random.Generator) -> Profile:
    """The scanner's own profile, or one that is drawn from the ranges of a randomised scanner."""
    if isinstance(scanner, Profile):
        return scanner
    profile = Profile.model_validate(scanner.settings(lambda setting: setting.draw(rng)))
    mas = mas_for_noise(profile, scanner.noise_hu.draw(rng), GEOMETRY)
    return profile.model_copy(update={"tube": profile.tube.model_copy(update={"mas": mas})})
