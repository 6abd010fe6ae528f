"""What is printed: tables as they come, and at the end one line a figure, `name ratio`."""

import statistics


class Report:
    def __init__(self):
        self.figures = []

    def title(self, text):
        self.say(f"\n{text}\n{'-' * len(text)}")

    def say(self, text=""):
        print(text, flush=True)

    def table(self, header, rows):
        rows = [[str(cell) for cell in row] for row in [header, *rows]]
        widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
        for row in rows:
            first, *others = zip(row, widths)
            self.say("  ".join([f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in others)]))
        self.say()

    def figure(self, name, ratio):
        self.figures.append((name, ratio))

    def finish(self):
        self.title("Figures")
        for name, ratio in self.figures:
            self.say(f"{name} {ratio:.3g}")


class Times:
    """Seconds that each contestant took, run after run."""

    def __init__(self):
        self.taken = {}

    def add(self, contestant, seconds):
        self.taken.setdefault(contestant, []).append(seconds)

    def median(self, contestant):
        return statistics.median(self.taken[contestant])

    def times_as_fast(self, contestant, baseline):
        return self.median(baseline) / self.median(contestant)

    def show(self, report):
        report.table(
            ["", "median s", "least", "most", "runs"],
            [[contestant, *(f"{s:.3f}" for s in (self.median(contestant), min(taken), max(taken))), len(taken)]
             for contestant, taken in self.taken.items()])


def short(count):
    """2000000 as 2m, as names of figures have it."""
    for unit, letter in ((1_000_000, "m"), (1_000, "k")):
        if count >= unit and count % (unit // 10) == 0:
            return f"{count / unit:g}{letter}"
    return str(count)
