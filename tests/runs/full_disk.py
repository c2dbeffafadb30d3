"""Started by test_writer_failing: a writer whose file may not grow for a while, as on a full disk."""

import resource
import sys
import time
from pathlib import Path

from sample_runs import loss, record, writer

from rnnviz.runs.reading.reader import Run

ALLOWED = 400_000  # bytes of one file


def main(path: Path) -> None:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    run = writer(path, hidden_size=24)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ALLOWED, unlimited[1]))
    step = 0
    while not run.failure and step < 2000:
        record(run, step, hidden_size=24)
        run.flush()
        step += 1
    assert run.failure, "the limit was never felt"
    assert str(path) in run.failure
    assert "disk" in run.failure
    failed_at = step
    for step in range(failed_at, failed_at + 300):  # the training goes on
        record(run, step, hidden_size=24)
    started = time.monotonic()
    run.flush()
    assert run.failure, "it cannot have been written"
    assert time.monotonic() - started < 60
    with Run(path) as reader:  # what was written before is there
        assert len(reader.training_steps) >= failed_at - 1
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    run.flush()
    assert run.failure == "", run.failure
    run.close()
    with Run(path) as reader:
        assert list(reader.metrics("loss", 1)) == [loss(k, 1) for k in range(step + 1)], "metrics were lost"
        kinds = [event.kind for event in reader.events()]
        assert "recovered" in kinds, kinds
        assert "dropped" in kinds, kinds
        for captured in reader.captured():
            reader.capture(int(captured), 1)
    print("recovered")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
