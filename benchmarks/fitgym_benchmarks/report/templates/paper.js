"use strict";
const number = (text) => {
  const found = text.replaceAll(",", "").replace("\u2212", "-").match(/^[+-]?\d+(\.\d+)?/);
  return found ? Number(found[0]) : null;
};
for (const table of document.querySelectorAll("table.sorted")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [a, b].map((row) => row.cells[column].textContent.trim());
        const [m, n] = [number(x), number(y)];
        const order = m !== null && n !== null ? m - n : x.localeCompare(y, "en", { numeric: true });
        return down ? -order : order;
      });
      body.append(...rows);
    });
  });
}
// Only what scrolls sideways needs a stop of the keyboard.
const reach = () => { for (const one of document.querySelectorAll(".scroll")) one.tabIndex = one.scrollWidth > one.clientWidth ? 0 : -1; };
const fold = (open) => { for (const one of document.querySelectorAll("details.fold")) one.open = open; };
if (matchMedia("(max-width: 36rem)").matches) fold(false);
addEventListener("beforeprint", () => fold(true));
addEventListener("resize", reach);
document.addEventListener("toggle", reach, true);
reach();
