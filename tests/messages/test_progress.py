import sys

import pytest

from cl_seg.messages.progress import progress_console, show_progress


def test_progress_goes_to_standard_error_unless_nobody_wants_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress_console().print("one")
    show_progress(False)
    try:
        progress_console().print("two")
    finally:
        show_progress(True)
    assert capsys.readouterr() == ("", "one\n")


def test_a_notebook_gets_text_and_no_display_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    console = progress_console()
    assert not console.is_jupyter and console.file is sys.stderr
