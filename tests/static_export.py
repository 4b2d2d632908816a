"""torch.export of models that give a ``HOIOutput``: registration, static export, a check of what was exported."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.fx import Node

from videohoi.structures.interactions import HOIOutput


@cache
def register_hoi_output() -> None:
    """Let torch.export see through ``HOIOutput``; further calls do nothing."""
    torch.export.register_dataclass(HOIOutput, serialized_type_name="videohoi.HOIOutput")


def export_static(
    model: nn.Module, arguments: tuple[Tensor | None, ...], named: dict[str, Tensor | int] | None = None
) -> ExportedProgram:
    """``model`` exported for exactly the shapes of ``arguments``; call ``program.module()(*arguments)`` to run it.

    Raises:
        RuntimeError: of torch, where the forward depends on data.
    """
    register_hoi_output()
    return torch.export.export(model.eval(), arguments, named)


def data_dependent_operators(program: ExportedProgram) -> list[str]:
    """Names of operators whose output shape or Python value depends on data; a compiled model must have none."""
    tags = {torch.Tag.dynamic_output_shape, torch.Tag.data_dependent_output}
    targets = [node.target for node in program.graph.nodes if isinstance(node, Node) and node.op == "call_function"]
    return sorted({str(target) for target in targets if tags & set(getattr(target, "tags", ()))})
