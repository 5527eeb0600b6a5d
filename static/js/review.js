// One pair by keyboard: keep, flip, drop, a label by digit, skip, undo; marked differences.
import { isTyping } from "./frame.js";
import { mark } from "./mark.js";
import { keepReason } from "./reason.js";

const review = () => document.getElementById("review");

const press = (selector) => review()?.querySelector(selector)?.click();
const actions = {
  y: () => press("[name=action][value=keep]"),
  x: () => press("[name=action][value=flip]"),
  d: () => press("[name=action][value=drop]"),
  s: () => press("[data-skip]"),
  u: () => press("[data-undo]"),
  e: () => review()?.querySelector("[name=reason]")?.focus(),
  m: mark,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.name === "reason" && (event.key === "Enter" || event.key === "Escape")) {
    event.preventDefault();
    return void event.target.blur();
  }
  if (isTyping(event.target)) return;
  const act = actions[event.key] ?? (/^[1-7]$/.test(event.key) ? () => press(`[data-key="${event.key}"]`) : null);
  if (!act) return;
  event.preventDefault();
  act();
});

// The next pair begins where it is read: at the sentence that says why it is here.
document.addEventListener("htmx:afterSwap", (event) => {
  if (!review()) return;
  keepReason(review());
  if (event.target.id === "review" || document.activeElement === document.body) {
    review().querySelector("[data-why]")?.focus({ preventScroll: true });
  }
});
if (review()) keepReason(review());
