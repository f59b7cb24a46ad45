"""Where simulated data live: in a folder named by what determines them."""

from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import ValidationError

from cl_seg.phantom import simulate
from cl_seg.phantom.anatomy.body import draw_body
from cl_seg.phantom.scanners import load_scanners
from cl_seg.phantom.simulated_scan import simulated_scans
from cl_seg.planning.checked_suite import parse_suite
from cl_seg.planning.data import body_seed, data_header, simulate_phantom, store_folder
from cl_seg.spec.settings import Data, PhantomData

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
CHOOSING = (
    "learning_rates",
    *(f"{folder}/development" for folder in ("strategies", "paper", "paper/full")),
    "base_model/small",
)


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


def phantom_of(suite: str) -> PhantomData:
    phantom = parse_suite(EXPERIMENTS / f"{suite}.yaml").data.phantom
    assert phantom is not None
    return phantom


def drawn(phantom: PhantomData) -> set[tuple[float, ...]]:
    """Age, build and uptake of every body: real numbers that two bodies do not share by chance."""
    scanners = load_scanners(phantom.all_scanners)
    scans = simulated_scans(scanners, phantom.own_bodies, phantom.shared_bodies)
    bodies = [draw_body(body_seed(phantom), name) for name in {scan.body for scan in scans}]
    return {(body.muscle_cm2, body.sat_cm2, body.mineral, body.enhancement) for body in bodies}


@pytest.mark.parametrize("choosing", CHOOSING)
@pytest.mark.parametrize("tested", ["quick", "paper/forgetting", "strategies/stress"])
def test_no_body_that_settings_were_chosen_on_is_one_that_is_tested(
    choosing: str, tested: str
) -> None:
    chosen_on, test = drawn(phantom_of(choosing)), drawn(phantom_of(tested))
    assert len(chosen_on) > 20 and len(test) > 20
    assert not chosen_on & test


@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_the_benchmark_draws_from_the_seed_itself_and_development_from_another(seed: int) -> None:
    pools = [
        PhantomData(scanners=["ge_like"], own_bodies=1, shared_bodies=1, seed=seed, pool=pool)
        for pool in ("benchmark", "development")
    ]
    benchmark, development = map(body_seed, pools)
    assert benchmark == seed != development >= 0
    assert body_seed(pools[1]) == development
    assert store_folder(Data(phantom=pools[0])) != store_folder(Data(phantom=pools[1]))


def test_a_store_of_development_is_simulated_from_the_seed_of_its_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr(
        simulate, "write_simulated_store", lambda folder, **settings: asked.update(settings)
    )
    phantom = PhantomData(scanners=["ge_like"], own_bodies=1, shared_bodies=1, pool="development")
    simulate_phantom(tmp_path / "store", phantom, 1)
    assert asked["seed"] == body_seed(phantom)


def test_levels_of_the_body_count_and_are_not_there_unless_given() -> None:
    given = {"scanners": ["ge_like"], "own_bodies": 2, "shared_bodies": 1}
    plain, trunk = (PhantomData.model_validate(given | more) for more in ({}, {"levels": "trunk"}))
    assert "levels" not in plain.model_dump_json(exclude_none=True)
    assert store_folder(Data(phantom=plain)) != store_folder(Data(phantom=trunk))


def test_drawn_scanners_are_those_of_the_list_and_follow_the_named_ones() -> None:
    given = {"scanners": ["ge_like"], "own_bodies": 2, "shared_bodies": 1}
    drawn = {"track": "stress", "scanners": 2, "seed": 29}
    phantom = PhantomData.model_validate({**given, "drawn": drawn})
    header = data_header(Data(phantom=phantom))
    assert list(header.scanners) == ["ge_like", "stress-29-01", "stress-29-02"]
    assert all(title.endswith("(simulated)") for title in header.scanners.values())
    more = phantom.model_copy(update={"drawn": phantom.drawn.model_copy(update={"scanners": 3})})
    assert more.all_scanners[:3] == phantom.all_scanners
    assert store_folder(Data(phantom=phantom)) != store_folder(Data(phantom=more))
    plain = PhantomData.model_validate(given)
    assert "drawn" not in plain.model_dump_json(exclude_none=True), "as in folders' names before"


def test_a_benchmark_needs_a_scanner() -> None:
    with pytest.raises(ValidationError, match="no scanner is named: list some, or let some be"):
        PhantomData(own_bodies=2, shared_bodies=1)
