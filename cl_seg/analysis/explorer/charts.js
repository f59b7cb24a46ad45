// Specifications of the interactive figures, in Vega-Lite.
const SHAPES = ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"];
const DASHES = [[1, 0], [6, 3], [6, 2, 2, 2], [2, 2]];
const cycled = (kinds) => data.strategies.map((_, i) => kinds[i % kinds.length]);
const byStrategy = (range) => ({
  field: "strategy", title: null, scale: { domain: data.strategies, range: cycled(range) },
});
const joint = new Set(cells.filter((row) => row.regime === "joint").map((row) => row.strategy));
const streams = () => data.strategies.filter((name) => state.strategy.has(name) && !joint.has(name));
const legend = () => ({ orient: "top", columns: Math.max(1, Math.floor(width() / 170)), symbolOpacity: 1, values: streams() });
const plain = { ...byStrategy(data.colours), legend: null };
const coloured = () => ({ ...plain, legend: legend() });
const shaped = () => ({ ...byStrategy(SHAPES), legend: legend() });
const dashed = { ...byStrategy(DASHES), legend: null };
const header = { title: null, labelAnchor: "start", labelFontWeight: "bold" };
const width = () => root.querySelector(".chart").clientWidth || 600;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** What a pointer over a cell of R shows. */
function said(row) {
  const range = row.low < row.high ? `${row.low.toFixed(3)} to ${row.high.toFixed(3)}` : `one of the ${data.factor}`;
  return { ...row, Dice: withInterval(row.dice, row.half_width), range };
}
const tooltip = [
  { field: "network" }, { field: "strategy" }, { field: "scanner" },
  { field: "label", title: "after" }, { field: "Dice" }, { field: "range", title: `over ${data.factor}` },
];

/** Stage after which a network first knew the scanner of a row, 1 where no stage is that. */
const learnedIn = (rows, row) => rows.find((other) => other.learned && other.network === row.network
  && other.strategy === row.strategy && other.scanner === row.scanner)?.stage ?? 1;

/** Limits of an axis of Dice around what comes after learning, a tenth apart at least. */
function limits(lines, joint) {
  const after = lines.filter((row) => row.after);
  const low = Math.min(...after.map((row) => row.below), ...joint.map((row) => row.dice), 1);
  const high = Math.max(...after.map((row) => row.above), ...joint.map((row) => row.dice), 0);
  const bottom = Math.max(0, Math.floor(20 * low) / 20), top = Math.min(1, Math.ceil(20 * high) / 20);
  return top - bottom < 0.1 ? [Math.max(0, top - 0.1), Math.max(0.1, top)] : [bottom, top];
}

/** Dice on every scanner over the stages: a row per network, each with its axis. */
function curves() {
  const rows = chosenCells().filter((row) => row.stage > 0);
  const networks = data.networks.filter((name) => rows.some((row) => row.network === name));
  const columns = new Set(rows.map((row) => row.scanner)).size || 1;
  return {
    vconcat: networks.map((name, i) => curvesOf(rows.filter((row) => row.network === name), name, columns, i === networks.length - 1)),
  };
}

function curvesOf(rows, network, columns, last) {
  const lines = rows.filter((row) => row.regime !== "joint" && (row.regime !== "single" || row.visited))
    .map((row) => ({ ...said(row), kind: "line", above: Math.min(1, row.dice + (row.half_width ?? 0)),
      below: row.dice - (row.half_width ?? 0), after: row.stage >= learnedIn(rows, row) }));
  const ends = rows.filter((row) => row.regime === "joint").map((row) => ({ ...said(row), kind: "joint" }));
  const before = [...new Map(lines.filter((row) => row.learned && row.stage > 1).map((row) =>
    [row.scanner, { scanner: row.scanner, kind: "before", from: 0.7, to: row.stage - 0.5 }])).values()];
  const stages = data.orders.find(({ number }) => number === state.order).stages;
  const x = { field: "stage", type: "quantitative", title: null,
    scale: { domain: [0.7, stages.length - 0.7] },
    axis: { values: stages.map((_, i) => i).slice(1), grid: false, labelAngle: -30, labelOverlap: true, labels: last,
      labelExpr: `${JSON.stringify(stages)}[datum.value]` } };
  const y = { field: "dice", type: "quantitative", title: "Dice", axis: { tickCount: 4, minExtent: 28 },
    scale: { domain: limits(lines, ends), zero: false, nice: false } };
  const only = (kind) => [{ filter: `datum.kind === '${kind}'` }];
  return {
    title: { text: network, anchor: "start", fontSize: 12 },
    data: { values: [...before, ...ends, ...lines] },
    facet: { column: { field: "scanner", sort: data.scanners, header: { ...header, labelFontWeight: "normal" } } },
    spec: {
      width: Math.max(110, (width() - 70) / columns - 22), height: 120,
      layer: [
        { transform: only("before"), mark: { type: "rect", color: css("--shade"), clip: true },
          encoding: { x: { ...x, field: "from" }, x2: { field: "to" } } },
        { transform: only("joint"), mark: { type: "rule", strokeDash: [2, 3], color: css("--ink"), strokeWidth: 1.5 },
          encoding: { y, tooltip } },
        { transform: only("line"), mark: { type: "area", opacity: 0.15, clip: true },
          encoding: { x, y: { ...y, field: "below" }, y2: { field: "above" }, color: coloured() } },
        { transform: only("line"), mark: { type: "line", clip: true, strokeWidth: 2 },
          encoding: { x, y, color: coloured(), strokeDash: dashed } },
        { transform: only("line"), mark: { type: "point", clip: true, filled: true, opacity: 1 },
          encoding: { x, y, color: coloured(), shape: shaped(), tooltip,
            size: { condition: { test: "datum.visited", value: 90 }, value: 30 } } },
      ],
    },
  };
}

/** R of every network and strategy, a network to a row; a click on a cell shows its cases. */
function matrix() {
  const rows = chosenCells().map((row) => ({ ...said(row), cell: true, place: `${row.stage} ${row.label}` }));
  const networks = data.networks.filter((name) => rows.some((row) => row.network === name));
  const alone = new Set(rows.map((row) => row.strategy)).size === 1;
  const groups = alone ? [rows] : networks.map((name) => rows.filter((row) => row.network === name));
  return { vconcat: groups.map((own) => matricesOf(own, alone ? "network" : "strategy")) };
}

function matricesOf(rows, field) {
  const most = Math.max(...cells.map((row) => row.stage));
  const many = most > 25;
  const panel = Math.max(96, Math.min(240, 38 * data.scanners.length));
  const places = [...new Map([...rows].sort((a, b) => a.stage - b.stage).map((row) => [row.place, 1])).keys()];
  const x = { field: "scanner", sort: data.scanners, title: null, axis: { labelAngle: -30, labelLimit: 130 } };
  const y = { field: "place", sort: places, title: null, axis: { labelLimit: 115, minExtent: 105, labelOverlap: true } };
  const title = field === "strategy" ? [rows[0].network] : [rows[0].strategy];
  return {
    title: { text: title, anchor: "start", fontSize: 12 },
    data: { values: rows },
    facet: { field, sort: field === "strategy" ? data.strategies : data.networks, header },
    columns: Math.max(1, Math.floor(width() / (panel + 132))),
    resolve: { scale: { y: "independent", x: "independent" } },
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
      width: Math.max(150, (width() - 140) / beside - 30), height: { step: 18 },
      encoding: { y: { field: "strategy", title: null,
        scale: { domain: data.strategies.filter((name) => state.strategy.has(name)) },
        axis: first ? { labelLimit: 120 } : { labels: false, ticks: false } } },
      layer: [
        { mark: { type: "rule", strokeWidth: 2 }, encoding: {
          x: { field: "low", type: "quantitative", title: null, scale: { zero: score === "BWT", padding: 8 }, axis: { tickCount: 5 } },
          x2: { field: "high" }, color: plain } },
        { mark: { type: "point", filled: true, size: 70 }, encoding: {
          x: { field: "value", type: "quantitative" }, color: plain, shape: { ...shaped(), legend: null },
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
  const count = new Set(rows.map((row) => row.network)).size || 1;
  const columns = Math.min(count, count === 4 || width() < 900 ? 2 : 3);
  const axis = (field) => ({ field, type: "quantitative", title: field.split(" ")[0], scale: { zero: false, padding: 12 }, axis: { tickCount: 5 } });
  return {
    data: { values: rows },
    facet: { field: "network", sort: data.networks, header },
    columns,
    spec: {
      width: Math.max(150, width() / columns - 75), height: 220,
      layer: [
        { mark: "rule", encoding: { x: axis("plasticity low"), x2: { field: "plasticity high" }, y: axis("BWT"), color: coloured() } },
        { mark: "rule", encoding: { x: axis("plasticity"), y: axis("BWT low"), y2: { field: "BWT high" }, color: coloured() } },
        { mark: { type: "point", filled: true, size: 90, opacity: 1 }, encoding: { x: axis("plasticity"), y: axis("BWT"), color: coloured(), shape: shaped(),
          tooltip: [{ field: "network" }, { field: "strategy" }, { field: "plasticity says", title: "plasticity" },
            { field: "BWT says", title: "BWT" }, { field: "ACC says", title: "ACC" }, { field: "kept", title: "slices kept" }] } },
      ],
    },
  };
}

/** Colours of text, lines and axes, of the page as it is now. */
const looks = () => ({
  background: "transparent", axisX: { labelFontSize: 11 }, axisY: { labelFontSize: 11 }, font: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif",
  axis: { labelColor: css("--ink"), titleColor: css("--ink"), gridColor: css("--line"), domainColor: css("--soft"), tickColor: css("--soft") },
  header: { labelColor: css("--ink") }, legend: { labelColor: css("--ink"), titleColor: css("--ink") },
  title: { color: css("--ink") }, view: { stroke: null },
});
