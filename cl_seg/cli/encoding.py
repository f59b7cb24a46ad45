"""One encoding on every machine: Python's UTF-8 mode, and a terminal that shows what it can."""

import io
import os
import sys


def start_in_utf8_mode() -> None:
    """Start the command again in Python's UTF-8 mode where the locale has another encoding.

    Names of files are UTF-8 to the libraries that read and write them, and to manifests and suites
    that list them; in another locale Python would encode them otherwise. What is printed stays in
    the encoding of the locale. See PEP 540.
    """
    if sys.getfilesystemencoding().lower() == "utf-8":
        return
    os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding if sys.stdout else "ascii")
    os.environ["PYTHONUTF8"] = "1"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def show_what_can_be_shown() -> None:
    """Print characters that the terminal's encoding lacks by their number instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
