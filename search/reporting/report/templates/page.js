"use strict";
const all = (query, from = document) => [...from.querySelectorAll(query)];

// Tooltips, by pointer or, in a picture that has the focus, by the arrow keys.
const tip = document.getElementById("tip");
let marked = null;
function show(mark) {
  if (marked) marked.classList.remove("at");
  marked = mark;
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.dataset.tip;
  place();
}
function place() {
  const at = marked.getBoundingClientRect(), size = tip.getBoundingClientRect();
  const left = Math.min(Math.max(4, at.left + at.width / 2 - size.width / 2), innerWidth - size.width - 4);
  const above = at.top - size.height - 8;
  tip.style.left = left + "px";
  tip.style.top = (above > 4 ? above : Math.min(at.bottom + 8, innerHeight - size.height - 4)) + "px";
}
document.addEventListener("pointerover", event => show(event.target.closest("svg [data-tip]")));
// A picture scrolls into view as it gets the focus: what the arrow keys show goes along, what the pointer showed goes.
document.addEventListener("scroll", () => {
  if (marked && document.activeElement.closest("svg")?.contains(marked)) place();
  else show(null);
}, { passive: true });
for (const svg of all("svg")) {
  if (!svg.querySelector("[data-tip]")) continue;
  svg.tabIndex = 0;
  svg.addEventListener("blur", () => show(null));
  svg.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") show(null);
    if (!step) return;
    event.preventDefault();
    const marks = all("[data-tip]", svg), now = marks.indexOf(marked);
    const next = marks[now < 0 ? (step > 0 ? 0 : marks.length - 1) : (now + step + marks.length) % marks.length];
    show(next);
    next.classList.add("at");
  });
}

// Tables are sorted by the button in a column's head.
for (const head of all("table.sortable th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending", i = head.cellIndex, body = head.closest("table").tBodies[0];
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => row.cells[i].dataset.value ?? row.cells[i].textContent.trim();
    body.append(...[...body.rows].sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
      return down ? -order : order;
    }));
  });
}

// The table of mistakes shows what fits all filters.
const mistakes = document.getElementById("mistakes-table");
if (mistakes) {
  const words = document.getElementById("words"), kind = document.getElementById("kind"), suspects = document.getElementById("suspects");
  const count = document.getElementById("count");
  const filter = () => {
    let shown = 0;
    for (const row of mistakes.tBodies[0].rows) {
      const fits = (!kind.value || row.dataset.kind === kind.value) && (!suspects.checked || row.dataset.suspect === "1")
        && row.textContent.toLowerCase().includes(words.value.trim().toLowerCase());
      row.hidden = !fits;
      shown += fits;
    }
    count.textContent = shown + " shown";
  };
  for (const control of [words, kind, suspects]) control.addEventListener("input", filter);
  filter();
}

// Of blocks of one kind the chosen one is shown; without this script, and on paper, all are.
for (const select of all("select[data-choose]")) {
  const blocks = all(`[data-block="${select.dataset.choose}"]`);
  const choose = () => blocks.forEach((block, i) => { block.hidden = String(i) !== select.value; });
  select.addEventListener("input", choose);
  choose();
}

addEventListener("beforeprint", () => all("details").forEach(one => { one.open = true; }));

for (const button of all("button.copy")) {
  if (!navigator.clipboard) { button.hidden = true; continue; }
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.of).textContent);
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
}
