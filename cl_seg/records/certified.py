"""``certified.json``: what was recomputed of some results, when, and whether it was the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from cl_seg.files.json_file import parse_as, read_json
from cl_seg.files.write import write_json
from cl_seg.messages.errors import InputError
from cl_seg.messages.plural import counted
from cl_seg.records.results import RunResult
from cl_seg.records.run_spec import RecordModel
from cl_seg.records.tables import PACKED, StoredTables

CERTIFIED = "certified.json"
Verdict = Literal["same bits", "same to 1e-6", "different"]
VERDICTS: tuple[Verdict, ...] = ("same bits", "same to 1e-6", "different")
"""Verdicts from best to worst."""


class CertifiedStage(RecordModel):
    """A stage of a run that was recomputed.

    Attributes:
        run_id: name of the run.
        position: position of the stage in the run, from 1.
        selection: name of the slices it was trained on.
        verdict: result of the comparison with the record.
        largest: largest difference of a score, relative where the score exceeds 1; None where rows
            are missing or are those of other cases.
        score: name of that score, "" where there is no difference.
    """

    run_id: str
    position: int
    selection: str
    verdict: Verdict
    largest: float | None = 0.0
    score: str = ""

    @property
    def text(self) -> str:
        """Verdict, with the largest difference."""
        if not self.score:
            return self.verdict
        size = "" if self.largest is None else f" by {self.largest:.2g}"
        return f"{self.verdict}: {self.score} differs{size}"


class Certificate(RecordModel):
    """Stages that were recomputed at one commit.

    Attributes:
        commit: commit of the source, "" outside a repository.
        date: time in ISO format, UTC.
        versions: package → version.
        device, processor: device and processor of the computation.
        stages: stages that were recomputed.
    """

    commit: str
    date: str
    versions: dict[str, str]
    device: str
    processor: str
    stages: tuple[CertifiedStage, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of its stages."""
        return max((stage.verdict for stage in self.stages), key=VERDICTS.index)

    @property
    def text(self) -> str:
        """One line for a report."""
        commit = self.commit[:10] or "unknown"
        stages = counted(len(self.stages), "stage", "stages")
        return f"{stages} recomputed on {self.date[:10]} at commit {commit}: {self.verdict}"


class _File(RecordModel):
    certificates: tuple[Certificate, ...]


def read_certificates(results: Path) -> tuple[Certificate, ...]:
    """The certificates beside some results, the oldest first.

    Raises:
        InputError: the file is damaged.
    """
    path = results / CERTIFIED
    if not path.is_file():
        return ()
    try:
        return parse_as(read_json(path), _File).certificates
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged ({error}): remove it, certify again") from None


def certificates_in_words(results: Sequence[RunResult]) -> str:
    """The latest certificates beside some results in words, "" where there is none."""
    folders = {
        r.tables.folder if (r.tables.folder / PACKED).is_file() else r.tables.folder.parents[1]: ""
        for r in results
        if isinstance(r.tables, StoredTables)
    }
    per_folder = (read_certificates(folder) for folder in folders)
    return ", ".join(certificates[-1].text for certificates in per_folder if certificates)


def add_certificate(results: Path, certificate: Certificate) -> Path:
    """Write a certificate after the others beside some results.

    Raises:
        InputError: the file is damaged or cannot be written.
    """
    file = _File(certificates=(*read_certificates(results), certificate))
    write_json(results / CERTIFIED, file.model_dump(mode="json"))
    return results / CERTIFIED
