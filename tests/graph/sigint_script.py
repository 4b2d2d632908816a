"""Run by test_sigint_process: a graph that tells where it is, gets interrupts there, and says what came of it."""

import json
import sys
import threading
import time
from pathlib import Path

from videohoi.errors import StageError
from videohoi.graph import BaseNode, Graph, IterableSource


class Told(BaseNode):
    """Writes a line when it comes to ``moment``, and then takes its time there."""

    def __init__(self, name, moment, seconds):
        super().__init__(name)
        self.moment, self.seconds = moment, seconds

    def reach(self, moment):
        if moment == self.moment:
            sys.stdout.write(f"{moment}\n")
            sys.stdout.flush()
            time.sleep(self.seconds)

    def open(self, info):
        self.reach("open")

    def process(self, item):
        if item == 20:
            self.reach("process")
        return [item]

    def drain(self):
        self.reach("drain")
        return []

    def close(self, *, complete):
        self.reach("close")


class File(Told):
    """A record a line; the last one says whether all are there."""

    def __init__(self, path, moment, seconds):
        super().__init__("file", moment, seconds)
        self.path, self.lines = path, None

    def open(self, info):
        super().open(info)
        self.lines = self.path.open("w")

    def process(self, item):
        self.lines.write(json.dumps(item) + "\n")
        return super().process(item)

    def close(self, *, complete):
        super().close(complete=complete)
        self.lines.write(json.dumps({"complete": complete}) + "\n")
        self.lines.close()


def main(path, moment, seconds, how, count):
    is_late = moment == "close"  # of the file, which is what must be whole
    model = Told("model", "" if is_late else moment, seconds)
    file = File(Path(path), moment if is_late else "", seconds)
    numbers = (number for number in range(count) if not time.sleep(0.0005))
    graph = Graph(IterableSource(numbers), [[], [model], [file]], drain_seconds=3.0)
    raised = None
    try:
        if how == "run":
            graph.run()
        else:
            for _ in graph.iterate():
                pass
    except (KeyboardInterrupt, StageError) as error:
        raised = type(error).__name__
    report = graph.report()
    said = {
        "raised": raised, "interrupted": report.interrupted, "complete": report.complete, "notes": report.notes,
        "in": report.frames_in, "threads": [t.name for t in threading.enumerate() if t is not threading.main_thread()],
    }  # fmt: skip
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
