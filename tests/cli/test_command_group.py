"""Help with ``-h``, and mistyped commands."""

import pytest
from typer.testing import CliRunner

from cl_seg.cli import GROUPS, app
from cl_seg.messages.errors import InputError


@pytest.mark.parametrize("words", [[], ["run"], *([name] for name in GROUPS), ["seed", "train"]])
def test_every_command_has_the_short_option_of_help(words: list[str]) -> None:
    short, long = (CliRunner().invoke(app, [*words, option]) for option in ("-h", "--help"))
    assert short.exit_code == 0 and short.output == long.output and "Usage" in short.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("trian", "no command trian: did you mean run? See `cl-seg -h`"),
        ("reprot", "did you mean report?"),
        ("selct", "expected ingest, dataset, plan"),
        ("xyz", "best-settings"),
        ("model shwo", "did you mean show? See `cl-seg model -h`"),
        ("list netwroks", "did you mean networks?"),
        ("networks", "did you mean list?"),
        ("phantom xyz", "expected simulate, export, profiles, sheet."),
    ],
)
def test_a_mistyped_command_is_told_what_was_meant(words: str, said: str) -> None:
    error = CliRunner().invoke(app, words.split(), prog_name="cl-seg").exception
    assert isinstance(error, InputError) and said in str(error)
    assert "select" not in str(error), "commands that the help hides"
