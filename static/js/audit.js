// One pair of a blind sample by keyboard: an answer by digit, undo, marked differences.
import { isTyping } from "./frame.js";
import { mark } from "./mark.js";

const audit = () => document.getElementById("audit");
const press = (selector) => audit()?.querySelector(selector)?.click();

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
  if (isTyping(event.target)) return;
  if (/^[1-4]$/.test(event.key)) press(`[data-key="${event.key}"]`);
  else if (event.key === "u") press("[data-undo]");
  else if (event.key === "m") mark();
  else return;
  event.preventDefault();
});

// The next pair begins where it is read: at its prompt.
document.addEventListener("htmx:afterSwap", () => audit()?.querySelector("[data-why]")?.focus({ preventScroll: true }));
