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
    const marks = all("[data-tip]:not(.off)", svg), now = marks.indexOf(marked);
    const next = marks[now < 0 ? (step > 0 ? 0 : marks.length - 1) : (now + step + marks.length) % marks.length];
    show(next);
    next.classList.add("at");
  });
}

// On the axes of parallel coordinates ranges are selected, by dragging, a tap or the keys; lines outside of one fade.
const HOW = "Drag along an axis, or tap a value, to fade all other lines; tap again to take it back. Keys: Tab, arrows (with Shift one end), Escape.";
for (const svg of all("svg")) {
  const axes = all("rect.brush", svg), lines = all("[data-at]", svg).map(line => [line, line.dataset.at.split(" ").map(Number)]);
  if (!axes.length) continue;
  const part = (axis, name) => Number(axis.getAttribute(name));
  const upright = part(axes[0], "height") > part(axes[0], "width"), [edge, size] = upright ? ["y", "height"] : ["x", "width"];
  const ranges = axes.map(() => null);
  const told = document.createElement("p"), count = document.createElement("span"), clear = document.createElement("button");
  told.className = "soft brushing";
  count.setAttribute("role", "status");
  clear.type = "button";
  clear.textContent = "show all";
  told.append(count, clear);
  svg.after(told);
  const bars = axes.map(axis => {
    const bar = axis.cloneNode();
    bar.setAttribute("class", "brushed");
    axis.before(bar);
    return bar;
  });
  const update = () => {
    let shown = 0;
    for (const [line, at] of lines) {
      // Where a line passes by an axis there is no number, and no comparison holds.
      const off = ranges.some((range, i) => range && !(at[i] >= range[0] && at[i] <= range[1]));
      line.classList.toggle("off", off);
      shown += !off;
    }
    const any = ranges.some(range => range);
    count.textContent = any ? `${shown} of ${lines.length} configurations` : HOW;
    clear.hidden = !any;
    axes.forEach((axis, i) => {
      const [low, high] = ranges[i] ?? [0, 0];
      bars[i].toggleAttribute("hidden", !ranges[i]);
      bars[i].setAttribute(edge, low);
      bars[i].setAttribute(size, high - low);
      axis.setAttribute("aria-valuenow", shown);
      axis.setAttribute("aria-valuetext", ranges[i] ? `a range is selected, ${shown} of ${lines.length} configurations` : "all");
    });
  };
  const select = (i, a, b) => {
    const start = part(axes[i], edge), end = start + part(axes[i], size), inside = at => Math.min(end, Math.max(start, at));
    ranges[i] = a === null ? null : [inside(Math.min(a, b)), inside(Math.max(a, b))];
    update();
  };
  clear.addEventListener("click", () => { ranges.fill(null); update(); });
  axes.forEach((axis, i) => {
    const start = part(axis, edge), length = part(axis, size), step = length / 20;
    const names = { tabindex: 0, role: "slider", "aria-label": `${axis.dataset.axis}: range`, "aria-valuemin": 0, "aria-valuemax": lines.length };
    for (const [name, value] of Object.entries(names)) axis.setAttribute(name, value);
    axis.classList.toggle("upright", upright);
    const along = event => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse())[edge];
    axis.addEventListener("pointerdown", event => {
      const from = along(event);
      let dragged = false;
      axis.setPointerCapture(event.pointerId);
      axis.onpointermove = moved => {
        dragged ||= Math.abs(along(moved) - from) > 4;
        if (dragged) select(i, from, along(moved));
      };
      axis.onpointerup = () => { if (!dragged) select(i, ranges[i] ? null : from - 8, from + 8); };
      axis.onlostpointercapture = () => { axis.onpointermove = axis.onpointerup = null; };
    });
    axis.addEventListener("keydown", event => {
      const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!way && !["Escape", "Delete", "Backspace"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();  // the picture's own keys walk its marks
      const [low, high] = ranges[i] ?? [];
      if (!way) select(i, null);
      else if (low === undefined) select(i, start + length / 2, way > 0 ? start + length : start);
      else if (event.shiftKey) select(i, low, Math.max(low + step, high + way * step));
      else if (way > 0 ? high < start + length : low > start) select(i, low + way * step, high + way * step);
    });
  });
  update();
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
