// The rows of a rubric: added, removed, put back and moved, by key and pointer. Nothing is written before saving.
const form = document.getElementById("editor");
const list = document.getElementById("criteria");
const blank = document.getElementById("blank-criterion");
const told = document.getElementById("told");
const putBack = form.querySelector("[data-put-back]");

let removed = null; // { row, before }: the last one, and the row that it stood before
let isDirty = false;

const rows = () => [...list.children];
const rowOf = (element) => element.closest("[data-criterion]");

function rearranged(words) {
  rows().forEach((row, index) => {
    row.id = `criterion-${index + 1}`;
    row.querySelector("[data-number]").textContent = index + 1;
    row.querySelector('[data-move="-1"]').disabled = index === 0;
    row.querySelector('[data-move="1"]').disabled = index === list.children.length - 1;
    row.querySelector("[data-remove]").disabled = list.children.length === 1;
  });
  if (!words) return;
  told.textContent = words;
  isDirty = true;
  form.dispatchEvent(new Event("rearranged", { bubbles: true }));
}

function add(after = list.lastElementChild) {
  const row = blank.content.firstElementChild.cloneNode(true);
  if (after) after.after(row);
  else list.append(row);
  rearranged("");
  row.querySelector("[name=text]").focus();
  rearranged(`Criterion ${rows().indexOf(row) + 1} added.`);
}

function remove(row) {
  if (list.children.length === 1) return;
  const number = rows().indexOf(row) + 1;
  removed = { row, before: row.nextElementSibling };
  row.remove();
  putBack.hidden = false;
  rearranged(`Criterion ${number} removed.`);
  putBack.focus();
}

function undoRemoval() {
  const { row, before } = removed;
  list.insertBefore(row, before?.isConnected ? before : null);
  removed = null;
  putBack.hidden = true;
  rearranged("It is back.");
  row.querySelector("[name=text]").focus();
}

function move(row, step, focused) {
  const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (step < 0) other.before(row);
  else other.after(row);
  rearranged(`Moved to place ${rows().indexOf(row) + 1} of ${list.children.length}.`);
  // At either end the pressed button is off, and would lose the focus.
  const target = focused?.disabled ? row.querySelector("[data-move]:not(:disabled)") : focused;
  target?.focus();
  row.scrollIntoView({ block: "nearest" });
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if ("add" in button.dataset) add();
  else if ("putBack" in button.dataset) undoRemoval();
  else if ("remove" in button.dataset) remove(rowOf(button));
  else if (button.dataset.move) move(rowOf(button), Number(button.dataset.move), button);
});

form.addEventListener("input", ({ target }) => {
  isDirty = true;
  const row = rowOf(target);
  row?.querySelector("[data-problems]")?.remove();
  row?.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
  if (target.name === "answers") row.querySelector("[data-scale]").hidden = target.value !== "scale";
});

form.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    form.requestSubmit();
  }
  const row = event.altKey && rowOf(event.target);
  if (!row) return;
  const acts = {
    ArrowUp: () => move(row, -1, event.target),
    ArrowDown: () => move(row, 1, event.target),
    Enter: () => add(row),
    Delete: () => remove(row),
  };
  if (!Object.hasOwn(acts, event.key)) return;
  event.preventDefault();
  acts[event.key]();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest('#problems a[href^="#criterion-"]');
  if (!link) return;
  event.preventDefault();
  document.getElementById(link.hash.slice(1))?.querySelector("[name=text]").focus();
});

// What htmx could not send is still in the form; the person is told.
form.addEventListener("htmx:sendError", () => { told.textContent = "The server cannot be reached. Nothing is lost: save again later."; });
form.addEventListener("htmx:responseError", () => { told.textContent = "The server could not save this. Nothing is lost: try again."; });
form.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.elt !== form || !detail.successful) return;
  isDirty = !detail.xhr.getResponseHeader("HX-Redirect");
  document.querySelector("#problems .notice")?.scrollIntoView({ block: "nearest" });
});

addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });

rearranged("");
