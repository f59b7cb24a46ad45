"""Scanners that are drawn once: all their patients are scanned with one profile.

A drawn scanner is named by track, seed and number, ``realistic-29-07``. Its profile depends on this
name alone, so that it is the same scanner wherever it is named, however many others there are.
"""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from cl_seg.files.yaml_file import YamlFile
from cl_seg.phantom.drawn_profile import draw_profile
from cl_seg.phantom.profile_space import ProfileSpace
from cl_seg.phantom.profiles import Profile, validated
from cl_seg.phantom.random_generators import random_generator

NAME = re.compile(r"(?P<track>realistic|stress)-(?P<seed>0|[1-9]\d{0,18})-(?P<number>\d{2,6})")
SIMULATED = " (simulated)"


def is_drawn(name: str) -> bool:
    """Whether a name is that of a drawn scanner."""
    return NAME.fullmatch(name) is not None


@cache
def drawn_scanner(name: str) -> Profile:
    """The profile of a drawn scanner, with a display name that says what is most different.

    ``Scanner 07, portal venous, 120 kV, 2.5 mm (simulated)``.
    """
    found = NAME.fullmatch(name)
    assert found is not None, f"{name} is no name of a drawn scanner"
    rng = random_generator(int(found["seed"]), found["track"], found["number"], "profile")
    profile = draw_profile(load_space(found["track"]), rng)
    settings = [
        f"{profile.display_name.removesuffix(SIMULATED)} {found['number']}",
        profile.protocol.contrast.replace("_", " "),
        f"{profile.tube.kvp} kV",
        f"{profile.detector.slice_mm:g} mm{SIMULATED}",
    ]
    return profile.model_copy(update={"display_name": ", ".join(settings)})


@cache
def load_space(track: str) -> ProfileSpace:
    """The ranges that the scanners of a track are drawn from."""
    path = Path(str(files("cl_seg.phantom") / "spaces" / f"{track}.yaml"))
    return validated(YamlFile.parse(path), ProfileSpace)
