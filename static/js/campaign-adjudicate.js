// One dispute by keyboard: an answer by digit, skip, take back, marked differences, names on demand.
import { difference, mark } from "./desk/diff.js";
import { isTyping } from "./frame.js";
import { keepReason } from "./reason.js";

const NAMES = "winnow.adjudicate.names";
const place = () => document.getElementById("adjudication");
const press = (selector) => place()?.querySelector(selector)?.click();

function showDifferences(button) {
  const isOn = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", isOn);
  const raw = [...place().querySelectorAll("[data-raw]")];
  if (isOn) {
    const parts = difference(...raw.map((text) => text.textContent));
    raw.forEach((text, side) => mark(text, parts[side]));
  }
  for (const text of raw) text.hidden = !isOn;
  for (const text of place().querySelectorAll("[data-text]")) text.hidden = isOn;
}

function showNames(button, isOn) {
  button.setAttribute("aria-pressed", isOn);
  for (const name of place().querySelectorAll("[data-name]")) name.hidden = !isOn;
  sessionStorage.setItem(NAMES, isOn ? "yes" : "");
}

function open() {
  if (!place()) return;
  keepReason(place());
  const button = place().querySelector("[data-names]");
  if (button && sessionStorage.getItem(NAMES)) showNames(button, true);
}

const actions = {
  s: () => press("[data-skip]"),
  u: () => press("[data-undo]"),
  c: () => place()?.querySelector("[name=reason]")?.focus(),
  d: () => press("[data-mark]"),
  n: () => press("[data-names]"),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.name === "reason" && (event.key === "Enter" || event.key === "Escape")) {
    event.preventDefault();
    return void event.target.blur();
  }
  if (isTyping(event.target)) return;
  const act = actions[event.key] ?? (/^[0-7]$/.test(event.key) ? () => press(`[data-key="${event.key}"]`) : null);
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => {
  const marks = event.target.closest("[data-mark]");
  const names = event.target.closest("[data-names]");
  if (marks) showDifferences(marks);
  if (names) showNames(names, names.getAttribute("aria-pressed") !== "true");
});

// The next one begins where it is read: at the sentence that sums up its votes.
document.addEventListener("htmx:afterSwap", (event) => {
  open();
  if (event.target.id === "adjudication" || document.activeElement === document.body) {
    place()?.querySelector("[data-why]")?.focus({ preventScroll: true });
  }
});
open();
