import json
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from _pytest.mark import ParameterSet

from ablate.errors import UsageError
from models.reid.evaluate import Array, Images, Retrieval, Ties, distances, retrieve

REFERENCE = Path(__file__).parent / "reference"
CASES = json.loads((REFERENCE / "cases.json").read_text())["cases"]
EXACT = 1e-9
Case: TypeAlias = dict[str, Any]
SCORED = ("demo.eval_func", "torchreid.eval_market1501", "fastreid.eval_market1501")


def cases(*, has_ties: bool) -> list[ParameterSet]:
    chosen = [c for c in CASES if c["has_ties"] is has_ties]
    return [pytest.param(c, id=c["name"]) for c in chosen]


def read(case: Case, groups: str = "camids") -> tuple[Array, Images, Images]:
    with np.load(REFERENCE / case["file"]) as held:
        query = Images(held["q_pids"], held[f"q_{groups}"])
        gallery = Images(held["g_pids"], held[f"g_{groups}"])
        matrix = held["distmat"]
    if not case["camera_filter"]:
        query, gallery = Images(query.ids), Images(gallery.ids)
    return matrix, query, gallery


def agree(result: Retrieval, expected: Case) -> None:
    assert result.mean_ap == pytest.approx(expected["mAP"], abs=EXACT)
    # the programs keep their CMC in float32; theirs ends where the gallery does
    ours = result.cmc(50).astype(np.float32)
    theirs = np.array(expected["cmc"], dtype=np.float32)
    np.testing.assert_allclose(ours[: len(theirs)], theirs, rtol=0, atol=EXACT)
    np.testing.assert_array_equal(ours[len(theirs) :], theirs[-1])
    if "ap" in expected:
        theirs = np.array([x for x in expected["ap"] if x is not None])
        np.testing.assert_allclose(result.ap[result.valid], theirs, rtol=0, atol=EXACT)


@pytest.mark.parametrize("case", cases(has_ties=False))
def test_every_case_without_ties_equals_three_published_programs(case: Case) -> None:
    expected = {p: case["expected"][p] for p in SCORED if p in case["expected"]}
    assert expected
    if any("raises" in e for e in expected.values()):
        with pytest.raises(UsageError, match="no query has a match"):
            retrieve(*read(case))
        return
    result = retrieve(*read(case))
    for values in expected.values():
        agree(result, values)


@pytest.mark.parametrize("case", cases(has_ties=False))
@pytest.mark.parametrize("ties", ["optimistic", "pessimistic"])
def test_without_ties_the_rule_for_ties_changes_nothing(case: Case, ties: Ties) -> None:
    if "raises" in case["expected"]["demo.eval_func"]:
        return
    assert retrieve(*read(case), ties).mean_ap == retrieve(*read(case)).mean_ap


@pytest.mark.parametrize("case", cases(has_ties=True))
@pytest.mark.parametrize("ties", ["stable", "optimistic", "pessimistic"])
def test_ties_stand_in_gallery_order_or_at_either_bound_as_asked(case: Case, ties: Ties) -> None:
    agree(retrieve(*read(case), ties), case["expected"][f"demo.eval_func@{ties}"])


def test_the_scene_rule_leaves_out_the_querys_scene_instead_of_its_camera() -> None:
    (case,) = [c for c in CASES if "demo.eval_func_msrv" in c["expected"]]
    result = retrieve(*read(case, "sceneids"))
    agree(result, case["expected"]["demo.eval_func_msrv"])
    assert not result.valid.all()


def test_squared_euclidean_distances_of_the_stored_features_give_the_stored_scores() -> None:
    case = next(c for c in CASES if c["name"] == "qeqg_noise1.2")
    with np.load(REFERENCE / case["file"]) as held:
        x = held["feats"].astype(np.float64)
        matrix = held["distmat"]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(distances(x, x), matrix, atol=2e-6)


def test_a_collapsed_model_gets_what_gallery_order_gives_it() -> None:
    # all distances equal: the right image stands third of three, so AP is 1/3
    people = Images(np.array([0]), np.array([0]))
    gallery = Images(np.array([1, 2, 0]), np.array([1, 1, 1]))
    result = retrieve(np.zeros((1, 3), np.float32), people, gallery)
    assert result.mean_ap == pytest.approx(1 / 3)
    assert result.cmc(5).tolist() == [0, 0, 1, 1, 1]


def test_broken_features_are_refused_rather_than_ranked() -> None:
    people = Images(np.array([0, 0]))
    with pytest.raises(UsageError, match="NaN"):
        retrieve(np.full((2, 2), np.nan), people, people)
