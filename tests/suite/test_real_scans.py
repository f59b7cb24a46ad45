"""Real CT from headers to forgetting; needs the folder named by CL_SEG_CT_SAMPLES."""

import os
from pathlib import Path

import numpy as np
import pytest

from cl_seg.records.record import read_record
from cl_seg.scans.ingest import write_store_from_scans
from cl_seg.scans.labels.label_map import parse_label_map

from .conftest import run

pytestmark = pytest.mark.skipif(
    "CL_SEG_CT_SAMPLES" not in os.environ, reason="set CL_SEG_CT_SAMPLES to a folder of CT samples"
)

SUITE = """
kind: stream
name: real
data: {{store: {store}}}
classes: [liver]
image: {{size: 64}}
split: {{by: within_case, test: 0.3, validation: 0.1}}
models: [unet]
strategies: [naive, replay, {{name: ewc, settings: {{fisher_images: 8}}}}]
orders: [{order}]
training: {{steps: 40, batch_size: 4, curve_every: 20, device: cpu}}
"""


@pytest.mark.slow
def test_two_real_scanners_become_a_liver_stream(tmp_path: Path) -> None:
    samples = Path(os.environ["CL_SEG_CT_SAMPLES"])
    manifest = tmp_path / "scans.csv"
    manifest.write_text(
        "image,labels,patient,scanner\n"
        f"{samples}/dicom/series-a,{samples}/dicom/series-a-labels.nii.gz,A,\n"
        f"{samples}/nifti/abdomen-3mm.nii.gz,{samples}/nifti/abdomen-3mm-labels.nii.gz,B,Other CT\n"
    )
    store = tmp_path / "liver.store"
    liver = parse_label_map(["liver=5"], "background")
    report = write_store_from_scans(manifest, store, labels=liver, show_progress=False)
    folders = {s.name.split(" ·")[0]: s.folder for s in report.scanners}
    order = [folders["Siemens Biograph40 mCT"], folders["Other CT"]]

    results = tmp_path / "results"
    _, failed = run(SUITE.format(store=store, order=order), results, workers=1)
    assert not failed
    assert "not a generalisation result" in (results / "report.html").read_text()
    records = [read_record(p) for p in (tmp_path / "results/runs").glob("*/run.json")]
    assert len(records) == 3
    for record in records:
        r = np.array(record.R["liver"])
        assert r[1, 0] > 0.7 and r[1, 0] > r[0, 0], "the liver is learned on the first scanner"
