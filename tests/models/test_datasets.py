import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import models.reid
from ablate.errors import UsageError
from ablate.measure import measure
from ablate.study import Level
from ablate.system import Job, Silence
from models.reid.datasets import Statistics, dataset
from models.reid.evaluate import Images, retrieve
from models.reid.facts import DECLARED, Population
from models.reid.train import Training
from models.reid.triples import loaded

torch.set_num_threads(1)
SMALL: dict[str, Level] = {
    "width": 16,
    "depth": 1,
    "heads": 2,
    "patch": 16,
    "embed": 8,
    "lif.channels": 2,
    "ids_per_batch": 4,
    "images_per_id": 2,
}
SHAPES = {"rgbnt201": (32, 16), "rgbnt100": (16, 32), "msvr310": (16, 32)}


def job(name: str, root: Path, **levels: Level) -> Job:
    height, width = SHAPES[name]
    sized: dict[str, Level] = {"dataset": name, "height": height, "image_width": width}
    reference = {f.name: f.reference for f in models.reid.system.factors}
    return Job(reference | SMALL | sized | levels, 0, root.parent, data=root)


# what the makers in conftest.py make: 6 x 4 = 24 triples, 3 x 2 x 2 = 12, and so on
MADE = {
    "rgbnt201": (Statistics(6, 24, 4, 1), Statistics(3, 12, 2, 1), Statistics(3, 12, 2, 1)),
    "rgbnt100": (Statistics(6, 18, 3, 1), Statistics(3, 6, 2, 1), Statistics(3, 24, 8, 1)),
    "msvr310": (Statistics(6, 24, 3, 2), Statistics(3, 3, 1, 1), Statistics(3, 12, 2, 2)),
}


@pytest.mark.parametrize("name", MADE)
def test_the_statistics_of_a_data_set_are_those_it_was_made_with(
    name: str, made: Callable[[str], Path]
) -> None:
    found = dataset(made(name), name)
    assert tuple(found.statistics.values()) == MADE[name]
    assert tuple(found.statistics) == ("train", "query", "gallery")
    assert (found.ignored, found.unmatched, found.uneven) == ({}, 0, 0)


def test_the_statistics_are_printed_as_the_benchmarks_print_them(
    made: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    loaded(job("rgbnt201", made("rgbnt201")))
    assert capsys.readouterr().out.splitlines() == [
        "RGBNT201: dataset statistics:",
        "  ----------------------------------------",
        "  subset   | # ids | # images | # cameras",
        "  ----------------------------------------",
        "  train    |     6 |       24 |         4",
        "  query    |     3 |       12 |         2",
        "  gallery  |     3 |       12 |         2",
        "  ----------------------------------------",
    ]


@pytest.mark.parametrize(("name", "cameras"), [("rgbnt201", 4), ("rgbnt100", 8), ("msvr310", 8)])
def test_labels_follow_the_sorted_identities_and_the_network_knows_every_declared_camera(
    name: str, cameras: int, made: Callable[[str], Path]
) -> None:
    data = loaded(job(name, made(name)))
    assert data.population == Population(identities=6, cameras=cameras)
    # 3, 11, 12, 40, 41 and 258 become 0 to 5; names are sorted, so labels ascend
    ids = data.train.ids.tolist()
    assert (sorted(set(ids)), ids) == (list(range(6)), sorted(ids))
    assert sorted(set(data.query.ids.tolist())) == [7, 99, 301]
    assert list(data.train.names) == sorted(data.train.names)
    assert (data.gallery is data.query) == (name == "rgbnt201")


def test_cameras_and_scenes_are_read_from_the_places_that_each_benchmark_gives_them(
    made: Callable[[str], Path],
) -> None:
    first = {name: dataset(made(name), name).train[-1] for name in MADE}
    assert first["rgbnt201"].name == "000258_cam4_0_00"
    assert (first["rgbnt201"].label.identity, first["rgbnt201"].label.camera) == (258, 3)
    assert (first["rgbnt100"].label.identity, first["rgbnt100"].label.camera) == (258, 7)
    said = first["msvr310"].label
    assert (said.identity, said.scene, said.camera) == (258, 2, 7)
    assert [f.parent.name for f in first["msvr310"].files] == ["vis", "ni", "th"]


def test_msvr310_leaves_out_the_querys_scene_whatever_the_camera(
    made: Callable[[str], Path],
) -> None:
    data = loaded(job("msvr310", made("msvr310")))
    # vehicle 7, scene 1, camera 0 asks. Its gallery: two of its own scene at distance 0, which are
    # out, then a wrong vehicle, then its two of scene 2, of which one is by the query's own camera:
    # precisions 1/2 and 2/3
    distance = np.full((3, 12), 9.0)
    order = {name: n for n, name in enumerate(data.gallery.names)}
    distance[0, order["0007_s001_v0_000"]] = distance[0, order["0007_s001_v5_000"]] = 0.0
    distance[0, order["0099_s001_v0_000"]] = 1.0
    distance[0, order["0007_s002_v0_000"]] = distance[0, order["0007_s002_v5_000"]] = 2.0
    found = retrieve(
        distance,
        Images(data.query.ids, data.query.groups),
        Images(data.gallery.ids, data.gallery.groups),
    )
    assert data.query.names[0] == "0007_s001_v0_000"
    assert found.ap[0] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found.first[0] == 2


def test_rgbnt201_leaves_out_the_querys_camera(made: Callable[[str], Path]) -> None:
    data = loaded(job("rgbnt201", made("rgbnt201")))
    people = Images(data.query.ids, data.query.groups)
    # person 7's first query: its own camera's two are out, itself among them; one wrong person
    # lies before its two by the other camera
    distance = np.full((12, 12), 9.0)
    distance[0, :5] = [0.0, 0.0, 2.0, 2.0, 1.0]
    found = retrieve(distance, people, people)
    assert found.ap[0] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_rgbnt100_cuts_its_image_at_256_and_512_into_rgb_ni_and_ti(
    made: Callable[[str], Path],
) -> None:
    root = made("rgbnt100")
    strip = np.zeros((128, 768, 3), dtype=np.uint8)
    strip[:, :256], strip[:, 256:512], strip[:, 512:] = (255, 0, 0), 51, 204
    folder = root / "rgbir" / "bounding_box_train"
    Image.fromarray(strip).save(folder / "0001_c1_0001.png")
    Image.fromarray(strip).save(folder / "0001_c2_0002.png")
    triple = loaded(job("rgbnt100", root)).train.pixels[0]
    assert triple.shape == (3, 3, 16, 32)
    # 255 -> 1, 0 -> -1, 51 -> -0.6, 204 -> 0.6 with mean and deviation 0.5
    expected = np.array([[1, -1, -1], [-0.6] * 3, [0.6] * 3])[:, :, None, None]
    np.testing.assert_allclose(triple, np.broadcast_to(expected, triple.shape), atol=1e-6)


def test_rgbnt100_at_its_own_size_shows_every_column_of_each_spectrum(
    made: Callable[[str], Path],
) -> None:
    root = made("rgbnt100")
    columns = np.tile(np.arange(256, dtype=np.uint8), 3)
    strip = np.broadcast_to(columns[None, :, None], (128, 768, 3))
    Image.fromarray(np.ascontiguousarray(strip)).save(root / "rgbir" / "query" / "0007_c8_0008.png")
    data = loaded(job("rgbnt100", root, height=128, image_width=256))
    triple = data.query.pixels[list(data.query.names).index("0007_c8_0008")]
    expected = np.arange(256) / 127.5 - 1.0
    np.testing.assert_allclose(triple, np.broadcast_to(expected, (3, 3, 128, 256)), atol=1e-6)


def test_training_images_are_resized_bicubically_and_test_images_bilinearly(
    made: Callable[[str], Path],
) -> None:
    root = made("rgbnt201")
    step = np.full((8, 4, 3), 100, dtype=np.uint8)
    step[4:] = 150
    for split, name in (("train_171", "000003_cam1_0_00"), ("test", "000007_cam1_0_00")):
        for spectrum in ("RGB", "NI", "TI"):
            path = root / split / spectrum / f"{name}.jpg"
            path.unlink()
            Image.fromarray(step).save(path.with_suffix(".png"))
    data = loaded(job("rgbnt201", root))
    low, high = 100 / 127.5 - 1, 150 / 127.5 - 1
    cubic, linear = data.train.pixels[0], data.query.pixels[0]
    # only the cubic kernel swings over an edge
    assert cubic.max() > high + 0.01
    assert cubic.min() < low - 0.01
    assert (linear.min(), linear.max()) == pytest.approx((low, high), abs=1e-6)


def test_what_is_no_image_is_passed_over_and_counted(
    made: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = made("rgbnt201")
    (root / "test" / "RGB" / "Thumbs.db").write_bytes(b"\0")
    (root / "test" / "NI" / "._000007_cam1_0_00.jpg").write_bytes(b"\0")
    name = "000007_cam1_0_00"
    (root / "test" / "TI" / f"{name}.jpg").rename(root / "test" / "TI" / f"{name}.JPG")
    found = loaded(job("rgbnt201", root))
    assert len(found.query.ids) == 12
    assert "  passed over: 2 x hidden or no image" in capsys.readouterr().out


def test_images_of_nobody_are_passed_over_where_a_benchmark_has_them(
    made: Callable[[str], Path],
) -> None:
    root = made("rgbnt100")
    gallery = root / "rgbir" / "bounding_box_test"
    (gallery / "0007_c1_0001.jpg").rename(gallery / "-1_c1_0001.jpg")
    found = dataset(root, "rgbnt100")
    assert found.statistics["gallery"].images == 23
    assert found.ignored == {"image of nobody (identity -1)": 1}


def test_queries_without_a_match_and_spectra_of_other_sizes_are_counted_and_no_error(
    made: Callable[[str], Path],
) -> None:
    root = made("rgbnt201")
    for spectrum in ("RGB", "NI", "TI"):
        for name in ("000007_cam2_0_00", "000007_cam2_0_01"):
            (root / "test" / spectrum / f"{name}.jpg").unlink()
    Image.new("RGB", (20, 40)).save(root / "test" / "TI" / "000099_cam1_0_00.jpg")
    found = dataset(root, "rgbnt201")
    # person 7 is left with camera 1 alone: its two queries have no match
    assert (found.unmatched, found.uneven) == (2, 1)
    assert "  2 queries have no match outside their own camera and are not scored" in found.table()


class Doubting(Silence):
    """A recorder that keeps doubts."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        """Keep it."""
        self.texts.append(text)


def doubts(asked: Job) -> list[str]:
    """What loading a job's data gives to doubt."""
    recorder = Doubting()
    loaded(replace(asked, recorder=recorder))
    return recorder.texts


def test_an_input_of_the_wrong_orientation_is_a_doubt(made: Callable[[str], Path]) -> None:
    said = (
        "the input is 32x16 (height x width), where MSVR310 is read at 128x256: its images are"
        " squeezed"
    )
    assert said in doubts(job("msvr310", made("msvr310"), height=32, image_width=16))
    assert said not in doubts(job("msvr310", made("msvr310")))


def test_another_number_of_people_than_the_benchmark_trains_on_is_a_doubt(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = job("rgbnt201", made("rgbnt201"))
    assert doubts(asked) == [
        "trained on 6 identities, where RGBNT201 has 171: not the benchmark's training set"
    ]
    monkeypatch.setitem(DECLARED, "rgbnt201", Population(identities=6, cameras=4))
    assert doubts(asked) == []


@pytest.mark.parametrize("name", MADE)
def test_the_probe_measures_the_network_that_the_folder_trains(
    name: str, made: Callable[[str], Path]
) -> None:
    root = made(name)
    for path in [*root.rglob("*0040_*"), *root.rglob("*0041_*")]:
        path.unlink()
    if name == "msvr310":
        for person in ("0040", "0041"):
            shutil.rmtree(root / "bounding_box_train" / person)
    asked = job(name, root, sdtps=True)
    training = Training.begin(asked, loaded(asked))
    assert training.data.population.identities == 4
    learning = [p.numel() for p in training.network.parameters() if p.requires_grad]
    costs = {c.name: c.value for c in measure(models.reid.system, asked).costs if not c.factor}
    assert costs["params"] == sum(learning)


def test_without_its_folder_the_probe_goes_by_what_is_declared(
    made: Callable[[str], Path],
) -> None:
    def heads(root: Path) -> float:
        found = measure(models.reid.system, job("rgbnt201", root)).costs
        return next(c.value for c in found if (c.name, c.factor) == ("params", ""))

    root = made("rgbnt201")
    # one head of 3 spectra x 8 channels and no bias: 24 numbers for each identity
    assert heads(root.with_name("absent")) - heads(root) == (171 - 6) * 24


def test_the_probe_refuses_data_that_no_training_could_use(made: Callable[[str], Path]) -> None:
    root = made("rgbnt201")
    (root / "test" / "NI" / "000009_cam1_0_00.jpg").write_bytes(b"")
    with pytest.raises(UsageError, match=r"test/NI/000009_cam1_0_00\.jpg"):
        measure(models.reid.system, job("rgbnt201", root))


def test_the_probe_refuses_clip_weights_that_are_not_there(made: Callable[[str], Path]) -> None:
    root = made("rgbnt201")
    asked = job("rgbnt201", root)
    wanting = replace(asked, levels={**asked.levels, "clip_weights": "ViT-B-16.pt"})
    with pytest.raises(UsageError, match=r"'ViT-B-16.pt': .*ViT-B-16.pt cannot be read: No such"):
        measure(models.reid.system, wanting)
    # where neither data nor weights are there yet, the declared facts are measured
    assert measure(models.reid.system, replace(wanting, data=root.with_name("absent"))).costs
