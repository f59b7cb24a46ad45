"""The line of the user's own code that an error comes from."""

import sysconfig
import traceback
from pathlib import Path

import cl_seg

OF_OTHERS = (Path(cl_seg.__file__).parent, Path(sysconfig.get_path("stdlib")))
INSTALLED = {"site-packages", "dist-packages"}


def own_line(error: BaseException) -> str:
    """`` (mine.py, line 12: `loss = 1 / 0`)``; "" where no line of the user's took part.

    Args:
        error: that was caught.
    """
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not INSTALLED & set(Path(frame.filename).parts)
        and not any(Path(frame.filename).is_relative_to(folder) for folder in OF_OTHERS)
        and Path(frame.filename).is_file()
    ]
    if not own:
        return ""
    last = own[-1]
    return f" ({Path(last.filename).name}, line {last.lineno}: `{last.line}`)"
