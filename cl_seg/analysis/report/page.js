"use strict";
/** The number at the start of a cell, or its text; what is not known goes to the end. */
function sortKey(cell) {
  const text = cell.textContent.trim().replace("−", "-");
  const number = parseFloat(text);
  return text === "–" || text === "" ? null : Number.isNaN(number) ? text.toLowerCase() : number;
}

function compared(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

/** Headings of a table become buttons that sort its rows. */
window.makeSortable = (table) => {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].map((row) => [sortKey(row.cells[column]), row]);
      rows.sort(([a], [b]) => a === null || b === null ? compared(a, b) : (down ? -1 : 1) * compared(a, b));
      table.tBodies[0].append(...rows.map(([, row]) => row));
      table.classList.add("sorted");
    });
  });
};
document.querySelectorAll("main table").forEach((table) => {
  if (!table.querySelector("th button")) window.makeSortable(table);
});

const contents = document.querySelector(".contents");
contents.querySelectorAll("a[hidden]").forEach((link) => { link.hidden = !document.getElementById("explorer-data"); });
const theme = document.createElement("button");
theme.type = "button";
theme.id = "theme";
const isDark = () => document.documentElement.dataset.theme === "dark";
function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  theme.textContent = dark ? "Light" : "Dark";
  document.dispatchEvent(new Event("themechange"));
}
theme.addEventListener("click", () => setTheme(!isDark()));
contents.append(theme);
setTheme(matchMedia("(prefers-color-scheme: dark)").matches);

const links = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
const headings = [...document.querySelectorAll("h2[id]")].filter((heading) => links.has(heading.id));
function markCurrent() {
  const above = headings.filter((heading) => heading.getBoundingClientRect().top < 120);
  const current = links.get(above.at(-1)?.id);
  links.forEach((link) => { if (link !== current) link.removeAttribute("aria-current"); });
  if (!current || current.hasAttribute("aria-current")) return;
  current.setAttribute("aria-current", "true");
  contents.scrollTop = current.offsetTop - contents.clientHeight / 2;
  contents.scrollLeft = current.offsetLeft - contents.clientWidth / 2;
}
addEventListener("scroll", markCurrent, { passive: true });
