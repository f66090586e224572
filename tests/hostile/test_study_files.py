import random
import shutil
import sys
from pathlib import Path

import pytest

from ablate import cli, spec
from ablate.errors import SpecError
from ablate.project import Project

HERE = Path(__file__).parent
GOOD = (HERE / "good.toml").read_text()


def put(old: str, new: str) -> bytes:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new).encode()


def added(text: str) -> bytes:
    return (GOOD + text).encode()


ARM = '\n[[arm]]\nname = "{}"\nset = {{ epochs = {} }}\n'
SWEEP = '\n[[sweep]]\naround = "{}"\nfactor = "{}"\nlevels = {}\n'

MISSPELT = (
    "x.toml:14: modules.factors: factor 'sdtsp' is not one of"
    " sacr, sdtps, lif, lif.beta, lr, epochs, loss (did you mean 'sdtps'?)"
)

CASES: dict[str, tuple[bytes, str]] = {
    # not a study file at all
    "empty": (b"", "'study' is missing"),
    "not_toml": (put("[study]", "[study"), ":1: not TOML"),
    "yaml": (b"study:\n  name: x\n", ":1: not TOML"),
    "not_utf8": (GOOD.encode() + b'x = "\xff"\n', ":62: not UTF-8"),
    "utf16": (GOOD.encode("utf-16"), ":1: not UTF-8"),
    "nul_bytes": (b"\0" * 64, "not TOML"),
    "over_a_mebibyte": (GOOD.encode() + b"#" * 2**20, "larger than 1 MiB"),
    "ten_thousand_arrays": (b"x = " + b"[" * 10_000 + b"]" * 10_000, "nested too deep"),
    "ten_thousand_dots": (b".".join([b"a"] * 10_000) + b" = 1", "nested too deep"),
    "half_a_million_dots": (b".".join([b"a"] * 500_000) + b" = 1", "nested too deep"),
    "twelve_tables": (put("lr     = 3.5e-4", "a.b.c.d.e.f.g.h.i.j.k.l = 1"), "nested too deep"),
    "key_twice": (put("epochs = 50", "epochs = 50\nepochs = 51"), ":11: not TOML"),
    "table_twice": (added('[study]\nname = "again"\n'), "not TOML"),
    # numbers that are none
    "nan": (put("3.5e-4", "nan"), ":11: fixed.lr: nan is not a finite number"),
    "inf": (put("5e-4 }", "-inf }"), "-inf is not a finite number"),
    "float_overflow": (put("3.5e-4", "1e999"), ":11: fixed.lr: inf is not a finite number"),
    "hundred_thousand_digits": (put("3.5e-4", "9" * 100_000), "not TOML"),
    "two_to_the_70": (put("epochs = 50", f"epochs = {2**70}"), "does not fit into 64 bits"),
    "nan_limit": (put("1.82e6", "nan"), "limits.params: nan is not a finite number"),
    "date": (put("3.5e-4", "2024-01-01"), ":11: fixed.lr: 2024-01-01 is a date or a time"),
    "time": (put('title   = "SACR, SDTPS and LIF on RGBNT201"', "title = 07:32:00"), ":3: "),
    # unknown keys and names
    "unknown_key": (put("seeds   =", "seed    ="), "did you mean 'seeds'?"),
    "unknown_table": (added("[moduls]\nx = 1\n"), "did you mean 'modules'?"),
    "unknown_factor": (put('"sdtps", "lif"]', '"sdtsp", "lif"]'), MISSPELT),
    "unknown_fixed": (put("lr     = 3.5e-4", "l_r = 3.5e-4"), ":11: fixed.l_r: factor 'l_r'"),
    "unknown_metric": (put('"rank1"', '"rank2"'), ":6: study.primary: metric 'rank2' is not"),
    "unknown_selection": (put('"last"', '"best:F1"'), ":7: study.select: 'F1' is not a metric"),
    "odd_selection": (put('"last"', '"newest"'), ":7: study.select: 'newest' is neither"),
    "unknown_design": (put('design  = "full"', 'design = "ful"'), ":15: modules.design: 'ful'"),
    "unknown_parent": (put('"lmsa"\nset    = { loss = "focal"', '"lsma"\nset = { loss = "focal"'),
                       "variant 'lsma' is not one of baseline, full"),
    "unknown_start": (put('start  = "lmsa"', 'start = "lsma"'), "did you mean 'lmsa'?"),
    "unknown_around": (added(SWEEP.format("sacr+lfi", "lr", "[1.0]")), "variant 'sacr+lfi'"),
    "unknown_system": (put('"fake"', '"fkae"'), "did you mean 'fake'?"),
    # arms that make no sense
    "own_parent": (put('parent = "full"', 'parent = "lmsa"'), "is its own ancestor"),
    "ring_of_parents": (put('parent = "full"', 'parent = "focal"'), "is its own ancestor"),
    "ring_of_starts": (put('set    = { loss = "dice" }', 'set = { loss = "dice" }\n'
                           'start = "focal"'), "would start from itself"),
    "thousand_ancestors": (added("".join(
        f'[[arm]]\nname = "a{i}"\nparent = "a{i + 1}"\n' for i in range(900))), "'a900'"),
    "arm_twice": (added(ARM.format("lmsa", 3)), "two arms called 'lmsa'"),
    "arm_called_baseline": (added(ARM.format("baseline", 3)), "a cell of [modules]"),
    "arm_called_sacr": (added(ARM.format("sacr", 3)), "a cell of [modules]"),
    "arm_that_is_another": (added('[[arm]]\nname = "x"\nparent = "full"\nset = {loss="dice"}\n'),
                            "has the same levels as 'lmsa'"),
    "seed_without_start": (put('start  = "lmsa"\n', ""), "start_seed: means nothing"),
    # levels and seeds
    "level_twice": (put("[0.2, 0.4, 0.6]", "[0.2, 0.4, 0.2]"), ":20: sweep 1.levels: 0.2 is"),
    "level_twice_in_two_forms": (put("[0.2, 0.4, 0.6]", "[1, 1.0]"), "1 is there twice"),
    "switch_as_number": (put("[0.2, 0.4, 0.6]", "[true, 1.0]"), "True is not a finite number"),
    "number_as_switch": (added(SWEEP.format("full", "sacr", "[1, 0]")), "1 is not a switch"),
    "level_is_a_list": (put("[0.2, 0.4, 0.6]", "[[0.2], 0.4]"), "a list is not"),
    "no_levels": (put("[0.2, 0.4, 0.6]", "[]"), ":20: sweep 1.levels: is empty"),
    "level_outside": (put("[0.2, 0.4, 0.6]", "[-0.2]"), "outside [0, inf]"),
    "choice_unknown": (put('"dice"', '"hinge"'), "'hinge' is not one of ce, dice, focal"),
    "seed_twice": (put("[0, 1, 2]", "[0, 1, 0]"), ":5: study.seeds: 0 is there twice"),
    "seed_negative": (put("[0, 1, 2]", "[-1]"), "-1 is below 0"),
    "seed_too_large": (put("[0, 1, 2]", "[4294967296]"), "not below 4294967296"),
    "seed_is_text": (put("[0, 1, 2]", '["0"]'), "'0' is not a whole number"),
    "seed_is_true": (put("[0, 1, 2]", "[true]"), "true is not a whole number"),
    "seed_is_float": (put("[0, 1, 2]", "[0.0]"), "0.0 is not a whole number"),
    "no_seeds": (put("[0, 1, 2]", "[]"), ":5: study.seeds: is empty"),
    "seeds_no_list": (put("[0, 1, 2]", "3"), "3 is not a list"),
    "sweep_where_off": (put('around = "full"', 'around = "sacr+sdtps"'),
                        ":19: sweep 1.around: factor 'lif.beta' requires 'lif', which is off"),
    "sweep_around_off_baseline": (put('around = "full"', 'around = "baseline"'), "requires 'lif'"),
    "module_twice": (put('"sdtps", "lif"]', '"sdtps", "sdtps"]'), "sdtps is there twice"),
    "module_no_switch": (put('"sdtps", "lif"]', '"sdtps", "lr"]'), "'lr' is not a switch"),
    "module_of_three": (put('"sdtps", "lif"]', '"sdtps", "loss"]'), "nor a choice of two"),
    "module_fixed": (put("epochs = 50", "sacr = true"), "'sacr' is one of [modules]"),
    "fixed_twice": (put("lr     = 3.5e-4", '"lif.beta" = 0.1\nlif.beta = 0.2'), "is set twice"),
    # names
    "name_is_a_path": (put('"rgbnt201"', '"../../etc/passwd"'), ":2: study.name: '../../etc"),
    "name_ends_in_newline": (put('"rgbnt201"', '"rgbnt201\\n"'), "control character U+000A"),
    "name_too_long": (put('"rgbnt201"', f'"{"a" * 65}"'), "is not a name"),
    "name_upper_case": (put('"rgbnt201"', '"RGBNT201"'), "is not a name"),
    "arm_name_with_space": (added(ARM.format("my arm", 3)), "is not a name"),
    "control_character": (put("SACR, SDTPS", "SACR\\u0007 SDTPS"), "control character U+0007"),
    "bidi_override": (put("SACR, SDTPS", "SACR\\u202e SDTPS"), "control character U+202E"),
    "control_in_key": (put("lr     = 3.5e-4", '"l\\u001br" = 1'), "control character U+001B"),
    # the smaller tables
    "alpha_one": (put("alpha  = 0.05", "alpha = 1.0"), "claims.alpha: 1.0 is not below 1"),
    "margin_misspelt": (added("[claims.margins]\nrnk1 = 1.0\n"),
                        ":63: claims.margins.rnk1: metric 'rnk1' is not one of"),
    "margin_negative": (added("[claims.margins]\nrank1 = -1.0\n"), "-1.0 is below 0"),
    "margin_infinite": (added("[claims.margins]\nrank1 = inf\n"), "claims.margins.rank1: "),
    "margin_twice": (added("[claims.margins]\nrank1 = 1.0\nRANK1 = 2.0\n"), "twice"),
    "margin_text": (added('[claims.margins]\nrank1 = "1 point"\n'), "claims.margins.rank1: "),
    "timeout_odd": (put('"2h"', '"two hours"'), "'two hours' is not a duration"),
    "timeout_zero": (put('"2h"', "0"), "0 is not a duration"),
    "no_cpu": (put("cpus = 1", "cpus = 0"), ":56: resources.cpus: 0 is below 1"),
    "check_without_bounds": (put("min    = 0.2\n", ""), "needs 'min' or 'max'"),
    "data_outside": (added('[data]\nroot = "../../secret"\n'), "leaves the project's data folder"),
    "data_absolute": (added('[data]\nroot = "/etc"\n'), "leaves the project's data folder"),
    "scale_paper": (added("[scale.paper]\nset = { epochs = 3 }\n"), "own values"),
    "grid_of_a_million": (added(SWEEP.format("full", "lr", str([i / 1e3 for i in range(900)]))
                                + SWEEP.format("full", "epochs", list(range(1, 999)))
                                + SWEEP.format("baseline", "epochs", list(range(1, 999)))
                                + SWEEP.format("sacr", "epochs", list(range(1, 999)))),
                          "more than 10,000"),
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ABLATE_DB", "ABLATE_DATA"):
        monkeypatch.delenv(name, raising=False)
    shutil.copy(HERE / "fake.py", tmp_path / "hostile_fake.py")
    (tmp_path / "ablate.toml").write_text('[systems]\nfake = "hostile_fake:system"\n')
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "hostile_fake", raising=False)
    return tmp_path


def called(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ablate", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def trace(folder: Path) -> set[str]:
    return {str(p) for p in folder.rglob("*") if "__pycache__" not in p.parts}


def test_the_good_file_is_good(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "x.toml").write_text(GOOD)
    assert called(monkeypatch, "plan", "x.toml") == 0
    assert "36 trials: 0 complete, 0 failed, 36 to run" in capsys.readouterr().out


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_gives_one_line_exit_code_2_and_leaves_no_trace(
    name: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, sentence = CASES[name]
    (project / "x.toml").write_bytes(data)
    before = trace(project)
    assert called(monkeypatch, "plan", "x.toml") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.removesuffix("\n").isprintable()
    assert len(said.err) < 600
    assert said.err.startswith("error: ")
    assert sentence in said.err
    assert trace(project) == before


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("path", ["nowhere.toml", ".", "a" * 300])
def test_a_path_that_is_no_file_gives_one_line(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, "plan", path) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["lrr=1"], "factor 'lrr' is not one of"),
        (["lr"], "not of the form key=value"),
        (["lr="], "not of the form key=value"),
        (["lr=fast"], "is not a finite number"),
        (["lr=nan"], "is not a finite number"),
        (["lr=1,1.0"], "a level is given twice"),
        (["lr=1", "lr=2"], "'lr' is given twice"),
        (["lr=1\nx=2"], "is not a value"),
        (["sacr=1"], "1 is not a switch"),
        (["loss=hinge"], "'hinge' is not one of ce, dice, focal"),
        (["--seeds", "4-0"], "a range rises"),
        (["--seeds", "0-4294967295"], "more than 10,000 seeds"),
        (["--seeds", "0,0"], "names a seed twice"),
        (["--seeds", "zero"], "neither like 0,1,2 nor like 0-4"),
        (["--scale", "smal"], "did you mean 'small'?"),
        (["--only", "nothing"], "means none of baseline"),
        (["--data", "nowhere"], "there is no such folder"),
    ],
)
def test_a_bad_command_line_gives_one_line(
    words: list[str],
    sentence: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (project / "x.toml").write_text(GOOD)
    assert called(monkeypatch, "plan", "x.toml", *words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert sentence in said.err


def mutated(rng: random.Random) -> bytes:
    data = bytearray(GOOD.encode())
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            del data[at : at + rng.randint(1, 12)]
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            data[at:at] = bytes(rng.choice(b"[]{}=\"'.,#\n0-ae") for _ in range(rng.randint(1, 5)))
        else:
            begin = rng.randrange(len(data))
            data[at:at] = data[begin : begin + rng.randint(1, 40)]
    return bytes(data)


def test_three_hundred_random_mutations_raise_nothing_but_spec_errors_of_one_line(
    project: Path,
) -> None:
    rng = random.Random(20)
    path = project / "x.toml"
    system = Project.find(project).system("fake")
    refusals: list[str] = []
    for _ in range(300):
        path.write_bytes(mutated(rng))
        try:
            document = spec.read(path)
            spec.bind(document, system, spec.Options(data_root=project))
        except SpecError as wrong:
            refusals.append(str(wrong))
    assert 200 < len(refusals) < 300
    assert all(line.isprintable() and line.startswith(str(path)) for line in refusals)
