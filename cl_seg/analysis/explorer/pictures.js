// Pictures of test slices: contours of truth and prediction, a slider over the stages.
const SVG = "http://www.w3.org/2000/svg";
const MOST_LISTED = 200;
const browser = { chosen: null, stage: -1, truth: true, found: true };

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Slices of what is chosen, those that were forgotten most first. */
function listedSlices() {
  const own = data.pictures.shown.filter((shown) => {
    const scanner = data.pictures.images[shown.image].scanner;
    return isChosen({ ...shown, scanner }) && shown.order === state.order
      && (state.seed === "" || shown.seed === state.seed);
  });
  const worst = (shown) => Math.min(...shown.stages.map(([, dice]) => dice ?? 1));
  return own.sort((a, b) => (b.lost ?? -1) - (a.lost ?? -1) || worst(a) - worst(b)).slice(0, MOST_LISTED);
}

function sliceName(shown) {
  const lost = shown.lost === null ? "–" : signed(-shown.lost, 2);
  const seed = data.seeds.length > 1 ? ` · ${data.factor.slice(0, -1)} ${shown.seed}` : "";
  return `${lost} · ${shown.network} ${shown.strategy} · ${data.pictures.images[shown.image].scanner} · ${shown.what}${seed}`;
}

function stageName(shown, stage) {
  const joint = cells.find((row) => row.network === shown.network && row.strategy === shown.strategy)?.regime === "joint";
  return joint ? "training on all" : `stage ${stage}, ${data.orders.find(({ number }) => number === shown.order).stages[stage]}`;
}

function picture(shown, index) {
  const image = data.pictures.images[shown.image];
  const [w, h] = image.size;
  const outline = (paths, kind) => drawn("g", { class: kind, transform: "scale(0.5)" },
    ...paths.map((d, k) => drawn("path", { d, stroke: data.contours[k % data.contours.length] })));
  const layers = [drawn("image", { href: image.source, width: w, height: h })];
  if (browser.truth) layers.push(outline(image.truth, "truth"));
  if (browser.found) layers.push(outline(shown.stages[index][2], "found"));
  return drawn("svg", { viewBox: `0 0 ${w} ${h}`, role: "img", "aria-label": sliceName(shown) }, ...layers);
}

function sliceView(shown, changed) {
  const stages = shown.stages;
  const index = Math.min(browser.stage < 0 ? stages.length - 1 : browser.stage, stages.length - 1);
  const [stage, dice] = stages[index];
  const said = `After ${stageName(shown, stage)}: Dice ${dice === null ? "–" : dice.toFixed(2)}`;
  const slider = element("input", { type: "range", min: "0", max: String(Math.max(1, stages.length - 1)), step: "1",
    value: String(stages.length > 1 ? index : 1), disabled: stages.length < 2, "aria-label": "Stage", "aria-valuetext": said,
    oninput: (event) => { browser.stage = Number(event.target.value); changed(); } });
  const toggle = (field, title) => element("label", {}, element("input", { type: "checkbox", checked: browser[field],
    "data-toggle": field, onchange: (event) => { browser[field] = event.target.checked; changed(); } }), ` ${title}`);
  return element("div", { class: "slice" }, picture(shown, index),
    element("div", { class: "stage" }, slider, element("output", {}, said),
      stages.length < 2 ? element("p", { class: "small" }, "This slice was kept after one stage alone.") : null),
    element("div", { class: "filters" }, toggle("truth", "truth (dashed)"), toggle("found", "prediction (solid)"),
      ...data.classes.map((name, k) => element("span", { class: "swatch", style: `--swatch: ${data.contours[k % data.contours.length]}` }, name))));
}

function pictureBrowser() {
  const place = element("div", { class: "pictures" });
  const slices = listedSlices();
  if (!slices.length) {
    const all = data.pictures.shown.length > 0;
    return element("p", { class: "small" }, all ? "No pictures of what is chosen." : "The results have no pictures: they were packed, or runs kept none.");
  }
  const wanted = state.cell && slices.findIndex((shown) => shown.network === state.cell.network
    && shown.strategy === state.cell.strategy && data.pictures.images[shown.image].scanner === state.cell.scanner);
  browser.chosen = slices[Math.max(0, slices.indexOf(browser.chosen) >= 0 ? slices.indexOf(browser.chosen) : wanted ?? 0)];
  const list = element("select", { size: 10, "aria-label": "Test slices, most forgotten first", onchange: () => {
    browser.chosen = slices[list.selectedIndex];
    browser.stage = -1;
    show();
  } }, ...slices.map((shown) => element("option", { selected: shown === browser.chosen }, sliceName(shown))));
  let view = null;
  function show() {
    const at = document.activeElement;
    const focus = at?.type === "range" ? "input[type=range]" : at?.dataset.toggle ? `[data-toggle=${at.dataset.toggle}]` : null;
    const next = sliceView(browser.chosen, show);
    if (view) view.replaceWith(next); else place.append(next);
    view = next;
    if (focus) view.querySelector(focus)?.focus();
  }
  place.append(element("div", {}, element("p", { class: "small" },
    "Test slices with pictures, most forgotten first: change of Dice from learning the scanner to the end (– where it is not known)."), list));
  show();
  return place;
}
