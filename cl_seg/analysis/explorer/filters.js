// What is chosen, and the controls that choose it.
const MOST_CHECKED = 8; // strategies at first: more lines cannot be told apart
const state = {
  network: new Set(data.networks),
  strategy: new Set(data.strategies.slice(0, MOST_CHECKED)),
  scanner: new Set(data.scanners),
  order: data.orders[0].number,
  seed: "",
  tab: "curves",
  cell: null, // network, strategy, scanner and stage of a cell of R
};

const isChosen = (row) =>
  state.network.has(row.network) && state.strategy.has(row.strategy)
  && (row.scanner === undefined || state.scanner.has(row.scanner));

/** Cells of the order and seed that are chosen; joint training knows no order. */
const chosenCells = () => cells.filter((row) =>
  isChosen(row) && row.seed === state.seed
  && (row.order === state.order || row.regime === "joint"));

function checkboxes(title, field, names, changed) {
  const count = element("span", { class: "count" });
  const boxes = names.map((name) => element("input", {
    type: "checkbox", checked: state[field].has(name), "data-field": field, "data-name": name,
    onchange: (event) => {
      if (event.target.checked) state[field].add(name); else state[field].delete(name);
      update();
    },
  }));
  const all = (checked) => () => {
    boxes.forEach((box) => { box.checked = checked; });
    state[field] = new Set(checked ? names : []);
    update();
  };
  function update() {
    count.textContent = state[field].size === names.length
      ? `all ${names.length}` : `${state[field].size} of ${names.length}`;
    changed();
  }
  count.textContent = state[field].size === names.length
    ? `all ${names.length}` : `${state[field].size} of ${names.length}`;
  return element("details", { class: "filter", name: "filter" },
    element("summary", {}, `${title} `, count),
    element("div", { class: "choices" },
      element("div", {},
        element("button", { type: "button", onclick: all(true) }, "all"), " ",
        element("button", { type: "button", onclick: all(false) }, "none")),
      ...boxes.map((box, i) => element("label", {}, box, ` ${names[i]}`))));
}

function choice(title, field, options, changed) {
  const select = element("select", {
    "data-field": field,
    onchange: () => { state[field] = options[select.selectedIndex].value; changed(); },
  }, ...options.map((option) => element("option", {}, option.text)));
  return element("label", { class: "choice" }, `${title} `, select);
}

function filterBar(changed) {
  const orders = data.orders.map(({ number, name }) => ({ value: number, text: `${number}: ${name}` }));
  const all = { value: "", text: data.seeds.length > 1 ? `mean of ${data.seeds.length}` : `${data.seeds[0]}` };
  const seeds = [all, ...(data.seeds.length > 1 ? data.seeds : []).map((seed) =>
    ({ value: String(seed), text: String(seed) }))];
  return element("div", { class: "filters", role: "group", "aria-label": "Filters" },
    checkboxes("Networks", "network", data.networks, changed),
    checkboxes("Strategies", "strategy", data.strategies, changed),
    checkboxes("Scanners", "scanner", data.scanners, changed),
    choice("Order", "order", orders, changed),
    choice(data.factor === "seeds" ? "Seed" : "Replicate", "seed", seeds, changed));
}
