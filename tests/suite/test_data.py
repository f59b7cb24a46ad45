"""Where simulated data live: in a folder named by what determines them."""

from importlib.resources import files
from pathlib import Path

from cl_seg.spec.settings import Data, PhantomData
from cl_seg.suite.data import store_folder


def folder_of(*scanners: str) -> Path:
    return store_folder(
        Data(phantom=PhantomData(scanners=list(scanners), own_bodies=2, shared_bodies=1))
    )


def test_an_edited_profile_of_ones_own_is_another_benchmark(tmp_path: Path) -> None:
    text = (files("cl_seg.phantom") / "profiles" / "ge_like.yaml").read_text()
    own = tmp_path / "mine.yaml"
    own.write_text(text)
    before = folder_of(str(own), "siemens_like")
    assert folder_of(str(own), "siemens_like") == before
    own.write_text(text.replace("mas: 160", "mas: 120"))
    assert text != own.read_text() and folder_of(str(own), "siemens_like") != before


def test_scanners_and_their_order_count() -> None:
    folders = {
        folder_of(*names)
        for names in (("ge_like",), ("siemens_like", "ge_like"), ("ge_like", "siemens_like"))
    }
    assert len(folders) == 3
