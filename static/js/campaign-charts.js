// Pictures are read by pointer and by arrow keys, and turned into tables by one key.
import { isTyping } from "./frame.js";

function read(figure, mark) {
  for (const other of figure.querySelectorAll("[data-read]")) delete other.dataset.read;
  const says = figure.querySelector("output");
  if (says) says.textContent = mark?.dataset.say ?? "";
  if (mark) mark.dataset.read = "";
}

function step(picture, key) {
  const figure = picture.closest("[data-chart]");
  const marks = [...picture.querySelectorAll("[data-mark]")];
  const now = marks.findIndex((mark) => "read" in mark.dataset);
  const last = marks.length - 1;
  const next = { ArrowLeft: now < 0 ? last : Math.max(0, now - 1), ArrowRight: Math.min(last, now + 1), Home: 0, End: last }[key];
  read(figure, marks[next]);
}

function toggleTables() {
  const tables = [...document.querySelectorAll("[data-table]")];
  const open = tables.some((table) => !table.open);
  for (const table of tables) table.open = open;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const picture = event.target.closest?.("[data-chart] svg");
  if (picture && ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
    event.preventDefault();
    step(picture, event.key);
  } else if (event.key === "v") toggleTables();
});

document.addEventListener("pointerover", (event) => {
  const mark = event.target.closest?.("[data-mark]");
  if (mark) read(mark.closest("[data-chart]"), mark);
});
