"""Profiles that are drawn from ranges."""

import numpy as np

from cl_seg.phantom.physics.noise import mas_for_noise
from cl_seg.phantom.physics.scanner import GEOMETRY
from cl_seg.phantom.profile_space import ProfileSpace
from cl_seg.phantom.profiles import Profile


def draw_profile(scanner: Profile | ProfileSpace, rng: np.random.Generator) -> Profile:
    """The scanner's own profile, or one that is drawn from its ranges."""
    if isinstance(scanner, Profile):
        return scanner
    profile = Profile.model_validate(scanner.settings(lambda setting: setting.draw(rng)))
    if scanner.noise_hu is None:
        return profile
    mas = mas_for_noise(profile, scanner.noise_hu.draw(rng), GEOMETRY)
    return profile.model_copy(update={"tube": profile.tube.model_copy(update={"mas": mas})})
