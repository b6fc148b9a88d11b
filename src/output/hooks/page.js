"use strict";
// Sorts the table by the column whose header is pressed, and back on the next press.
const table = document.getElementById("hooks");
const rows = [...table.tBodies[0].rows];
const key = (row, column) => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
const order = new Intl.Collator("en", { numeric: true });
[...table.tHead.rows[0].cells].forEach((head, column) => {
  head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    rows.sort((a, b) => (up ? 1 : -1) * order.compare(key(a, column), key(b, column)));
    table.tBodies[0].append(...rows);
  });
});
// A link to a hook opens what it leads to.
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
};
addEventListener("hashchange", open);
open();
