"""Files only: select → a stand-in edits the NIfTI → import → train → propose → predict."""

import csv
import json
from pathlib import Path

import cl_seg.runtime.torch_setup  # noqa: F401  # isort: skip
import nibabel
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import torch
from typer.testing import CliRunner

from cl_seg.cli import app
from cl_seg.inference.saved_model import read_model_folder, save_model
from cl_seg.labelling.import_labels import import_queue, provenance
from cl_seg.labelling.queue import read_queue
from cl_seg.messages.errors import InputError
from cl_seg.models.build import build_model
from cl_seg.records.model_card import Input, ModelCard, Network
from cl_seg.scans.nifti import lettered_segments
from cl_seg.scans.slice_spacing import even_positions
from cl_seg.scans.store import UNLABELLED, SliceRow, SliceStore, create_store
from tests.conftest import CLASSES, SIZE, SPACING, WINDOW


def command(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def new_scanner(store: SliceStore, tmp_path_factory: pytest.TempPathFactory) -> SliceStore:
    """The slices of one scanner as they are before anybody has labelled them."""
    folder = tmp_path_factory.mktemp("new") / "new.store"
    own = store.slices[store.slices["scanner"] == "beta"].drop(columns="row")
    rows = [SliceRow(**{**row, "labelled": ""}) for row in own.to_dict("records")]
    with create_store(folder, list(CLASSES), store.header.grid, {"kind": "simulated"}) as writer:
        labels = np.full((len(rows), SIZE, SIZE), 255, np.uint8)
        writer.add_scanner("beta", "Beta", rows, store.hu("beta"), labels)
    return SliceStore(folder)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network as a model folder."""
    folder = tmp_path_factory.mktemp("base") / "base-model"
    torch.manual_seed(0)
    model = build_model("unet", "small", {}, 3, SIZE)
    card = ModelCard(
        network=Network(name="unet", preset="small"),
        classes=list(CLASSES),
        input=Input(grid_size=SIZE, spacing_mm=SPACING, size=SIZE, window_hu=WINDOW),
        scanners={"alpha": "Alpha"},
        simulated=True,
        trained={"learning_rate": 1e-2},
        scores={},
        versions={},
        git_commit="",
    )
    save_model(folder, model.state_dict(), card)
    return folder


@pytest.fixture
def queue(new_scanner: SliceStore, tmp_path: Path) -> Path:
    """A queue of six slices."""
    folder = tmp_path / "queue"
    command("seed", "select", new_scanner.folder, folder, "--scanner", "beta", "--n", 6)
    return folder


def edit(folder: Path, truth: SliceStore, classes: tuple[int, ...] = (1, 2)) -> None:
    """Draw the truth into the label files of a queue, slice by slice, as a person would."""
    rows = truth.slices.set_index("slice_id")["row"]
    for entry in entries(folder):
        image = nibabel.load(folder / entry["labels"])
        values = np.asarray(image.dataobj).copy()
        drawn = truth.labels("beta")[rows[entry["slice_id"]]]
        values[:, :, int(entry["slice"])] = np.where(np.isin(drawn, classes), drawn, 0).T
        nibabel.save(nibabel.Nifti1Image(values, image.affine), folder / entry["labels"])


def entries(folder: Path) -> list[dict[str, str]]:
    with (folder / "queue.csv").open() as file:
        return list(csv.DictReader(file))


def rewrite(folder: Path, change: dict[str, str], line: int = 0) -> None:
    rows = entries(folder)
    rows[line] |= change
    with (folder / "queue.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def test_round_trip_by_files_alone(
    store: SliceStore, new_scanner: SliceStore, base: Path, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store)
    rewrite(queue, {"minutes": "2.5"})
    first, second = tmp_path / "labelled.store", tmp_path / "whole.store"
    said = command("seed", "import", queue, new_scanner.folder, first)
    assert "6 manual" in said and "2.5 minutes" in said

    cache = ["--cache", tmp_path / "stages"]
    train = ["seed", "train", first]
    steps = ["--base", base, "--scanner", "beta", "--steps", 30, *cache]
    said = command(*train, tmp_path / "model", *steps)
    assert "6 slices of" in said
    command(*train, tmp_path / "again", *steps)
    models = [read_model_folder(tmp_path / name) for name in ("model", "again")]
    assert models[0][1].weights_sha256 == models[1][1].weights_sha256, "the stage is kept"
    assert models[0][1].scanners == {"alpha": "Alpha", "beta": "Beta"}

    said = command(
        "seed", "propose", first, tmp_path / "model", tmp_path / "rest", "--scanner", "beta"
    )
    left = entries(tmp_path / "rest")
    assert len(left) == len(new_scanner.slices) - 6
    confidences = [float(entry["confidence"]) for entry in left]
    assert confidences == sorted(confidences)

    edit(tmp_path / "rest", store)
    proposals = tmp_path / "rest" / left[-1]["labels"].replace("labels", "proposals")
    kept = nibabel.load(proposals).get_fdata()
    path = tmp_path / "rest" / left[-1]["labels"]
    image = nibabel.load(path)
    values = image.get_fdata()
    values[:, :, int(left[-1]["slice"])] = kept[:, :, int(left[-1]["slice"])]
    nibabel.save(nibabel.Nifti1Image(values.astype(np.uint8), image.affine), path)
    rewrite(tmp_path / "rest", {"status": "done"}, -1)
    said = command("seed", "import", tmp_path / "rest", first, second)
    assert f"{len(left) - 1} corrected, 1 proposed" in said
    noted = provenance(SliceStore(second))
    assert sorted(noted["origin"].unique()) == ["corrected", "manual", "proposed"]
    assert len(noted) == len(new_scanner.slices) and (noted["slice_id"].value_counts() == 1).all()
    assert set(noted.loc[noted["origin"] == "manual", "minutes"]) == {"2.5", ""}

    images = SliceStore(second).folder.parent / "rest" / "images"
    out = tmp_path / "masks"
    case = min(images.iterdir())
    said = command("predict", tmp_path / "model", case, "--measure", "--out", out)
    assert "unknown" in said
    measured = pd.read_csv(out / "measurements.csv")
    assert list(measured["class"].unique()) == list(CLASSES)
    masks = nibabel.load(out / case.name)
    assert np.allclose(masks.affine, nibabel.load(case).affine)
    areas = [(np.asarray(masks.dataobj) == label).sum((0, 1)) for label in (1, 2)]
    expected = np.stack(areas, axis=1).ravel() * SPACING**2 / 100
    np.testing.assert_allclose(measured["area_cm2"], expected, atol=1e-3)


def test_labels_come_back_where_they_were_drawn(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store)
    import_queue(queue, new_scanner, tmp_path / "out.store")
    taken = SliceStore(tmp_path / "out.store")
    drawn = {entry["slice_id"] for entry in entries(queue)}
    for row in taken.slices.to_dict("records"):
        labels = taken.labels("beta")[row["row"]]
        if row["slice_id"] in drawn:
            truth = store.labels("beta")[store.slices.set_index("slice_id")["row"][row["slice_id"]]]
            assert (labels == np.where(truth == 255, 0, truth)).all()
            assert row["labelled"] == "muscle,liver"
        else:
            assert (labels == 255).all() and row["labelled"] == ""
    assert (taken.hu("beta") == new_scanner.hu("beta")).all()


def test_images_keep_their_geometry(new_scanner: SliceStore, queue: Path) -> None:
    first = entries(queue)[0]
    image = sitk.ReadImage(str(queue / first["image"]))
    assert image.GetSpacing() == pytest.approx((SPACING, SPACING, 5.0))
    row = new_scanner.slices.set_index("slice_id").loc[first["slice_id"]]
    position = image.TransformIndexToPhysicalPoint((0, 0, int(first["slice"])))
    assert position[2] == pytest.approx(row["z_mm"])
    shown = sitk.GetArrayFromImage(sitk.DICOMOrient(image, "LPS"))[int(first["slice"])]
    assert (shown == new_scanner.hu("beta")[row["row"]]).all()


def test_another_orientation_is_turned_back(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store)
    import_queue(queue, new_scanner, tmp_path / "straight.store")
    for path in (queue / "labels").iterdir():
        turned = sitk.DICOMOrient(sitk.ReadImage(str(path)), "RIP")
        sitk.WriteImage(turned, str(path))
    import_queue(queue, new_scanner, tmp_path / "turned.store")
    labels = [SliceStore(tmp_path / f"{n}.store").labels("beta") for n in ("straight", "turned")]
    assert (labels[0] == labels[1]).all()


def slicer_file(path: Path, crop: bool, names: tuple[str, ...] = ("Liver", "muscle")) -> None:
    """Save a label file as 3D Slicer does: named segments, values of its own, cut to them."""
    image = sitk.ReadImage(str(path))
    values = sitk.GetArrayFromImage(image)
    swapped = np.select([values == 1, values == 2], [2, 1], 0).astype(np.uint8)
    saved = sitk.GetImageFromArray(swapped)
    saved.CopyInformation(image)
    if crop:
        z, y, x = (np.flatnonzero(swapped.any(axis)) for axis in ((1, 2), (0, 2), (0, 1)))
        low = [int(i[0]) for i in (x, y, z)]
        size = [int(i[-1] - i[0] + 1) for i in (x, y, z)]
        saved = sitk.RegionOfInterest(saved, size, low)
    for index, name in enumerate(names):
        saved.SetMetaData(f"Segment{index}_Name", name)
        saved.SetMetaData(f"Segment{index}_LabelValue", str(index + 1))
    sitk.WriteImage(saved, str(path).replace(".nii.gz", ".seg.nrrd"))


@pytest.mark.parametrize("crop", [False, True])
def test_segmentations_of_slicer(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path, crop: bool
) -> None:
    edit(queue, store)
    import_queue(queue, new_scanner, tmp_path / "nifti.store")
    for path in sorted((queue / "labels").iterdir()):
        slicer_file(path, crop)
        path.unlink()
    import_queue(queue, new_scanner, tmp_path / "nrrd.store")
    labels = [SliceStore(tmp_path / f"{n}.store").labels("beta") for n in ("nifti", "nrrd")]
    assert (labels[0] == labels[1]).all()


def layered_file(path: Path, overlap: int = 0, extra: int = 0, old: bool = False) -> None:
    """Save a label file as 3D Slicer does where segments are in layers of their own."""
    image = sitk.ReadImage(str(path))
    values = sitk.GetArrayFromImage(image)
    layers = [(values == label).astype(np.uint8) for label in (1, 2)]
    z, y, x = (index[:overlap] for index in np.nonzero(layers[1]))
    layers[0][z, y, x] = 1
    names = ["muscle", "Liver"]
    if extra:
        layers.append(np.zeros_like(layers[0]))
        layers[2][..., :extra, 0] = 1
        names.append("Outline")
    saved = sitk.GetImageFromArray(np.stack(layers, axis=-1), isVector=True)
    saved.CopyInformation(image)
    for index, name in enumerate(names):
        saved.SetMetaData(f"Segment{index}_Name", name)
        if not old:
            saved.SetMetaData(f"Segment{index}_Layer", str(index))
            saved.SetMetaData(f"Segment{index}_LabelValue", "1")
    sitk.WriteImage(saved, str(path).replace(".nii.gz", ".seg.nrrd"))


@pytest.mark.parametrize("old", [False, True], ids=["with layers", "one per segment"])
def test_segments_in_layers_that_do_not_overlap(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path, old: bool
) -> None:
    edit(queue, store)
    import_queue(queue, new_scanner, tmp_path / "nifti.store")
    for path in sorted((queue / "labels").iterdir()):
        layered_file(path, old=old)
        path.unlink()
    import_queue(queue, new_scanner, tmp_path / "nrrd.store")
    labels = [SliceStore(tmp_path / f"{n}.store").labels("beta") for n in ("nifti", "nrrd")]
    assert (labels[0] == labels[1]).all()


def test_segments_that_overlap_are_refused(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store)
    path = queue / entries(queue)[0]["labels"]
    layered_file(path, overlap=3)
    first = np.nonzero(sitk.GetArrayFromImage(sitk.ReadImage(str(path))) == 2)[0][0]
    area = 3 * SPACING**2 / 100
    with pytest.raises(
        InputError,
        match=rf"muscle and liver overlap \({area:.3g} cm² on 1 slice, first slice {first}\)",
    ):
        import_queue(queue, new_scanner, tmp_path / "out.store")


@pytest.mark.parametrize(("others", "becomes"), [("background", 0), ("ignore", UNLABELLED)])
def test_an_extra_segment_may_be_left_out(
    store: SliceStore,
    new_scanner: SliceStore,
    queue: Path,
    tmp_path: Path,
    others: str,
    becomes: int,
) -> None:
    edit(queue, store)
    import_queue(queue, new_scanner, tmp_path / "plain.store")
    for path in sorted((queue / "labels").iterdir()):
        layered_file(path, extra=4)
    area = 4 * SPACING**2 / 100
    with pytest.raises(InputError, match=rf"'Outline' \({area * 3:.3g} cm² on .*--others backgr"):
        import_queue(queue, new_scanner, tmp_path / "out.store")
    command("seed", "import", queue, new_scanner.folder, tmp_path / "o.store", "--others", others)
    plain, with_it = (SliceStore(tmp_path / f"{n}.store").labels("beta") for n in ("plain", "o"))
    expected = plain.copy()
    drawn = ~(plain == UNLABELLED).all(axis=(1, 2))
    expected[drawn, :4, 0] = becomes
    assert np.array_equal(with_it, expected)


@pytest.mark.parametrize(("name", "becomes"), [("background", 0), ("Ignore", UNLABELLED)])
def test_a_segment_may_be_named_background_or_ignore(
    store: SliceStore,
    new_scanner: SliceStore,
    queue: Path,
    tmp_path: Path,
    name: str,
    becomes: int,
) -> None:
    edit(queue, store)
    import_queue(queue, new_scanner, tmp_path / "plain.store")
    for path in sorted((queue / "labels").iterdir()):
        slicer_file(path, False, ("Liver", name))
        path.unlink()
    import_queue(queue, new_scanner, tmp_path / "out.store")
    plain, found = (SliceStore(tmp_path / f"{n}.store").labels("beta") for n in ("plain", "out"))
    assert np.array_equal(found, np.where(plain == 1, becomes, plain))


@pytest.mark.parametrize(("others", "becomes"), [("background", 0), ("ignore", UNLABELLED)])
def test_another_value_is_what_the_user_says(
    store: SliceStore,
    new_scanner: SliceStore,
    queue: Path,
    tmp_path: Path,
    others: str,
    becomes: int,
) -> None:
    edit(queue, store)
    first = entries(queue)[0]
    image = nibabel.load(queue / first["labels"])
    values = np.asarray(image.dataobj).copy()
    values[:2, 0, int(first["slice"])] = 9
    nibabel.save(nibabel.Nifti1Image(values, image.affine), queue / first["labels"])
    with pytest.raises(InputError, match=r"values 9 \(.*--others background .*--others ignore "):
        import_queue(queue, new_scanner, tmp_path / "out.store")
    import_queue(queue, new_scanner, tmp_path / "out.store", others)
    taken = SliceStore(tmp_path / "out.store")
    row = taken.slices.set_index("slice_id")["row"][first["slice_id"]]
    assert (taken.labels("beta")[row][0, :2] == becomes).all()


def test_two_segments_of_one_value_mean_nothing(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    """Nor do segments whose value nothing says."""
    edit(queue, store)
    path = queue / entries(queue)[0]["labels"]
    slicer_file(path, False)
    segmentation = Path(str(path).replace(".nii.gz", ".seg.nrrd"))
    for value in (b"LabelValue:=2", b"Label:=1"):
        whole = segmentation.read_bytes()
        segmentation.write_bytes(whole.replace(b"Segment0_LabelValue:=1", b"Segment0_" + value))
        with pytest.raises(InputError, match="holds the segment 1"):
            import_queue(queue, new_scanner, tmp_path / "out.store")
        segmentation.write_bytes(whole)


def test_a_file_beside_the_prepared_one_is_told(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    empty = {path: path.read_bytes() for path in (queue / "labels").iterdir()}
    edit(queue, store)
    import_queue(queue, new_scanner, tmp_path / "in-place.store")
    for path, content in empty.items():
        path.rename(path.with_name(path.name.replace(".nii.gz", "_seg.nii.gz")))
        path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"nothing is drawn on .*case-001_seg\.nii\.gz is not read"
    ):
        import_queue(queue, new_scanner, tmp_path / "out.store")
    for path in empty:
        path.unlink()
    with pytest.raises(InputError, match=r"is missing, but there is case-001_seg\.nii\.gz"):
        import_queue(queue, new_scanner, tmp_path / "out.store")


def test_what_is_drawn_on_a_slice_beside_is_told(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store)
    listed = {(entry["labels"], int(entry["slice"])) for entry in entries(queue)}
    name = entries(queue)[0]["labels"]
    image = nibabel.load(queue / name)
    values = np.asarray(image.dataobj).copy()
    free = next(index for index in range(values.shape[2]) if (name, index) not in listed)
    values[3, 3, free] = 1
    nibabel.save(nibabel.Nifti1Image(values, image.affine), queue / name)
    notes = import_queue(queue, new_scanner, tmp_path / "out.store").notes
    assert notes == [
        f"what is drawn on 1 slice besides is left out (first {name[:-7]} slice {free}): only "
        "slices of queue.csv are taken"
    ]


def damaged(folder: Path, change: str) -> None:
    path = folder / entries(folder)[0]["labels"]
    image = nibabel.load(path)
    values, affine = np.asarray(image.dataobj).copy(), image.affine.copy()
    if change == "spacing":
        affine[0, 0] *= 1.5
    elif change == "moved":
        affine[2, 3] += 20
    elif change == "value":
        values[0, 0, 0] = 7
    elif change == "fraction":
        values = values + 0.5
    elif change == "shape":
        values = values[1:]
    elif change == "nothing drawn":
        values[:] = 0
    elif change == "text":
        path.write_bytes(b"hello")
        return
    elif change == "missing":
        path.unlink()
        return
    elif change == "identity":
        affine = np.eye(4)
    elif change == "segment identity":
        slicer_file(path, False)
        segmentation = str(path).replace(".nii.gz", ".seg.nrrd")
        image = sitk.ReadImage(segmentation)
        image.SetSpacing((1, 1, 1))
        image.SetOrigin((0, 0, 0))
        sitk.WriteImage(image, segmentation)
        return
    elif change == "segment name":
        slicer_file(path, False, ("Liver", "spleen"))
        return
    nibabel.save(nibabel.Nifti1Image(values, affine), path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("spacing", "another grid"),
        ("moved", "another grid"),
        ("shape", "another grid"),
        ("value", "values 7"),
        ("fraction", "whole numbers"),
        ("nothing drawn", "nothing is drawn on labels/case-"),
        ("text", "not a NIfTI file"),
        ("missing", "is missing"),
        ("segment name", r"'spleen' \(.*\), expected segments named muscle and liver"),
        ("identity", "identity matrix for a header"),
        ("segment identity", "identity matrix for a header"),
    ],
)
def test_wrong_labels_are_one_clear_error(
    store: SliceStore,
    new_scanner: SliceStore,
    queue: Path,
    tmp_path: Path,
    change: str,
    message: str,
) -> None:
    edit(queue, store)
    damaged(queue, change)
    with pytest.raises(InputError, match=message):
        import_queue(queue, new_scanner, tmp_path / "out.store")
    assert [p.name for p in tmp_path.iterdir()] == ["queue"], "nothing half-written"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "finished"}, ":2: status: expected 'to do'.* not 'finished'"),
        ({"minutes": "two"}, ":2: minutes: expected a number"),
        ({"minutes": "-1"}, ":2: minutes: expected a number"),
        ({"classes": "spleen"}, ":2: classes: expected .* not spleen"),
        ({"labels": "../elsewhere.nii.gz"}, "must stay inside the queue"),
        ({"slice_id": "1E+05"}, "has no slice 1E"),
        ({"slice": "99"}, "not slice 99 of"),
        ({"rank": "²", "minutes": "x"}, ":2: minutes: expected a number"),
        ({"classes": "muscle"}, "liver is drawn but not among its classes"),
    ],
)
def test_a_wrong_table_is_one_clear_error(
    store: SliceStore,
    new_scanner: SliceStore,
    queue: Path,
    tmp_path: Path,
    change: dict[str, str],
    message: str,
) -> None:
    edit(queue, store)
    rewrite(queue, change)
    with pytest.raises(InputError, match=message):
        import_queue(queue, new_scanner, tmp_path / "out.store")


def test_a_half_labelled_slice_serves_its_class_alone(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store, classes=(1,))
    taken = import_queue(queue, new_scanner, tmp_path / "noted.store")
    assert any("no liver on 6 of 6 slices" in note for note in taken.notes)
    for line in range(6):
        rewrite(queue, {"classes": "muscle"}, line)
    taken = import_queue(queue, new_scanner, tmp_path / "muscle.store")
    assert not taken.notes
    slices = SliceStore(tmp_path / "muscle.store").slices
    assert sorted(slices["labelled"].value_counts().to_dict().items()) == [("", 12), ("muscle", 6)]


def test_labels_of_one_class_train_a_network_of_two(
    store: SliceStore, new_scanner: SliceStore, base: Path, queue: Path, tmp_path: Path
) -> None:
    """What is background for the liver may be muscle: the training must not say it is not."""
    edit(queue, store, classes=(2,))
    for line in range(6):
        rewrite(queue, {"classes": "liver"}, line)
    command("seed", "import", queue, new_scanner.folder, tmp_path / "liver.store")
    train = ["seed", "train", tmp_path / "liver.store"]
    steps = ["--base", base, "--scanner", "beta", "--steps", 5, "--cache", tmp_path / "stages"]
    said = command(*train, tmp_path / "model", *steps)
    assert "trained on 6 slices" in said
    assert "note: muscle is labelled on 0 of them" in said and "note: liver" not in said
    _, card = read_model_folder(tmp_path / "model")
    assert card.trained["labelled"] == {"muscle": 0, "liver": 6}

    # The same pixels, now said to be labelled for both: another training.
    for line in range(6):
        rewrite(queue, {"classes": "muscle,liver"}, line)
    command("seed", "import", queue, new_scanner.folder, tmp_path / "both.store")
    train[2] = tmp_path / "both.store"
    said = command(*train, tmp_path / "other", *steps)
    assert "note" not in said
    _, other = read_model_folder(tmp_path / "other")
    assert other.weights_sha256 != card.weights_sha256


def test_nothing_labelled_cannot_train(new_scanner: SliceStore, base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="labelled for muscle or liver: import labels"):
        command(
            *("seed", "train", new_scanner.folder, tmp_path / "m"),
            *("--base", base, "--scanner", "beta"),
        )


def test_pinholes_are_kept_and_told(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store)
    first = entries(queue)[0]
    image = nibabel.load(queue / first["labels"])
    values = np.asarray(image.dataobj).copy()
    x, y = np.argwhere(values[:, :, int(first["slice"])] == 1)[65]
    values[x, y, int(first["slice"])] = 0
    nibabel.save(nibabel.Nifti1Image(values, image.affine), queue / first["labels"])
    taken = import_queue(queue, new_scanner, tmp_path / "out.store")
    assert any("muscle has holes of up to 4 pixels on 1 slice (" in note for note in taken.notes)


def test_a_queue_knows_its_store(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store)
    with pytest.raises(InputError, match="made from another store"):
        import_queue(queue, store, tmp_path / "out.store")
    with pytest.raises(InputError, match="is no queue"):
        read_queue(tmp_path)
    (queue / "queue.json").write_text(json.dumps({"content": 1}))
    with pytest.raises(InputError, match="is damaged"):
        read_queue(queue)


def test_semicolons_of_a_spreadsheet(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store)
    rows = entries(queue)
    with (queue / "queue.csv").open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.DictWriter(file, list(rows[0]), delimiter=";")
        table.writeheader()
        table.writerows({**row, "minutes": "1,5"} for row in rows)
    taken = import_queue(queue, new_scanner, tmp_path / "out.store")
    assert taken.minutes == 9


@pytest.mark.parametrize("by", ["k-center", "typiclust", "entropy"])
def test_networks_choose_too(new_scanner: SliceStore, base: Path, tmp_path: Path, by: str) -> None:
    options = ["--scanner", "beta", "--n", 4, "--by", by]
    command("seed", "select", new_scanner.folder, tmp_path / "q", *options, "--model", base)
    assert len(entries(tmp_path / "q")) == 4
    result = CliRunner().invoke(
        app, [str(a) for a in ["seed", "select", new_scanner.folder, tmp_path / "r", *options]]
    )
    assert isinstance(result.exception, InputError) and "--model" in str(result.exception)


@pytest.mark.parametrize("tune", ["decoder", "head"])
def test_the_rest_of_the_network_stays(
    store: SliceStore, new_scanner: SliceStore, base: Path, queue: Path, tmp_path: Path, tune: str
) -> None:
    edit(queue, store)
    import_queue(queue, new_scanner, tmp_path / "out.store")
    command(
        *("seed", "train", tmp_path / "out.store", tmp_path / "model", "--base", base),
        *("--scanner", "beta", "--steps", 2, "--tune", tune, "--cache", tmp_path / "stages"),
    )
    before, after = (read_model_folder(f)[0].state_dict() for f in (base, tmp_path / "model"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    first = "model.0.conv.unit0.conv.weight"
    assert changed and first not in changed
    assert (tune == "head") == all(name.startswith("model.2.1.") for name in changed)


def test_stretches_have_one_distance_each() -> None:
    def cut(*z_mm: float) -> list[tuple[str, int, int]]:
        found = lettered_segments(np.array(z_mm, float))
        return [(letter, piece.start, piece.stop) for letter, piece in found]

    assert cut(0, 5, 10, 200, 205, 210) == [("a", 0, 3), ("b", 3, 6)]
    assert cut(0, 90) == [("", 0, 2)] and cut(3) == [("", 0, 1)]
    assert len(cut(0, 1, 3, 4, 9)) > 1
    drift = np.cumsum(np.r_[np.full(150, 1.0), np.full(150, 1.009)])
    for _, piece in lettered_segments(drift):
        own = drift[piece]
        assert np.abs(even_positions(own) - own).max() < 0.25, "what a label file may be off"


def test_what_was_labelled_before_stays(
    store: SliceStore, new_scanner: SliceStore, base: Path, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store, classes=(1,))
    for line in range(6):
        rewrite(queue, {"classes": "muscle"}, line)
    import_queue(queue, new_scanner, tmp_path / "muscle.store")
    muscle = SliceStore(tmp_path / "muscle.store")
    drawn = {entry["slice_id"] for entry in entries(queue)}
    before = {r["slice_id"]: muscle.labels("beta")[r["row"]].copy() for r in records(muscle)}

    again = tmp_path / "again"
    options = ["--scanner", "beta", "--n", len(muscle.slices)]
    command("seed", "select", muscle.folder, again, *options)
    edit(again, store, classes=(2,))
    for line in range(len(muscle.slices)):
        rewrite(again, {"classes": " liver "}, line)
    import_queue(again, muscle, tmp_path / "both.store")
    both = SliceStore(tmp_path / "both.store")
    for row in records(both):
        labels = both.labels("beta")[row["row"]]
        if row["slice_id"] in drawn:
            assert row["labelled"] == "muscle,liver"
            assert (labels[before[row["slice_id"]] == 1] == 1).all(), "muscle is as it was"
        else:
            assert row["labelled"] == "liver"
        assert (labels == 2).any()

    proposed = tmp_path / "proposed"
    command("seed", "propose", muscle.folder, base, proposed, "--scanner", "beta")
    for entry in entries(proposed):
        if entry["slice_id"] in drawn:
            values = np.asarray(nibabel.load(proposed / entry["labels"]).dataobj)
            kept = values[:, :, int(entry["slice"])].T == 1
            assert (kept == (before[entry["slice_id"]] == 1)).all(), "no proposal over a person"


def records(store: SliceStore) -> list[dict]:
    return store.slices.to_dict("records")


def test_a_proposal_nobody_has_looked_at_is_no_label(
    new_scanner: SliceStore, base: Path, tmp_path: Path
) -> None:
    queue = tmp_path / "queue"
    command("seed", "propose", new_scanner.folder, base, queue, "--scanner", "beta")
    with pytest.raises(InputError, match="no slice is left to import"):
        import_queue(queue, new_scanner, tmp_path / "none.store")
    rewrite(queue, {"status": "done"}, 2)
    taken = import_queue(queue, new_scanner, tmp_path / "one.store")
    assert taken.origins == {"proposed": 1}
    assert taken.left_out == len(new_scanner.slices) - 1


def test_two_series_of_a_patient_stay_apart(store: SliceStore, tmp_path: Path) -> None:
    rows = []
    for series in ("one", "two"):
        for z in range(3):
            rows.append(
                SliceRow(
                    f"{series}-{z}", "beta", "case", "patient", series, 5.0 * z, 1, 5, 120, "", ""
                )
            )
    hu = np.stack([np.full((SIZE, SIZE), 10 * i, np.int16) for i in range(6)])
    labels = np.full(hu.shape, 255, np.uint8)
    with create_store(tmp_path / "s", list(CLASSES), store.header.grid, {}) as writer:
        writer.add_scanner("beta", "Beta", rows, hu, labels)
    command("seed", "select", tmp_path / "s", tmp_path / "q", "--scanner", "beta", "--n", 6)
    for entry in entries(tmp_path / "q"):
        values = np.asarray(nibabel.load(tmp_path / "q" / entry["image"]).dataobj)
        assert values.shape == (SIZE, SIZE, 3)
        expected = 10 * [row.slice_id for row in rows].index(entry["slice_id"])
        assert (values[:, :, int(entry["slice"])] == expected).all()


def test_lines_that_are_gone_are_told(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store)
    text = (queue / "queue.csv").read_text().splitlines()
    (queue / "queue.csv").write_text("\n".join(text[:-1]) + "\n")
    taken = import_queue(queue, new_scanner, tmp_path / "out.store")
    assert any("1 lines of" in note for note in taken.notes)


def test_a_segmentation_leaves_unlabelled_what_was(
    store: SliceStore, new_scanner: SliceStore, queue: Path, tmp_path: Path
) -> None:
    edit(queue, store)
    for path in sorted((queue / "labels").iterdir()):
        slicer_file(path, crop=True)
        image = nibabel.load(path)
        values = np.asarray(image.dataobj).copy()
        values[:, :2] = UNLABELLED  # rows at the front, where nothing is drawn
        nibabel.save(nibabel.Nifti1Image(values, image.affine), path)
    import_queue(queue, new_scanner, tmp_path / "out.store")
    taken = SliceStore(tmp_path / "out.store")
    drawn = {entry["slice_id"] for entry in entries(queue)}
    rows = [row["row"] for row in records(taken) if row["slice_id"] in drawn]
    labels = taken.labels("beta")[rows]
    assert (labels[:, :2] == UNLABELLED).all() and (labels[:, 2:] != UNLABELLED).all()
