// Microseconds that LiquidJS takes to render each case of benches/render/cases.json, as
// benches/render measures ours: medians of seven rounds after one for warming up. Prints one JSON
// line a case. Templates are parsed before; what comes out must be JSON.
import { readFileSync } from "node:fs";
import { Liquid } from "liquidjs";

const ROUNDS = 7;
const ROWS = 20_000;
const cases = JSON.parse(readFileSync(new URL("../render/cases.json", import.meta.url)));
const engine = new Liquid();

function microseconds(render) {
  const round = () => {
    const begun = performance.now();
    for (let i = 0; i < ROWS; i += 1) render();
    return ((performance.now() - begun) * 1000) / ROWS;
  };
  round();
  return Array.from({ length: ROUNDS }, round).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
}

for (const { name, template, row } of cases) {
  const parsed = engine.parse(template);
  JSON.parse(engine.renderSync(parsed, { row }));
  const us_per_row = microseconds(() => engine.renderSync(parsed, { row }));
  console.log(JSON.stringify({ name, us_per_row }));
}
