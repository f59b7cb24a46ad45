// The data of the page, as lists of rows.
const data = JSON.parse(document.getElementById("explorer-data").textContent);
const root = document.getElementById("explore");

/** Rows of a table that is written as columns, texts as codes. */
function rowsOf(columns) {
  const names = Object.keys(columns);
  const value = (column, i) => column.codes ? column.values[column.codes[i]] : column[i];
  const first = columns[names[0]];
  return Array.from({ length: (first.codes ?? first).length }, (_, i) =>
    Object.fromEntries(names.map((name) => [name, value(columns[name], i)])));
}

const cells = rowsOf(data.cells);
const signed = (value, digits = 3) =>
  (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
const minus = (text) => text.replace("-", "−");

/** A value with half the width of its interval, where there is one. */
function withInterval(value, halfWidth) {
  if (value === null || value === undefined) return "–";
  const text = minus(value.toFixed(3));
  return halfWidth === null ? `${text} (no interval)` : `${text} ± ${halfWidth.toFixed(3)}`;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** An element with attributes and children; texts are never read as HTML. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}
