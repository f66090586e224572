import gzip
import hashlib
import random
import tracemalloc
from pathlib import Path

import pytest

from ablate.errors import UsageError
from ablate.ingest import logfile
from ablate.ingest.logfile import LogFile
from ablate.ingest.suspects import looks_measured
from ablate.ingest.text import LineSplitter, without_places


def split(data: bytes, size: int = 0, **given: int) -> tuple[list[str], LineSplitter]:
    splitter, lines = LineSplitter(**given), []
    for start in range(0, len(data), size or len(data) or 1):
        lines += splitter.feed(data[start : start + (size or len(data))])
    lines += splitter.close()
    return lines, splitter


BAR = b"10%|# | loss=2.5\r20%|## | loss=1.5\r100%|##| \nnext\n"
TRICKY = [
    (b"a\nb\r\nc\n", ["a", "b", "c"]),
    (b"", []),
    (b"a\r\r\nb\n", ["a", "b"]),
    (b"\xef\xbb\xbfx\n", ["x"]),
    ("mAP: 1\n特征\n".encode("utf-16"), ["mAP: 1", "特征"]),
    ("mAP: 1\n特征\n".encode("utf-16-be").join([b"\xfe\xff", b""]), ["mAP: 1", "特征"]),
    ("特征图 é 🔍\n".encode(), ["特征图 é 🔍"]),
    (b"\x1b[1;31mmAP: 12.3%\x1b[0m\n\x1b[2K\x1b[1Gdone\n", ["mAP: 12.3%", "done"]),
    (b"\x1b]0;title\x07text\n", ["text"]),
    (b"m\0A\0P\0\n", ["mAP"]),
    (b"10%\r20%\r      \r\nnext\n", ["20%", "next"]),
    (b"45%\b\b\b46%\b\b\b47%\nnext\n", ["47%", "next"]),
    (BAR, ["10%|# | loss=2.5", "20%|## | loss=1.5", "100%|##| ", "next"]),
    (b"loss: 1\r\r\nloss: 2\r    \r\n", ["loss: 1", "loss: 2"]),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 0])
@pytest.mark.parametrize(("data", "lines"), TRICKY)
def test_lines_are_the_same_however_a_pipe_cuts_its_chunks(
    data: bytes, lines: list[str], size: int
) -> None:
    assert split(data, size)[0] == lines


def test_random_bytes_give_the_same_lines_in_chunks_of_any_size() -> None:
    draw = random.Random(7)
    for _ in range(200):
        data = bytes(draw.choices(b"ab:=1\r\n\x1b[K\b\0\xff\xc3\xa9 ", k=40))
        assert len({str(split(data, size)[0]) for size in (1, 2, 5, 0)}) == 1, data


def test_of_a_progress_bar_the_last_state_is_the_line_and_no_measurement_is_lost() -> None:
    plain = b"".join(b"%d%%|###   | %d/100\r" % (i, i) for i in range(100)) + b"100%\n"
    assert split(plain)[0] == ["100%"]
    assert split(BAR)[0][:2] == ["10%|# | loss=2.5", "20%|## | loss=1.5"]


def test_a_line_without_its_end_is_torn_and_a_bar_s_return_is_an_end() -> None:
    assert split(b"mAP: 7")[1].torn
    assert not split(b"mAP: 72.3%\n")[1].torn
    assert not split(b"100%\r")[1].torn


def test_bytes_that_are_no_text_are_replaced_and_counted() -> None:
    lines, splitter = split(b"Loss: 1.5 \xff\xfe\xfa\nNUL\0\n")
    assert lines == ["Loss: 1.5 \ufffd\ufffd\ufffd", "NUL"]
    assert list(splitter.remarks()) == [
        "3 bytes are not UTF-8: replaced",
        "1 NUL characters are dropped",
    ]


@pytest.mark.parametrize("size", [1, 6, 13, 0])
def test_a_line_that_is_too_long_is_cut_and_the_next_one_is_whole(size: int) -> None:
    lines, splitter = split(b"x" * 50 + b"\nshort\n" + b"y" * 20 + b"\r\n", size, longest=10)
    assert lines == ["x" * 10, "short", "y" * 10]
    assert list(splitter.remarks()) == ["2 lines are longer than 10 characters: cut"]


def test_a_hundred_megabytes_without_one_line_end_stay_within_a_few(tmp_path: Path) -> None:
    path = tmp_path / "flood.log"
    with path.open("wb") as file:
        for _ in range(90):
            file.write(b"z" * 2**20)
        for _ in range(10):
            file.write(b"x" * 2**19 + b"\r" + b"loading " * 2**16 + b"\r")
    tracemalloc.start()
    log = LogFile(path)
    assert sum(1 for _ in log) <= 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 2**20


def test_a_compressed_file_that_unpacks_without_end_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "LARGEST", 2**23)
    path = tmp_path / "bomb.log.gz"
    path.write_bytes(gzip.compress(bytes(2**25), 9))
    assert path.stat().st_size < 40_000
    with pytest.raises(UsageError, match=r"bomb\.log\.gz: over 8 MiB of text"):
        list(LogFile(path))


def test_gzip_is_known_by_its_bytes_in_members_cut_off_or_damaged(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    data = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    path.write_bytes(data)
    log = LogFile(path)
    assert list(log) == ["one", "two"]
    assert log.files == {"log.txt": hashlib.sha256(data).hexdigest()}
    assert not log.torn

    whole = gzip.compress(random.Random(1).randbytes(400).hex().encode() + b"\nrest\n")
    path.write_bytes(whole[:300])
    log = LogFile(path)
    assert list(log) == []
    assert log.torn
    assert list(log.remarks()) == ["the compressed file is cut off"]

    path.write_bytes(whole[:100] + bytes(50) + whole[150:])
    with pytest.raises(UsageError, match="damaged"):
        list(LogFile(path))


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.log: No such file"):
        list(LogFile(tmp_path / "none.log"))


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("/home/me/w.pth", "w.pth"),
        ("['/data/a/b.pth', 'k']", "['b.pth', 'k']"),
        ("tcp://10.0.0.1:29500", ""),
        ("https://host.org/a/w.pth", "w.pth"),
        (r"C:\Users\me\w.pth", "w.pth"),
        ("~/x/y", "y"),
        ("--config_file configs/RGBNT201/Demo.yml", "--config_file configs/RGBNT201/Demo.yml"),
        ("ViT-B/16", "ViT-B/16"),
        ("1/2", "1/2"),
    ],
)
def test_paths_and_addresses_lose_where_they_were(text: str, bare: str) -> None:
    assert without_places(text) == bare


@pytest.mark.parametrize(
    "text",
    ["mAP: 12.3", "Rank-1 77.2", "Epoch 3 acc=0.9", "val/acc = 0.3", "test accuracy is 93.1%",
     "Best mAP: nan", "F1-score: 0.3", "top-1: 76", "Prec@1 92.1", "loss: inf",
     "NDCG@10: 0.5", "AP_small = 0.21", "kappa: 0.8", "val_own: 0.83", "Best own: 3.5"],
)  # fmt: skip
def test_what_looks_like_a_measurement_is_one(text: str) -> None:
    assert looks_measured(text)


@pytest.mark.parametrize(
    "text",
    ["loss_weight=2.0", "(loss_cls): FocalLoss()", "camera number is : 4", "iou_thr: 0.5",
     "LayerNorm((768,), eps=1e-05)", "    mean: 0.008569", "IoU=0.50:0.95", "loss: 1/2",
     "Eval time: 145.3s", "val_interval: 1", "val_split=0.2", "eval lr: 0.1"],
)  # fmt: skip
def test_what_only_resembles_a_measurement_is_none(text: str) -> None:
    assert not looks_measured(text)


def test_a_bar_gives_the_same_lines_whether_its_states_come_at_once_or_apart() -> None:
    draw = random.Random(11)
    words = [b"\r", b"\r", b"\n", b"1%", b" ", b"a=1", b"x", b"\x1b[32m"]
    for _ in range(500):
        data = b"".join(draw.choices(words, k=30))
        whole, apart = ([x for x in split(data, n)[0] if x.strip()] for n in (0, 1))
        assert whole == apart, data


def test_a_flood_of_carriage_returns_is_read_in_one_pass() -> None:
    assert split(b"1%" + b"\r" * 2**20 + b"2%\n", 2**16)[0] == ["2%"]
