// The list by keyboard: move, read, choose, decide, undo. The filter and the brush live in the URL.
import { isTyping } from "./frame.js";
import { brush } from "./histogram.js";
import { keepReason } from "./reason.js";

const browse = document.getElementById("browse");
const pane = document.getElementById("pane");
const filters = document.getElementById("filters");
const isNarrow = matchMedia("(max-width: 800px)");
let current = null;


const rows = () => [...document.querySelectorAll("#rows .row")];
const rowOf = (id) => document.getElementById(`row-${id}`);
const chosen = () => rows().filter((row) => row.querySelector("[name=ids]").checked);
const isEvery = () => Boolean(browse.querySelector("[name=every]:checked"));

function stand(row, { focus = true, scroll = true } = {}) {
  for (const other of rows()) other.removeAttribute("aria-current");
  if (!row) return;
  current = row.dataset.id;
  row.setAttribute("aria-current", "true");
  if (focus) row.focus({ preventScroll: true });
  if (scroll) row.scrollIntoView({ block: "nearest" });
  if (!pane.hidden && pane.dataset.id !== current) open(row);
}

function move(by) {
  const all = rows();
  const at = all.findIndex((row) => row.dataset.id === current);
  stand(all[Math.max(0, Math.min(all.length - 1, at + by))]);
}

function open(row) {
  const link = row.querySelector("[data-open]");
  if (isNarrow.matches) return void location.assign(link.href);
  pane.hidden = false;
  pane.dataset.id = row.dataset.id;
  htmx.ajax("GET", link.href, { target: "#pane", swap: "innerHTML" });
}

function close() {
  pane.hidden = true;
  pane.replaceChildren();
  delete pane.dataset.id;
}

function decide(action) {
  browse.querySelector(`[name=action][value=${action}]`)?.click();
}

function describe() {
  const about = browse.querySelector("[data-about]");
  if (!about) return;
  const count = chosen().length;
  about.textContent = isEvery() ? "Acts on every row of this filter" : count ? `Acts on ${count} chosen row${count > 1 ? "s" : ""}` : "Acts on the row in hand";
}

function askEvery(button) {
  htmx.ajax("GET", `${button.dataset.every}${location.search}`, { target: "#every", swap: "innerHTML" });
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  o: () => current && open(rowOf(current)),
  y: () => decide("keep"),
  x: () => decide("flip"),
  d: () => decide("drop"),
  r: () => decide("review"),
  u: () => document.querySelector("#notice [data-undo]")?.click(),
  e: () => browse.querySelector("[name=reason]")?.focus(),
  Escape: close,
  Enter: () => current && open(rowOf(current)),
  " ": () => current && rowOf(current)?.querySelector("[name=ids]").click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.name === "reason" && (event.key === "Enter" || event.key === "Escape")) {
    event.preventDefault();
    return void (rowOf(current) ?? document.body).focus();
  }
  const isControl = event.target.matches?.("button, a, summary, [role=slider], [type=checkbox]");
  if (isTyping(event.target) && !event.target.matches("[type=checkbox]")) return;
  if (isControl && (event.key === "Enter" || event.key === " ") && !event.target.matches("[data-open]")) return;
  const act = actions[event.key];
  if (!act || !rows().length) return;
  event.preventDefault();
  act();
});

browse.addEventListener("click", (event) => {
  const link = event.target.closest("[data-open]");
  const row = event.target.closest(".row");
  if (link && !isNarrow.matches && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    stand(row);
    open(row);
  } else if (row) stand(row, { focus: false });
  if (event.target.closest("[data-close]")) close();
  const every = event.target.closest("[data-every]");
  if (every) askEvery(every);
  if (event.target.closest("[data-page]")) {
    const all = chosen().length === rows().length;
    for (const other of rows()) other.querySelector("[name=ids]").checked = !all;
    describe();
  }
});
browse.addEventListener("change", describe);

// Nothing chosen: the row in hand is meant.
browse.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt !== browse || isEvery() || chosen().length || !current) return;
  event.detail.parameters.append?.("ids", current) ?? (event.detail.parameters.ids = current);
});

// A refusal is read where the answer would stand.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422 && event.detail.target.id === "notice") event.detail.shouldSwap = true;
});

// One row decided: on to the next, and to the same one after an undo.
document.addEventListener("row-decided", () => {
  const before = current;
  requestAnimationFrame(() => setTimeout(() => {
    stand(rowOf(before));
    const wasUndo = !document.querySelector("#notice [data-batch]");
    if (!wasUndo && !chosen().length) move(1);
    else if (!pane.hidden && rowOf(before)) open(rowOf(before));
    describe();
  }, 30));
});
document.addEventListener("rows-changed", () => location.reload());

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "every") describe();
  if (event.detail.elt.id === "histogram") startBrush();
});

function loadRows(query) {
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
  document.getElementById("every")?.querySelector("[name=every]:checked")?.click();
  htmx.ajax("GET", `${location.pathname}${query ? `?${query}` : ""}`, { target: "#rows", swap: "outerHTML" });
}

function setRange(min, max) {
  filters.elements.min_strength.value = min ?? "";
  filters.elements.max_strength.value = max ?? "";
  loadRows(new URLSearchParams(new FormData(filters)).toString());
}

function startBrush() {
  const figure = document.getElementById("histogram");
  if (figure?.dataset.limit && filters) brush(figure, setRange);
}

filters?.addEventListener("change", () => filters.requestSubmit());
filters?.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});

startBrush();
keepReason(browse);
stand(rows()[0], { focus: false, scroll: false });
