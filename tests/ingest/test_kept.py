"""What an import keeps of its runs for the audit, beside their scores."""

from pathlib import Path

from ablate.ingest import demo
from ablate.ingest.assemble import assemble
from ablate.ingest.bring import Target, bring
from ablate.ingest.endings import ending
from ablate.ingest.gather import Gathered, holding
from ablate.ingest.seats import Wishes
from ablate.record import State
from ablate.store import open_store
from tests.ingest import demo_log
from tests.ingest.made import run

NETWORK = """\
DeMo(
  (reduce): Linear(in_features=1024, out_features=512, bias=True)
  (classifier_sdtps): Linear(in_features=1536, out_features=171, bias=False)
  (bottleneck): BatchNorm1d(1536, eps=1e-05)
  (classifier): Linear(in_features=1536, out_features=171, bias=False)
  (inner): Sequential(
    (head): Linear(in_features=8, out_features=2, bias=True)
  )
)
"""


def runs() -> Gathered:
    pending = run("never", {"lr": "9"}, state=State.PENDING)
    return holding([run("a", {"lr": "1"}), run("b", {"lr": "2"}), pending], "r")


def test_the_heads_of_a_printed_network_are_kept_with_what_they_take_and_give(
    tmp_path: Path,
) -> None:
    log = demo_log.text()
    at = log.index("number of parameters")
    start = log.rindex("\n", 0, at) + 1
    file = tmp_path / "a.log"
    file.write_text(log[:start] + NETWORK + log[start:], "utf-8")
    (found,) = demo.read(file)
    kept = ending(found, "demo").provenance["heads"]
    assert kept == "classifier 1536 to 171, classifier_sdtps 1536 to 171"
    file.write_text(log, "utf-8")
    assert "heads" not in ending(next(iter(demo.read(file))), "demo").provenance


def test_a_run_that_is_left_out_is_kept_with_the_runs_beside_it(tmp_path: Path) -> None:
    with runs() as gathered, open_store(tmp_path / "results.db", create=True) as store:
        bring(Target(store, "import logs"), assemble(gathered, "s", Wishes()), gathered)
        attempts = [r.attempt for r in store.records("s")]
    assert [a.provenance["left_out"] for a in attempts if a] == [
        "never: the log ends in epoch 1 of 2"
    ] * 2


def test_runs_left_out_are_named_up_to_a_number() -> None:
    many = {f"r{i}": "it ends\nearly" for i in range(23)}
    lines = ending(run("a"), "r", (), many).provenance["left_out"].splitlines()
    assert lines[0] == "r0: it ends early"
    assert lines[20:] == ["and 3 more"]
    assert "left_out" not in ending(run("a"), "r").provenance


def test_importing_again_what_an_older_import_did_not_keep_is_new_and_then_as_before(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path / "results.db", create=True) as store:
        with holding([run("a", {"lr": "1"}), run("b", {"lr": "2"})], "r") as gathered:
            bring(Target(store, "import logs"), assemble(gathered, "s", Wishes()), gathered)
        more = run("a", {"lr": "1"}, facts={"heads": "classifier 8 to 2"})
        again = [more, run("b", {"lr": "2"})]
        for new, same in ((1, 1), (0, 2)):
            with holding(again, "r") as gathered:
                found = assemble(gathered, "s", Wishes())
                brought = bring(Target(store, "import logs"), found, gathered)
            assert (len(brought.new), len(brought.same)) == (new, same)
        kept = [r.attempt.provenance.get("heads") for r in store.records("s") if r.attempt]
        assert kept == ["classifier 8 to 2", None]
