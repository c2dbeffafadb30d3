"""Inspection: what is in a file: a run, an experiment, a checkpoint, a table or a text, as plain values."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnviz.core.cells import cell_kind
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.formats import CHECKPOINTS, EXPERIMENT, FORMATS, RUN, TABLE, TEXT, endings, wanted
from rnnviz.core.files.magic import HEAD_BYTES, TEXT_KINDS, looks_like
from rnnviz.core.files.tables import read_table
from rnnviz.core.files.texts import read_text
from rnnviz.core.structure import Activation, Structure
from rnnviz.engine.checkpoints.names import plain_title, shown
from rnnviz.engine.checkpoints.opening import open_regular
from rnnviz.engine.checkpoints.sandbox import read_confined

Inspected = dict[str, Any]  # JSON-able; always "kind" and "path"


def inspect_path(path: str | Path, activation: Activation | None = None) -> Inspected:
    """What `path` holds; its "kind" is run, experiment, state dict, safetensors, csv or text.

    run, state dict and safetensors have "modules" with prefix, title, cell, sizes, "mapping" and "notes"; csv has
    "columns", "rows" and "time_column"; text has "characters" and "alphabet"; all have "notes".
    RnnvizError, one sentence, for everything else. Does not import torch into this process.
    """
    path = Path(path)
    file, _ = open_regular(path)
    with file:
        kind = looks_like(file.read(HEAD_BYTES))
    return {"path": str(path), "notes": []} | _inspector(path, kind)(path, activation)


def table(inspected: Mapping[str, Any]) -> str:
    """`inspected` for people: one line on the file, then aligned rows, then the notes."""
    lines = [f"{shown(inspected['path'], 400)}: {inspected['kind']}{_summary(inspected)}"]
    if "modules" in inspected:
        lines += _aligned(
            ("module", "cell", "inputs", "hidden", "layers", "directions", "bias", "weights"),
            [_module_row(module) for module in inspected["modules"]],
        )
    if "columns" in inspected:
        rows = [(one["name"], "numbers" if one["numeric"] else "text", one["count"]) for one in inspected["columns"]]
        lines += _aligned(("column", "holds", "rows"), rows)
    lines += [f"note: {note}" for note in inspected["notes"]]
    for module in inspected.get("modules", ()):
        lines += [f"note: {module['title'] or 'the module'}: {note}" for note in module["notes"]]
    return "\n".join(lines)


def _inspector(path: Path, kind: str) -> Callable[[Path, Activation | None], Inspected]:
    ending = path.suffix.lower()
    if kind in RUN.looks:
        return _run
    if any(kind in one.looks for one in CHECKPOINTS):
        return _checkpoint
    if ending in EXPERIMENT.endings:
        return _experiment
    if ending in TABLE.endings:
        return _table
    if kind in TEXT_KINDS and ending not in endings((RUN, *CHECKPOINTS)):
        return _table_or_text if ending in TABLE.maybe else _text
    if ending in TEXT.endings:
        return _text  # not UTF-8: its reader says which byte
    raise RnnvizError(f"{path} is {kind}: wanted {wanted(FORMATS)}.")


def _checkpoint(path: Path, activation: Activation | None) -> Inspected:
    checkpoint = read_confined(path, activation, with_weights=False)
    modules = [
        _module(module.prefix, module.structure)
        | {
            "is_cell": module.is_cell,
            "mapping": {name: list(names) for name, names in module.sources.items()},
            "notes": list(module.notes),
        }
        for module in checkpoint.modules
    ]
    return {"kind": checkpoint.kind, "modules": modules, "notes": list(checkpoint.notes)}


def _run(path: Path, activation: Activation | None) -> Inspected:
    from rnnviz.runs.reading.reader import open_run

    with open_run(path) as run:
        captured = run.captured()
        return {
            "kind": "run",
            "name": run.source.title,
            "task": run.task.name,
            "modules": [_module(model.name, model.structure) for model in run.models],
            "training_steps": int(run.last_training_step),
            "captures": len(captured),
            "checksums": run.version > 1,  # of metrics and log, too
        }


def _experiment(path: Path, activation: Activation | None) -> Inspected:
    from rnnviz.core.source import OLD_TASK, Given, read_source

    source = read_source(path)
    if isinstance(source, Given):
        return {"kind": "experiment", "name": source.title, "task": OLD_TASK, "models": [], "seed": source.seed}
    experiment = source.experiment
    return {
        "kind": "experiment",
        "name": experiment.name,
        "task": experiment.task.name,
        "models": [
            {"name": model.name, "cell": model.cell, "hidden_size": model.hidden_size} for model in experiment.models
        ],
        "seed": experiment.seed,
    }


def _table(path: Path, activation: Activation | None) -> Inspected:
    found = read_table(path)
    columns = [{"name": one.name, "numeric": one.numeric, "count": len(one.cells)} for one in found.columns]
    return {"kind": "csv", "columns": columns, "rows": len(found.lines), "time_column": found.time_column}


def _text(path: Path, activation: Activation | None) -> Inspected:
    text = read_text(str(path))
    return {"kind": "text", "characters": len(text.codes), "alphabet": "".join(text.alphabet)}


def _table_or_text(path: Path, activation: Activation | None) -> Inspected:
    """Numbers in columns are a table under any ending; what the table reader refuses is read as text."""
    try:
        found = _table(path, activation)
    except RnnvizError:
        return _text(path, activation)
    return found if any(column["numeric"] for column in found["columns"]) else _text(path, activation)


def _module(prefix: str, structure: Structure) -> Inspected:
    parameters = sum(_product(shape) for shape in structure.parameter_shapes().values())
    return {
        "prefix": prefix,
        "title": plain_title(prefix),
        "cell": structure.cell,
        "input_size": structure.input_size,
        "hidden_size": structure.hidden_size,
        "num_layers": structure.num_layers,
        "bidirectional": structure.bidirectional,
        "bias": structure.bias,
        "proj_size": structure.proj_size,
        "activation": structure.activation,
        "parameters": parameters,
        "notes": [],
    }


def _product(shape: Sequence[int]) -> int:
    rows, *columns = shape
    return rows * (columns[0] if columns else 1)


def _summary(inspected: Mapping[str, Any]) -> str:
    if inspected["kind"] == "run":
        unchecked = "" if inspected["checksums"] else ", metrics and log without checksums"
        return (
            f" of {inspected['name']!r} ({inspected['task']}), training steps: {inspected['training_steps']}, "
            f"captures: {inspected['captures']}{unchecked}"
        )
    if inspected["kind"] == "experiment":
        models = ", ".join(f"{one['name']} ({one['cell']}, {one['hidden_size']} units)" for one in inspected["models"])
        return f" {inspected['name']!r} ({inspected['task']}): {models}"
    if inspected["kind"] == "text":
        return f", {inspected['characters']} characters, {len(inspected['alphabet'])} different"
    return ""


def _module_row(module: Mapping[str, Any]) -> tuple[object, ...]:
    cell = f"{module['cell']} ({module['activation']})" if cell_kind(module["cell"]).activations else module["cell"]
    hidden = f"{module['hidden_size']} → {module['proj_size']}" if module["proj_size"] else module["hidden_size"]
    return (
        module["prefix"] or "(no prefix)",
        cell + (", one time step" if module.get("is_cell") else ""),
        module["input_size"],
        hidden,
        module["num_layers"],
        2 if module["bidirectional"] else 1,
        "yes" if module["bias"] else "no",
        f"{module['parameters']:,}",
    )


def _aligned(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    ]
