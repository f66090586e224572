"""CLIP weights from a file, against a second implementation of CLIP's vision transformer."""

import hashlib
import os
import pickle
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ablate.errors import UsageError
from ablate.study import Level
from ablate.system import Job, Silence
from models.reid import clip, system
from models.reid.facts import Population
from models.reid.network import Network
from models.reid.vit import VisionTransformer

FULL_DEPTH = 12
TINY: dict[str, Level] = {
    "width": 64,
    "depth": 2,
    "heads": 1,
    "height": 64,
    "image_width": 32,
    "embed": 32,
    "patch": 16,
}


def openai_state(width: int, depth: int, embed: int, side: int = 14) -> dict[str, Tensor]:
    """The keys and shapes of OpenAI's ViT files in fp16, with random values and two text keys."""
    rng = torch.Generator().manual_seed(0)

    def drawn(*shape: int, scale: float = 0.02) -> Tensor:
        return torch.randn(*shape, generator=rng) * scale

    def norm(name: str) -> dict[str, Tensor]:
        return {f"{name}.weight": 1 + drawn(width), f"{name}.bias": drawn(width)}

    state = {
        "class_embedding": drawn(width, scale=0.5),
        "positional_embedding": drawn(side * side + 1, width, scale=0.5),
        "proj": drawn(width, embed, scale=width**-0.5),
        "conv1.weight": drawn(width, 3, 16, 16),
        **norm("ln_pre"),
        **norm("ln_post"),
    }
    for i in range(depth):
        block = f"transformer.resblocks.{i}"
        state |= {
            f"{block}.attn.in_proj_weight": drawn(3 * width, width, scale=width**-0.5),
            f"{block}.attn.in_proj_bias": drawn(3 * width),
            f"{block}.attn.out_proj.weight": drawn(width, width, scale=width**-0.5),
            f"{block}.attn.out_proj.bias": drawn(width),
            f"{block}.mlp.c_fc.weight": drawn(4 * width, width, scale=width**-0.5),
            f"{block}.mlp.c_fc.bias": drawn(4 * width),
            f"{block}.mlp.c_proj.weight": drawn(width, 4 * width, scale=width**-0.5),
            f"{block}.mlp.c_proj.bias": drawn(width),
            **norm(f"{block}.ln_1"),
            **norm(f"{block}.ln_2"),
        }
    text = {"text_projection": drawn(8, 8), "logit_scale": torch.tensor(4.6)}
    return {f"visual.{n}": v.half() for n, v in state.items()} | text


class Holder(nn.Module):
    """A module whose state dict has the given dotted names."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        for name, value in state.items():
            *path, last = name.split(".")
            at: nn.Module = self
            for step in path:
                if not hasattr(at, step):
                    at.add_module(step, nn.Module())
                at = getattr(at, step)
            at.register_parameter(last, nn.Parameter(value, requires_grad=False))

    def forward(self, x: Tensor) -> Tensor:
        """Scripting needs one."""
        return x


def as_archive(state: dict[str, Tensor], path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(Holder(state)), path)


def save(state: dict[str, Tensor], path: Path, form: str) -> Path:
    as_archive(state, path) if form == "archive" else torch.save(state, path)
    return path


def independent(state: dict[str, Tensor], depth: int, heads: int) -> nn.Module:
    """The vision model of `transformers` with the same weights, under that library's names."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    visual = {n.removeprefix("visual."): v.float() for n, v in state.items()}
    width, embed = visual["proj"].shape
    config = CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        image_size=224,
        patch_size=16,
        projection_dim=embed,
    )
    model = CLIPVisionModelWithProjection(config).eval()
    names = {
        "vision_model.embeddings.class_embedding": visual["class_embedding"],
        "vision_model.embeddings.patch_embedding.weight": visual["conv1.weight"],
        "vision_model.embeddings.position_embedding.weight": visual["positional_embedding"],
        "visual_projection.weight": visual["proj"].T,
    }
    pairs = {"vision_model.pre_layrnorm": "ln_pre", "vision_model.post_layernorm": "ln_post"}
    for i in range(depth):
        theirs, ours = f"vision_model.encoder.layers.{i}", f"transformer.resblocks.{i}"
        pairs |= {
            f"{theirs}.layer_norm1": f"{ours}.ln_1",
            f"{theirs}.layer_norm2": f"{ours}.ln_2",
            f"{theirs}.mlp.fc1": f"{ours}.mlp.c_fc",
            f"{theirs}.mlp.fc2": f"{ours}.mlp.c_proj",
            f"{theirs}.self_attn.out_proj": f"{ours}.attn.out_proj",
        }
        for kind in ("weight", "bias"):
            for name, value in zip(
                "qkv", visual[f"{ours}.attn.in_proj_{kind}"].chunk(3), strict=True
            ):
                names[f"{theirs}.self_attn.{name}_proj.{kind}"] = value
    for theirs, ours in pairs.items():
        names |= {f"{theirs}.{kind}": visual[f"{ours}.{kind}"] for kind in ("weight", "bias")}
    model.load_state_dict(names)
    return model


def job(tmp_path: Path, data: Path | None = None, **levels: Level) -> Job:
    reference = {f.name: f.reference for f in system.factors}
    return Job(reference | TINY | levels, 0, tmp_path, data=data, recorder=Notes())


class Notes(Silence):
    """A recorder that keeps doubts and facts."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.facts: dict[str, str] = {}

    def fact(self, name: str, text: str) -> None:
        """Keep it."""
        self.facts[name] = text

    def note(self, text: str) -> None:
        """Keep it."""
        self.texts.append(text)


def network(made: Job) -> Network:
    return Network(made, Population(identities=4, cameras=2))


@pytest.mark.parametrize("form", ["archive", "state dict"])
@pytest.mark.parametrize(
    ("depth", "width", "embed"), [(2, 128, 32), pytest.param(FULL_DEPTH, 768, 512, id="ViT-B/16")]
)
def test_tokens_equal_those_of_a_second_implementation_with_the_same_file(
    form: str, depth: int, width: int, embed: int, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    state, heads = openai_state(width, depth, embed), width // 64
    if depth == FULL_DEPTH:
        assert sum(n.startswith("visual.") for n in state) == 152
    path = save(state, tmp_path / "ViT-B-16.pt", form)
    with torch.device("meta"):
        backbone = VisionTransformer(
            width=width, depth=depth, heads=heads, patch=16, stride=16, grid=(14, 14), embed=embed
        )
    fitted = clip.fit(clip.read(path), backbone)
    backbone.load_state_dict(dict(fitted.weights), assign=True)
    assert (fitted.unexpected, fitted.others, fitted.grid) == ((), 2, 14)
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    peer = independent({n: v for n, v in state.items() if n.startswith("visual.")}, depth, heads)
    with torch.inference_mode():
        hidden = peer.vision_model(images).last_hidden_state
        expected = peer.visual_projection(peer.vision_model.post_layernorm(hidden))
        tokens = backbone(images, torch.zeros(1, width))
    assert tokens.shape == (1, 197, embed)
    assert expected.std() > 0.1
    torch.testing.assert_close(tokens, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("form", ["archive", "state dict"])
def test_a_file_beside_the_data_is_loaded_and_named_with_its_digest(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = openai_state(64, 2, 32)
    save(state, tmp_path / "clip.pt", form)
    made = job(tmp_path, tmp_path / "RGBNT201", clip_weights="clip.pt")
    net = network(made)
    clip.load(net, made)
    for name, value in net.backbone.state_dict().items():
        if name != "positional_embedding":
            assert torch.equal(value, state[f"visual.{name}"].float()), name
    said = capsys.readouterr().out
    assert "clip.pt (sha256 " in said
    assert "32 visual tensors loaded, positions 14x14 -> 4x2, 2 other tensors ignored" in said
    assert str(tmp_path) not in said
    digest = hashlib.sha256((tmp_path / "clip.pt").read_bytes()).hexdigest()
    assert made.recorder.facts == {"clip_weights": f"clip.pt sha256:{digest[:16]}"}
    assert made.recorder.texts == []


def test_positions_keep_the_class_row_and_are_resized_bilinearly(tmp_path: Path) -> None:
    state = openai_state(64, 2, 32)
    made = job(tmp_path)
    fitted = clip.fit(state, network(made).backbone)
    given = state["visual.positional_embedding"].float()
    found = fitted.weights["positional_embedding"]
    assert torch.equal(found[0], given[0])
    square = given[1:].view(14, 14, 64)
    # four rows of 14: centre of the first is at 3.5 / 2 - 0.5 = 1.25, between rows 1 and 2;
    # two columns: centre of the first is at 7 / 2 - 0.5 = 3
    by_hand = 0.75 * square[1, 3] + 0.25 * square[2, 3]
    torch.testing.assert_close(found[1], by_hand, rtol=0, atol=1e-6)
    whole = functional.interpolate(
        square.permute(2, 0, 1)[None], size=(4, 2), mode="bilinear", align_corners=False
    )
    torch.testing.assert_close(found[1:], whole[0].flatten(1).T, rtol=0, atol=0)


def test_positions_made_for_the_same_grid_are_not_touched() -> None:
    state = openai_state(64, 1, 32, side=4)
    backbone = VisionTransformer(
        width=64, depth=1, heads=1, patch=16, stride=16, grid=(4, 4), embed=32
    )
    found = clip.fit(state, backbone).weights["positional_embedding"]
    assert torch.equal(found, state["visual.positional_embedding"].float())


class Trap:
    """What an attacker puts in a pickle: a call."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("form", ["pickle", "torch", "in a mapping"])
def test_a_malicious_pickle_is_refused_and_not_executed(form: str, tmp_path: Path) -> None:
    mark, path = tmp_path / "executed", tmp_path / "clip.pt"
    if form == "pickle":
        path.write_bytes(pickle.dumps(Trap(mark)))
    else:
        trap = Trap(mark)
        torch.save(trap if form == "torch" else {"visual.proj": trap}, path)
    made = job(tmp_path, clip_weights=str(path))
    with pytest.raises(UsageError, match="neither a state dict of tensors nor a TorchScript"):
        clip.load(network(made), made)
    assert not mark.exists()
    with path.open("rb") as file:
        if form == "pickle":
            pickle.load(file)
            assert mark.exists(), "the trap itself does not work"


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 not a zip"])
def test_a_file_of_anything_else_gets_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "clip.pt"
    path.write_bytes(content)
    made = job(tmp_path, clip_weights=str(path))
    with pytest.raises(UsageError, match=r"neither a state dict") as caught:
        clip.load(network(made), made)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_gets_one_line_saying_where_it_was_looked_for(
    tmp_path: Path,
) -> None:
    made = job(tmp_path, tmp_path / "RGBNT201", clip_weights="ViT-B-16.pt")
    with pytest.raises(UsageError, match=r"ViT-B-16.pt cannot be read: No such file") as caught:
        clip.load(network(made), made)
    assert str(tmp_path / "ViT-B-16.pt") in str(caught.value)


def _without(name: str) -> dict[str, Tensor]:
    return {n: v for n, v in openai_state(64, 2, 32).items() if n != name}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (_without("visual.proj"), r"1 of 32 visual tensors are missing \(visual.proj\)"),
        (openai_state(64, 1, 32), r"12 of 32 .*resblocks.1.*, \.\.\.\): it must be .* depth 2"),
        (openai_state(32, 2, 32), r"wrong shape \(visual.class_embedding 32 for 64, "),
        ({"text_projection": torch.ones(2)}, "32 of 32 visual tensors are missing"),
        (
            openai_state(64, 2, 32) | {"visual.positional_embedding": torch.ones(9, 64)},
            "9x64, not a class row and a square of patches",
        ),
    ],
)
def test_weights_that_do_not_fit_get_one_line(
    state: dict[str, Tensor], words: str, tmp_path: Path
) -> None:
    path = save(state, tmp_path / "clip.pt", "state dict")
    made = job(tmp_path, clip_weights=str(path))
    with pytest.raises(UsageError, match=words) as caught:
        clip.load(network(made), made)
    assert "\n" not in str(caught.value)


def test_visual_tensors_without_a_place_are_a_doubt_that_reports_print(tmp_path: Path) -> None:
    path = save(openai_state(64, 3, 32), tmp_path / "clip.pt", "state dict")
    made = job(tmp_path, clip_weights=str(path))
    clip.load(network(made), made)
    [note] = made.recorder.texts
    assert note.startswith("clip_weights clip.pt: 12 visual tensors have no place in the backbone")


def test_random_weights_are_a_doubt_on_real_data_and_none_on_the_standin(tmp_path: Path) -> None:
    real, standin = job(tmp_path, tmp_path / "RGBNT201"), job(tmp_path)
    for made in (real, standin):
        net = network(made)
        before = net.backbone.proj.clone()
        clip.load(net, made)
        assert torch.equal(net.backbone.proj, before)
        assert made.recorder.facts == {}
    assert standin.recorder.texts == []
    assert real.recorder.texts == [
        "random initialisation instead of CLIP weights: not comparable with published results"
    ]
