"""Rendering alone: a message from a row that is at hand, beside serde_json and LiquidJS."""

from support.sink import program

from harness.programs import BASELINES, run_program

BASELINE = "baseline"


def measure(_cluster, report, _scale):
    report.title("Rendering a message, without a database")
    ours = microseconds(program("render-bench", "release"))
    liquidjs = microseconds("node", "--no-warnings", BASELINES / "liquidjs.mjs")
    report.say("Microseconds a row, medians of 7 rounds after one for warming up. serde_json writes a struct of"
               "\nsix fields: those of the case fields.")
    report.table(["", "ours", "LiquidJS"], [
        ["serde_json" if name == BASELINE else name, f"{us:.2f}", f"{liquidjs[name]:.2f}" if name in liquidjs else ""]
        for name, us in ours.items()])
    report.figure("render_fields_vs_serde_json", ours[BASELINE] / ours["fields"])
    for name, us in liquidjs.items():
        report.figure(f"render_{name}_vs_liquidjs", us / ours[name])


def microseconds(*command):
    return {line["name"]: line["us_per_row"] for line in run_program(*command)}
