from ablate.report.facts import facts


def told(provenance: dict[str, dict[str, int]], **more: object) -> dict[str, str]:
    """The facts of a study of imported runs with this provenance."""
    study = {
        "name": "s",
        "system": "demo",
        "revision": "imported",
        "source": ["import logs"],
        "selection": ["last"],
        "own_selection": "last",
        "data": "import:s",
        "fixed": {},
        **more,
    }
    counts = dict.fromkeys(("failed", "incomplete", "missing"), 0)
    numbers = {"completed": 3, "fewest_runs": 1, "most_runs": 1}
    return dict(facts({"study": study, "counts": counts | numbers, "provenance": provenance}))


def test_starts_are_told_as_first_to_last() -> None:
    found = told({"started": {"2025-12-08T10:00:00": 1, "2025-12-06T10:00:00": 2}})
    assert found["Started"] == "2025-12-06T10:00:00 to 2025-12-08T10:00:00"


def test_submodules_never_called_are_told_by_their_number() -> None:
    found = told({"uncalled": {"a, b": 1, "a, c": 1, "a": 1}})
    assert found["Uncalled"] == "2 submodules (2 trials), 1 submodule (1 trial)"


def test_files_of_one_name_are_told_with_the_number_of_runs() -> None:
    runs = {f"run{n}": 1 for n in range(6)}
    found = told({"file": {"config.yaml": 6}, "reader": {"histories": 6}, "run": runs})
    assert found["Read from"] == "config.yaml of each of 6 runs, by the reader histories"
    assert "Run" not in found


def test_a_program_that_finds_its_data_itself_has_data_in_words_and_no_scale() -> None:
    own = told({}, source=["trained"], data="unnamed", scale="paper")
    smaller = told({}, source=["trained"], data="unnamed", scale="small")

    assert own["Data"] == "as the program finds it"
    assert "Scale" not in own
    assert smaller["Scale"] == "small"
