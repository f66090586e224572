"""What is wrong with a data set is said before anything is trained."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from PIL import Image

import models.reid
from ablate.errors import UsageError
from ablate.study import Level
from ablate.system import Job
from models.reid.datasets import dataset

Spoil: TypeAlias = Callable[[Path], None]
DEFECTS: list[tuple[str, Spoil, str]] = []


def job(name: str, root: Path, **levels: Level) -> Job:
    reference = {f.name: f.reference for f in models.reid.system.factors}
    small: dict[str, Level] = {"dataset": name, "ids_per_batch": 4, "images_per_id": 2}
    return Job(reference | small | levels, 0, root.parent, data=root)


def defect(name: str, *line: str) -> Callable[[Spoil], Spoil]:
    """A way to spoil the data set `name`, and what is then said."""

    def kept(spoil: Spoil) -> Spoil:
        DEFECTS.append((name, spoil, "".join(line)))
        return spoil

    return kept


def every(root: Path, pattern: str) -> list[Path]:
    found = sorted(root.glob(pattern))
    assert found, pattern
    return found


@defect(
    "rgbnt201",
    "{root}/test/RGB/000007_cam1_0_00.jpg has no image of that name"
    " in {root}/test/NI: RGBNT201 needs every image in RGB, NI, TI; restore the file, or remove"
    " it in every spectrum",
)
def lacks_a_spectrum(root: Path) -> None:
    (root / "test" / "NI" / "000007_cam1_0_00.jpg").unlink()


@defect(
    "rgbnt201",
    "{root}/train_171 has no folder TI: RGBNT201 needs RGB, NI, TI"
    " there; is the download complete?",
)
def lacks_a_folder(root: Path) -> None:
    (root / "train_171" / "TI").rename(root / "TI")


@defect(
    "rgbnt201",
    "{root}/train_171/RGB/person3.jpg is not named as RGBNT201 names its"
    " images, like 000258_cam1_0_00.jpg: rename or remove it",
)
def badly_named(root: Path) -> None:
    for path in every(root, "train_171/*/000003_cam1_0_00.jpg"):
        path.rename(path.with_name("person3.jpg"))


@defect(
    "rgbnt201",
    "{root}/train_171/RGB/000003_cam9_0_00.jpg names camera 9, but"
    " RGBNT201 has cameras 1 to 4: rename or remove it",
)
def of_camera_nine(root: Path) -> None:
    for path in every(root, "train_171/*/000003_cam1_0_00.jpg"):
        path.rename(path.with_name("000003_cam9_0_00.jpg"))


@defect(
    "rgbnt201",
    "{root}/test/TI/000099_cam2_0_01.jpg cannot be read as an image (no"
    " image that Pillow knows): replace the file, or remove it in every spectrum",
)
def unreadable(root: Path) -> None:
    (root / "test" / "TI" / "000099_cam2_0_01.jpg").write_text("not a picture")


@defect(
    "rgbnt201",
    "{root}/train_171/RGB/000011_cam1_0_00.jpg cannot be read as an image"
    " (image file is truncated (",
)
def truncated(root: Path) -> None:
    path = root / "train_171" / "RGB" / "000011_cam1_0_00.jpg"
    Image.effect_noise((160, 320), 80.0).save(path)
    path.write_bytes(path.read_bytes()[:6000])


@defect(
    "rgbnt201",
    "{root}/train_171/RGB/000011_cam1_0_00.jpg is empty: replace the"
    " file, or remove it in every spectrum",
)
def empty_file(root: Path) -> None:
    (root / "train_171" / "RGB" / "000011_cam1_0_00.jpg").write_bytes(b"")


@defect(
    "rgbnt201",
    "{root}/train_171/TI/000011_cam1_0_00.png has more than 8 bits a channel"
    " (I;16): convert it to 8 bits",
)
def deep(root: Path) -> None:
    path = root / "train_171" / "TI" / "000011_cam1_0_00.jpg"
    path.unlink()
    Image.fromarray(np.full((8, 8), 40_000, dtype=np.uint16)).save(path.with_suffix(".png"))


@defect(
    "rgbnt201",
    "{root}/train_171/RGB/000040_cam1_0_00.jpg is the only image of identity"
    " 40 in {root}/train_171: the triplet loss needs two of each; add images or remove the"
    " identity",
)
def alone(root: Path) -> None:
    for camera in (2, 3, 4):
        for path in every(root, f"train_171/*/000040_cam{camera}_0_00.jpg"):
            path.unlink()


@defect(
    "rgbnt201",
    "{root} has no folder test: RGBNT201 needs train_171, test",
)
def without_test(root: Path) -> None:
    (root / "test").rename(root / "tests")


@defect(
    "rgbnt201",
    "{root}/test holds no image: is the download complete?",
)
def without_images(root: Path) -> None:
    for path in every(root, "test/*/*.jpg"):
        path.unlink()


@defect(
    "rgbnt201",
    "{root}/test/RGB/000011_cam1_0_00.jpg shows identity 11, which"
    " is in {root}/train_171 too: scores on people that were learnt mean nothing; take it out of"
    " one of them",
)
def learnt_and_scored(root: Path) -> None:
    for path in every(root, "test/*/000007_cam1_0_00.jpg"):
        path.rename(path.with_name("000011_cam1_0_00.jpg"))


@defect(
    "rgbnt201",
    "no image of {root}/test has a match in {root}/test (same"
    " identity, another camera): nothing can be scored; check both folders",
)
def by_one_camera(root: Path) -> None:
    for path in every(root, "test/*/*_cam2_*.jpg"):
        path.unlink()


@defect(
    "rgbnt201",
    "{root}/test/RGB holds 000007_cam1_0_00.jpeg and 000007_cam1_0_00.jpg, two"
    " files for one image: remove one",
)
def twice(root: Path) -> None:
    path = root / "test" / "RGB" / "000007_cam1_0_00.jpg"
    path.with_suffix(".jpeg").write_bytes(path.read_bytes())


@defect(
    "rgbnt201",
    "{root}/test/RGB/000007_cam1_0_00.jpg is no file, or a link that leads"
    " to none: replace or remove it",
)
def circular(root: Path) -> None:
    path = root / "test" / "RGB" / "000007_cam1_0_00.jpg"
    path.unlink()
    path.symlink_to(path)


@defect(
    "rgbnt100",
    "{root}/rgbir/query/0007_c1_0001.jpg is 512x128 pixels, but RGBNT100 lays"
    " three spectra side by side in 768x128: replace or remove it",
)
def narrow(root: Path) -> None:
    Image.new("RGB", (512, 128)).save(root / "rgbir" / "query" / "0007_c1_0001.jpg")


@defect(
    "rgbnt100",
    "{root}/rgbir/query/0601_c1_0001.jpg shows identity 601, but RGBNT100"
    " counts from 1 to 600: rename or remove it",
)
def beyond_600(root: Path) -> None:
    query = root / "rgbir" / "query"
    (query / "0007_c1_0001.jpg").rename(query / "0601_c1_0001.jpg")


@defect(
    "msvr310",
    "{root}/query3/0008/vis/0007_s001_v0_000.jpg is named after identity 0007,"
    " but lies in the folder of 0008: move, rename or remove it",
)
def astray(root: Path) -> None:
    home = root / "query3" / "0007"
    home.rename(root / "query3" / "0008")


@defect(
    "msvr310",
    "{root}/query3/car7 is not named after an identity, as the folders of"
    " MSVR310 are (like 0001): rename or remove it",
)
def no_identity(root: Path) -> None:
    (root / "query3" / "0007").rename(root / "query3" / "car7")


@pytest.mark.parametrize(("name", "spoil", "line"), DEFECTS, ids=[d[1].__name__ for d in DEFECTS])
def test_a_defect_is_one_line_that_names_the_file_and_what_to_do_before_anything_is_trained(
    name: str,
    spoil: Callable[[Path], None],
    line: str,
    made: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = made(name)
    spoil(root)
    begun = partial(pytest.fail, "a training began")
    monkeypatch.setattr("models.reid.train.Training.begin", begun)
    with pytest.raises(UsageError) as refused:
        models.reid.system.train(job(name, root))
    said = str(refused.value)
    expected = line.format(root=root)
    assert said.startswith(expected)
    assert said == expected or expected.endswith("(")
    assert "\n" not in said


def test_more_images_without_a_spectrum_are_counted_in_the_line(
    made: Callable[[str], Path],
) -> None:
    root = made("rgbnt201")
    for path in every(root, "test/TI/0000*.jpg"):
        path.unlink()
    with pytest.raises(UsageError, match=r"\(7 more images lack a spectrum\)$"):
        dataset(root, "rgbnt201")


def test_the_folder_of_another_data_set_is_recognised(made: Callable[[str], Path]) -> None:
    root = made("rgbnt100")
    with pytest.raises(UsageError) as refused:
        dataset(root, "rgbnt201")
    assert str(refused.value) == (
        f"{root} has no folder train_171: RGBNT201 needs train_171, test;"
        ' this looks like RGBNT100: dataset = "rgbnt100"?'
    )


def test_the_folder_above_the_data_set_is_told_from_its_own(made: Callable[[str], Path]) -> None:
    root = made("msvr310")
    with pytest.raises(UsageError, match=f"; it lies in {root}: name that folder$"):
        dataset(root.parent, "msvr310")


def test_a_root_that_is_no_folder_or_cannot_be_listed_is_said_to_be_so(
    made: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = made("rgbnt201")
    with pytest.raises(UsageError, match=r"absent is not a folder: name the folder that holds tr"):
        dataset(root / "absent", "rgbnt201")

    def denied(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("models.reid.listing.os.scandir", denied)
    with pytest.raises(UsageError, match=r"train_171/RGB cannot be listed: Permission denied$"):
        dataset(root, "rgbnt201")


def test_fewer_identities_than_a_batch_holds_are_refused(made: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError) as refused:
        models.reid.system.train(job("rgbnt201", made("rgbnt201"), ids_per_batch=7))
    assert str(refused.value) == (
        "ids_per_batch is 7, but the training data show 6 identities: lower it"
    )


def test_without_pillow_the_line_says_how_to_install_it() -> None:
    check = """
import sys
sys.modules["PIL"] = None
from ablate.errors import UsageError
try:
    import models.reid.train
except UsageError as wrong:
    print(wrong)
"""
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "the re-identification system reads images with Pillow, which is not installed:"
        " pip install pillow\n"
    )
