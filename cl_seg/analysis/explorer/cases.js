// The cases of a cell of R.

/** Dice of every case in a cell, mean over the runs of the seed that is chosen; classes by column. */
function caseDice(cell, stage) {
  const runs = data.cases.runs.filter((run) => run.network === cell.network
    && run.strategy === cell.strategy && (run.order === state.order || cell.regime === "joint")
    && (state.seed === "" || run.seed === state.seed));
  const place = Object.keys(data.cases.names).indexOf(cell.scanner);
  const tables = runs.map((run) => run.dice[stage]?.[place]).filter(Boolean);
  return data.classes.map((_, k) => (data.cases.names[cell.scanner] ?? []).map((_, i) => {
    const known = tables.map((table) => table[k][i]).filter((value) => value !== null);
    return known.length ? mean(known) / 1000 : null;
  }));
}

const meanKnown = (values) => {
  const known = values.filter((value) => value !== null);
  return known.length ? mean(known) : null;
};

/** Stage right after which the scanner of a cell was learned, if the network goes on after it. */
const learnedStage = (cell) => cells.find((row) => row.learned && row.regime !== "single" && row.network === cell.network
  && row.strategy === cell.strategy && row.scanner === cell.scanner && row.order === cell.order)?.stage;

function caseTable(cell) {
  const now = caseDice(cell, cell.stage), learned = learnedStage(cell);
  const before = learned === undefined || learned >= cell.stage ? null : caseDice(cell, learned);
  const names = data.cases.names[cell.scanner] ?? [];
  const rows = names.map((name, i) => {
    const value = meanKnown(now.map((own) => own[i]));
    const then = before && meanKnown(before.map((own) => own[i]));
    return { name, each: now.map((own) => own[i]), value, lost: then === null || value === null ? null : then - value };
  }).filter((row) => row.value !== null);
  rows.sort((a, b) => (b.lost ?? -1) - (a.lost ?? -1) || a.value - b.value);
  const cellOf = (value) => element("td", {}, value === null ? "–" : value.toFixed(3));
  const titles = ["case", ...data.classes, ...(data.classes.length > 1 ? ["mean"] : []), ...(before ? ["lost since learned"] : [])];
  const table = element("table", { class: "cases" },
    element("thead", {}, element("tr", {}, ...titles.map((title) => element("th", { scope: "col" }, title)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, element("td", {}, row.name),
      ...row.each.map(cellOf), ...(data.classes.length > 1 ? [cellOf(row.value)] : []),
      ...(before ? [element("td", {}, row.lost === null ? "–" : signed(row.lost))] : [])))));
  window.makeSortable?.(table);
  return rows.length ? table : element("p", {}, "Scores of the cases of this cell are not on this page.");
}

/** Choice of a cell without a pointer: every part of it as a list. */
function cellChoice(changed) {
  const options = cells.filter((row) => row.seed === state.seed && isChosen(row) && row.stage > 0
    && (row.order === state.order || row.regime === "joint"));
  if (!options.length) return null;
  const same = (row, fields) => fields.every((field) => row[field] === state.cell?.[field]);
  const fields = ["network", "strategy", "scanner", "stage"];
  state.cell = options.find((row) => same(row, fields)) ?? options.find((row) => same(row, fields.slice(0, 3)))
    ?? options.find((row) => same(row, fields.slice(0, 2))) ?? mostForgotten(options);
  const list = (field, title) => {
    const earlier = fields.slice(0, fields.indexOf(field));
    const found = new Map(options.filter((row) => same(row, earlier)).map((row) => [row[field], row]));
    const select = element("select", { "data-cell": field, onchange: () => {
      state.cell = { ...[...found.values()][select.selectedIndex] };
      changed();
    } }, ...[...found].map(([value, row]) => element("option", { selected: value === state.cell[field] },
      field === "stage" ? `${row.stage} ${row.label}` : value)));
    return element("label", { class: "choice" }, `${title} `, select);
  };
  return element("div", { class: "filters" }, list("network", "Network"), list("strategy", "Strategy"),
    list("scanner", "Scanner"), list("stage", "After stage"));
}

/** The cell in which Dice lies furthest below that right after learning. */
function mostForgotten(options) {
  const lost = (row) => {
    const learned = options.find((other) => other.learned && other.network === row.network
      && other.strategy === row.strategy && other.scanner === row.scanner);
    // A network of its own per scanner goes from none to none.
    return learned && learned.stage < row.stage && row.regime !== "single" ? learned.dice - row.dice : -1;
  };
  return options.reduce((best, row) => lost(row) > lost(best) ? row : best, options[0]);
}
