"use strict";
// Search, filter and sort the table of all series. What the reader chose stands in the address.
document.addEventListener("DOMContentLoaded", () => {
  const { choices, choose, redrawn } = actioncast;
  let rows = []; // in the order of the server, the worst first
  let places = new Map(); // row -> its place in that order

  const cell = (row, column) => row.cells[column];
  const textOf = (row, column) => cell(row, column).textContent.trim().toLowerCase();
  // The value that a row is sorted by: its place, its text, or a number; NaN where it is not known.
  function valueOf(row, column) {
    if (column === 0) return places.get(row);
    if (column === 1) return textOf(row, 1);
    const { textContent, dataset } = cell(row, column);
    return dataset.age ? -dataset.age : parseFloat(textContent);
  }
  // What is not known stands last.
  function compare(column, sign) {
    return (a, b) => {
      const [left, right] = [valueOf(a, column), valueOf(b, column)];
      if (column === 1) return sign * left.localeCompare(right);
      if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) - Number.isNaN(right);
      return sign * (left - right);
    };
  }

  function show() {
    const words = (choices.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const status = choices.get("status") ?? "";
    let shown = 0;
    for (const row of rows) {
      const fits = (!status || row.classList.contains(status)) && words.every((word) => row.dataset.text.includes(word));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const button of document.querySelectorAll("[data-status]")) {
      button.setAttribute("aria-pressed", button.dataset.status === status);
    }
    document.getElementById("shown").textContent = shown < rows.length ? `${shown} of ${rows.length} shown` : "";
  }

  function sort() {
    const [column, order] = (choices.get("sort") ?? "").split("-");
    for (const button of document.querySelectorAll("[data-sort]")) {
      const isThis = button.dataset.sort === column;
      button.closest("th").setAttribute("aria-sort", isThis ? (order === "down" ? "descending" : "ascending") : "none");
    }
    const ordered = column ? rows.toSorted(compare(Number(column), order === "down" ? -1 : 1)) : rows;
    document.querySelector("#series tbody").append(...ordered); // the first one: all in one order
  }

  function prepare() {
    document.getElementById("filters").hidden = false;
    rows = [...document.querySelectorAll("#series tbody tr")];
    places = new Map(rows.map((row, place) => [row, place]));
    for (const row of rows) row.dataset.text = `${textOf(row, 0)} ${textOf(row, 1)}`;
    const search = document.getElementById("search");
    search.value = choices.get("q") ?? "";
    search.addEventListener("input", () => {
      choose("q", search.value);
      show();
    });
    for (const button of document.querySelectorAll("[data-status]")) {
      button.addEventListener("click", () => {
        choose("status", button.dataset.status);
        show();
      });
    }
    for (const button of document.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => {
        const before = choices.get("sort");
        choose("sort", before === `${button.dataset.sort}-up` ? `${button.dataset.sort}-down` : `${button.dataset.sort}-up`);
        sort();
      });
    }
    if (choices.has("sort")) sort();
    if (choices.has("q") || choices.has("status")) show();
    // The rows that nobody sees yet are laid out after the first paint.
    requestAnimationFrame(() => setTimeout(() => {
      document.querySelector("tbody.later")?.classList.remove("later");
      document.documentElement.dataset.drawn = "true";
    }));
  }

  redrawn.push(() => {
    if (document.querySelector("#series tbody tr")?.dataset.text == null) prepare();
  });
  prepare();
});
