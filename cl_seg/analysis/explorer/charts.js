// Specifications of the interactive figures, in Vega-Lite.
const SHAPES = ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"];
const DASHES = [[1, 0], [6, 3], [6, 2, 2, 2], [2, 2]];
const cycled = (kinds) => data.strategies.map((_, i) => kinds[i % kinds.length]);
const byStrategy = (range) => ({
  field: "strategy", title: null, scale: { domain: data.strategies, range: cycled(range) },
});
const legend = () => ({ orient: "top", columns: Math.max(1, Math.floor(width() / 170)),
  symbolType: "stroke", values: data.strategies.filter((name) => state.strategy.has(name)) });
const coloured = () => ({ ...byStrategy(data.colours), legend: legend() });
const shaped = { ...byStrategy(SHAPES), legend: null };
const dashed = { ...byStrategy(DASHES), legend: null };
const header = { title: null, labelAnchor: "start", labelFontWeight: "bold" };
const width = () => root.querySelector(".chart").clientWidth || 600;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** What a pointer over a cell of R shows. */
function said(row) {
  const range = row.low < row.high ? `${row.low.toFixed(3)} to ${row.high.toFixed(3)}` : "one seed";
  return { ...row, Dice: withInterval(row.dice, row.half_width), range };
}
const tooltip = [
  { field: "network" }, { field: "strategy" }, { field: "scanner" },
  { field: "label", title: "after" }, { field: "Dice" }, { field: "range", title: "over seeds" },
];

/** Dice on every scanner over the stages: a row per network, a column per scanner. */
function curves() {
  const rows = chosenCells().filter((row) => row.stage > 0);
  const learned = (row) => rows.find((other) => other.learned && other.network === row.network
    && other.strategy === row.strategy && other.scanner === row.scanner)?.stage ?? 1;
  const lines = rows.filter((row) => row.regime !== "joint" && (row.regime !== "single" || row.visited))
    .map((row) => ({ ...said(row), kind: "line", above: Math.min(1, row.dice + (row.half_width ?? 0)),
      below: row.dice - (row.half_width ?? 0), after: row.stage >= learned(row) }));
  const joint = rows.filter((row) => row.regime === "joint").map((row) => ({ ...said(row), kind: "joint" }));
  const shown = [...lines.filter((row) => row.after).map((row) => row.below), ...joint.map((row) => row.dice)];
  const lowest = Math.max(0, Math.floor(Math.min(...shown, 1) * 20 - 0.2) / 20);
  const highest = Math.min(1, Math.ceil(Math.max(...lines.map((row) => row.above), ...joint.map((row) => row.dice), 0) * 50 + 0.2) / 50);
  const stages = data.orders.find(({ number }) => number === state.order).stages;
  const columns = new Set(rows.map((row) => row.scanner)).size || 1;
  const x = { field: "stage", type: "quantitative", title: null,
    scale: { domain: [0.7, stages.length - 0.7] },
    axis: { values: stages.map((_, i) => i).slice(1), grid: false, labelAngle: -30, labelOverlap: true,
      labelExpr: `${JSON.stringify(stages)}[datum.value]` } };
  const y = { field: "dice", type: "quantitative", title: "Dice", axis: { tickCount: 4 },
    scale: { domain: [lowest, highest], zero: false, nice: false } };
  const only = (test) => [{ filter: test }];
  const before = [...new Map(lines.filter((row) => row.learned && row.stage > 1)
    .map((row) => [row.network + "|" + row.scanner,
      { network: row.network, scanner: row.scanner, kind: "before", from: 0.7, to: row.stage - 0.5 }])).values()];
  return {
    data: { values: [...before, ...joint, ...lines] },
    facet: {
      row: { field: "network", sort: data.networks, header: { ...header, labelOrient: "top", labelAngle: 0 } },
      column: { field: "scanner", sort: data.scanners, header: { ...header, labelFontWeight: "normal" } },
    },
    spec: {
      width: Math.max(110, (width() - 70) / columns - 22), height: 120,
      layer: [
        { transform: only("datum.kind === 'before'"), mark: { type: "rect", color: css("--shade"), clip: true },
          encoding: { x: { ...x, field: "from" }, x2: { field: "to" } } },
        { transform: only("datum.kind === 'joint'"), mark: { type: "rule", strokeDash: [2, 3], color: css("--ink"), strokeWidth: 1.5 },
          encoding: { y, tooltip } },
        { transform: only("datum.kind === 'line'"), mark: { type: "area", opacity: 0.12, clip: true },
          encoding: { x, y: { ...y, field: "below" }, y2: { field: "above" }, color: coloured() } },
        { transform: only("datum.kind === 'line'"), mark: { type: "line", clip: true, strokeWidth: 2 },
          encoding: { x, y, color: coloured(), strokeDash: dashed } },
        { transform: only("datum.kind === 'line'"), mark: { type: "point", clip: true, filled: true, opacity: 1 },
          encoding: { x, y, color: coloured(), shape: shaped, tooltip,
            size: { condition: { test: "datum.visited", value: 90 }, value: 30 } } },
      ],
    },
  };
}

/** R of every network and strategy; a click on a cell shows its cases. */
function matrix() {
  const rows = chosenCells().map((row) => ({ ...said(row), cell: true,
    place: `${row.stage} ${row.label}`, title: `${row.network} · ${row.strategy}` }));
  const many = Math.max(0, ...rows.map((row) => row.stage)) > 25;
  const columns = new Set(rows.map((row) => row.scanner)).size || 1;
  const panel = Math.max(150, Math.min(280, 62 * columns));
  const titles = data.networks.flatMap((network) => data.strategies.map((name) => `${network} · ${name}`));
  const places = [...new Map([...rows].sort((a, b) => a.stage - b.stage).map((row) => [row.place, 1])).keys()];
  const x = { field: "scanner", sort: data.scanners, title: null, axis: { labelAngle: -30, labelLimit: 130 } };
  const y = { field: "place", sort: places, title: null, axis: { labelLimit: 120, labelOverlap: true } };
  return {
    data: { values: rows },
    facet: { field: "title", sort: titles, header },
    columns: Math.max(1, Math.floor(width() / (panel + 135))),
    resolve: { scale: { y: "independent" } },
    spec: {
      width: panel, height: { step: many ? 7 : 26 },
      layer: [
        { mark: { type: "rect", cursor: "pointer", stroke: css("--paper") },
          encoding: { x, y, tooltip,
            color: { field: "dice", type: "quantitative", title: "Dice",
              scale: { domain: [0, 1], scheme: "yellowgreenblue" }, legend: { orient: "top", gradientLength: 180 } } } },
        ...(many ? [] : [{ mark: { type: "text", fontSize: 11, cursor: "pointer" },
          encoding: { x, y, tooltip, text: { field: "dice", format: ".2f" },
            color: { condition: { test: "datum.dice > 0.55", value: "white" }, value: "#222222" } } }]),
        { transform: [{ filter: "datum.learned" }], mark: { type: "rect", fillOpacity: 0, stroke: "#d1603d", strokeWidth: 2.5, cursor: "pointer" },
          encoding: { x, y, tooltip } },
      ],
    },
  };
}

const chosenScores = () => data.scores.filter(isChosen).map((row) => ({ ...row,
  low: row.value - (row.half_width ?? 0), high: row.value + (row.half_width ?? 0),
  says: withInterval(row.value, row.half_width), verdict: row.evaluable ? "" : "not evaluable" }));

/** ACC, BWT and plasticity with their intervals, beside each other. */
function scores() {
  const rows = chosenScores();
  const names = [...new Set(data.scores.map((row) => row.score))];
  const beside = width() > 760 ? names.length : 1;
  const one = (score, first) => ({
    data: { values: rows.filter((row) => row.score === score) },
    facet: { row: { field: "network", sort: data.networks, header: { ...header, labelOrient: "top", labelAngle: 0 } } },
    title: { text: score, anchor: "start" },
    spec: {
      width: Math.max(150, width() / beside - (first ? 150 : 40)), height: { step: 18 },
      encoding: { y: { field: "strategy", sort: data.strategies, title: null,
        axis: first ? { labelLimit: 120 } : { labels: false, ticks: false } } },
      layer: [
        { mark: { type: "rule", strokeWidth: 2 }, encoding: {
          x: { field: "low", type: "quantitative", title: null, scale: { zero: score === "BWT" }, axis: { tickCount: 5 } },
          x2: { field: "high" }, color: { ...coloured(), legend: null } } },
        { mark: { type: "point", filled: true, size: 70 }, encoding: {
          x: { field: "value", type: "quantitative" }, color: { ...coloured(), legend: null }, shape: shaped,
          opacity: { condition: { test: "datum.evaluable", value: 1 }, value: 0.35 },
          tooltip: [{ field: "network" }, { field: "strategy" }, { field: "says", title: score }, { field: "verdict" }] } },
      ],
    },
  });
  return { concat: names.map((name, i) => one(name, i === 0 || beside === 1)), columns: beside };
}

/** What is kept against what is learned. */
function plane() {
  const wide = new Map();
  for (const row of chosenScores()) {
    const key = `${row.network}|${row.strategy}`;
    wide.set(key, { ...wide.get(key), network: row.network, strategy: row.strategy, evaluable: row.evaluable,
      kept: row.kept, [row.score]: row.value, [`${row.score} low`]: row.low, [`${row.score} high`]: row.high,
      [`${row.score} says`]: row.says });
  }
  const rows = [...wide.values()].filter((row) => row.evaluable && "BWT" in row && "plasticity" in row);
  const columns = Math.min(new Set(rows.map((row) => row.network)).size || 1, width() > 900 ? 3 : 2);
  const axis = (field) => ({ field, type: "quantitative", title: field.split(" ")[0], scale: { zero: false }, axis: { tickCount: 5 } });
  return {
    data: { values: rows },
    facet: { field: "network", sort: data.networks, header },
    columns,
    spec: {
      width: Math.max(150, width() / columns - 75), height: 220,
      layer: [
        { mark: "rule", encoding: { x: axis("plasticity low"), x2: { field: "plasticity high" }, y: axis("BWT"), color: coloured() } },
        { mark: "rule", encoding: { x: axis("plasticity"), y: axis("BWT low"), y2: { field: "BWT high" }, color: coloured() } },
        { mark: { type: "point", filled: true, size: 90 }, encoding: { x: axis("plasticity"), y: axis("BWT"), color: coloured(), shape: shaped,
          tooltip: [{ field: "network" }, { field: "strategy" }, { field: "plasticity says", title: "plasticity" },
            { field: "BWT says", title: "BWT" }, { field: "ACC says", title: "ACC" }, { field: "kept", title: "slices kept" }] } },
      ],
    },
  };
}

/** Colours of text, lines and axes, of the page as it is now. */
const looks = () => ({
  background: "transparent", font: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif",
  axis: { labelColor: css("--ink"), titleColor: css("--ink"), gridColor: css("--line"), domainColor: css("--soft"), tickColor: css("--soft") },
  header: { labelColor: css("--ink") }, legend: { labelColor: css("--ink"), titleColor: css("--ink") },
  title: { color: css("--ink") }, view: { stroke: null },
});
