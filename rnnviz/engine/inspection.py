"""Inspection: what is in a file: a run, an experiment, a checkpoint, a table or a text, as plain values."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rnnviz.core.cells import cell_kind
from rnnviz.core.cells.vanilla import ACTIVATIONS
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.formats import CHECKPOINTS, EXPERIMENT, FORMATS, INDEX_ENDING, RUN, TABLE, TEXT, endings, wanted
from rnnviz.core.files.magic import HEAD_BYTES, JSON, MARKUP, TEXT_KINDS, looks_like
from rnnviz.core.files.preview import preview
from rnnviz.core.files.tables import Column, Table, read_table
from rnnviz.core.files.text_file import Encoding, NotUnicodeError, read_bytes
from rnnviz.core.files.texts import LARGEST_TEXT, OTHER, read_text
from rnnviz.core.source import GIVEN_LOSS
from rnnviz.core.structure import Activation, Structure
from rnnviz.core.tasks import NextValue
from rnnviz.core.tasks.next_value import GAP_CHOICES
from rnnviz.engine.checkpoints.aside import traced_without
from rnnviz.engine.checkpoints.names import plain_title, shown
from rnnviz.engine.checkpoints.opening import open_regular
from rnnviz.engine.checkpoints.sandbox import read_confined

ACTIVATION_OPTION = "--activation tanh or --activation relu says which it is."
Inspected = dict[str, Any]  # JSON-able; always "kind" and "path"
Read = TypeVar("Read")


def inspect_path(path: str | Path, activation: Activation | None = None) -> Inspected:
    """What `path` holds; its "kind" is run, experiment, state dict, safetensors, csv or text.

    experiment has its "source" as JSON; run, state dict and safetensors have "modules" with prefix, title, cell, sizes,
    "mapping" and "notes", the latter two also "unused" tensors and how a module is "traced"; csv has "columns", "rows",
    "time_column" with its first and last cell ("times"), "course", "newest_first" and "preview"; text has "characters"
    and "alphabet", both "encoding"; all have "notes".
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
        times = inspected["time_column"]
        rows = [
            (one["name"], "times" if one["name"] == times else _holds(one), one["count"])
            for one in inspected["columns"]
        ]
        lines += _aligned(("column", "holds", "rows"), rows)
    lines += [f"note: {note}" for note in _notes_of(inspected)]
    for module in inspected.get("modules", ()):
        lines += [f"note: {module['title'] or 'the module'}: {note}" for note in module["notes"]]
        lines += [f"note: {note}" for note in _notes_of_module(module)]
    return "\n".join(lines)


def complete(inspected: Inspected) -> Inspected:
    """`inspected` with every note that `table` prints, those of a module among the module's own."""
    found = inspected | {"notes": _notes_of(inspected)}
    if "modules" in found:
        found["modules"] = [
            module | {"notes": [*module["notes"], *_notes_of_module(module)]} for module in found["modules"]
        ]
    return found


def _notes_of(inspected: Mapping[str, Any]) -> list[str]:
    """What there is to say of the file as a whole."""
    traced = f"A trace has one sequence and initial states of zero, and the loss {GIVEN_LOSS}."
    return [
        *(_column_notes(inspected) if "columns" in inspected else []),
        *inspected["notes"],
        *([traced] if "traced" in inspected else []),
    ]


def _notes_of_module(module: Mapping[str, Any]) -> list[str]:
    """How a guess at its activation is put right."""
    return [ACTIVATION_OPTION] if module.get("guess") and module["activations"] else []


def _inspector(path: Path, kind: str) -> Callable[[Path, Activation | None], Inspected]:
    ending = path.suffix.lower()
    if kind in RUN.looks:
        return _run
    if any(kind in one.looks for one in CHECKPOINTS) or (kind == JSON and path.name.lower().endswith(INDEX_ENDING)):
        return _checkpoint
    if ending in EXPERIMENT.endings:
        return _experiment
    if ending in TABLE.endings:
        if kind in MARKUP:
            raise RnnvizError(f"{path} is {kind}: wanted {TABLE.words}.")
        return _table
    if kind == JSON and ending not in endings((RUN, *CHECKPOINTS)) and _is_json(path):
        if ending in TEXT.endings:
            return _text
        raise RnnvizError(
            f"{path} is {kind}, not a text; to train on its characters anyway, give its name the "
            f"ending {TEXT.endings[0]}."
        )
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
            "notes": [*module.read_by, *module.notes],
            "guess": module.guess,
            "hint": module.hint,
            "activations": list(cell_kind(module.structure.cell).activations),
        }
        for module in checkpoint.modules
    ]
    inputs = {plain_title(module.prefix): module.structure.input_size for module in checkpoint.modules}
    without = traced_without(checkpoint.unused, inputs)
    return {
        "kind": checkpoint.kind,
        "modules": modules,
        "unused": [
            {"name": one.name, "shape": list(one.shape), "role": one.role, "module": one.module}
            for one in checkpoint.unused
        ],
        "more_unused": checkpoint.more_unused,
        "traced": {"loss": GIVEN_LOSS, "targets": False, "initial_state": "zeros", "sequences": 1},
        "notes": [*checkpoint.notes, *without],
    }


def _run(path: Path, activation: Activation | None) -> Inspected:
    from rnnviz.runs.reading.reader import open_run

    with open_run(path) as run:
        captured = run.captured()
        return {
            "kind": "run",
            "name": run.source.title,
            "task": run.task.name,
            "modules": [
                _module(model.name if stage.name == "" else f"{model.name}, {stage.name}", stage.structure)
                for model in run.models
                for stage in model.network.stages
            ],
            "training_steps": int(run.last_training_step),
            "captures": len(captured),
            "training_batches": len(run.captured(kind="batch")),
            "checksums": run.version > 1,  # of metrics and log, too
        }


def _experiment(path: Path, activation: Activation | None) -> Inspected:
    from rnnviz.core.source import OLD_TASK, Given, read_source, source_json

    source = read_source(path)
    about = {"kind": "experiment", "source": source_json(source)}
    if isinstance(source, Given):
        return about | {"name": source.title, "task": OLD_TASK, "models": [], "seed": source.seed}
    experiment = source.experiment
    return about | {
        "name": experiment.name,
        "task": experiment.task.name,
        "models": [
            {"name": model.name, "cell": model.cell, "hidden_size": model.hidden_size} for model in experiment.models
        ],
        "seed": experiment.seed,
    }


def _table(path: Path, activation: Activation | None) -> Inspected:
    """As the task for tables would read it; what is not Unicode, as Latin-1."""
    found, encoding = _read(read_table, path)
    columns = [_column(one, found) for one in found.columns]
    return {
        "kind": TABLE.name,
        "columns": columns,
        "rows": len(found.lines),
        "time_column": found.time_column,
        "newest_first": found.newest_first,
        "encoding": encoding,
        "times": list(found.time_labels[:1] + found.time_labels[-1:]),
        "course": found.course,
        "preview": preview(found),
        "notes": [*found.notes, *_time_notes(found)],
    }


def _time_notes(table: Table) -> list[str]:
    """Which way its times go, and from when to when."""
    if table.course == "neither":
        return table.order_notes("as in the file")
    first, last = (shown(label, 40) for label in (table.time_labels[0], table.time_labels[-1]))
    way = {"forward": "the oldest row comes first", "backward": "the newest row comes first"}[table.course]
    goes = {"forward": "goes forward", "backward": "goes backward"}[table.course]
    return [f"“{table.time_column}” {goes} from {first} to {last}: {way}"]


def _column(column: Column, table: Table) -> Inspected:
    return {
        "name": column.name,
        "numeric": column.numeric,
        "count": len(column.cells),
        "gaps": column.numbers.gaps,
        "constant": column.constant,
        "problem": column.problem(table.lines),
        "words": list(column.numbers.words),
    }


def _text(path: Path, activation: Activation | None) -> Inspected:
    text, encoding = _read(read_text, path)
    characters = [symbol for symbol in text.alphabet if symbol != OTHER]
    return {
        "kind": TEXT.name,
        "characters": len(text.codes),
        "alphabet": "".join(characters),
        "different": text.different,
        "encoding": encoding,
        "notes": list(text.notes),
    }


def _read(read: Callable[[str, Encoding], Read], path: Path) -> tuple[Read, Encoding]:
    """What is in a file of a person, and the encoding under which it could be read."""
    try:
        return read(str(path), "unicode"), "unicode"
    except NotUnicodeError:
        return read(str(path), "latin-1"), "latin-1"


def _is_json(path: Path) -> bool:
    """Whether all of a file that begins like JSON is some, or each of its lines; a song may begin with a bracket."""
    content = read_bytes(path, LARGEST_TEXT)
    return _are_json([content]) or _are_json([line for line in content.splitlines() if line.strip()])


def _are_json(parts: Sequence[bytes]) -> bool:
    try:
        for part in parts:
            json.loads(part)
    except (ValueError, RecursionError):
        return False
    return True


def _table_or_text(path: Path, activation: Activation | None) -> Inspected:
    """Numbers in columns are a table under any ending; what the table reader refuses is read as text."""
    try:
        found = _table(path, activation)
    except RnnvizError:
        return _text(path, activation)
    return found if any(column["numeric"] for column in found["columns"]) else _text(path, activation)


def _module(prefix: str, structure: Structure) -> Inspected:
    parameters = sum(math.prod(shape) for shape in structure.parameter_shapes().values())
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


def _summary(inspected: Mapping[str, Any]) -> str:
    if inspected["kind"] == "run":
        batches = f", training batches: {inspected['training_batches']}" if inspected["training_batches"] else ""
        unchecked = "" if inspected["checksums"] else ", metrics and log without checksums"
        return (
            f" of {inspected['name']!r} ({inspected['task']}), training steps: {inspected['training_steps']:,}, "
            f"captures: {inspected['captures']}{batches}{unchecked}"
        )
    if inspected["kind"] == "experiment":
        models = ", ".join(f"{one['name']} ({one['cell']}, {one['hidden_size']} units)" for one in inspected["models"])
        return f" {inspected['name']!r} ({inspected['task']}): {models}"
    if inspected["kind"] == "text":
        return f", {inspected['characters']:,} characters, {inspected['different']:,} different"
    return ""


def _column_notes(inspected: Mapping[str, Any]) -> list[str]:
    """What a person should know before learning from the columns, a sentence each."""
    notes = []
    for column in inspected["columns"]:
        if column["constant"] is not None:
            notes.append(f"“{column['name']}” is {column['constant']:.12g} in every row: nothing to learn")
        if column["gaps"] and column["numeric"]:
            notes.append(f"“{column['name']}” has gaps: {column['gaps']}; gaps = {GAP_CHOICES} says what to do")
    task, rows = NextValue(), inspected["rows"]
    if task.longest_window(rows) < task.length:
        notes.append(
            f"a length of {task.length:,} time steps needs {task.rows_needed(task.length):,} rows, and any length "
            f"needs {task.rows_needed(1)}; this table has {rows:,}"
        )
    return notes


def _holds(column: Mapping[str, Any]) -> str:
    """What a column holds, in words: "numbers, in $"."""
    if not column["numeric"]:
        return f"text ({column['problem']})" if column["problem"] else "text"
    return ", ".join(["numbers", *column["words"], *[column["problem"]] * bool(column["problem"])])


def _module_row(module: Mapping[str, Any]) -> tuple[object, ...]:
    assumed = ", a guess" if module.get("guess") else ""
    cell = (
        f"{module['cell']} ({ACTIVATIONS[module['activation']]}{assumed})"
        if cell_kind(module["cell"]).activations
        else module["cell"]
    )
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
