"""One forward pass on record: what each operation read, wrote and cost, and whose it was."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from ablate.measure.elementwise import elementwise

ATEN = torch.ops.aten
# questions about a tensor's form, and no operations: torch's own counter leaves the same alone
FORM = frozenset(
    {
        ATEN.sym_is_contiguous.default,
        ATEN.is_contiguous.default,
        ATEN.is_contiguous.memory_format,
        ATEN.is_strides_like_format.default,
        ATEN.is_non_overlapping_and_dense.default,
        ATEN.size.default,
        ATEN.sym_size.default,
        ATEN.stride.default,
        ATEN.sym_stride.default,
        ATEN.storage_offset.default,
        ATEN.sym_storage_offset.default,
        ATEN.numel.default,
        ATEN.sym_numel.default,
        ATEN.dim.default,
        torch.ops.prim.layout.default,
    }
)
# these hand values out of torch past its dispatcher: to Python, to numpy, to whoever has a pointer
LEAVING = frozenset(
    {
        *("item", "tolist", "numpy", "__array__", "__dlpack__", "data_ptr"),
        *("__deepcopy__", "__reduce_ex__"),
    }
)
# what leaves may decide anything that follows: these count as reaching the output
TO_PYTHON = LEAVING | {"_local_scalar_dense", "equal"}
# these may read parameters and need no formula
COPIES = """
clone copy_ _to_copy cat stack _unsafe_view repeat index index_select gather embedding
constant_pad_nd lift_fresh
"""
REDUCTIONS = """
native_layer_norm native_group_norm native_batch_norm _native_batch_norm_legit_no_training
sum mean amax amin max min linalg_vector_norm _softmax _log_softmax _safe_softmax sort topk
upsample_bilinear2d upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa
"""
# these multiply and have no formula, whether they read parameters or not
PRODUCTS = """
mv dot vdot addmv addr addbmm _trilinear
_int_mm _grouped_mm _scaled_grouped_mm _scaled_grouped_mm_v2 _scaled_mm_v2 _addmm_activation
_sparse_mm _sparse_addmm _spsolve sspaddmm hspmm sparse_sampled_addmm _foreach_mm
_cdist_forward _euclidean_dist _pdist_forward
cholesky cholesky_inverse cholesky_solve _cholesky_solve_helper geqrf orgqr ormqr qr svd lu_solve
_lu_with_info triangular_solve inverse
_thnn_fused_lstm_cell _thnn_fused_gru_cell mkldnn_rnn_layer
conv_tbc conv_depthwise3d _conv_depthwise2d slow_conv3d_forward slow_conv_dilated2d
slow_conv_dilated3d slow_conv_transpose2d slow_conv_transpose3d mkldnn_convolution
_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_fused_attention_overrideable
"""
FAMILIES = ("_fft_", "linalg_", "_linalg_")
# of these families, but elementwise, sums, views or checks
NO_PRODUCTS = """
linalg_vector_norm linalg__powsum linalg_cross linalg_diagonal _linalg_check_errors
"""
MULTIPLYING, CHEAP = frozenset(PRODUCTS.split()), frozenset(NO_PRODUCTS.split())
ORDINARY = TO_PYTHON | set(COPIES.split()) | set(REDUCTIONS.split())


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: the storages it read and wrote, its cost, and the owners it ran inside.

    `macs` are multiply-accumulates by torch's formulas, `elements` elementwise operations;
    `opaque` marks work that no formula covers: of a foreign kernel, of an operation that is known
    to multiply, or of one that reads parameters and is not known to be cheap.
    """

    name: str
    reads: frozenset[int]
    writes: frozenset[int]
    macs: int
    elements: int
    owners: frozenset[str]
    opaque: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded pass: its operations in order, and the storages that its output stands on.

    `kept` holds every tensor seen, so that no storage's number is given twice.
    """

    ops: Sequence[Op]
    output: frozenset[int]
    kept: Sequence[Tensor] = field(repr=False)

    def live(self) -> tuple[list[Op], set[int]]:
        """The operations that the output depends on, and all storages that those read or are.

        Dependence goes by storage, so views and writes in place need no care; of a buffer that is
        read in part, every write is live, and so is a product with zero: errors are towards live.
        A value that leaves torch, as a number or through numpy, may decide what follows, so it is
        live too.
        """
        need, found = set(self.output), []
        for op in reversed(self.ops):
            if not need.isdisjoint(op.writes) or op.name in TO_PYTHON:
                need |= op.reads
                found.append(op)
        return found, need

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Names of the operations that no formula covers, in their order."""
        return tuple(dict.fromkeys(op.name for op in self.ops if op.opaque))


def storage(tensor: Tensor) -> int:
    """The number of a tensor's storage, which its views share."""
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - on meta, data_ptr is 0 for all


class Tape(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records every operation that torch dispatches while it is entered."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ops: list[Op] = []
        self.kept: list[Tensor] = []
        self.owners: list[str] = []
        self._parameters = frozenset(storage(p) for p in parameters)
        self._whole: set[object] = set()

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Run one operation, in its parts where it has any and no formula, and note it."""
        kwargs = kwargs or {}
        if func in FORM:
            return NotImplemented
        if self._composite(func):
            with self:
                out = func.decompose(*args, **kwargs)
            if out is not NotImplemented:
                return out
            self._whole.add(func)
        out = func(*args, **kwargs)
        self._note(func, args, kwargs, out)
        return out

    def _composite(self, func: torch._ops.OpOverload) -> bool:
        known = func._overloadpacket in flop_registry or func in self._whole  # noqa: SLF001 - torch keys its formulas so
        return not known and func is not torch.ops.prim.device.default

    def _note(
        self,
        func: torch._ops.OpOverload,
        args: Sequence[object],
        kwargs: Mapping[str, object],
        out: object,
    ) -> None:
        packet = func._overloadpacket  # noqa: SLF001 - torch keys its formulas so
        given, made = _tensors((args, kwargs)), _tensors(out)
        self.kept += given
        self.kept += made
        formula = flop_registry.get(packet)
        reads = frozenset(map(storage, given))
        self.ops.append(
            Op(
                name=packet.__name__,
                reads=reads,
                writes=frozenset(map(storage, [*made, *_written(func, args, kwargs)])),
                macs=formula(*args, **kwargs, out_val=out) // 2 if formula else 0,
                elements=elementwise(func, args, out),
                owners=frozenset(self.owners),
                opaque=formula is None and self._opaque(func, reads),
            )
        )

    def leave(self, name: str, given: Sequence[Tensor]) -> None:
        """Note that values leave torch by a way of `LEAVING`."""
        self.kept += given
        reads = frozenset(map(storage, given))
        self.ops.append(Op(name, reads, frozenset(), 0, 0, frozenset(self.owners), opaque=False))

    def _opaque(self, func: torch._ops.OpOverload, reads: frozenset[int]) -> bool:
        if func.namespace not in {"aten", "prim", "prims"}:
            return True
        name = func._overloadpacket.__name__  # noqa: SLF001 - the operator's only name
        if name in MULTIPLYING or (name.startswith(FAMILIES) and name not in CHEAP):
            return True
        plain = torch.Tag.pointwise in func.tags or func.is_view
        return not plain and name not in ORDINARY and not reads.isdisjoint(self._parameters)


class _Exits(TorchFunctionMode):
    """Tells a tape which tensors leave torch by a way that no operation shows."""

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self._tape = tape

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Call the function, after a note where it is a way out."""
        name = getattr(func, "__name__", "")
        if name in LEAVING:
            self._tape.leave(name, _tensors(args))
        return func(*args, **kwargs or {})


def _tensors(tree: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _written(
    func: torch._ops.OpOverload, args: Sequence[object], kwargs: Mapping[str, object]
) -> list[Tensor]:
    """Arguments that the operation changes: in place, and `out=`."""
    found = []
    for place, argument in enumerate(func._schema.arguments):  # noqa: SLF001 - torch says it nowhere else
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[place] if place < len(args) else kwargs.get(argument.name)
            found += _tensors(value)
    return found


@contextlib.contextmanager
def _owned(tape: Tape, modules: Mapping[str, Sequence[nn.Module]]) -> Iterator[None]:
    """While entered, the tape knows whose module is running."""

    def push(owner: str) -> Callable[..., None]:
        return lambda *_: tape.owners.append(owner)

    def pop(*_: object) -> None:
        tape.owners.pop()

    with contextlib.ExitStack() as hooks:
        for owner, found in modules.items():
            for module in {id(m): m for whole in found for m in whole.modules()}.values():
                before = module.register_forward_pre_hook(push(owner))
                hooks.callback(before.remove)
                after = module.register_forward_hook(pop, always_call=True)
                hooks.callback(after.remove)
        yield


def record(
    forward: Callable[[], Tensor],
    parameters: Iterable[Tensor],
    modules: Mapping[str, Sequence[nn.Module]],
) -> Recording:
    """Run `forward` once without gradients and note all that it does.

    An operation is an owner's where it runs inside the forward of one of the owner's modules or
    of a module within them; code in another method of a module belongs to whoever calls it.
    """
    tape = Tape(parameters)
    # the hooks outlive the mode's own `with`: it is entered again for every decomposition
    with torch.no_grad(), _owned(tape, modules), tape, _Exits(tape):
        output = forward()
    return Recording(tape.ops, frozenset(map(storage, _tensors(output))), tape.kept)
