// The tabs below the filters.
const TABS = {
  curves: ["Over the stream", curves, `Dice on each scanner after every stage, large marks where the scanner is trained on. Bands are 95 % intervals for other patients, of a mean over ${data.factor} for other patients and ${data.factor}; grey lies before learning, dots are joint training. Every network has an axis of its own; what lies below it is in the matrix R.`],
  matrix: ["Matrix R", matrix, "Dice on each scanner (columns) after each stage (rows); framed right after learning. Click a cell to see its cases, or choose it under Cases."],
  scores: ["Scores", scores, `Mean over ${data.averaged}, whatever is chosen above, with 95 % intervals for other patients and ${data.factor}; pale is not evaluable.`],
  plane: ["Kept and learned", plane, `BWT, what is kept, against plasticity, what is learned; up and to the right is better. Mean over ${data.averaged}.`],
  cases: ["Cases", null, ""],
};
const panel = element("div", { class: "chart", role: "tabpanel", id: "explorer-panel" });
const caption = element("p", { class: "small", "aria-live": "polite" });
const tabs = Object.fromEntries(Object.entries(TABS).map(([name, [title]]) => [name, element("button", {
  type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "explorer-panel", onclick: () => open(name), onkeydown: moveTab,
}, title)]));
let drawing = Promise.resolve();
let view = null;

function moveTab(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const names = Object.keys(TABS);
  const next = names[(names.indexOf(state.tab) + step + names.length) % names.length];
  open(next);
  tabs[next].focus();
}

function open(name) {
  state.tab = name;
  show();
}

function show() {
  for (const [name, tab] of Object.entries(tabs)) {
    tab.setAttribute("aria-selected", String(name === state.tab));
    tab.tabIndex = name === state.tab ? 0 : -1;
  }
  panel.setAttribute("aria-labelledby", `tab-${state.tab}`);
  caption.textContent = TABS[state.tab][2];
  drawing = drawing.then(draw);
}

async function draw() {
  view?.finalize();
  view = null;
  if (state.tab === "cases") return showCases();
  if (!chosenCells().length) return panel.replaceChildren(element("p", {}, "Nothing is chosen: check a network, a strategy and a scanner."));
  const spec = { ...TABS[state.tab][1](), config: looks() };
  const dark = document.documentElement.dataset.theme === "dark";
  const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true, tooltip: { theme: dark ? "dark" : "light" } };
  const embedded = await vegaEmbed(panel, spec, options);
  view = embedded.view;
  view.addEventListener("click", (_, item) => { if (item?.datum?.cell) openCell(item.datum); });
}

function openCell(cell) {
  state.cell = cell;
  browser.chosen = null;
  open("cases");
}

function showCases() {
  const chosen = cellChoice(() => { browser.chosen = null; show(); });
  if (!chosen) return panel.replaceChildren(element("p", {}, "Nothing is chosen: check a network, a strategy and a scanner."));
  const { cell } = state;
  const dice = withInterval(cell.dice, cell.half_width);
  panel.replaceChildren(chosen,
    element("h3", { class: "cell" }, `${cell.network} · ${cell.strategy} on ${cell.scanner} after ${cell.label}: Dice ${dice}`),
    element("div", { class: "beside" }, element("div", { class: "wide" }, caseTable(cell)), pictureBrowser()));
}

root.append(filterBar(show), element("div", { class: "tabs", role: "tablist", "aria-label": "Figures" }, ...Object.values(tabs)),
  caption, panel, ...data.notices.map((notice) => element("p", { class: "small" }, notice)));
root.hidden = false;
document.addEventListener("themechange", show);
let resized;
let before = root.clientWidth;
new ResizeObserver(() => {
  if (root.clientWidth === before) return;
  before = root.clientWidth;
  clearTimeout(resized);
  resized = setTimeout(show, 150);
}).observe(root);
show();
